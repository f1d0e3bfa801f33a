"""Connects redis-py in RESP2 and RESP3, treats every warning as an error, and does the basics.

usage: redis_py.py HOST PORT
"""

import sys
import threading
import warnings

import redis

warnings.simplefilter("error")


def basics(client, protocol):
    client.flushdb()
    assert client.ping() is True
    assert client.set("greeting", "hello", ex=100) is True
    assert client.get("greeting") == b"hello"
    assert client.get("nothing") is None
    assert 0 < client.ttl("greeting") <= 100
    assert client.incr("counter", 5) == 5
    assert client.mset({"a": "1", "b": b"\x00\xff\r\n"}) is True
    assert client.mget("a", "b", "nothing") == [b"1", b"\x00\xff\r\n", None]
    assert client.hset("h", mapping={"x": "1", "y": "2"}) == 2
    assert client.hgetall("h") == {b"x": b"1", b"y": b"2"}
    assert client.exists("a", "b", "nothing") == 2
    assert client.type("h") == b"hash"
    assert sorted(client.scan_iter(match="*", count=2)) == [b"a", b"b", b"counter", b"greeting", b"h"]
    assert client.delete("a", "b", "nothing") == 2
    try:
        client.incr("greeting")
        raise AssertionError("INCR of a word must fail")
    except redis.ResponseError as error:
        assert "not an integer" in str(error), error
    try:
        client.hget("greeting", "x")
        raise AssertionError("HGET of a string must fail")
    except redis.ResponseError as error:
        assert str(error).startswith("WRONGTYPE"), error
    assert client.info("server")["redis_version"]
    assert isinstance(client.config_get("appendfsync"), dict)
    assert client.client_id() > 0
    assert client.dbsize() == 3


def pipelines(client):
    with client.pipeline(transaction=False) as pipe:
        for number in range(1000):
            pipe.set(f"p:{number}", number)
        assert pipe.execute() == [True] * 1000
    with client.pipeline(transaction=True) as pipe:
        pipe.set("t", 1).incr("t").get("t")
        assert pipe.execute() == [True, 2, b"2"]


def raced(client):
    """Two threads increment with WATCH; none of the steps may be lost."""

    def step(pipe):
        value = int(pipe.get("watched") or 0)
        pipe.multi()
        pipe.set("watched", value + 1)

    def many():
        for _ in range(50):
            client.transaction(step, "watched")

    client.delete("watched")
    threads = [threading.Thread(target=many) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("watched") == b"100", client.get("watched")


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    for protocol in (2, 3):
        client = redis.Redis(host=host, port=port, db=9, protocol=protocol, client_name="outside", socket_timeout=10)
        basics(client, protocol)
        pipelines(client)
        raced(client)
        assert client.client_getname() in ("outside", b"outside")
        client.flushdb()
        client.close()
        print(f"redis-py {redis.__version__}, RESP{protocol}: ok")


main()

#!/usr/bin/env python3
"""Keyspace events of redis-server and of Seedis beside each other: they must be the same, key by key.

Usage: events.py REDIS_PORT SEEDIS_PORT [--commands 20000] [--seed 1]

Both servers are emptied (FLUSHALL), and `notify-keyspace-events` is set. A listener of each hears
all events while random commands of all types go to a few keys. Behind every command the events are
compared. Commands that store what they have found, COPY, and SET with GET tell nothing of keys that
are missing, and of a key that a command names twice it is told once.
"""

import argparse
import collections
import random
import sys

from differ import Client

KEYS = [b"k0", b"k1", b"k2", b"k3"]
ITEMS = [b"a", b"b", b"c", b"1", b"2"]
NUMBERS = [b"-2", b"-1", b"0", b"1", b"2", b"3"]


def commands(r):
    k, i, n = (lambda: r.choice(KEYS)), (lambda: r.choice(ITEMS)), (lambda: r.choice(NUMBERS))
    end = lambda: r.choice([b"LEFT", b"RIGHT"])
    few = lambda: [i() for _ in range(r.randint(1, 3))]
    two = lambda: r.sample(KEYS, 2)
    scored = lambda: [w for _ in range(r.randint(1, 2)) for w in (n(), i())]
    place = lambda: [r.choice([b"13.3", b"13.4"]), r.choice([b"52.5", b"52.6"]), i()]
    return r.choice([
        lambda: [b"SET", k(), i()],
        lambda: [b"SET", k(), i(), b"EX", b"1000"],
        lambda: [b"SET", k(), i(), r.choice([b"NX", b"XX", b"GET", b"KEEPTTL"])],
        lambda: [b"SETNX", k(), i()],
        lambda: [b"SETEX", k(), b"1000", i()],
        lambda: [b"PSETEX", k(), b"1000000", i()],
        lambda: [b"GETSET", k(), i()],
        lambda: [b"GETDEL", k()],
        lambda: [b"GETEX", k()] + r.choice([[], [b"PERSIST"], [b"EX", b"1000"], [b"PXAT", b"1"]]),
        lambda: [b"MSET"] + [w for key in r.sample(KEYS, r.randint(1, 3)) for w in (key, i())],
        lambda: [b"MSETNX"] + [w for key in r.sample(KEYS, r.randint(1, 2)) for w in (key, i())],
        lambda: [b"APPEND", k(), i()],
        lambda: [b"SETRANGE", k(), b"2", r.choice([b"", b"x"])],
        lambda: [r.choice([b"INCR", b"DECR"]), k()],
        lambda: [r.choice([b"INCRBY", b"DECRBY", b"INCRBYFLOAT"]), k(), n()],
        lambda: [b"SETBIT", k(), b"3", r.choice([b"0", b"1"])],
        lambda: [b"BITOP", r.choice([b"AND", b"OR"]), k(), k(), k()],
        lambda: [b"BITFIELD", k(), b"SET", b"u4", b"0", b"3"],
        lambda: [b"PFADD", k()] + few(),
        lambda: [b"PFMERGE", k(), k()],
        lambda: [r.choice([b"GET", b"STRLEN", b"TYPE", b"TTL", b"HLEN", b"LLEN", b"EXISTS", b"SMEMBERS"]), k()],
        lambda: [b"MGET"] + two(),
        lambda: [r.choice([b"SUNION", b"SINTER", b"SDIFF"])] + two(),
        lambda: [r.choice([b"ZUNION", b"ZINTER", b"ZDIFF"]), b"2"] + two(),
        lambda: [r.choice([b"DEL", b"UNLINK"])] + [k() for _ in range(r.randint(1, 3))],
        lambda: [r.choice([b"RENAME", b"RENAMENX"]), k(), k()],
        lambda: [b"COPY", k(), k()] + r.choice([[], [b"REPLACE"], [b"DB", b"1"]]),
        lambda: [b"MOVE", k(), b"1"],
        lambda: [b"EXPIRE", k(), r.choice([b"1000", b"-1"])] + r.choice([[], [b"NX"], [b"XX"]]),
        lambda: [b"PEXPIRE", k(), r.choice([b"1000000", b"0"])],
        lambda: [b"PERSIST", k()],
        lambda: [r.choice([b"LPUSH", b"RPUSH", b"LPUSHX", b"RPUSHX"]), k()] + few(),
        lambda: [r.choice([b"LPOP", b"RPOP"]), k()] + r.choice([[], [b"2"], [b"0"]]),
        lambda: [b"LMPOP", b"2", k(), k(), end()],
        lambda: [b"LMOVE", k(), k(), end(), end()],
        lambda: [b"RPOPLPUSH", k(), k()],
        lambda: [b"BLPOP", k(), k(), b"0.001"],
        lambda: [b"LSET", k(), n(), i()],
        lambda: [b"LINSERT", k(), b"BEFORE", i(), i()],
        lambda: [b"LREM", k(), n(), i()],
        lambda: [b"LTRIM", k(), n(), n()],
        lambda: [r.choice([b"SADD", b"SREM"]), k()] + few(),
        lambda: [b"SMOVE", k(), k(), i()],
        lambda: [r.choice([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"]), k(), k(), k()],
        lambda: [b"SPOP", k(), b"100"],
        lambda: [r.choice([b"HSET", b"HMSET"]), k(), i(), i(), i(), i()],
        lambda: [b"HSETNX", k(), i(), i()],
        lambda: [b"HDEL", k()] + few(),
        lambda: [r.choice([b"HINCRBY", b"HINCRBYFLOAT"]), k(), i(), n()],
        lambda: [b"ZADD", k()] + r.choice([[], [b"NX"], [b"XX"], [b"GT"]]) + scored(),
        lambda: [b"ZADD", k(), b"INCR", n(), i()],
        lambda: [b"ZINCRBY", k(), n(), i()],
        lambda: [b"ZREM", k()] + few(),
        lambda: [b"ZREMRANGEBYRANK", k(), n(), n()],
        lambda: [b"ZREMRANGEBYSCORE", k(), n(), n()],
        lambda: [b"ZREMRANGEBYLEX", k(), b"-", b"+"],
        lambda: [r.choice([b"ZPOPMIN", b"ZPOPMAX"]), k()] + r.choice([[], [b"2"]]),
        lambda: [b"ZMPOP", b"2", k(), k(), r.choice([b"MIN", b"MAX"])],
        lambda: [b"ZRANGESTORE", k(), k(), n(), n()],
        lambda: [r.choice([b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE"]), k(), b"2", k(), k()],
        lambda: [b"GEOADD", k()] + place(),
        lambda: [b"GEOSEARCHSTORE", k(), k(), b"FROMLONLAT", b"13", b"52", b"BYRADIUS", b"200", b"km"],
        lambda: [b"GEORADIUS", k(), b"13", b"52", b"200", b"km", b"STORE", k()],
        lambda: [b"SORT", k(), b"ALPHA", b"STORE", k()],
        lambda: [b"MULTI"],
        lambda: [b"FLUSHDB"],
    ])()


class Server:
    """A server with a client that asks and one that listens."""

    def __init__(self, port):
        self.asks, self.listens = Client(port), Client(port)
        self.asks.ask(b"FLUSHALL")
        self.asks.ask(b"CONFIG", b"SET", b"notify-keyspace-events", b"g$lshzxetdKEmn")
        self.listens.ask(b"PSUBSCRIBE", b"__key*@*__:*")

    def events(self, mark):
        """The events before this mark is heard, which must have been published."""
        found = []
        while True:
            _, _, channel, message = self.listens.read()
            if message == mark:
                return found
            found.append((channel, message))


def by_key(events):
    found = collections.defaultdict(list)
    for channel, message in events:
        kind, name = channel.split(b":", 1)
        key, event = (name, message) if b"keyspace" in kind else (message, name)
        found[kind, key].append(event)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("redis", type=int)
    parser.add_argument("seedis", type=int)
    parser.add_argument("--commands", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    r = random.Random(options.seed)
    servers = [Server(options.redis), Server(options.seedis)]
    bad, same_order, told = 0, 0, 0
    for number in range(options.commands):
        words = commands(r)
        batch = [words]
        if words == [b"MULTI"]:
            batch += [commands(r) for _ in range(3)] + [[b"EXEC"]]
            batch = [one for one in batch[1:-1] if one != [b"MULTI"] and one[0] != b"BLPOP"]
            batch = [[b"MULTI"]] + batch + [[b"EXEC"]]
        heard = []
        mark = b"mark%d" % number
        for server in servers:
            for one in batch:
                server.asks.ask(*one)
            server.asks.ask(b"PUBLISH", b"__key@mark__:", mark)
            heard.append(server.events(mark))
        quiet = (b"PFMERGE", b"BITOP", b"COPY", b"GET")
        if any(b"STORE" in word or word in quiet for one in batch for word in one[:1] + one[3:]):
            heard = [[one for one in events if b"keymiss" not in b" ".join(one)] for events in heard]
        told += len(heard[0])
        if by_key(heard[0]) != by_key(heard[1]):
            bad += 1
            print("differs:", batch, "\n  redis ", heard[0], "\n  seedis", heard[1])
            if bad >= 20:
                break
        same_order += heard[0] == heard[1]
    print(f"{number + 1} commands, {told} events, {bad} differ; in the same order {same_order}")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()

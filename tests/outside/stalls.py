#!/usr/bin/env python3
"""How long one client's work keeps another waiting: PING beside each long command.

Usage: stalls.py SEEDIS [--redis redis-server] [--port 31200] [--scale 1.0] [--only WORD] [--dir DIR]
                  [--cases strings|collections]

Prints a table: for each case the median and the longest PING of another client in milliseconds, on
redis-server, on a server of its own and on the leader of three, and there how many terms the group
went through (0: the leader stayed). A machine that does nothing else gives the best
figures: the client that pings is a process of its own.
"""

import argparse
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

MB = 1 << 20


def request(*words):
    out = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(out)


class Client:
    def __init__(self, port, timeout=120):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def until_pong(self, data):
        """Sends all, and a PING behind it; how many bytes came before its answer."""
        pid = os.fork()
        if pid == 0:
            # Who writes and who reads must not wait for each other.
            try:
                self.socket.sendall(data)
                self.socket.sendall(b"*2\r\n$4\r\nECHO\r\n$9\r\nthe-end-1\r\n")
            finally:
                os._exit(0)
        count, tail, first = 0, b"", b""
        try:
            while not tail.endswith(b"$9\r\nthe-end-1\r\n"):
                more = self.socket.recv(1 << 20)
                if not more:
                    return "closed after %d bytes" % count
                count += len(more)
                first = (first + more)[:60] if len(first) < 60 else first
                tail = (tail + more)[-40:]
        finally:
            os.waitpid(pid, 0)
        return first.split(b"\r\n")[0].decode("latin1") if first[:1] == b"-" else None

    def ask(self, *words):
        self.socket.sendall(request(*words))
        return self.socket.recv(1 << 16)

    def text(self, *words):
        """A bulk string's text."""
        self.socket.sendall(request(*words))
        data = self.socket.recv(1 << 16)
        while data[:1] == b"$":
            head, rest = data.split(b"\r\n", 1)
            if len(rest) >= int(head[1:]) + 2:
                return rest[: int(head[1:])].decode("latin1")
            data += self.socket.recv(1 << 16)
        return data.decode("latin1")


def ping(port, pipe):
    """PINGs until it is told to end; then says when each began and how long it took."""
    client = Client(port)
    seen = []
    while not pipe.poll():
        began = time.perf_counter()
        client.socket.sendall(b"PING\r\n")
        try:
            client.socket.recv(100)
        except OSError:
            break
        seen.append((began, time.perf_counter() - began))
        time.sleep(0.0003)
    pipe.send(seen)


def beside(port, work):
    """Runs the work beside a client that pings; the median and the longest, in milliseconds."""
    ours, theirs = multiprocessing.Pipe()
    pinger = multiprocessing.Process(target=ping, args=(port, theirs))
    pinger.start()
    time.sleep(0.3)
    began = time.perf_counter()
    trouble = work()
    took = time.perf_counter() - began
    time.sleep(0.1)
    ours.send("end")
    seen = ours.recv() if ours.poll(60) else []
    pinger.join()
    during = sorted(length for at, length in seen if at + length >= began) or [float("nan")]
    return during[len(during) // 2] * 1e3, during[-1] * 1e3, took * 1e3, trouble


def cases(scale):
    """Names, and what is sent once before and then while another pings."""
    keys = int(1_000_000 * scale)
    some = int(500_000 * scale)
    steps = int(300_000 * scale)
    large = int(512 * scale) or 1
    text = bytes(b"abcd"[(n * n // 7 + n) % 4] for n in range(11_500))

    def value(megabytes):
        return b"x" * (megabytes * MB)

    def fill():
        yield from (request("SET", "key:%d" % n, "value:%d" % n) for n in range(keys))
        for n in range(0, keys, 500):
            pairs = (w for i in range(n, n + 500) for w in ("field:%d" % i, "value:%d" % i))
            yield request("HSET", "hash", *pairs)
        yield request("SET", "lcs:1", text) + request("SET", "lcs:2", text[::-1])
        yield request("SET", "one", value(1))

    lcs = request("LCS", "lcs:1", "lcs:2", "LEN")
    every = ["key:%d" % n for n in range(keys)]
    pairs = [w for n in range(some) for w in ("m:%d" % n, "v")]
    rewrite = request("BGREWRITEAOF")
    return fill, [
        ("nothing", lambda: b""),
        ("SET of %d MB" % (large // 8), lambda: request("SET", "s:64", value(large // 8))),
        ("GET of it", lambda: request("GET", "s:64")),
        ("SET of %d MB" % large, lambda: request("SET", "s:512", value(large))),
        ("GET of it", lambda: request("GET", "s:512")),
        ("APPEND to %d MB" % (large - 1), lambda: request("SETRANGE", "a", (large - 1) * MB, "x")
         + request("APPEND", "a", "x") * 10),
        ("the same beside a rewrite", lambda: rewrite + request("APPEND", "a", "x") * 10),
        ("DEL of large strings", lambda: request("DEL", "s:64", "s:512", "a")),
        ("MSET of %d" % some, lambda: request("MSET", *pairs)),
        ("MSETNX of %d" % some, lambda: request("MSETNX", *("n" + w for w in pairs))),
        ("MGET of %d" % keys, lambda: request("MGET", *every)),
        ("EXISTS of %d" % keys, lambda: request("EXISTS", *every)),
        ("DEL of %d" % some, lambda: request("DEL", *pairs[::2])),
        ("HGETALL of %d" % keys, lambda: request("HGETALL", "hash")),
        ("HSCAN of %d" % keys, lambda: request("HSCAN", "hash", 0, "COUNT", 10**9)),
        ("HSET of %d" % some, lambda: request("HSET", "h", *pairs)),
        ("HDEL of %d" % some, lambda: request("HDEL", "h", *pairs[::2])),
        ("COPY of a hash of %d" % keys, lambda: request("COPY", "hash", "copy")),
        ("KEYS", lambda: request("KEYS", "*")),
        ("SCAN COUNT 1e9", lambda: request("SCAN", 0, "COUNT", 10**9)),
        ("LCS of 11,500", lambda: lcs),
        ("10 LCS", lambda: lcs * 10),
        ("2,000 GETs of 1 MB", lambda: b"GET one\r\n" * int(2000 * scale)),
        ("EXEC of %d" % steps, lambda: request("MULTI")
         + b"".join(request("SET", "e:%d" % n, n) for n in range(steps)) + request("EXEC")),
        ("a flood without replies", lambda: request("CLIENT", "REPLY", "OFF")
         + b"".join(request("SET", "f:%d" % (n % 1000), n) for n in range(keys))
         + request("CLIENT", "REPLY", "ON")),
        ("FLUSHALL", lambda: request("FLUSHALL")),
    ]


def collections(scale):
    """The same upon a list, a set and a sorted set of ten million members each."""
    members = int(10_000_000 * scale)
    some = members // 10
    waiting = int(10_000 * scale)

    def fill_one(name, prefix, count):
        for n in range(0, count, 1000):
            words = ["%s:%d" % (prefix, i) for i in range(n, min(n + 1000, count))]
            if name.startswith("z"):
                words = [w for i, m in enumerate(words) for w in (n + i, m)]
            verb = {"l": "RPUSH", "s": "SADD", "z": "ZADD"}[name[0]]
            yield request(verb, name, *words)

    def fill():
        for name in ("list", "set", "zset"):
            yield from fill_one(name, "m", members)
        for name in ("s:2", "z:2"):
            yield from fill_one(name, "n", some)

    def renamed_onto():
        return request("SET", "small", "x") + request("RENAME", "small", "list") \
            + request("SET", "small", "x") + request("RENAME", "small", "zset")

    def storm():
        return b"".join(request("RPUSH", "queue", n) for n in range(waiting))

    return fill, [
        ("nothing", lambda: b""),
        ("LINDEX in the middle", lambda: request("LINDEX", "list", members // 2) * 1000),
        ("LINSERT in the middle", lambda: request("LINSERT", "list", "BEFORE",
                                                  "m:%d" % (members // 2), "x")),
        ("LREM", lambda: request("LREM", "list", 0, "x")),
        ("LRANGE of all", lambda: request("LRANGE", "list", 0, -1)),
        ("SMEMBERS", lambda: request("SMEMBERS", "set")),
        ("SUNIONSTORE", lambda: request("SUNIONSTORE", "union", "set", "s:2")),
        ("SDIFFSTORE onto it", lambda: request("SDIFFSTORE", "union", "s:2", "set")),
        ("ZRANGE of all", lambda: request("ZRANGE", "zset", 0, -1)),
        ("ZUNIONSTORE", lambda: request("ZUNIONSTORE", "z:3", 2, "zset", "z:2")),
        ("ZINTERSTORE onto it", lambda: request("ZINTERSTORE", "z:3", 2, "zset", "z:2")),
        ("ZREMRANGEBYRANK of %d" % some, lambda: request("ZREMRANGEBYRANK", "zset", 0, some - 1)),
        ("LTRIM of %d" % some, lambda: request("LTRIM", "list", some, -1)),
        ("SPOP of %d" % some, lambda: request("SPOP", "set", some)),
        ("COPY of a list", lambda: request("COPY", "list", "l:2")),
        ("COPY of a sorted set", lambda: request("COPY", "zset", "z:4")),
        ("BGREWRITEAOF", lambda: request("BGREWRITEAOF") + request("LPUSH", "list", "x") * 1000),
        ("RENAME onto them", renamed_onto),
        ("DEL", lambda: request("DEL", "set")),
        ("PEXPIRE", lambda: request("PEXPIRE", "z:4", 1) + request("PING") * 1000),
        ("%d pushes" % waiting, storm),
        ("FLUSHALL", lambda: request("FLUSHALL")),
    ]


class Servers:
    """One or several processes that are gone in the end."""

    def __init__(self, root):
        self.root, self.processes = root, []

    def start(self, name, *command):
        log = open(os.path.join(self.root, name + ".log"), "ab")
        where = os.path.join(self.root, name)
        os.makedirs(where, exist_ok=True)
        words = [*map(str, command), "--dir", where]
        self.processes.append(subprocess.Popen(words, stdout=log, stderr=log))

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.processes = []
        shutil.rmtree(self.root, ignore_errors=True)


def leader_of(ports, seconds=20):
    """Who takes a write."""
    end = time.time() + seconds
    while time.time() < end:
        for port in ports:
            try:
                if Client(port, 3).ask("SET", "probe", "1") == b"+OK\r\n":
                    return port
            except OSError:
                pass
        time.sleep(0.05)
    sys.exit("nobody leads")


def term_of(port):
    lines = Client(port, 10).text("INFO", "raft").split("\r\n")
    found = [line.split(":")[1] for line in lines if line.startswith("raft_term:")]
    return int(found[0])


def play(name, root, start, ports, wanted, plan, grouped):
    servers = Servers(root)
    rows = {}
    try:
        start(servers)
        leader = leader_of(ports)
        fill, todo = plan
        client, batch = Client(leader), []
        for piece in fill():
            batch.append(piece)
            if len(batch) == 500:
                client.until_pong(b"".join(batch))
                batch = []
        client.until_pong(b"".join(batch))
        for number, (case, make) in enumerate(todo):
            if wanted and wanted not in case:
                continue
            time.sleep(0.3)
            leader = leader_of(ports)
            before = term_of(leader) if grouped else 0
            data = make()
            work = lambda: Client(leader).until_pong(data)
            median, longest, took, trouble = beside(leader, work)
            terms = ""
            if grouped:
                terms = " terms +%d" % (term_of(leader_of(ports)) - before)
            rows[number, case] = "%7.2f %8.1f %8.0f%s%s" % (
                median, longest, took, terms, " " + trouble if trouble else "")
            print("%-22s %-30s %s" % (name, case, rows[number, case]), flush=True)
    finally:
        servers.stop()
    return rows


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("seedis")
    words.add_argument("--redis", default="redis-server")
    words.add_argument("--port", type=int, default=31200)
    words.add_argument("--scale", type=float, default=1.0)
    words.add_argument("--only", default="")
    words.add_argument("--servers", default="redis,alone,leader")
    words.add_argument("--cases", choices=["strings", "collections"], default="strings")
    words.add_argument("--dir", default=None)
    args = words.parse_args()
    seedis = os.path.abspath(args.seedis)
    port = args.port
    print("%-22s %-30s %7s %8s %8s" % ("server", "case", "p50 ms", "max ms", "took ms"))

    def redis(servers):
        servers.start("redis", args.redis, "--port", port, "--bind", "127.0.0.1", "--save", "",
                      "--appendonly", "yes")

    def alone(servers):
        servers.start("alone", seedis, "--port", port)

    def group(servers):
        peers = ",".join("%d=127.0.0.1:%d" % (n, port + 50 + n) for n in (1, 2, 3))
        for n in (1, 2, 3):
            servers.start("m%d" % n, seedis, "--id", n, "--port", port + n,
                          "--cluster-port", port + 50 + n, "--peers", peers)

    plan = {"redis": (redis, [port], False), "alone": (alone, [port], False),
            "leader": (group, [port + 1, port + 2, port + 3], True)}
    for name in args.servers.split(","):
        start, ports, grouped = plan[name]
        root = tempfile.mkdtemp(prefix="stalls-", dir=args.dir)
        make = collections if args.cases == "collections" else cases
        play(name, root, start, ports, args.only, make(args.scale), grouped)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How much memory a key takes: RSS and used_memory of servers beside one another.

Usage: memory.py SERVER [SERVER ...] [--keys 1000000] [--port 31300] [--only WORD] [--dir DIR]

A SERVER is a program; one whose name holds "seedis" is started as Seedis, all others as Redis is.
Each row fills a fresh server and prints, for each server, bytes of RSS and of used_memory per key
(both less what the empty server had), and RSS / used of the process as a whole.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

BATCH = 4000


def words(*parts):
    out = [b"*%d\r\n" % len(parts)]
    for part in parts:
        out.append(b"$%d\r\n%s\r\n" % (len(part), part))
    return b"".join(out)


class Server:
    def __init__(self, program, port, directory, *options):
        self.directory = tempfile.mkdtemp(prefix="memory-", dir=directory)
        own = ["--appendonly", "no"] if "seedis" in os.path.basename(program) else ["--save", ""]
        self.port = port
        self.process = subprocess.Popen(
            [program, "--port", str(port), "--dir", self.directory, *own, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            try:
                self.connect()
                break
            except OSError:
                time.sleep(0.05)
        while self.ask(b"PING")[:1] == b"-":
            time.sleep(0.05)

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), 120)
        self.file = self.socket.makefile("rb")

    def ask(self, *parts):
        self.socket.sendall(words(*parts))
        return self.file.readline()

    def send(self, requests):
        """Sends requests in batches, each of which is answered with one line."""
        batch = []
        for request in requests:
            batch.append(request)
            if len(batch) == BATCH:
                self.flush(batch)
                batch = []
        self.flush(batch)

    def flush(self, batch):
        self.socket.sendall(b"".join(batch))
        for _ in batch:
            line = self.file.readline()
            assert line[:1] in b"+:", line

    def used(self):
        self.socket.sendall(words(b"INFO", b"memory"))
        text = self.file.read(int(self.file.readline()[1:]) + 2).decode()
        return int(text.split("used_memory:")[1].split()[0])

    def rss(self):
        with open("/proc/%d/statm" % self.process.pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def settled(self):
        """RSS and used_memory once they have stood still for some seconds, in which allocators give
        back what they kept for a while."""
        still, last = 0, None
        while still < 6:
            time.sleep(0.5)
            now = (self.rss(), self.used())
            same = last and abs(now[0] - last[0]) < 1 << 18 and abs(now[1] - last[1]) < 1 << 16
            still, last = still + 1 if same else 0, now
        return now

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def key(number):
    # Sixteen bytes; neighbours are not alike in their order.
    return b"key:%012d" % number


def each(keys, make):
    return lambda server: server.send(make(number) for number in range(keys))


def several(*parts):
    def run(server):
        for part in parts:
            part(server)

    return run


def set_value(value, *more):
    return lambda number: words(b"SET", key(number), value, *more)


def fields(count):
    return [(b"f%d" % at, b"value%03d" % at) for at in range(count)]


def hash_at_once(count):
    flat = [part for pair in fields(count) for part in pair]
    return lambda number: words(b"HSET", key(number), *flat)


def hash_by_singles(keys, count):
    """Field by field, all hashes in turn: each is written again and again among the others."""

    def run(server):
        for field, value in fields(count):
            server.send(words(b"HSET", key(number), field, value) for number in range(keys))

    return run


def member(number, count):
    return b"member:%09d" % (number * 7919 % count)


def zset_by_singles(keys, count, score):
    """Member by member, the sorted sets one after the other."""
    return lambda server: server.send(
        words(b"ZADD", key(number), score(at, count), member(at, count))
        for number in range(keys)
        for at in range(count)
    )


def set_by_singles(keys, count):
    return lambda server: server.send(
        words(b"SADD", key(number), member(at, count)) for number in range(keys) for at in range(count)
    )


def rising(at, _count):
    return b"%d" % at


def mixed(at, count):
    return b"%d" % (at * 104729 % count)


def fractions(at, count):
    return b"%.17g" % ((at * 104729 % count) / 7)


def rows(keys):
    by = lambda make, count=keys: (count, each(count, make))
    tenth, hundredth = keys // 10, keys // 100
    growing = [each(keys // 4, set_value(b"v" * size)) for size in range(8, 200, 12)]
    append = lambda number: words(b"APPEND", key(number), b"twelve bytes")
    kept = (number for number in range(keys) if number % 10)
    return {
        "16+32": by(set_value(b"v" * 32)),
        "16+32 with TTL": by(set_value(b"v" * 32, b"EX", b"1000000")),
        "16+32, then TTL": (
            keys,
            several(
                each(keys, set_value(b"v" * 32)),
                each(keys, lambda number: words(b"EXPIRE", key(number), b"1000000")),
            ),
        ),
        "16+3": by(set_value(b"abc")),
        "16+100": by(set_value(b"v" * 100)),
        "16+700": by(set_value(b"v" * 700), tenth),
        "counter": by(lambda number: words(b"INCRBY", key(number), b"%d" % (number * 7919))),
        "hash of 10, one HSET": by(hash_at_once(10), keys // 2),
        "hash of 10, single HSETs": (keys // 2, hash_by_singles(keys // 2, 10)),
        "hash of 100, one HSET": by(hash_at_once(100), tenth),
        "hash of 100, single HSETs": (tenth, hash_by_singles(tenth, 100)),
        "hash of 1000, one HSET": by(hash_at_once(1000), hundredth),
        "hash of 1000, single HSETs": (hundredth, hash_by_singles(hundredth, 1000)),
        "member of a set of 10000": (keys, set_by_singles(keys // 10000, 10000)),
        "member of a zset of 10000, rising": (keys, zset_by_singles(keys // 10000, 10000, rising)),
        "member of a zset of 10000, mixed": (keys, zset_by_singles(keys // 10000, 10000, mixed)),
        "member of a zset of 10000, fractions": (
            keys,
            zset_by_singles(keys // 10000, 10000, fractions),
        ),
        "APPEND to 240 B": (
            keys // 4,
            several(*[each(keys // 4, append) for _ in range(20)]),
        ),
        "overwritten, 8 to 200 B": (keys // 4, several(*growing)),
        "16+32, 90 % deleted": (
            tenth,
            several(
                each(keys, set_value(b"v" * 32)),
                lambda server: server.send(words(b"DEL", key(number)) for number in kept),
            ),
        ),
        "16+32, all deleted (bytes)": (
            1,
            several(
                each(keys, set_value(b"v" * 32)),
                each(keys, lambda number: words(b"DEL", key(number))),
            ),
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("servers", nargs="+")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--port", type=int, default=31300)
    parser.add_argument("--only", default="")
    parser.add_argument("--dir")
    args = parser.parse_args()
    names = [os.path.basename(program) for program in args.servers]
    print("| %d keys | %s |" % (args.keys, " | ".join(names)))
    print("|---" * (1 + len(names)) + "|")
    port = args.port
    for name, (count, fill) in rows(args.keys).items():
        if args.only not in name:
            continue
        cells = []
        for program in args.servers:
            _, fill = rows(args.keys)[name]
            server, port = Server(program, port, args.dir), port + 1
            try:
                empty_rss, empty_used = server.settled()
                fill(server)
                rss, used = server.settled()
                cells.append(
                    "%.1f (%.1f) %.2f"
                    % ((rss - empty_rss) / count, (used - empty_used) / count, rss / used)
                )
            finally:
                server.stop()
        print("| %s | %s |" % (name, " | ".join(cells)), flush=True)


if __name__ == "__main__":
    sys.exit(main())

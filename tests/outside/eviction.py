#!/usr/bin/env python3
"""What is evicted, and how well: hit rates, latency and memory of servers beside one another.

Usage: eviction.py SERVER [SERVER ...] [--part hits|latency|memory] [--port 31400] [--dir DIR]
                   [--keys 100000] [--share 0.1] [--requests 1000000] [--seconds 30]

A SERVER is a program; one whose name holds "seedis" is started as Seedis, all others as Redis is.

hits: a cache is asked for keys of a trace (zipf with s = 0.7, 0.9 and 1.1, and zipf with a scan
  over all keys now and then) and is given those that it did not have. Each server gets the limit at
  which it holds `share` of all keys, which is found out before: so a server that needs less memory
  for a key has no advantage by that. Prints the share of requests that were hits.
latency: SETs of new keys at full rate from several connections while each evicts; prints requests
  a second, and the median and 99th percentile of what a pipeline of 16 took, in milliseconds.
memory: values whose sizes change all the time, for `seconds`; prints the largest RSS and
  used_memory as a share of maxmemory.
"""

import argparse
import bisect
import itertools
import os
import random
import socket
import threading
import time

import memory
from memory import key, words

VALUE = b"v" * 100
POLICIES = ["allkeys-lru", "allkeys-lfu"]


class Server(memory.Server):
    def connect(self):
        super().connect()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def values(self, keys):
        """Which of some keys are there."""
        self.socket.sendall(words(b"MGET", *keys))
        assert self.file.readline()[:1] == b"*"
        found = []
        for _ in keys:
            length = int(self.file.readline()[1:])
            if length >= 0:
                self.file.read(length + 2)
            found.append(length >= 0)
        return found

    def put(self, keys, value):
        self.socket.sendall(b"".join(words(b"SET", key, value) for key in keys))
        for _ in keys:
            line = self.file.readline()
            assert line == b"+OK\r\n", line

    def info(self, name):
        self.socket.sendall(words(b"INFO", b"everything"))
        text = self.file.read(int(self.file.readline()[1:]) + 2).decode()
        return int(text.split("\n%s:" % name)[1].split()[0])


def limit_for(program, options, policy, count):
    """The memory at which a server holds so many keys: it is given them, and asked."""
    server = Server(program, options.port, options.dir, "--maxmemory-policy", policy)
    for first in range(0, count, 500):
        server.put([key(number) for number in range(first, min(count, first + 500))], VALUE)
    used = server.info("used_memory")
    server.stop()
    return used


def zipf(keys, s, requests, seed):
    chance = random.Random(seed)
    sums = list(itertools.accumulate(1 / (rank + 1) ** s for rank in range(keys)))
    names = list(range(keys))
    chance.shuffle(names)
    for _ in range(requests):
        yield names[bisect.bisect_left(sums, chance.random() * sums[-1])]


def with_scan(keys, requests, seed):
    """One in four requests walks over all keys in order, the rest are zipf."""
    walk = itertools.cycle(range(keys))
    for nth, number in enumerate(zipf(keys, 0.9, requests, seed)):
        yield next(walk) if nth % 4 == 0 else number


def hits(program, options, policy, trace, limit, warm):
    found = 0
    server = Server(
        program, options.port, options.dir, "--maxmemory-policy", policy, "--maxmemory", str(limit)
    )
    asked, counted = 0, 0
    while True:
        numbers = list(itertools.islice(trace, 20))
        if not numbers:
            break
        keys = [key(number) for number in numbers]
        there = server.values(keys)
        missing = {one for one, is_there in zip(keys, there) if not is_there}
        if missing:
            server.put(sorted(missing), VALUE)
        asked += len(keys)
        if asked > warm:
            counted += len(keys)
            found += sum(there)
    held = int(server.ask(b"DBSIZE")[1:])
    server.stop()
    return found / counted, held


def part_hits(options):
    fit = int(options.keys * options.share)
    for policy in POLICIES:
        # A first run tells what is held under a limit, and the limit is set right by that.
        limits = {}
        for program in options.servers:
            limit = limit_for(program, options, policy, fit)
            for _ in range(3):
                trace = zipf(options.keys, 0.9, options.requests // 4, 7)
                _, held = hits(program, options, policy, trace, limit, 0)
                if abs(held - fit) < fit / 100:
                    break
                empty = limit_for(program, options, policy, 0)
                limit = empty + int((limit - empty) * fit / held)
            limits[program] = limit
        for name in ["0.7", "0.9", "1.1", "scan"]:
            for program in options.servers:
                if name == "scan":
                    trace = with_scan(options.keys, options.requests, 1)
                else:
                    trace = zipf(options.keys, float(name), options.requests, 1)
                rate, held = hits(
                    program, options, policy, trace, limits[program], options.requests // 4
                )
                print(
                    f"{policy:<12} {name:<5} {os.path.basename(program):<14} hits {rate:.4f}"
                    f"  keys held {held} of {options.keys}, maxmemory {limits[program]}",
                    flush=True,
                )


def part_latency(options):
    for program in options.servers:
        for policy in POLICIES:
            limit = limit_for(program, options, policy, options.keys)
            server = Server(
                program, options.port, options.dir,
                "--maxmemory-policy", policy, "--maxmemory", str(limit),
            )
            for first in range(0, options.keys, 500):
                server.put([key(first + at) for at in range(500)], VALUE)
            took, end = [], time.monotonic() + options.seconds

            def write(nth):
                client = Server.__new__(Server)
                client.port = options.port
                client.connect()
                number = (nth + 1) * 1_000_000_000
                while time.monotonic() < end:
                    began = time.monotonic()
                    client.put([key(number + at) for at in range(16)], VALUE)
                    took.append(time.monotonic() - began)
                    number += 16

            threads = [threading.Thread(target=write, args=(nth,)) for nth in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            evicted = server.info("evicted_keys")
            took.sort()
            print(
                f"{policy:<12} {os.path.basename(program):<14} "
                f"{16 * len(took) / options.seconds:>9.0f} SET/s  "
                f"p50 {1e3 * took[len(took) // 2]:.2f} ms  "
                f"p99 {1e3 * took[len(took) * 99 // 100]:.2f} ms  "
                f"max {1e3 * took[-1]:.2f} ms  evicted {evicted}",
                flush=True,
            )
            server.stop()


def part_memory(options):
    limit = 200 << 20
    for program in options.servers:
        server = Server(
            program, options.port, options.dir,
            "--maxmemory-policy", "allkeys-lru", "--maxmemory", str(limit),
        )
        chance = random.Random(3)
        began, most = time.monotonic(), [0, 0]
        seen, next_look = [], began + 1
        while time.monotonic() < began + options.seconds:
            # Sizes drift from tens of bytes to tens of kilobytes and back.
            phase = (time.monotonic() - began) / options.seconds
            mean = 30 * 1000 ** (1 - abs(1 - 4 * phase % 2))
            keys = [key(chance.randrange(4_000_000)) for _ in range(50)]
            server.put(keys, b"v" * (1 + int(chance.expovariate(1 / mean))))
            if time.monotonic() > next_look:
                now = [server.rss(), server.info("used_memory")]
                most = [max(pair) for pair in zip(most, now)]
                seen.append(now)
                next_look += 1
        later = seen[len(seen) // 4 :]
        mean = [sum(one[at] for one in later) / len(later) / limit for at in (0, 1)]
        print(
            f"{os.path.basename(program):<14} maxmemory {limit >> 20} MiB: "
            f"RSS at most {most[0] / limit:.3f}, in the mean {mean[0]:.3f}; "
            f"used_memory at most {most[1] / limit:.3f}, in the mean {mean[1]:.3f}; "
            f"evicted {server.info('evicted_keys')}",
            flush=True,
        )
        server.stop()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("servers", nargs="+")
    parser.add_argument("--part", choices=["hits", "latency", "memory"], default="hits")
    parser.add_argument("--port", type=int, default=31400)
    parser.add_argument("--dir")
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    parts = {"hits": part_hits, "latency": part_latency, "memory": part_memory}
    parts[options.part](options)


if __name__ == "__main__":
    main()

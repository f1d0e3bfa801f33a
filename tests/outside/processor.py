#!/usr/bin/env python3
"""Processor time per request beside redis-server: the same load, alternating, medians and ratios.

    tests/outside/processor.py [--rounds 5] [--only ZADD] [--valkey PATH]

Times of a server's own processor change less than rates do where a machine has other work. `speed`
is how many requests a server could answer in a second of its processor, ours to theirs.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")
# What is sent, and how often, before each measurement of a request that uses up what it finds.
REFILL = {"RPOP": (5_000, "LPUSH long " + "element " * 100)}
# A name, the requests that put data in place once, and the one that is measured.
LOADS = [
    ("LPUSH", [], "LPUSH list:__rand_int__ element"),
    ("RPOP", [], "RPOP long"),
    ("SADD", [], "SADD set:1 member:__rand_int__"),
    ("SISMEMBER", ["SADD set:2 member:__rand_int__"], "SISMEMBER set:2 member:__rand_int__"),
    ("ZADD", [], "ZADD zset:1 __rand_int__ member:__rand_int__"),
    (
        "ZRANGE 10",
        ["ZADD zset:2 __rand_int__ member:__rand_int__"],
        "ZRANGE zset:2 __rand_int__ +inf BYSCORE LIMIT 0 10",
    ),
    (
        "ZRANK",
        ["ZADD zset:3 __rand_int__ member:__rand_int__"],
        "ZRANK zset:3 member:__rand_int__",
    ),
    ("HSET", [], "HSET hash:__rand_int__ field value"),
    ("SET", [], "SET key:__rand_int__ " + "v" * 64),
    ("GET", ["SET key:__rand_int__ " + "v" * 64], "GET key:__rand_int__"),
]


class Server:
    """A server that runs on the last core."""

    def __init__(self, port, command):
        core = str(os.cpu_count() - 1)
        self.port = port
        self.process = subprocess.Popen(
            ["taskset", "-c", core, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            ping = ["redis-cli", "-p", str(port), "ping"]
            if subprocess.run(ping, capture_output=True, text=True).stdout == "PONG\n":
                return
            time.sleep(0.05)
        sys.exit(f"{command[0]} does not answer on port {port}")

    def used(self):
        """The time of the processor that it has used, in seconds."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def load(self, requests, pipeline, request):
        """Sends requests, and returns the time of the processor for each, in microseconds."""
        before = self.used()
        words = request.split()
        subprocess.run(
            ["taskset", "-c", "0", "redis-benchmark", "-p", str(self.port), "-n", str(requests)]
            + ["-P", str(pipeline), "-c", "50", "-r", "100000", "-q", *words],
            check=True,
            capture_output=True,
        )
        return (self.used() - before) * 1e6 / requests


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only")
    options.add_argument("--valkey", help="the valkey-server to measure beside them")
    options = options.parse_args()
    for tool in ["redis-server", "redis-benchmark", "redis-cli", "taskset"]:
        if not shutil.which(tool):
            print(f"skipped: {tool} is missing")
            return
    subprocess.run(["cargo", "build", "--release", "--quiet", "--bin", "seedis"], check=True)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    work = tempfile.mkdtemp()
    plain = ["--save", "", "--appendonly", "no"]
    servers = {
        "seedis": Server(
            17101, [f"{target}/release/seedis", "--port", "17101", "--dir", f"{work}/ours"]
            + ["--appendonly", "no"]
        ),
        "redis": Server(17102, ["redis-server", "--port", "17102", "--dir", work, *plain]),
    }
    if options.valkey:
        command = [options.valkey, "--port", "17103", "--dir", work, *plain]
        servers["valkey"] = Server(17103, command)
    try:
        print(f"{'µs of processor':16}" + "".join(f"{name:>9}" for name in servers) + "    speed")
        for name, before, request in LOADS:
            if options.only and not name.startswith(options.only):
                continue
            for server in servers.values():
                for prepare in before:
                    server.load(400_000, 16, prepare)
            for pipeline, requests in [(1, 60_000), (16, 400_000)]:
                times = {server: [] for server in servers}
                for _ in range(options.rounds):
                    for label, server in servers.items():
                        if name in REFILL:
                            refills, refill = REFILL[name]
                            server.load(refills, 16, refill)
                        times[label].append(server.load(requests, pipeline, request))
                medians = {label: statistics.median(those) for label, those in times.items()}
                row = "".join(f"{time:9.2f}" for time in medians.values())
                ours = medians.pop("seedis")
                ratios = " ".join(f"{theirs / ours:8.2f}" for theirs in medians.values())
                print(f"{name + ', p' + str(pipeline):16}{row} {ratios}", flush=True)
    finally:
        for server in servers.values():
            server.process.kill()
            server.process.wait()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()

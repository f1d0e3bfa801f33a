#!/usr/bin/env python3
"""How long another client's PING takes while many clients that wait for keys are served, or leave.

Usage: storms.py SEEDIS [--redis redis-server] [--port 31300] [--clients 10000] [--rounds 3]
                 [--only WORD] [--dir DIR]

The servers take turns. Prints, for each case and server, the longest PING in milliseconds in each
round and how long the whole took; the median is the figure to compare. The clients that wait are a
process of their own, and so is the one that pings; each needs as many descriptors as clients
(`ulimit -n`).
"""

import argparse
import multiprocessing
import os
import resource
import select
import signal
import socket
import statistics
import tempfile
import time

from stalls import Client, Servers, beside, leader_of, request


def wait(port, keys, pipe):
    """Clients that wait each for the key of its number, and read what comes until they are ended."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    poll, sockets = select.epoll(), {}
    for key in keys:
        one = socket.create_connection(("127.0.0.1", port))
        one.sendall(request("BLPOP", key, 0))
        sockets[one.fileno()] = one
        poll.register(one, select.EPOLLIN)
    pipe.send("ready")
    left = len(sockets)
    while left:
        for number, _ in poll.poll():
            sockets[number].recv(1000)
            left -= 1
    pipe.send("served")
    signal.pause()


def blocked(client):
    lines = client.text("INFO", "clients").split("\r\n")
    found = [line.split(":")[1] for line in lines if line.startswith("blocked_clients:")]
    return int(found[0])


def cases(count):
    """Names; the key of each client; what is sent before, and what then; True: they leave."""
    one = ["awaited"] * count
    many = ["awaited:%d" % n for n in range(count)]
    pushes = b"".join(request("RPUSH", "awaited", n) for n in range(count))
    each = b"".join(request("RPUSH", "awaited:%d" % n, n) for n in range(count))
    fill = request("RPUSH", "other", *range(count))
    return [
        ("RPUSH of one, each", one, b"", pushes, False),
        ("the same upon as many keys", many, b"", each, False),
        ("one RPUSH for all", one, b"", request("RPUSH", "awaited", *range(count)), False),
        ("RENAME of a list for all", one, fill, request("RENAME", "other", "awaited"), False),
        ("all leave", one, b"", b"", True),
        ("all leave as many keys", many, b"", b"", True),
    ]


def storm(port, case):
    """The longest PING, and how long it took, in milliseconds."""
    _, keys, before, then, leave = case
    client = Client(port)
    client.ask("FLUSHALL")
    if before:
        client.until_pong(before)
    ours, theirs = multiprocessing.Pipe()
    waiters = multiprocessing.Process(target=wait, args=(port, keys, theirs))
    waiters.start()
    ours.recv()
    while blocked(client) < len(keys):
        time.sleep(0.05)
    time.sleep(0.5)

    def work():
        if leave:
            os.kill(waiters.pid, signal.SIGKILL)
            while blocked(client) > 0:
                time.sleep(0.02)
            return
        client.until_pong(then)
        ours.recv()

    _, longest, took, _ = beside(port, work)
    waiters.kill()
    waiters.join()
    while blocked(client) > 0:
        time.sleep(0.05)
    return longest, took


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("seedis")
    words.add_argument("--redis", default="redis-server")
    words.add_argument("--port", type=int, default=31300)
    words.add_argument("--clients", type=int, default=10_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--only", default="")
    words.add_argument("--dir", default=None)
    args = words.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    servers = Servers(tempfile.mkdtemp(prefix="storms-", dir=args.dir))
    clients = ["--maxclients", args.clients + 100]
    try:
        servers.start("redis", args.redis, "--port", args.port, "--bind", "127.0.0.1",
                      "--save", "", "--appendonly", "yes", *clients)
        servers.start("seedis", os.path.abspath(args.seedis), "--port", args.port + 1, *clients)
        ports = {"redis": args.port, "seedis": args.port + 1}
        for port in ports.values():
            leader_of([port])
        for case in cases(args.clients):
            if args.only not in case[0]:
                continue
            seen = {name: [] for name in ports}
            for _ in range(args.rounds):
                for name, port in ports.items():
                    seen[name].append(storm(port, case))
            for name, rounds in seen.items():
                longest = " ".join("%6.0f" % longest for longest, _ in rounds)
                took = statistics.median(took for _, took in rounds)
                print("%-28s %-7s max ms %s   took %6.0f" % (case[0], name, longest, took),
                      flush=True)
    finally:
        servers.stop()


if __name__ == "__main__":
    main()

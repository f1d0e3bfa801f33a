#!/usr/bin/env python3
"""DUMP and RESTORE between Seedis and a redis-server, in both directions, for values of all types.

Usage: payloads.py PORT REDIS_PORT [--rounds 200]

Both servers run already, and lose what they hold. Values of each type are drawn, small and large;
Redis keeps them in each of its encodings. What either dumps is restored by the other, and must be
the same value there. Payloads with a changed byte must be refused, or be values, by both alike
where the checksum is not made right. Ends with 1 if anything differs.
"""

import argparse
import random
import socket
import sys

LIMITS = [
    ("hash-max-listpack-entries", 4), ("zset-max-listpack-entries", 4),
    ("set-max-intset-entries", 4), ("list-max-listpack-size", 2),
]


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")

    def ask(self, *parts):
        parts = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
        wire = b"*%d\r\n" % len(parts)
        self.socket.sendall(wire + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self.reply()

    def reply(self):
        line = self.file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return line


def word(dice):
    choice = dice.randrange(5)
    if choice == 0:
        return str(dice.choice([0, -1, 127, 128, -4096, 70000, -(2**31), 2**40, -(2**63)])).encode()
    if choice == 1:
        return b"ab" * dice.choice([10, 40, 300, 9000])
    if choice == 2:
        return dice.randbytes(dice.choice([0, 1, 63, 64, 300, 17000]))
    return b"w%d" % dice.randrange(10**6)


def make(client, dice, key):
    kind = dice.choice(["string", "list", "set", "zset", "hash", "integers"])
    count = dice.choice([1, 2, 3, 5, 50, 700])
    words = [word(dice) for _ in range(count)]
    client.ask("DEL", key)
    if kind == "string":
        client.ask("SET", key, words[0])
    elif kind == "list":
        client.ask("RPUSH", key, *words)
    elif kind == "set":
        client.ask("SADD", key, *words)
    elif kind == "integers":
        client.ask("SADD", key, *[dice.randrange(-(2**dice.choice([7, 20, 50])), 2**33)
                                  for _ in words])
    elif kind == "hash":
        client.ask("HSET", key, *[part for name in words for part in (name, word(dice))])
    else:
        scores = [0, -1.5, 1e300, "inf", "-inf", 3.25, 17]
        client.ask("ZADD", key, *[part for name in words for part in (dice.choice(scores), name)])
    return kind


def value(client, key):
    kind = client.ask("TYPE", key)
    if kind == b"+string":
        return client.ask("GET", key)
    if kind == b"+list":
        return client.ask("LRANGE", key, 0, -1)
    if kind == b"+set":
        return sorted(client.ask("SMEMBERS", key))
    if kind == b"+zset":
        flat = client.ask("ZRANGE", key, 0, -1, "WITHSCORES")
        # A Redis of 7.0 writes more digits than it needs.
        return list(zip(flat[::2], map(float, flat[1::2])))
    if kind == b"+hash":
        flat = client.ask("HGETALL", key)
        return sorted(zip(flat[::2], flat[1::2]))
    return kind


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("redis_port", type=int)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    servers = {"seedis": Client(options.port), "redis": Client(options.redis_port)}
    same, refused, wrong = 0, 0, 0
    for turn in range(options.rounds):
        for name, number in LIMITS:
            servers["redis"].ask("CONFIG", "SET", name, dice.choice([number, 128]))
        for source, target in [("seedis", "redis"), ("redis", "seedis")]:
            here, there = servers[source], servers[target]
            kind = make(here, dice, "from")
            payload = here.ask("DUMP", "from")
            answer = there.ask("RESTORE", "to", 0, payload, "REPLACE")
            if answer != b"+OK" or value(here, "from") != value(there, "to"):
                wrong += 1
                print(f"round {turn}: {source} to {target}, {kind}: {answer}", file=sys.stderr)
            else:
                same += 1
            at = dice.randrange(len(payload))
            damaged = bytearray(payload)
            damaged[at] ^= 1 << dice.randrange(8)
            answers = [one.ask("RESTORE", "x", 0, bytes(damaged), "REPLACE")
                       for one in servers.values()]
            # The version alone may be changed to one that only one of them reads.
            if answers[0] != answers[1]:
                wrong += 1
                print(f"round {turn}: damaged {source} {kind}: {answers}", file=sys.stderr)
            else:
                refused += 1
    print(f"{same} values are the same, {refused} damaged payloads are refused, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

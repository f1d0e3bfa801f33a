#!/usr/bin/env python3
"""Random commands to redis-server and to Seedis: replies and states must be equal.

Usage: differ.py REDIS_PORT SEEDIS_PORT [--commands 100000] [--seed 1] [--only WORD,WORD] [--batch 50]

Both servers are emptied (FLUSHALL). Commands of all types go to a few keys that they share, so that
types are often wrong; arguments are often too many or too few, or at a border: equal items,
infinities, -0, integers near 2^63, empty and binary strings. Now and then the protocol changes, and
commands stand in a transaction. Every thousand commands all keys are compared.

Differences that were decided stand in EXCUSES, with the reason, and are counted. Any other is
printed with the requests that led to it, both servers are emptied, and the exit code is 1. The same
seed gives the same commands.
"""

import argparse
import collections
import math
import random
import re
import socket
import sys

KEYS = [b"k%d" % number for number in range(6)] + [b"", b"k\x00\xff"]
# Sorted sets whose scores are all 0: of others nothing is said about ranges of members.
EVEN = [b"x0", b"x1"]
SMALL = [b"a", b"b", b"c", b"d", b"e", b"", b"1", b"2", b"3", b"-1", b"10", b"01", b"1.0", b"\xff\r\n", b"\x80"]
INTEGERS = [
    b"0", b"1", b"-1", b"2", b"3", b"-2", b"5", b"10", b"100", b"-100", b"127", b"128", b"-129",
    b"32768", b"2147483648", b"-2147483649", b"9223372036854775807", b"-9223372036854775808",
    b"9223372036854775806", b"9223372036854775808", b"-9223372036854775809", b"4611686018427387904",
]
NO_INTEGERS = [b"x", b"", b" 1", b"1 ", b"+1", b"01", b"1.5", b"-0", b"1e3", b"0x10"]
FLOATS = [
    b"0", b"-0", b"0.1", b"-1.5", b"3", b"1e3", b"1e-7", b"inf", b"-inf", b"+inf", b"Infinity", b"3.0",
    b"9007199254740993", b"1.7976931348623157e308", b"5e-1", b"123456789012345680", b"1e21", b"+2", b".5", b"5.",
]
NO_FLOATS = [b"x", b"", b"nan", b"1 ", b" 1", b"1e", b"--1", b"1,5"]
PATTERNS = [b"*", b"k*", b"?", b"[ab]", b"[^a]", b"", b"\\a", b"*1*", b"k[0-3]"]


def encoded(words):
    out = [b"*%d\r\n" % len(words)]
    for word in words:
        out.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(out)


class Error(bytes):
    """An error reply."""


class Simple(bytes):
    """A simple string."""


class Client:
    """A connection: requests as lists of bytes, replies as Python's own values."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb", 1 << 20)

    def send(self, requests):
        self.socket.sendall(b"".join(map(encoded, requests)))

    def read(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$" or kind == b"=":
            if rest == b"-1":
                return None
            data = self.reader.read(int(rest) + 2)
            return data[:-2]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return Simple(rest)
        if kind == b"-":
            return Error(rest)
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        if kind == b"~":
            return ("set", [self.read() for _ in range(int(rest))])
        if kind == b"%":
            return ("map", [self.read() for _ in range(2 * int(rest))])
        if kind == b",":
            return ("double", rest)
        if kind == b"_":
            return ("null",)
        if kind == b"#":
            return ("bool", rest)
        if kind == b"(":
            return ("big", rest)
        raise ValueError(line)

    def ask(self, *words):
        self.send([list(words)])
        return self.read()


# Commands whose values may have zero bytes.
WITH_ZEROS = ("SET", "GET", "APPEND", "MSET", "H", "LCS", "ECHO")


class Maker:
    """Random requests."""

    def __init__(self, seed, only):
        self.dice = random.Random(seed)
        rows = {name: row for name, row in ROWS.items() if not only or any(word in name for word in only)}
        self.names = list(rows)
        self.weights = [row[0] for row in rows.values()]

    def pick(self, pool):
        return pool[self.dice.randrange(len(pool))]

    def chance(self, permille):
        return self.dice.randrange(1000) < permille

    def key(self):
        return self.pick(KEYS[:6]) if self.chance(960) else self.pick(KEYS)

    def value(self):
        kind = self.dice.randrange(12)
        if kind < 6:
            return self.pick(SMALL)
        if kind == 6:
            return self.pick(INTEGERS)
        if kind == 7:
            return self.pick(FLOATS)
        if kind == 8:
            # SORT ALPHA without STORE compares up to a zero byte alone, in Redis.
            least = 0 if self.name.startswith(WITH_ZEROS) else 1
            return bytes(self.dice.randrange(least, 256) for _ in range(self.dice.randrange(9)))
        if kind == 9:
            return b"x" * self.pick([1, 20, 63, 64, 65, 127, 128, 300, 5000])
        return b"m%d" % self.dice.randrange(40)

    def integer(self):
        if self.chance(40):
            return self.pick(NO_INTEGERS)
        return self.pick(INTEGERS) if self.chance(250) else b"%d" % self.dice.randrange(-6, 12)

    def count(self):
        return self.integer() if self.chance(100) else b"%d" % self.dice.randrange(0, 7)

    def few(self):
        """As many choices as can be made: with -2^62 a server of Redis's kind would be busy for ever."""
        return b"%d" % self.dice.randrange(-7, 7) if self.chance(900) else self.pick(NO_INTEGERS)

    def float(self):
        if self.chance(40):
            return self.pick(NO_FLOATS)
        return self.pick(FLOATS) if self.chance(500) else b"%d" % self.dice.randrange(-3, 8)

    def bound(self):
        return (b"(" if self.chance(250) else b"") + self.float()

    def lex(self):
        if self.chance(200):
            return self.pick([b"-", b"+", b"x", b"", b"[", b"("])
        return self.pick([b"[", b"("]) + self.value()

    def far(self):
        """Seconds that do not pass while this runs."""
        return b"%d" % self.dice.randrange(50_000, 100_000)

    def word(self, part):
        made = {
            "k": self.key, "x": lambda: self.pick(EVEN), "v": self.value, "i": self.integer, "n": self.count, "r": self.few, "f": self.float,
            "b": self.bound, "l": self.lex, "t": self.far, "p": lambda: self.pick(PATTERNS),
            "w": lambda: self.pick([b"*", b"k*", b"w*", b"w*->a", b"*->b", b"nosort", b"#", b"k*->", b"w"]),
            "c": lambda: self.pick([b"%d" % (self.dice.randrange(1, 4)), self.integer()]) if self.chance(100) else None,
        }
        return made[part]()

    def words(self, form):
        """The words of a form: letters stand for arguments; `*` repeats the last group, `?` leaves it out at times."""
        out = []
        for part in form:
            if isinstance(part, bytes):
                out.append(part)
            elif isinstance(part, list):
                out.extend(self.words(part))
            elif callable(part):
                out.extend(part(self))
            elif isinstance(part, tuple):
                kind, inner = part
                times = {"*": self.dice.choice([1, 1, 2, 3, 5]), "?": self.dice.randrange(3) // 2}[kind]
                for _ in range(times):
                    out.extend(self.words(inner))
            else:
                out.extend(self.word(letter) for letter in part)
        return out

    def request(self):
        self.name = name = self.dice.choices(self.names, self.weights)[0]
        words = name.split() + self.words(ROWS[name][1])
        words = [word if isinstance(word, bytes) else word.encode() for word in words]
        if self.chance(25):
            if self.chance(500) and len(words) > 1:
                words.pop(self.dice.randrange(1, len(words)))
            else:
                words.insert(self.dice.randrange(1, len(words) + 1), self.value())
        if self.chance(50):
            words[0] = words[0].lower()
        return words


def counted(least=1):
    """Keys behind their number, which now and then is a lie."""

    def make(maker):
        keys = [maker.key() for _ in range(maker.dice.choice([1, 2, 2, 3]))]
        number = b"%d" % len(keys) if maker.chance(950) else maker.integer()
        return [number] + keys

    return make


def one(*choices):
    return lambda maker: list(maker.pick([choice if isinstance(choice, (tuple, list)) else (choice,) for choice in choices]))


def any_of(*options):
    """Each of some options, in any order, now and then."""

    def make(maker):
        chosen = [option for option in options if maker.chance(300)]
        maker.dice.shuffle(chosen)
        return [word for option in chosen for word in maker.words(option)]

    return make


LIMIT = [b"LIMIT", "in"]
AGGREGATE = [b"AGGREGATE", one(b"SUM", b"MIN", b"MAX", b"x")]
WEIGHTS = [b"WEIGHTS", ("*", ["f"])]
SORTING = any_of([b"BY", "w"], LIMIT, [b"GET", "w"], [b"GET", "w"], [one(b"ASC", b"DESC")], [b"ALPHA"])

# Places of bits, how numbers are kept in some, and what is done with them.
PLACES = [b"0", b"1", b"7", b"8", b"15", b"23", b"24", b"100", b"2047", b"-1", b"x", b"01", b"4294967296", b"9223372036854775807"]
WIDTHS = [b"u1", b"u2", b"i1", b"i5", b"u8", b"i8", b"i16", b"u31", b"i32", b"i33", b"u63", b"i64", b"u64", b"i0", b"i65", b"x", b""]


def field(words):
    """Some of the words of BITFIELD."""

    def make(maker):
        out = []
        for _ in range(maker.dice.randrange(6)):
            place = maker.pick(PLACES) if maker.chance(600) else b"#%d" % maker.dice.randrange(-1, 9)
            width = maker.pick(WIDTHS) if maker.chance(300) else b"%s%d" % (maker.pick([b"u", b"i"]), maker.dice.randrange(1, 64))
            word = maker.pick(words)
            if word == b"OVERFLOW":
                out += [word, maker.pick([b"WRAP", b"SAT", b"sat", b"FAIL", b"FAIL", b"x"] if maker.chance(100) else [b"WRAP", b"SAT", b"FAIL"])]
            else:
                out += [word, width, place] + ([] if word == b"GET" else [maker.integer()])
        return out

    return make


def place(maker):
    return [maker.pick(PLACES) if maker.chance(500) else b"%d" % maker.dice.randrange(90)]


PART = ("?", ["i", ("?", ["i", ("?", [one(b"BYTE", b"BIT", b"bit", b"BIT", b"x")])])])

# Places on Earth: near to each other, at the ends of the world, and none.
LONGITUDES = [b"0", b"180", b"-180", b"179.9999", b"-179.5", b"13.361389", b"15.087269", b"13.583333", b"181.0078125", b"-0.0000001", b"x"]
LATITUDES = [b"0", b"85.05112878", b"-85.05112878", b"85", b"-84.9", b"38.115556", b"37.502669", b"66.5", b"-86", b"0.00001", b"1e300"]
LENGTHS = [b"0", b"0.001", b"1", b"5", b"100", b"300.5", b"2000", b"9000", b"20000", b"1e9", b"inf", b"-1", b"x"]


def at_earth(maker):
    """A place."""
    longitude = maker.pick(LONGITUDES) if maker.chance(250) else b"%.6f" % maker.dice.uniform(*maker.pick([(-180, 180), (10, 20), (14, 14.1)]))
    latitude = maker.pick(LATITUDES) if maker.chance(250) else b"%.6f" % maker.dice.uniform(*maker.pick([(-85, 85), (36, 40), (37, 37.1)]))
    return [longitude, latitude]


def length(maker):
    return [maker.pick(LENGTHS) if maker.chance(500) else b"%.2f" % (10 ** maker.dice.uniform(-1, 4.2))]


def unit(maker):
    return [maker.pick([b"m", b"km", b"KM", b"ft", b"mi", b"km", b"km", b"x"])]


def centered(maker):
    return maker.words([b"FROMMEMBER", "v"]) if maker.chance(400) else [b"FROMLONLAT"] + at_earth(maker)


def reaching(maker):
    sizes = [b"BYRADIUS"] + length(maker) if maker.chance(500) else [b"BYBOX"] + length(maker) + length(maker)
    return sizes + unit(maker)


FOUND = [[b"ASC"], [b"DESC"], [b"COUNT", "n", ("?", [b"ANY"])]]
SHOWN = [[b"WITHCOORD"], [b"WITHDIST"], [b"WITHHASH"]]
TARGET = [[b"STORE", "k"], [b"STOREDIST", "k"]]

def many_elements(maker):
    """So many elements that a HyperLogLog becomes dense sooner or later."""
    return [b"e%d" % maker.dice.randrange(100_000) for _ in range(maker.dice.choice([10, 50, 500]))]


def nearly_a_sketch(maker):
    """A string with the head of a HyperLogLog."""
    head = b"HYLL" + bytes([maker.dice.choice([0, 1, 1, 1, 2])]) + b"\0" * 10 + bytes([maker.dice.choice([0, 128, 128])])
    runs = maker.dice.choice([b"", b"\x7f\xff", b"\x80\x7f\xff", b"\x80\x7f\xfe", b"\x00\x00\x80\x40\x00"])
    return [head + runs]


# Each command: how often, and its arguments.
ROWS = {
    "GEOADD": (6, ["k", any_of([b"NX"], [b"XX"], [b"CH"]), ("*", [at_earth, "v"])]), "GEOPOS": (2, ["k", ("*", ["v"])]),
    "GEODIST": (2, ["kvv", ("?", [unit])]), "GEOHASH": (1, ["k", ("*", ["v"])]),
    "GEOSEARCH": (4, ["k", centered, reaching, any_of(*FOUND, *SHOWN)]), "GEOSEARCHSTORE": (2, ["kk", centered, reaching, any_of(*FOUND, [b"STOREDIST"])]),
    "GEORADIUS": (2, ["k", at_earth, length, unit, any_of(*FOUND, *SHOWN, *TARGET)]), "GEORADIUS_RO": (1, ["k", at_earth, length, unit, any_of(*FOUND, *SHOWN)]),
    "GEORADIUSBYMEMBER": (2, ["kv", length, unit, any_of(*FOUND, *SHOWN, *TARGET)]), "GEORADIUSBYMEMBER_RO": (1, ["kv", length, unit, any_of(*FOUND, *SHOWN)]),
    "PFADD": (6, ["k", ("?", [("*", ["v"])])]), "PFADD ": (3, ["k", many_elements]), "PFCOUNT": (3, [("*", ["k"])]), "PFMERGE": (2, [("*", ["k"])]),
    "PFDEBUG": (1, [one(b"ENCODING", b"DECODE", b"TODENSE", b"getreg", b"x"), "k"]), "SET ": (1, ["k", nearly_a_sketch]),
    "SETBIT": (4, ["k", place, one(b"0", b"1", b"1", b"0", b"2", b"x")]), "GETBIT": (1, ["k", place]),
    "BITCOUNT": (2, ["k", PART]), "BITPOS": (3, ["k", one(b"0", b"1", b"0", b"1", b"2", b"x"), PART]),
    "BITOP": (3, [one(b"AND", b"or", b"XOR", b"NOT", b"NOT", b"x"), "k", "k", ("?", [("*", ["k"])])]),
    "BITFIELD": (3, ["k", field([b"GET", b"SET", b"INCRBY", b"OVERFLOW", b"SET", b"INCRBY"])]),
    "BITFIELD_RO": (1, ["k", field([b"GET", b"GET", b"GET", b"GET", b"SET"])]),
    "GET": (3, ["k"]), "SET": (4, ["k", "v", any_of([b"NX"], [b"XX"], [b"GET"], [b"KEEPTTL"], [b"EX", "t"])]),
    "SETNX": (1, ["kv"]), "SETEX": (1, ["ktv"]), "GETSET": (1, ["kv"]), "GETDEL": (1, ["k"]),
    "GETEX": (1, ["k", any_of([b"PERSIST"], [b"EX", "t"])]), "APPEND": (1, ["kv"]), "STRLEN": (1, ["k"]),
    "GETRANGE": (1, ["kii"]), "SUBSTR": (1, ["kii"]), "SETRANGE": (1, ["k", one(b"0", b"1", b"7", b"-1", b"300", b"536870912"), "v"]),
    "INCR": (1, ["k"]), "DECR": (1, ["k"]), "INCRBY": (1, ["ki"]), "DECRBY": (1, ["ki"]), "INCRBYFLOAT": (1, ["kf"]),
    "MSET": (1, [("*", ["kv"])]), "MSETNX": (1, [("*", ["kv"])]), "MGET": (1, [("*", ["k"])]),
    "LCS": (1, ["kk", any_of([b"LEN"], [b"IDX"], [b"MINMATCHLEN", "n"], [b"WITHMATCHLEN"])]),
    "HSET": (5, ["k", ("*", ["vv"])]), "HMSET": (1, ["k", ("*", ["vv"])]), "HSETNX": (1, ["kvv"]), "HGET": (1, ["kv"]),
    "HMGET": (1, ["k", ("*", ["v"])]), "HDEL": (2, ["k", ("*", ["v"])]), "HLEN": (1, ["k"]), "HSTRLEN": (1, ["kv"]),
    "HEXISTS": (1, ["kv"]), "HKEYS": (1, ["k"]), "HVALS": (1, ["k"]), "HGETALL": (1, ["k"]), "HINCRBY": (1, ["kvi"]),
    "HINCRBYFLOAT": (1, ["kvf"]), "HRANDFIELD": (1, ["k", ("?", ["r", ("?", [b"WITHVALUES"])])]),
    "HSCAN": (1, ["k", one((b"0", b"COUNT", b"100000")), any_of([b"MATCH", "p"])]),
    "LPUSH": (3, ["k", ("*", ["v"])]), "RPUSH": (4, ["k", ("*", ["v"])]), "LPUSHX": (1, ["k", ("*", ["v"])]),
    "RPUSHX": (1, ["k", ("*", ["v"])]), "LPOP": (2, ["k", ("?", ["n"])]), "RPOP": (2, ["k", ("?", ["n"])]), "LLEN": (1, ["k"]),
    "LRANGE": (2, ["kii"]), "LINDEX": (1, ["ki"]), "LSET": (1, ["kiv"]), "LREM": (2, ["kiv"]), "LTRIM": (1, ["kii"]),
    "LINSERT": (2, ["k", one(b"BEFORE", b"AFTER", b"x"), "vv"]), "LMOVE": (1, ["kk", one(b"LEFT", b"RIGHT", b"x"), one(b"LEFT", b"RIGHT")]),
    "LPOS": (2, ["kv", any_of([b"RANK", "i"], [b"COUNT", "i"], [b"MAXLEN", "i"])]), "RPOPLPUSH": (1, ["kk"]),
    "LMPOP": (1, [counted(), one(b"LEFT", b"RIGHT", b"x"), ("?", [b"COUNT", "n"])]),
    "SADD": (5, ["k", ("*", ["v"])]), "SREM": (2, ["k", ("*", ["v"])]), "SISMEMBER": (1, ["kv"]), "SMISMEMBER": (1, ["k", ("*", ["v"])]),
    "SMEMBERS": (1, ["k"]), "SCARD": (1, ["k"]), "SMOVE": (2, ["kkv"]), "SINTER": (1, [("*", ["k"])]), "SUNION": (1, [("*", ["k"])]),
    "SDIFF": (1, [("*", ["k"])]), "SINTERSTORE": (1, ["k", ("*", ["k"])]), "SUNIONSTORE": (1, ["k", ("*", ["k"])]),
    "SDIFFSTORE": (1, ["k", ("*", ["k"])]), "SINTERCARD": (1, [counted(), ("?", [b"LIMIT", "i"])]),
    "SRANDMEMBER": (1, ["k", ("?", ["r"])]), "SPOP": (1, ["k", ("?", ["i"])]),
    "SSCAN": (1, ["k", one((b"0", b"COUNT", b"100000")), any_of([b"MATCH", "p"])]),
    "ZADD": (6, ["k", any_of([b"NX"], [b"XX"], [b"GT"], [b"LT"], [b"CH"], [b"INCR"]), ("*", ["fv"])]),
    "ZINCRBY": (2, ["kfv"]), "ZREM": (2, ["k", ("*", ["v"])]), "ZCARD": (1, ["k"]), "ZSCORE": (1, ["kv"]),
    "ZMSCORE": (1, ["k", ("*", ["v"])]), "ZRANK": (1, ["kv", ("?", [("?", [b"WITHSCORE"])])]), "ZREVRANK": (1, ["kv"]), "ZCOUNT": (1, ["kbb"]),
    "ZADD ": (1, ["x", ("*", [b"0", "v"])]), "ZREM ": (1, ["x", ("*", ["v"])]), "ZLEXCOUNT": (1, ["xll"]), "ZRANGE": (3, ["kii", any_of([b"REV"], [b"WITHSCORES"], LIMIT)]),
    "ZRANGE ": (3, ["k", one(b"0"), one(b"-1"), ("?", [b"WITHSCORES"])]),
    "ZRANGEBYSCORE": (2, ["kbb", any_of([b"WITHSCORES"], LIMIT)]), "ZREVRANGEBYSCORE": (2, ["kbb", any_of([b"WITHSCORES"], LIMIT)]),
    "ZRANGEBYLEX": (1, ["xll", any_of(LIMIT)]), "ZREVRANGEBYLEX": (1, ["xll", any_of(LIMIT)]),
    "ZRANGE  ": (1, ["xll", [b"BYLEX"], any_of([b"REV"], LIMIT)]), "ZRANGESTORE ": (1, ["kxll", [b"BYLEX"], any_of([b"REV"], LIMIT)]), "ZREVRANGE": (1, ["kii", ("?", [b"WITHSCORES"])]),
    "ZRANGESTORE": (2, ["kk", one((b"0", b"-1"), (b"-inf", b"inf", b"BYSCORE")), any_of([b"REV"], LIMIT)]),
    "ZREMRANGEBYRANK": (1, ["kii"]), "ZREMRANGEBYSCORE": (1, ["kbb"]), "ZREMRANGEBYLEX": (1, ["xll"]),
    "ZPOPMIN": (1, ["k", ("?", ["n"])]), "ZPOPMAX": (1, ["k", ("?", ["n"])]), "ZMPOP": (1, [counted(), one(b"MIN", b"MAX", b"x"), ("?", [b"COUNT", "n"])]),
    "ZUNION": (1, [counted(), any_of(WEIGHTS, AGGREGATE, [b"WITHSCORES"])]), "ZINTER": (1, [counted(), any_of(WEIGHTS, AGGREGATE, [b"WITHSCORES"])]),
    "ZDIFF": (1, [counted(), ("?", [b"WITHSCORES"])]), "ZUNIONSTORE": (2, ["k", counted(), any_of(WEIGHTS, AGGREGATE)]),
    "ZINTERSTORE": (2, ["k", counted(), any_of(WEIGHTS, AGGREGATE)]), "ZDIFFSTORE": (1, ["k", counted()]), "ZINTERCARD": (1, [counted(), ("?", [b"LIMIT", "i"])]),
    "ZRANDMEMBER": (1, ["k", ("?", ["r", ("?", [b"WITHSCORES"])])]), "ZSCAN": (1, ["k", one((b"0", b"COUNT", b"100000")), any_of([b"MATCH", "p"])]),
    "SORT": (6, ["k", SORTING, ("?", [b"STORE", "k"])]), "SORT_RO": (3, ["k", SORTING]),
    "DEL": (3, [("*", ["k"])]), "UNLINK": (1, [("*", ["k"])]), "EXISTS": (1, [("*", ["k"])]), "TOUCH": (1, [("*", ["k"])]), "TYPE": (1, ["k"]),
    "RENAME": (1, ["kk"]), "RENAMENX": (1, ["kk"]), "COPY": (2, ["kk", any_of([b"REPLACE"], [b"DB", one(b"0", b"x")])]),
    "EXPIRE": (1, ["kt", any_of([b"NX"], [b"XX"], [b"GT"], [b"LT"])]), "EXPIRE ": (1, ["k", one(b"0", b"-1", b"x", b"9223372036854775807")]),
    "PERSIST": (1, ["k"]), "TTL": (1, ["k"]), "EXPIRETIME": (1, ["k"]), "OBJECT ENCODING": (3, ["k"]), "OBJECT REFCOUNT": (0.2, ["v"]), "DBSIZE": (1, []),
    "KEYS": (1, ["p"]), "SCAN": (1, [one((b"0", b"COUNT", b"100000")), any_of([b"MATCH", "p"], [b"TYPE", one(b"list", b"set", b"zset", b"hash", b"string", b"x")])]),
    "ECHO": (0.3, ["v"]), "PING": (0.3, [("?", ["v"])]), "NOSUCH": (0.2, [("*", ["v"])]),
}


def name_of(request):
    return request[0].upper().decode("latin1")


def is_error(reply):
    return isinstance(reply, Error)


def items(reply):
    return reply[1] if isinstance(reply, tuple) and len(reply) == 2 and isinstance(reply[1], list) else reply


def pairs(reply):
    flat = items(reply)
    if flat and isinstance(flat[0], list):
        return sorted(map(tuple, flat), key=repr)
    return sorted(zip(flat[::2], flat[1::2]), key=repr)


def in_any_order(reply):
    found = items(reply)
    return (type(reply), sorted(found, key=repr)) if isinstance(found, list) else reply


def scanned(reply, shape):
    return (reply[0], shape(reply[1])) if isinstance(reply, list) and len(reply) == 2 else reply


def without_counts(reply):
    """The reply without the counts that HyperLogLogs in it keep."""
    if isinstance(reply, bytes) and reply[:4] == b"HYLL":
        return reply[:8] + reply[16:]
    return [without_counts(item) for item in reply] if isinstance(reply, list) else reply


def is_cut(*replies):
    """True if a scan of either is not at its end: how much is shown at a time is the server's affair."""
    return all(isinstance(reply, list) for reply in replies) and any(reply[0] != b"0" for reply in replies)


def is_near(*replies):
    """True if two times differ by what two clocks may."""
    return all(isinstance(reply, int) and reply > 0 for reply in replies) and abs(replies[0] - replies[1]) <= 2


def size(reply):
    """A random choice: only its shape is compared."""
    found = items(reply)
    if isinstance(found, list):
        return (type(reply), len(found))
    return type(reply)


def has_word(request, word):
    return any(other.upper() == word for other in request[2:])


def shape_of(request):
    """How replies to a request are compared where a server chooses an order, or a member."""
    name = name_of(request)
    if name in ("SMEMBERS", "SINTER", "SUNION", "SDIFF", "KEYS", "HKEYS", "HVALS"):
        return in_any_order
    if name == "HGETALL":
        return pairs
    if name in ("SCAN", "SSCAN"):
        return lambda reply: scanned(reply, in_any_order)
    if name in ("HSCAN", "ZSCAN"):
        return lambda reply: scanned(reply, pairs)
    if name in ("SRANDMEMBER", "ZRANDMEMBER", "HRANDFIELD", "SPOP"):
        return size
    if name in ("SORT", "SORT_RO") and has_word(request, b"BY"):
        # Which of equal weights is first is the server's affair, and so is the order of a set.
        return size if has_word(request, b"LIMIT") else in_any_order
    return lambda reply: reply


def diverges(request):
    """True if servers may rightly have other states behind it: keys that it writes are deleted."""
    name = name_of(request)
    return name == "SPOP" or (name == "SORT" and has_word(request, b"BY") and has_word(request, b"STORE"))


def is_new(request):
    return name_of(request) in ("ZRANK", "ZREVRANK") and len(request) >= 4


def as_number(text):
    try:
        return float(text)
    except (ValueError, TypeError):
        return None


def same_numbers(one, other):
    """Equal but for how floats are printed."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_numbers, one, other))
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same_numbers, one, other))
    if one == other:
        return True
    if isinstance(one, bytes) and isinstance(other, bytes) and not is_error(one):
        numbers = as_number(one), as_number(other)
        return None not in numbers and numbers[0] == numbers[1] and not math.isnan(numbers[0])
    return False


def about_scores(request):
    return name_of(request).startswith("Z")


# What is decided: a name, the versions of the peer in which it shows, when it applies, and why.
EXCUSES = [
    (
        "the count that PFCOUNT keeps in its key, and that the key is written then",
        r"",
        lambda request, peer, ours: name_of(request) == "OBJECT" and (peer, ours) == (b"raw", b"embstr")
        or without_counts(peer) == without_counts(ours),
        "PFCOUNT writes nothing here",
    ),
    (
        "the nearest of members that are as far",
        r"",
        lambda request, peer, ours: name_of(request).startswith("GEO") and has_word(request, b"COUNT")
        and isinstance(peer, list) and isinstance(ours, list) and len(peer) == len(ours),
        "Redis sorts only as many as are wanted, and equals come in any order",
    ),
    (
        "the words of BITCOUNT and BITPOS before their key",
        r"7\.0",
        lambda request, peer, ours: name_of(request) in ("BITCOUNT", "BITPOS")
        and ours in (b"ERR syntax error", b"ERR value is not an integer or out of range")
        and (peer in (0, -1) or is_error(peer)),
        "Redis 7.2 reads the words before it looks at the key",
    ),
    (
        "scores print as short as they read back",
        r"7\.0|[89]\.",
        lambda request, peer, ours: about_scores(request) and same_numbers(peer, ours),
        "Redis 7.2 prints the shortest text and -0; 7.0 prints 17 digits, and Valkey 0",
    ),
    (
        "encodings of lists and sets",
        r"7\.0",
        lambda request, peer, ours: name_of(request) == "OBJECT"
        and (peer, ours) in ((b"quicklist", b"listpack"), (b"hashtable", b"listpack"), (b"hashtable", b"intset")),
        "Redis 7.2 has lists and sets in listpacks",
    ),
    (
        "ZRANK WITHSCORE",
        r"7\.0",
        lambda request, peer, ours: is_new(request) and is_error(peer),
        "new in Redis 7.2",
    ),
    (
        "LREM and LPOS with -2^63",
        r"7\.0",
        lambda request, peer, ours: name_of(request) in ("LREM", "LPOS") and is_error(ours) and b"value is out of range" in ours,
        "Redis 7.2 refuses it before it looks at the key",
    ),
    (
        "encodings of sorted sets that were sorted",
        r"",
        lambda request, peer, ours: name_of(request) == "OBJECT" and (peer, ours) == (b"skiplist", b"listpack"),
        "SORT, also SORT_RO, lets a sorted set be a skiplist in Redis",
    ),
    (
        "SCAN of a type that is none",
        r"[89]\.",
        lambda request, peer, ours: name_of(request) == "SCAN" and is_error(peer) and b"unknown type" in peer,
        "Valkey refuses it, Redis 7.2 finds no key",
    ),
    (
        "strings up to 64 bytes with their key in one piece",
        r"[89]\.",
        lambda request, peer, ours: name_of(request) == "OBJECT" and {peer, ours} == {b"embstr", b"raw"},
        "a border of Valkey's own",
    ),
    (
        "shared integers",
        r"[89]\.",
        lambda request, peer, ours: name_of(request) == "OBJECT" and isinstance(peer, int) and isinstance(ours, int),
        "counts of references differ",
    ),
    (
        "blanks before a number, and nothing instead of one",
        r"[89]\.",
        lambda request, peer, ours: is_error(peer)
        and peer.endswith((b"is not a float", b"converted into double", b"is not a valid float")),
        "Valkey does not read numbers with strtod any more",
    ),
    (
        "LIMIT from before the first",
        r"[89]\.",
        lambda request, peer, ours: about_scores(request) and has_word(request, b"LIMIT") and ours in ([], 0),
        "nothing in Redis 7.2; Valkey begins with the first",
    ),
    (
        "LSET of an index beyond 2^31",
        r"[89]\.",
        lambda request, peer, ours: name_of(request) == "LSET" and ours == b"ERR index out of range",
        "Valkey cuts the index to 32 bits",
    ),
    (
        "GETEX with two options",
        r"[89]\.",
        lambda request, peer, ours: name_of(request) in ("GETEX", "SET") and is_error(peer) and b"integer" in peer,
        "Valkey looks at times before it looks at the key",
    ),
    (
        "errors that repeat what is no text",
        r"",
        lambda request, peer, ours: is_error(peer) and is_error(ours)
        and (b"unknown" in ours or peer.decode("utf-8", "replace").split() == ours.decode().split()),
        "errors are text here, and Redis stops at a zero byte",
    ),
]


def written_by(request):
    return [word for word in request[1:] if word in KEYS or word in EVEN]


class Differ:
    def __init__(self, options):
        self.peers = [Client(options.redis_port), Client(options.seedis_port)]
        self.maker = Maker(options.seed, options.only.split(",") if options.only else [])
        info = self.peers[0].ask(b"INFO", b"server").decode()
        found = re.search(r"valkey_version:(\S+)", info) or re.search(r"redis_version:(\S+)", info)
        self.version = found.group(1)
        self.excused = collections.Counter()
        self.differences = collections.Counter()
        self.recent = collections.deque(maxlen=400)
        self.sent = 0
        self.empty()

    def empty(self):
        for peer in self.peers:
            peer.ask(b"FLUSHALL")

    def both(self, requests):
        for peer in self.peers:
            peer.send(requests)
        return [[peer.read() for _ in requests] for peer in self.peers]

    def batch(self, size):
        """Requests of a batch, each with whether it is one of the tool's own."""
        requests = []
        while len(requests) < size:
            request = self.maker.request()
            if self.maker.chance(15):
                inner = [self.maker.request() for _ in range(self.maker.dice.randrange(5))]
                # A command that only one of them knows would end the transaction.
                inner = [one for one in inner if not diverges(one) and not is_new(one)]
                ends = b"EXEC" if self.maker.chance(850) else b"DISCARD"
                # In one piece behind a write of its own client, WATCH is broken by that write.
                begins = [] if requests or self.maker.chance(300) else [[b"WATCH", self.maker.key()]]
                requests += begins + [[b"MULTI"]] + inner + [[ends]]
                continue
            if self.maker.chance(4):
                requests.append([b"HELLO", self.maker.pick([b"2", b"3", b"4", b"x"])])
                continue
            requests.append(request)
            if diverges(request):
                requests.append([b"DEL"] + (written_by(request) or KEYS))
        return requests

    def compare(self, requests, replies):
        queued = None
        for request, peer, ours in zip(requests, *replies):
            if self.is_torn:
                # What follows in this batch may differ because of it.
                return
            name = name_of(request)
            self.recent.append(request)
            if name == "MULTI":
                queued = []
            elif queued is not None and peer == b"QUEUED":
                queued.append(request)
            if name == "HELLO" and not is_error(peer) and not is_error(ours):
                continue
            if name == "EXEC" and isinstance(peer, list) and isinstance(ours, list) and queued is not None:
                for one, first, second in zip(queued, peer, ours):
                    self.judge(one, first, second)
                if len(peer) != len(ours):
                    self.judge(request, peer, ours)
            else:
                self.judge(request, peer, ours)
            if name in ("EXEC", "DISCARD"):
                queued = None

    def judge(self, request, peer, ours):
        if peer == ours and type(peer) is type(ours):
            return
        shape = shape_of(request)
        if name_of(request).endswith("SCAN") and is_cut(peer, ours):
            return
        if name_of(request) in ("TTL", "EXPIRETIME") and is_near(peer, ours):
            return
        if not is_error(peer) and not is_error(ours):
            peer, ours = shape(peer), shape(ours)
            if peer == ours:
                return
        for name, versions, applies, _ in EXCUSES:
            if re.match(versions, self.version) and applies(request, peer, ours):
                self.excused[name] += 1
                # The states may differ from here on.
                are_errors = is_error(peer) and is_error(ours)
                is_shown = name_of(request) == "OBJECT" or same_numbers(peer, ours)
                self.is_torn |= not are_errors and not is_shown
                return
        kind = name_of(request)
        self.differences[kind] += 1
        if self.differences[kind] <= 3:
            print("DIFFERENT: %s" % line(request))
            print("   peer: %s\n   ours: %s" % (cut(peer), cut(ours)))
            keys = set(written_by(request))
            before = [one for one in self.recent if keys & set(written_by(one))][-9:-1]
            for one in before:
                print("   before: %s" % line(one))
        self.is_torn = True

    def state(self):
        """Compares all keys."""
        asked = []
        keys = self.both([[b"KEYS", b"*"]])
        if sorted(items(keys[0][0])) != sorted(items(keys[1][0])):
            self.judge([b"KEYS", b"*"], keys[0][0], keys[1][0])
            return
        for key in items(keys[0][0]):
            kind = self.both([[b"TYPE", key]])[0][0]
            look = {
                b"string": [b"GET", key], b"list": [b"LRANGE", key, b"0", b"-1"], b"set": [b"SMEMBERS", key],
                b"hash": [b"HGETALL", key], b"zset": [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
            }
            asked += [look[bytes(kind)], [b"OBJECT", b"ENCODING", key], [b"TTL", key]]
        if asked:
            for request, peer, ours in zip(asked, *self.both(asked)):
                self.judge(request, peer, ours)

    def run(self, commands, batch):
        while self.sent < commands:
            self.is_torn = False
            requests = self.batch(batch)
            try:
                replies = self.both(requests)
            except OSError as error:
                print("%s: no answer to one of: %s" % (error, "; ".join(map(line, requests))))
                return False
            self.compare(requests, replies)
            before, self.sent = self.sent // 1000, self.sent + len(requests)
            if before != self.sent // 1000:
                self.state()
                # Collections that only grow would all be large.
                self.both([[b"DEL", key] for key in KEYS if self.maker.chance(300)] or [[b"PING"]])
            if self.is_torn:
                self.both([[b"DISCARD"], [b"UNWATCH"]])
                self.empty()
                self.recent.clear()
        return not self.differences


def shown(word):
    text = repr(word)[2:-1] if len(word) < 80 else "%s…(%d)" % (repr(word[:8])[2:-1], len(word))
    return text if text and " " not in text else '"%s"' % text


def line(request):
    return " ".join(map(shown, request))


def cut(reply):
    text = repr(reply)
    return text if len(text) < 300 else text[:300] + "…"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("redis_port", type=int)
    parser.add_argument("seedis_port", type=int)
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--only", default="", help="only commands whose names contain one of these words")
    options = parser.parse_args()
    differ = Differ(options)
    is_same = differ.run(options.commands, options.batch)
    for name, _, _, why in EXCUSES:
        if differ.excused[name]:
            print("excused %d times: %s (%s)" % (differ.excused[name], name, why))
    for kind, times in differ.differences.most_common():
        print("different %d times: %s" % (times, kind))
    print("%d commands beside %s: %s" % (differ.sent, differ.version, "equal" if is_same else "DIFFERENT"))
    sys.exit(0 if is_same else 1)


if __name__ == "__main__":
    main()

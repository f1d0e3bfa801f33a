#!/usr/bin/env python3
"""What is lost of acknowledged writes where one disk of five is damaged: real processes under load.

Usage: damage.py SEEDIS [--rounds 10] [--kind bit|cut|misplaced|older] [--seed 1] [--port 31400]
                 [--seconds 4] [--dir DIR]

Each round forms a group of five and writes distinct keys as fast as it can. One member is killed,
its files are damaged, and it comes back, while the others go on. Then all five are killed at once,
another one of them is damaged, and all come back. In the end each write that was acknowledged is
read again from the leader, and all members must come to have the same data.

  bit        one bit of a file is turned
  cut        a file loses its end
  misplaced  512 bytes are written to another place in the same file
  older      a file is as it was some time before
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from stalls import Client, request

MEMBERS = 5
BATCH = 16


class Group:
    """Five processes, and what their disks hold."""

    def __init__(self, program, port, folder):
        self.program, self.port, self.folder = program, port, folder
        self.peers = ",".join(f"{n}=127.0.0.1:{port + 100 + n}" for n in self.numbers())
        self.processes = {}
        for number in self.numbers():
            self.start(number)

    @staticmethod
    def numbers():
        return range(1, MEMBERS + 1)

    def home(self, number):
        return os.path.join(self.folder, f"data{number}")

    def start(self, number):
        options = ["--id", number, "--port", self.port + number, "--peers", self.peers]
        options += ["--dir", self.home(number), "--auto-aof-rewrite-min-size", "256kb"]
        options += ["--enable-debug-command", "yes"]
        options += ["--appendfsync", "everysec" if number % 2 else "always"]
        log = open(os.path.join(self.folder, f"log{number}"), "ab")
        command = [self.program, *map(str, options)]
        self.processes[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, number):
        self.processes[number].kill()
        self.processes[number].wait()

    def running(self):
        """The members that have not refused to start."""
        return [number for number in self.numbers() if self.processes[number].poll() is None]

    def said(self, number):
        with open(os.path.join(self.folder, f"log{number}"), encoding="utf-8") as log:
            return log.read()

    def ask(self, number, *words):
        """The first bytes of an answer; nothing where nobody answers."""
        try:
            client = Client(self.port + number, 5)
        except OSError:
            return b""
        try:
            return client.ask(*words)
        except OSError:
            return b""
        finally:
            client.socket.close()

    def leader(self, within=30):
        """The member that leads."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            for number in self.numbers():
                if b"role:master" in self.ask(number, "INFO", "replication"):
                    return number
            time.sleep(0.05)
        return None


class Writer(threading.Thread):
    """Writes keys that nobody else writes, and keeps in mind which were acknowledged."""

    def __init__(self, group, name):
        super().__init__(daemon=True)
        self.group, self.title = group, name
        self.next, self.acknowledged, self.ended = 0, [], False

    def run(self):
        while not self.ended:
            leader = self.group.leader(1)
            if leader is None:
                continue
            try:
                self.write(Client(self.group.port + leader, 2))
            except OSError:
                pass

    def write(self, client):
        while not self.ended:
            keys = [f"{self.title}:{self.next + n}" for n in range(BATCH)]
            self.next += BATCH
            client.socket.sendall(b"".join(request("SET", key, value_of(key)) for key in keys))
            data = b""
            while data.count(b"\r\n") < BATCH:
                more = client.socket.recv(1 << 16)
                if not more:
                    break
                data += more
            replies = data.split(b"\r\n")[:-1]
            good = [key for key, reply in zip(keys, replies) if reply == b"+OK"]
            self.acknowledged += good
            if len(good) < BATCH:
                client.socket.close()
                return


def value_of(key):
    return key * 12


def contents(home):
    """The bytes of each file that holds data."""
    found = {}
    for name in sorted(os.listdir(home)):
        path = os.path.join(home, name)
        if not re.match(r"(log|base)-.*\.aof$|manifest$", name):
            continue
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            # A rewrite has just removed it.
            continue
        if data.rstrip(b"\0"):
            found[path] = data
    return found


def damage(kind, home, copies, dice):
    """Damages one file; says what was done."""
    files = [(path, len(data.rstrip(b"\0"))) for path, data in contents(home).items()]
    if kind == "older":
        files = [(path, used) for path, used in files if path in copies]
    if not files:
        return "nothing to damage"
    # The log is where most is lost; the other files have their turn too.
    path, used = dice.choice(files)
    name = os.path.basename(path)
    if kind == "bit":
        place = dice.randrange(used * 8)
        with open(path, "r+b") as file:
            file.seek(place // 8)
            byte = file.read(1)[0]
            file.seek(place // 8)
            file.write(bytes([byte ^ 1 << place % 8]))
        return f"bit {place % 8} of byte {place // 8} of {name} ({used} in use)"
    if kind == "cut":
        place = dice.randrange(used)
        os.truncate(path, place)
        return f"{name} cut at {place} of {used}"
    if kind == "misplaced":
        if used < 1024:
            return f"{name} is too short"
        sectors = used // 512
        source, target = dice.sample(range(sectors), 2) if sectors > 1 else (0, 0)
        with open(path, "r+b") as file:
            file.seek(source * 512)
            piece = file.read(512)
            file.seek(target * 512)
            file.write(piece)
        return f"512 bytes of {name} from {source * 512} to {target * 512}"
    with open(path, "wb") as file:
        file.write(copies[path])
    return f"{name} as it was"


def read_back(group, keys):
    """The acknowledged keys that are gone or wrong."""
    leader = group.leader(60)
    if leader is None:
        sys.exit("nobody leads in the end: " + group.folder)
    client = Client(group.port + leader, 60)
    file = client.socket.makefile("rb")
    lost = []
    for at in range(0, len(keys), 500):
        some = keys[at : at + 500]
        client.socket.sendall(b"".join(request("GET", key) for key in some))
        for key in some:
            head = file.readline()
            length = int(head[1:]) if head[:1] == b"$" else -1
            value = file.read(length + 2)[:-2] if length >= 0 else head
            if value != value_of(key).encode():
                lost.append((key, value[:40]))
    return lost


def agree(group):
    """Waits until all members that run have the same data; who differs in the end."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        # A follower answers for its own data where a client wants old reads.
        found = {}
        for number in group.running():
            try:
                client = Client(group.port + number, 10)
                client.ask("READONLY")
                found[number] = client.ask("DEBUG", "DIGEST")
                client.socket.close()
            except OSError:
                found[number] = b"does not answer"
        digests = set(found.values())
        if len(digests) == 1 and digests.pop().startswith(b"+"):
            return None
        time.sleep(0.5)
    return found


def round_of(options, number, dice, kind):
    folder = tempfile.mkdtemp(dir=options.dir)
    group = Group(options.program, options.port, folder)
    try:
        outcome = play(options, group, number, dice, kind)
    finally:
        for other in group.numbers():
            group.kill(other)
    _, lost, differs, *_ = outcome
    if not lost and not differs:
        shutil.rmtree(folder)
    return outcome


def play(options, group, number, dice, kind):
    folder = group.folder
    if group.leader(30) is None:
        sys.exit("no group was formed: " + folder)
    writers = [Writer(group, f"w{n}") for n in range(4)]
    for writer in writers:
        writer.start()
    time.sleep(options.seconds / 2)
    first = dice.choice(list(group.numbers()))
    copies = contents(group.home(first))
    time.sleep(options.seconds / 2)
    group.kill(first)
    done = [f"{first}: {damage(kind, group.home(first), copies, dice)}"]
    group.start(first)
    time.sleep(options.seconds)
    # The first has had time to take what it lacked from the others.
    second = dice.choice([other for other in group.numbers() if other != first])
    copies = contents(group.home(second))
    time.sleep(options.seconds / 4)
    for other in group.numbers():
        group.processes[other].send_signal(signal.SIGKILL)
    for other in group.numbers():
        group.processes[other].wait()
    done.append(f"{second}: {damage(kind, group.home(second), copies, dice)}")
    for other in group.numbers():
        group.start(other)
    time.sleep(1)
    for writer in writers:
        writer.ended = True
    for writer in writers:
        writer.join(20)
    keys = [key for writer in writers for key in writer.acknowledged]
    differs = agree(group)
    lost = read_back(group, keys)
    repaired = sum("under repair" in group.said(other) for other in group.numbers())
    refused = MEMBERS - len(group.running())
    print(f"{kind:9} {number:3}: {len(keys)} acknowledged, {len(lost)} lost, {repaired} repaired, "
          f"{refused} refused to start  ({'; '.join(done)})", flush=True)
    if lost:
        print("   ", lost[:5], folder, flush=True)
    if differs:
        print("    the members do not come together:", differs, folder, flush=True)
    return len(keys), len(lost), bool(differs), repaired, refused


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--kind", choices=["bit", "cut", "misplaced", "older"])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--port", type=int, default=31400)
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--dir")
    options = options.parse_args()
    dice = random.Random(options.seed)
    kinds = [options.kind] if options.kind else ["bit", "cut", "misplaced", "older"]
    bad = False
    for kind in kinds:
        rounds = [round_of(options, n, dice, kind) for n in range(options.rounds)]
        keys, lost, differs, repaired, refused = map(sum, zip(*rounds))
        print(f"{kind}: {options.rounds} rounds, {keys} acknowledged, {lost} lost, "
              f"{repaired} repairs, {refused} refused to start, {differs} groups that did not come together", flush=True)
        bad |= lost > 0 or differs > 0
    sys.exit(bad)


if __name__ == "__main__":
    main()

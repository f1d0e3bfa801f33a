#!/usr/bin/env python3
"""Publish rate with 1, 100 and 10,000 subscribers: PORT [SECONDS] [SUBSCRIBER_PORT]."""
import resource, select, socket, sys, time

port, seconds = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 3.0
where = int(sys.argv[3]) if len(sys.argv) > 3 else port
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


def dial(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def measure(count):
    subs, poll = [], select.epoll()
    for _ in range(count):
        s = dial(where)
        s.sendall(b"SUBSCRIBE bench\r\n")
        subs.append(s)
    for s in subs:
        got = b""
        while not got.endswith(b":1\r\n"):
            got += s.recv(100)
        s.setblocking(False)
        poll.register(s.fileno(), select.EPOLLIN)
    by = {s.fileno(): s for s in subs}
    publisher = dial(port)
    message = b"x" * 64
    one = b"*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n$64\r\n" + message + b"\r\n"
    size = len(b"*3\r\n$7\r\nmessage\r\n$5\r\nbench\r\n$64\r\n\r\n") + 64
    batch = max(1, min(64, 20000 // count))
    sent = heard = answered = 0
    waits = []
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        at = time.monotonic()
        publisher.sendall(one * batch)
        sent += batch
        replies = b""
        wanted = sent * count * size
        while answered < sent or heard < wanted:
            if answered < sent:
                publisher.setblocking(False)
                try:
                    answered += publisher.recv(65536).count(b"\n")
                except BlockingIOError:
                    pass
                publisher.setblocking(True)
            for fd, _ in poll.poll(0.01):
                heard += len(by[fd].recv(1 << 20))
            if time.monotonic() - at > 20:
                print("stuck", answered, sent, heard, wanted)
                sys.exit(1)
        waits.append(time.monotonic() - at)
    took = time.monotonic() - began
    waits.sort()
    print(f"{count:6} subscribers: {sent / took:9.0f} published/s {sent * count / took:10.0f} delivered/s"
          f"  batches of {batch}: median {waits[len(waits) // 2] * 1000:.1f} ms, longest {waits[-1] * 1000:.1f} ms")
    for s in subs:
        s.close()
    publisher.close()


for count in (1, 100, 10000):
    measure(count)

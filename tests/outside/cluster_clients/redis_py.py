"""Writes through redis-py's RedisCluster while the leader changes.

usage: redis_py.py SECONDS PORT...
"""

import sys
import time
import warnings

import redis
from redis.cluster import ClusterNode, RedisCluster

warnings.simplefilter("error")
# redis-py leaves the sockets of a dead leader to the garbage collector.
warnings.simplefilter("ignore", ResourceWarning)


def main():
    seconds, ports = float(sys.argv[1]), [int(port) for port in sys.argv[2:]]
    client = RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", port) for port in ports], socket_timeout=2)
    assert len(client.get_nodes()) == len(ports), client.get_nodes()
    begun = last = time.monotonic()
    number = acknowledged = gap = 0
    errors = []
    while time.monotonic() - begun < seconds:
        number += 1
        try:
            assert client.set("redis-py", number)
            now = time.monotonic()
            acknowledged, gap, last = number, max(gap, now - last), now
        except redis.RedisError as error:
            errors.append(f"{type(error).__name__}: {error}")
            time.sleep(0.05)
    assert int(client.get("redis-py")) >= acknowledged
    print(f"redis-py {redis.__version__} writes={acknowledged} errors={len(errors)} gap_ms={gap * 1000:.0f}")
    print(*errors[:5], sep="\n", file=sys.stderr)


main()

"""Huey: a consumer waits for tasks in BRPOP and takes three. Tasks for later need scripts and are left out."""

import logging
import sys
import time

import huey
from huey import RedisHuey

logging.disable(logging.CRITICAL)
tasks = RedisHuey("jobs", host=sys.argv[1], port=int(sys.argv[2]), db=1)


@tasks.task()
def add(one, other):
    return one + other


tasks.storage.conn.flushdb()
consumer = tasks.create_consumer(workers=1, periodic=False)
consumer.start()
try:
    assert add(0, 0).get(blocking=True, timeout=10) == 0
    times, results = [], []
    for number in range(1, 4):
        time.sleep(0.3)
        began = time.monotonic()
        results.append(add(number, number).get(blocking=True, timeout=10, backoff=1, max_delay=0.01))
        times.append(time.monotonic() - began)
    assert results == [2, 4, 6], results
    print(f"huey {huey.__version__}: results {results}, slowest {max(times) * 1000:.0f} ms")
finally:
    consumer.stop()

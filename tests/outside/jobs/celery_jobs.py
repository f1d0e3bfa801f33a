"""Celery: a worker of its own process takes three jobs, their results come back as files."""

import os
import subprocess
import sys
import time

import celery
from celery import Celery

HOST, PORT = sys.argv[1:3] if len(sys.argv) == 3 else (os.environ["HOST"], os.environ["PORT"])
CELERY = os.path.join(os.path.dirname(sys.executable), "celery")
app = Celery("celery_jobs", broker=f"redis://{HOST}:{PORT}/0")
# Celery's results over Redis need pub/sub: they lie in files, so that the list alone is tried.
app.conf.result_backend = "file://" + os.getcwd()
app.conf.worker_enable_remote_control = False
# To restore jobs that a worker never acknowledged needs scripts.
app.conf.broker_transport_options = {"ack_emulation": False}
app.conf.broker_connection_retry_on_startup = True


@app.task(name="celery_jobs.add")
def add(one, other):
    return one + other


def main():
    app.connection().channel().client.flushdb()
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    worker = subprocess.Popen(
        [CELERY, "-A", "celery_jobs", "worker", "-c", "1", "-P", "solo"] + quiet,
        env={**os.environ, "HOST": HOST, "PORT": PORT},
        stdout=subprocess.DEVNULL,
        stderr=open("worker.log", "w"),
    )
    try:
        first = add.delay(0, 0)
        assert first.get(timeout=30, interval=0.01) == 0
        times, results = [], []
        for number in range(1, 4):
            # The worker waits in BRPOP.
            time.sleep(0.3)
            began = time.monotonic()
            results.append(add.delay(number, number).get(timeout=10, interval=0.01))
            times.append(time.monotonic() - began)
        assert results == [2, 4, 6], results
        assert app.connection().channel().client.llen("celery") == 0
        print(f"celery {celery.__version__}: results {results}, slowest {max(times) * 1000:.0f} ms")
    finally:
        worker.terminate()
        worker.wait(20)
    errors = [line for line in open("worker.log") if "ERROR" in line or "CRITICAL" in line]
    assert not errors, errors[:3]


if __name__ == "__main__":
    main()

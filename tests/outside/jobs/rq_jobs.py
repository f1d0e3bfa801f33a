"""RQ: a worker waits for jobs in BLPOP, takes three, and one that fails."""

import sys
import time
from multiprocessing import Process

import rq
from redis import Redis
from rq import Queue, SimpleWorker


def add(one, other):
    return one + other


def fail():
    raise ValueError("as it should")


def work(host, port):
    connection = Redis(host=host, port=port, db=1)
    worker = SimpleWorker([Queue(connection=connection)], connection=connection)
    worker.work(logging_level="WARNING")


def finished(job):
    for _ in range(1000):
        if job.get_status(refresh=True) in ("finished", "failed"):
            return job.get_status()
        time.sleep(0.01)
    raise TimeoutError("the job was not done in 10 seconds")


def main():
    import rq_jobs

    host, port = sys.argv[1], int(sys.argv[2])
    connection = Redis(host=host, port=port, db=1)
    connection.flushdb()
    worker = Process(target=rq_jobs.work, args=(host, port))
    worker.start()
    try:
        queue = Queue(connection=connection)
        assert finished(queue.enqueue(rq_jobs.add, 0, 0)) == "finished"
        times, results = [], []
        for number in range(1, 4):
            time.sleep(0.3)
            began = time.monotonic()
            job = queue.enqueue(rq_jobs.add, number, number)
            assert finished(job) == "finished"
            times.append(time.monotonic() - began)
            results.append(job.result)
        assert results == [2, 4, 6], results
        assert finished(queue.enqueue(rq_jobs.fail)) == "failed"
        assert len(queue) == 0
        print(f"rq {rq.VERSION}: results {results}, slowest {max(times) * 1000:.0f} ms, and a failure")
    finally:
        worker.terminate()
        worker.join(20)
        if worker.is_alive():
            worker.kill()


if __name__ == "__main__":
    main()

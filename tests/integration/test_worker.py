"""Worker processes, and what becomes of them without the one that they work for."""

import subprocess
import sys
import time
from pathlib import Path

import psutil

SERVES = """
import os
import time

from chain import worker

if __name__ == "__main__":
    with worker.pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def test_a_worker_ends_when_the_one_that_asked_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "serves.py"
    script.write_text(SERVES, "utf-8")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as asks:
        assert asks.stdout is not None
        worker = psutil.Process(int(asks.stdout.readline()))
        asks.kill()

    while is_at_work(worker):
        time.sleep(0.01)  # for as long as it takes: without an end, the test has none either


def is_at_work(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""Ending: a process that waits at a queue ends when it is told to, also if it had been stopped meanwhile."""

import signal
import subprocess
import sys
import time

WAITS = """
import queue
from chain.console import until_signalled, wake_at

arrived, stop = queue.SimpleQueue(), until_signalled()
wake_at(stop, lambda: arrived.put("end"))
print("waiting", flush=True)
while not stop.is_set():
    try:
        arrived.get(timeout=0.5)
    except queue.Empty:
        pass
"""


def test_a_process_that_was_stopped_still_ends_when_it_is_told_to() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"

        process.send_signal(signal.SIGSTOP)
        time.sleep(1)  # longer than it waits each time
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)

        try:
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()

"""Ending: a process ends when it is told to, also if it waits, or had been stopped meanwhile; and it does so in words."""

import signal
import subprocess
import sys
import time

from chain.console import INTERRUPTED

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


WORKS = """
import sys, time
from chain.console import Console

def work(_args):
    print("working", flush=True)
    time.sleep(60)

console = Console("example", "an example", "")
console.command("work", work, "work for long")
sys.exit(console.run(console.parser.parse_args(["work"]), (OSError,)))
"""


def test_ctrl_c_ends_a_command_without_a_traceback() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", WORKS], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"

        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)

    assert process.returncode == INTERRUPTED
    assert said == "blockpost example work: interrupted\n"

import logging
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Self

import psutil
import pytest

from device.config import Poll, Sensor, Stream
from device.reading import Fault, Reading, Sample
from device.sensors import run

NOW = 1_763_000_000_000
PATIENCE = 60.0
"""Seconds. How long a test waits before it fails: never what decides whether it passes."""


class Sensing:
    """One sensor at work in a thread of its own, from `with` to its end."""

    def __init__(self, sensor: Sensor) -> None:
        self._samples: SimpleQueue[Sample] = SimpleQueue()
        self._stop = Event()
        self._thread = Thread(
            target=run, args=("s", sensor, self._samples.put, self._stop), kwargs={"now_ms": lambda: NOW}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def next(self) -> Sample:
        return self._samples.get(timeout=PATIENCE)

    def number(self) -> int:
        sample = self.next()
        assert isinstance(sample, Reading)
        return int(sample.value)


def poll(script: str, *, every: float = 60, timeout: float = PATIENCE, unit: str | None = None) -> Sensing:
    return Sensing(Poll(command=("sh", "-c", script), every=every, timeout=timeout, unit=unit))


def stream(script: str, *, timeout: float = PATIENCE) -> Sensing:
    return Sensing(Stream(command=("sh", "-c", script), timeout=timeout))


def fault(reason: str, detail: str) -> Fault:
    return Fault(sensor="s", reason=reason, detail=detail)  # type: ignore[arg-type]


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("printf 36.6", Reading(sensor="s", value=36.6, unit="Cel")),
        ('echo \'{"value": 0, "unit": "%"}\'', Reading(sensor="s", value=0, unit="%")),
        ('echo \'[{"v": 1, "t": -5}]\'', Reading(sensor="s", value=1, unit="Cel", t_ms=NOW - 5000)),
        ("true", fault("no-value", "no value in it")),
        ("echo 5; exit 3", fault("exit", "status 3")),
        ("echo 5; echo no chip >&2; exit 3", fault("exit", "status 3: no chip")),
        ("echo 5; kill -9 $$", fault("exit", "signal 9")),
        ("head -c 66000 /dev/zero | tr '\\0' 1", fault("unreadable", "want at most 65536 bytes")),
        ("yes", fault("unreadable", "want at most 65536 bytes")),
        ("cat | wc -c", Reading(sensor="s", value=0, unit="Cel")),
        ("sleep 600 & echo 5", Reading(sensor="s", value=5, unit="Cel")),
        ("echo 5; exec >&-; sleep 0.5", Reading(sensor="s", value=5, unit="Cel")),
    ],
)
def test_a_poll_is_what_its_command_answered(script: str, expected: Sample) -> None:
    with poll(script, unit="Cel") as sensing:
        assert sensing.next() == expected


def test_a_poll_is_repeated(tmp_path: Path) -> None:
    count = shlex.quote(str(tmp_path / "count"))

    with poll(f"echo . >> {count}; wc -l < {count}", every=0.05) as sensing:
        assert [sensing.number() for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    "sensor", [Poll(command=("no-such-command",), every=60), Stream(command=("/dev/null",))]
)
def test_a_command_that_cannot_start_is_a_fault(sensor: Sensor) -> None:
    with Sensing(sensor) as sensing:
        sample = sensing.next()

    assert isinstance(sample, Fault)
    assert sample.reason == "exit"
    assert "No such file" in sample.detail or "Permission denied" in sample.detail


def test_a_poll_that_takes_too_long_is_a_fault_and_killed_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $$ $! > {shlex.quote(str(pids))}; wait"

    with poll(script, timeout=2) as sensing:
        assert sensing.next() == fault("timeout", "no end within 2 s")

    for pid in pids.read_text().split():
        wait_for(lambda pid=int(pid): is_gone(pid))  # type: ignore[misc]


def test_a_poll_under_way_is_given_up_when_the_agent_stops(tmp_path: Path) -> None:
    started = tmp_path / "started"
    whole = shlex.quote(str(started))

    with poll(f"echo $$ > {whole}.new; mv {whole}.new {whole}; sleep 600"):
        wait_for(started.exists)

    assert is_gone(int(started.read_text()))


def test_a_sensor_is_not_told_the_agents_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPOST_TEST_SECRET", "hunter2")

    with poll("echo ${#BLOCKPOST_TEST_SECRET}") as sensing:
        assert sensing.number() == 0


def test_what_a_sensor_says_on_stderr_is_logged_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    with poll(
        "echo 'bus \033[31mbusy' >&2; head -c 1000 /dev/zero | tr '\\0' x >&2; echo >&2; echo 5"
    ) as sensing:
        sensing.next()

    assert [record.getMessage() for record in caplog.records] == [
        "command stderr name=s line='bus \\x1b[31mbusy'",
        f"command stderr name=s line='{'x' * 200}'",
    ]


def test_a_sensor_that_will_not_stop_complaining_is_turned_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    with poll("seq 1000 >&2; echo 5") as sensing:
        assert sensing.number() == 5

    assert len(caplog.records) == 100


def test_each_line_of_a_stream_is_a_sample() -> None:
    with stream("echo 1; echo; echo '{\"value\": 2}'; echo junk; sleep 600") as sensing:
        assert [sensing.next() for _ in range(4)] == [
            Reading(sensor="s", value=1),
            fault("no-value", "no value in it"),
            Reading(sensor="s", value=2),
            fault("unreadable", "want a number, an object or a SenML pack, got 'junk'"),
        ]


def test_a_stream_that_ends_is_a_fault_and_is_started_again() -> None:
    with stream("echo 1; echo lost it >&2; exit 3") as sensing:
        assert [sensing.next() for _ in range(3)] == [
            Reading(sensor="s", value=1),
            fault("exit", "status 3: lost it"),
            Reading(sensor="s", value=1),
        ]


def test_half_a_line_is_not_half_a_reading() -> None:
    with stream("echo 1; printf 36") as sensing:
        assert [sensing.next() for _ in range(2)] == [
            Reading(sensor="s", value=1),
            fault("exit", "status 0"),
        ]


def test_an_endless_line_is_one_fault_and_the_next_line_is_read() -> None:
    with stream("head -c 200000 /dev/zero | tr '\\0' 1; echo; echo 2; sleep 600") as sensing:
        assert [sensing.next() for _ in range(2)] == [
            fault("unreadable", "want at most 65536 bytes"),
            Reading(sensor="s", value=2),
        ]


def test_a_stream_that_falls_silent_is_a_fault_once_in_each_silence(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    silent = fault("silent", "nothing for 0.5 s")

    with stream(f"exec cat {shlex.quote(str(pipe))}", timeout=0.5) as sensing, pipe.open("w") as source:
        seen = [sensing.next()]
        for number in (1, 2):
            # Long enough for a second fault, were there one.
            time.sleep(1.5)
            print(number, file=source, flush=True)
            seen += [sensing.next(), sensing.next()]

    assert seen == [silent, Reading(sensor="s", value=1), silent, Reading(sensor="s", value=2), silent]


@pytest.mark.parametrize(
    "script", ["exec sleep 600", "trap '' TERM; sleep 600; sleep 600", "sleep 600 | cat"]
)
def test_a_stream_ends_with_the_agent(script: str) -> None:
    with stream(f"echo $$; {script}") as sensing:
        pid = sensing.number()

    assert is_gone(pid)


def test_a_stream_ends_even_with_an_agent_that_is_killed() -> None:
    agent = """
from threading import Event
from device.config import Stream
from device.sensors import run
sensor = Stream(command=("sh", "-c", "echo $$; exec sleep 600"))
run("s", sensor, lambda sample: print(sample.value, flush=True), Event(), now_ms=int)
"""
    with subprocess.Popen([sys.executable, "-c", agent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)

    wait_for(lambda: is_gone(pid))

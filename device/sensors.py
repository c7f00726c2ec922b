"""Sensors at work: their commands run on schedule or kept running, and what they say handed on."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from device.child import Child
from device.config import Poll, Sensor, Stream
from device.lines import Lines
from device.output import MAX_BYTES, parse
from device.reading import Fault, Reason, Sample

SLICE_SECONDS = 0.5
"""How long a wait for output lasts before `stop` is looked at again."""

MAX_BACKOFF_SECONDS = 60.0


def next_due(due: float, *, every: float, now: float) -> float:
    """When to poll after the one at `due`: on the same beat, and past whatever beats it has overrun."""
    return due + every * max(1, math.ceil((now - due) / every))


def backoff(last: float, *, lived: float) -> float:
    """Seconds until a stream that lived so long is started again, `last` time having been so many."""
    if lived >= MAX_BACKOFF_SECONDS:
        return 1.0
    return min(max(1.0, last * 2), MAX_BACKOFF_SECONDS)


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a stream has said nothing, and whether that was told: once in each silent period."""

    since: float
    told: bool = False

    def is_news(self, now: float, *, timeout: float) -> bool:
        return not self.told and now - self.since >= timeout


@dataclass(frozen=True, slots=True)
class _Report:
    """Where one sensor's samples go, and what is added to them."""

    name: str
    unit: str | None
    emit: Callable[[Sample], None]
    now_ms: Callable[[], int]

    def document(self, data: bytes) -> None:
        for sample in parse(data, sensor=self.name, default_unit=self.unit, now_ms=self.now_ms()):
            self.emit(sample)

    def fault(self, reason: Reason, detail: str) -> None:
        self.emit(Fault(sensor=self.name, reason=reason, detail=detail))

    def exit(self, status: int, last_words: str) -> None:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        self.fault("exit", f"{how}: {last_words}" if last_words else how)


def run(
    name: str, sensor: Sensor, emit: Callable[[Sample], None], stop: Event, *, now_ms: Callable[[], int]
) -> None:
    """
    Sense until `stop` is set; for a thread of its own.

    `emit` is called in that thread with every reading and fault. `now_ms` is the wall clock that
    relative times count from; the schedule keeps to a clock that nobody can set.
    """
    report = _Report(name, sensor.unit, emit, now_ms)
    if isinstance(sensor, Poll):
        _poll(sensor, report, stop)
    else:
        _stream(sensor, report, stop)


def _poll(sensor: Poll, report: _Report, stop: Event) -> None:
    due = time.monotonic()
    while not stop.wait(due - time.monotonic()):
        if child := _started(sensor, report):
            with child:
                _ask(child, sensor, report, stop)
        due = next_due(due, every=sensor.every, now=time.monotonic())


def _ask(child: Child, sensor: Poll, report: _Report, stop: Event) -> None:
    deadline = time.monotonic() + sensor.patience
    answer = b""
    while len(answer) <= MAX_BYTES and not stop.is_set():
        left = deadline - time.monotonic()
        if left <= 0:
            report.fault("timeout", f"no end within {sensor.patience:g} s")
            return
        data = child.read(min(left, SLICE_SECONDS))
        if data is None:
            _answered(answer, child, report)
            return
        answer += data
    if not stop.is_set():
        report.document(answer)


def _answered(answer: bytes, child: Child, report: _Report) -> None:
    if status := child.finish():
        report.exit(status, child.last_words)
    else:
        report.document(answer)


def _stream(sensor: Stream, report: _Report, stop: Event) -> None:
    pause = 0.0
    while not stop.wait(pause):
        began = time.monotonic()
        if child := _started(sensor, report):
            with child:
                _follow(child, sensor, report, stop)
        pause = backoff(pause, lived=time.monotonic() - began)


def _follow(child: Child, sensor: Stream, report: _Report, stop: Event) -> None:
    lines = Lines(MAX_BYTES)
    silence = Silence(time.monotonic())
    while not stop.is_set():
        data = child.read(SLICE_SECONDS)
        if data is None:
            # A last line without its end is left unread: 36 may be all that came of 36.6.
            report.exit(child.finish(), child.last_words)
            return
        now = time.monotonic()
        for line in lines.feed(data):
            silence = Silence(now)
            report.document(line)
        if silence.is_news(now, timeout=sensor.timeout):
            silence = Silence(silence.since, told=True)
            report.fault("silent", f"nothing for {sensor.timeout:g} s")


def _started(sensor: Sensor, report: _Report) -> Child | None:
    try:
        return Child(report.name, sensor.command)
    except OSError as error:
        report.fault("exit", f"cannot start: {error.strerror}")
        return None

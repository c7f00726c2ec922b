"""The sounder: runs the command of what is to sound now, and ends it once that is over."""

import logging
import time
from collections.abc import Hashable, Mapping
from typing import NamedTuple

from device.child import Child
from device.patterns import Hold, Once, Pattern, Repeat
from device.sensors import backoff, next_due

log = logging.getLogger(__name__)

GRACE_SECONDS = 0.3
"""How long a command may go on once it is over: a taken alert is to be silent within a second."""


class Cue(NamedTuple):
    """
    What is to sound: a table of the settings, and what its command is told of it.

    `of` are the alerts that it sounds for: what runs once runs again when there is one more.
    """

    name: str
    pattern: Pattern
    says: Mapping[str, str]
    of: frozenset[Hashable] = frozenset()


class Sounder:
    """
    Belongs to one thread, which calls `turn` a few times a second; times are in seconds that only go on.

    A command is killed, with all that it started, when it hangs and when what it sounds for is over.
    """

    def __init__(self) -> None:
        self._cue: Cue | None = None
        self._child: Child | None = None
        self._began = 0.0
        self._due: float | None = None
        self._pause = 0.0
        self._complaint: tuple[str, str] | None = None

    def play(self, cue: Cue | None, now: float) -> None:
        """From now on, `cue` is to sound; None: nothing."""
        before, self._cue = self._cue, cue
        if cue is None:
            self._stop()
        elif before is None or (before.name, before.pattern) != (cue.name, cue.pattern):
            self._stop()
            self._due, self._pause = now, 0.0
            log.info("sounding name=%s", cue.name)
        elif isinstance(cue.pattern, Once) and cue.of - before.of:
            self._due = now

    def turn(self, now: float) -> None:
        """Start what is due, and see how that is which runs."""
        if self._child is not None:
            self._look(self._child, now)
        if self._child is None and self._cue is not None and self._due is not None and now >= self._due:
            self._start(self._cue, self._due, now)

    def close(self) -> None:
        """End what runs."""
        self.play(None, 0)

    def _stop(self) -> None:
        if self._child is not None:
            self._child.close(GRACE_SECONDS)
        self._child = self._due = None

    def _look(self, child: Child, now: float) -> None:
        assert self._cue is not None  # without one, nothing runs
        # What it prints is for nobody, but it must not wait for somebody to read it.
        if child.read(0) is None:
            self._ended(self._cue, child, now)
        elif not isinstance(self._cue.pattern, Hold) and now - self._began >= self._cue.pattern.timeout:
            self._complain(self._cue.name, f"no end within {self._cue.pattern.timeout:g} s")
            child.close(GRACE_SECONDS)
            self._child = None

    def _ended(self, cue: Cue, child: Child, now: float) -> None:
        status = child.finish()
        if status:
            self._complain(cue.name, f"{outcome(status)}: {child.last_words}".removesuffix(": "))
        elif not isinstance(cue.pattern, Hold):
            self._complaint = None
        if isinstance(cue.pattern, Hold):
            # It was to go on. A command that cannot is not started again and again without a pause.
            self._pause = backoff(self._pause, lived=now - self._began)
            self._due = now + self._pause
        child.close()
        self._child = None

    def _start(self, cue: Cue, due: float, now: float) -> None:
        self._began = now
        self._due = (
            next_due(due, every=cue.pattern.every, now=now) if isinstance(cue.pattern, Repeat) else None
        )
        try:
            self._child = Child(cue.name, cue.pattern.command, cue.says)
        except OSError as error:
            self._complain(cue.name, f"cannot start: {error.strerror}")
            if isinstance(cue.pattern, Hold):
                self._pause = backoff(self._pause, lived=0)
                self._due = now + self._pause

    def _complain(self, name: str, reason: str) -> None:
        """Told once, until it changes: what sounds every second would fill the disk."""
        if self._complaint != (name, reason):
            log.error("command failed name=%s reason=%s", name, reason)
            self._complaint = (name, reason)


def outcome(status: int) -> str:
    """How a command ended, as `subprocess` spells it, in words."""
    return f"signal {-status}" if status < 0 else f"status {status}"


def tried(cue: Cue, seconds: float) -> str | None:
    """
    Run a cue's command once, to be heard; one that is to be kept running, for so many seconds.

    Returns what is wrong with it, if anything is.
    """
    limit = seconds if isinstance(cue.pattern, Hold) else cue.pattern.timeout
    try:
        child = Child(cue.name, cue.pattern.command, cue.says)
    except OSError as error:
        return f"cannot start: {error.strerror}"
    deadline = time.monotonic() + limit
    with child:
        while child.read(0.05) is not None:
            if time.monotonic() >= deadline:
                return None if isinstance(cue.pattern, Hold) else f"no end within {limit:g} s"
        status = child.finish()
    if status:
        return f"{outcome(status)}: {child.last_words}".removesuffix(": ")
    return f"it ended within {limit:g} s, and was to go on" if isinstance(cue.pattern, Hold) else None

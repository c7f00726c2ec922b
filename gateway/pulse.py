"""
The committer's pulse: every other second it says that it is at work, and what it did so far.

It is sent by the loop that commits, so that whatever keeps the loop from going round stops the pulse. Whoever
watches the gateway hears it; nothing is decided by it.
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chain.encoding import read

TOPIC = "blockpost/v1/gateway/pulse"

BEAT_SECONDS = 2.0
FRESH_SECONDS = 10.0
"""After this long without a pulse the committer counts as standing still."""

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds, of the histogram of how long blocks took."""


class Pulse(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What a committer did since it started. `refused` has a count for each rule; `buckets` says how many batches took at
    most so long, for each of `BUCKETS` and for any time; `seconds` is what all of them took together. `halted` says why
    nothing is committed now, if nothing is.
    """

    blocks: int
    entries: int
    refused: dict[str, int]
    buckets: Annotated[list[int], Meta(min_length=len(BUCKETS) + 1, max_length=len(BUCKETS) + 1)]
    seconds: float
    halted: str | None = None


_decoder = msgspec.json.Decoder(Pulse)


def read_pulse(payload: bytes) -> Pulse:
    """Raise `Malformed` if it is none."""
    return read(_decoder, payload, what="pulse")


class Meter:
    """Counts what the committer does. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._blocks = self._entries = 0
        self._refused: Counter[str] = Counter()
        self._took = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._beat = float("-inf")
        self._halted: str | None = None

    def halt(self, reason: str | None) -> bool:
        """Nothing is committed for this reason, or for none any more; whether that is news, which is due at once."""
        if reason == self._halted:
            return False
        self._halted, self._beat = reason, float("-inf")
        return True

    def count(self, *, blocks: int, entries: int, refused: Iterable[str], seconds: float) -> None:
        """One batch; `seconds` from when its first message came until everybody had an answer."""
        self._blocks += blocks
        self._entries += entries
        self._refused.update(refused)
        self._took[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def due(self, now: float) -> Pulse | None:
        """What to say now, if it is time for it. The next time is `BEAT_SECONDS` later."""
        if now - self._beat < BEAT_SECONDS:
            return None
        self._beat = now
        return self.pulse()

    def pulse(self) -> Pulse:
        return Pulse(
            blocks=self._blocks,
            entries=self._entries,
            refused=dict(self._refused),
            buckets=list(accumulate(self._took)),
            seconds=self._seconds,
            halted=self._halted,
        )


class Pulses:
    """The newest pulse that was heard. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._newest: tuple[float, Pulse] | None = None

    def hear(self, pulse: Pulse) -> None:
        with self._lock:
            self._newest = (self._clock(), pulse)

    def newest(self) -> Pulse | None:
        """The newest one, if it is fresh."""
        with self._lock:
            if self._newest is None or self._clock() - self._newest[0] > FRESH_SECONDS:
                return None
            return self._newest[1]

    def halted(self) -> str | None:
        """Why nothing is committed, by the committer's last word, however old: silence is no better news."""
        with self._lock:
            return None if self._newest is None else self._newest[1].halted

"""
The heartbeat: how much was recorded from when to when, so that "nothing" can be proven, too.

Its periods follow one another without a hole, over restarts as well. No clock: now is handed in.
"""

from collections.abc import Callable, Mapping

from device.content import Heartbeat
from device.episode import Moment

AWAY_MS = 60_000
"""An agent that was away for so long says so in a heartbeat of its own; a shorter time is part of the next one."""


class Pulse:
    """`every` is in seconds; `recorded` is when something was last recorded before this start, in ms since 1970."""

    def __init__(self, every: float, recorded: int | None, now: Moment) -> None:
        self._every_ms = 1000 * every
        self._due_ms = now.ms + self._every_ms
        # A clock that was set back must not make a period that ends before it begins.
        self._from = now.at if recorded is None else min(recorded, now.at)
        self._away = every > 0 and now.at - self._from >= AWAY_MS

    def beats(self, now: Moment, counts: Callable[[], Mapping[str, int]]) -> list[Heartbeat]:
        """What is due; `counts` says how many readings each sensor gave since it was last asked."""
        if self._away:
            self._away = False
            return [self._beat(now, dict.fromkeys(counts(), 0))]
        if self._every_ms == 0 or now.ms < self._due_ms:
            return []
        self._due_ms = now.ms + self._every_ms
        return [self._beat(now, counts())]

    def _beat(self, now: Moment, counts: Mapping[str, int]) -> Heartbeat:
        begun, self._from = min(self._from, now.at), now.at
        return Heartbeat(from_=begun, to=now.at, sensors=dict(counts))

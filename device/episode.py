"""
Episodes: from a sensor's samples to conditions that begin, go on and end. No I/O and no clock.

A *physiological* condition is a value beyond a limit for long enough; a *technical* one is that there are no values to
judge by. They are apart: what is no reading neither confirms nor clears a physiological condition, and zero is judged
like every other number.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from msgspec import Struct

from chain.entry import Milliseconds
from device.reading import Fault, Reading, Reason, Sample

Kind = Literal["physiological", "technical"]
State = Literal["start", "continue", "end"]

CONTINUE_SECONDS = 300
"""How often a physiological episode that lasts is told of again."""

MAX_READINGS = 20
"""The last readings that go with what is told."""


class Moment(NamedTuple):
    """A point in time, twice: durations never depend on a clock that somebody may set."""

    ms: int
    """By a clock that only goes on."""

    at: int
    """By the wall clock, in ms since 1970: for people."""


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the last readings."""

    t: Milliseconds

    value: int | float


class Rules(Struct, frozen=True, kw_only=True):
    """When a sensor's values are alerts. Seconds; `device.config` says what each is for."""

    low: float | None = None
    high: float | None = None
    clear_by: float = 0
    must_last: float = 0
    stale_after: float = 0
    lowest: float | None = None
    highest: float | None = None
    stuck_after: float | None = None
    unit: str | None = None
    """Readings in another unit are none: 41 degrees Fahrenheit are no fever."""

    code: str | None = None

    @property
    def are_limits(self) -> bool:
        return self.low is not None or self.high is not None


class Open(Struct, frozen=True, kw_only=True):
    """An episode that goes on: enough to go on with it after a restart."""

    id: str
    sensor: str
    channel: str
    kind: Kind
    what: str
    """`low`, `high`, or why there are no readings."""

    since: int
    """Ms since 1970."""


class Event(Struct, frozen=True, kw_only=True):
    """What is to be told of an episode now."""

    state: State
    episode: Open
    detail: str = ""
    """What came instead of a reading, for a person."""

    last: Reading | None
    readings: tuple[Point, ...]
    until: int | None = None
    """When it ended, in ms since 1970."""


class _Pending(NamedTuple):
    what: str
    began: Moment


class Watch:
    """One channel of a sensor. `new_id` makes the names of episodes; `opened` are those of before a restart."""

    def __init__(
        self,
        sensor: str,
        channel: str,
        rules: Rules,
        now: Moment,
        *,
        new_id: Callable[[], str],
        opened: tuple[Open, ...] = (),
    ) -> None:
        self._sensor, self._channel, self._rules, self._new_id = sensor, channel, rules, new_id
        self._open: dict[Kind, Open] = {episode.kind: episode for episode in opened}
        self._pending: _Pending | None = None
        # After a restart, the first reading tells that it still goes on.
        self._told_ms = now.ms - 1000 * CONTINUE_SECONDS
        self._valid = now
        self._fault: Fault | None = None
        self._same: tuple[float, Moment] | None = None
        self._readings: deque[Point] = deque(maxlen=MAX_READINGS)
        self.last: Reading | None = None

    def adopt(self, rules: Rules) -> None:
        """
        Judge by other rules from the next reading on, an episode that goes on as well.

        How long a limit has been crossed still counts if it was moved nearer: what crossed it then crosses it now.
        """
        pending, before, self._rules = self._pending, self._rules, rules
        if pending is not None and not _is_nearer(pending.what, before, rules):
            self._pending = None

    def observe(self, sample: Sample, now: Moment) -> list[Event]:
        """What a sample begins, goes on with, and ends."""
        judged = self._judged(sample, now)
        if isinstance(judged, Fault):
            self._fault = judged
            return self.tick(now, failed=True)
        if self._rules.stale_after and now.ms - self._valid.ms > 1000 * self._rules.stale_after:
            self._pending = None
        self._valid, self._fault, self.last = now, None, judged
        self._readings.append(Point(judged.t_ms or now.at, judged.value))
        return [*self.recover(now), *self._weigh(judged, now)]

    def tick(self, now: Moment, *, failed: bool = False) -> list[Event]:
        """What the time that passed without a reading begins; `failed` if a fault has come just now."""
        if "technical" in self._open or not self._is_stale(now) or not (failed or self._rules.stale_after):
            return []
        self._pending = None
        reason, detail = ("silent", "") if self._fault is None else (self._fault.reason, self._fault.detail)
        return [self._begin("technical", reason, self._valid.at, detail)]

    def recover(self, now: Moment) -> list[Event]:
        """The end of there being no readings."""
        return self._end("technical", now)

    def _judged(self, sample: Sample, now: Moment) -> Sample:
        """The sample, or the fault that a reading is when it is looked at."""
        if isinstance(sample, Fault):
            return sample
        rules, value = self._rules, sample.value
        if sample.unit is not None and rules.unit is not None and sample.unit != rules.unit:
            return self._failing("wrong-unit", f"want {rules.unit}, got {sample.unit}")
        if rules.lowest is not None and value < rules.lowest:
            return self._failing("impossible", f"{value:g} is below {rules.lowest:g}")
        if rules.highest is not None and value > rules.highest:
            return self._failing("impossible", f"{value:g} is above {rules.highest:g}")
        if self._same is None or self._same[0] != value:
            self._same = value, now
        if rules.stuck_after is not None and now.ms - self._same[1].ms >= 1000 * rules.stuck_after:
            return self._failing("stuck", f"nothing but {value:g} for {rules.stuck_after:g} s")
        return sample

    def _failing(self, reason: Reason, detail: str) -> Fault:
        return Fault(sensor=self._sensor, channel=self._channel, reason=reason, detail=detail)

    def _is_stale(self, now: Moment) -> bool:
        return now.ms - self._valid.ms >= 1000 * self._rules.stale_after

    def _weigh(self, reading: Reading, now: Moment) -> list[Event]:
        """Hold a valid reading against the limits."""
        told: list[Event] = []
        episode = self._open.get("physiological")
        if episode is not None:
            if not self._is_clear(episode.what, reading.value):
                return self._go_on(episode, now)
            told = self._end("physiological", now)
        return told + self._wait(reading.value, now)

    def _go_on(self, episode: Open, now: Moment) -> list[Event]:
        if now.ms - self._told_ms < 1000 * CONTINUE_SECONDS:
            return []
        self._told_ms = now.ms
        return [self._event("continue", episode)]

    def _wait(self, value: float, now: Moment) -> list[Event]:
        """Begin an episode once all readings have crossed one limit for long enough."""
        crossed = self._crossed(value)
        if crossed is None:
            self._pending = None
            return []
        if self._pending is None or self._pending.what != crossed:
            self._pending = _Pending(crossed, now)
        began = self._pending.began
        if now.ms - began.ms < 1000 * self._rules.must_last:
            return []
        self._pending, self._told_ms = None, now.ms
        return [self._begin("physiological", crossed, began.at)]

    def _crossed(self, value: float) -> str | None:
        low, high = self._rules.low, self._rules.high
        if low is not None and value < low:
            return "low"
        return "high" if high is not None and value > high else None

    def _is_clear(self, what: str, value: float) -> bool:
        """A limit that is no longer set is crossed by nothing."""
        low, high, by = self._rules.low, self._rules.high, self._rules.clear_by
        if what == "low":
            return low is None or value >= low + by
        return high is None or value <= high - by

    def _begin(self, kind: Kind, what: str, since: int, detail: str = "") -> Event:
        episode = Open(
            id=self._new_id(), sensor=self._sensor, channel=self._channel, kind=kind, what=what, since=since
        )
        self._open[kind] = episode
        return self._event("start", episode, detail)

    def _end(self, kind: Kind, now: Moment) -> list[Event]:
        episode = self._open.pop(kind, None)
        return [] if episode is None else [self._event("end", episode, until=now.at)]

    def _event(self, state: State, episode: Open, detail: str = "", *, until: int | None = None) -> Event:
        return Event(
            state=state,
            episode=episode,
            detail=detail,
            last=self.last,
            # They show how a limit was crossed; how there came to be none they do not.
            readings=tuple(self._readings) if episode.kind == "physiological" else (),
            until=until,
        )


def _is_nearer(what: str, before: Rules, after: Rules) -> bool:
    """Whether all that was beyond a limit is beyond it still."""
    if what == "low":
        return before.low is not None and after.low is not None and after.low >= before.low
    return before.high is not None and after.high is not None and after.high <= before.high

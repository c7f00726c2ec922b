"""
Replay-check: how often settings would have raised an alert over a recording. No I/O.

It takes one sample at least, and plays the recording through `device.episode`, by the recording's own times, once for each step from "every bad
sample is an alert" to all settings.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

from msgspec import Struct, structs

from device.episode import Event, Moment, Rules, Watch
from device.errors import DeviceError
from device.reading import Fault, Reading, Sample

SENSOR = "recording"
MINUTE_MS = 60_000
DAY_MS = 86_400_000

Cell = float | str | None
"""A number, what stood there instead, or nothing."""


class BadTimes(DeviceError):
    """The times of a recording do not tell when its samples were taken."""


class Timed(NamedTuple):
    at: int
    """Ms; only the differences count."""

    sample: Sample


class Tally(Struct, frozen=True):
    """How many alerts, by kind."""

    physiological: int
    technical: int

    @property
    def all(self) -> int:
        return self.physiological + self.technical


class Outcome(Struct, frozen=True):
    samples: int
    days: float
    """How long the recording is, the last sample's interval included."""

    naive: int
    """Samples beyond a limit, whatever they are: zeros as well."""

    episodes: int
    """The same, with one alert for all that follow one another."""

    split: Tally
    """With what is no reading told apart."""

    settled: Tally
    """With all settings: what the agent would raise."""


def minutes(cells: Iterable[Cell]) -> list[Timed]:
    """One sample a minute."""
    return [Timed(at, _sample(cell)) for at, cell in zip(count(0, MINUTE_MS), cells)]


def timed(times: Iterable[Cell], cells: Iterable[Cell]) -> list[Timed]:
    """Samples at the times of another column: seconds, or timestamps (ISO 8601). Raise `BadTimes`."""
    found: list[Timed] = []
    for row, (time, cell) in enumerate(zip(times, cells, strict=True), start=1):
        at = _time(time, row)
        if found and at <= found[-1].at:
            raise BadTimes(f"row {row}: want a later time than in the row before, got {time}")
        found.append(Timed(at, _sample(cell)))
    return found


def examine(samples: Sequence[Timed], rules: Rules) -> Outcome:
    """What these rules make of the recording."""
    plain = Rules(low=rules.low, high=rules.high)
    told_apart = structs.replace(rules, must_last=0, clear_by=0)
    bad = [each for each in samples if isinstance(each.sample, Reading) and _is_bad(each.sample, rules)]
    return Outcome(
        samples=len(samples),
        days=_span(samples) / DAY_MS,
        naive=len(bad),
        episodes=tally(play(samples, plain)).physiological,
        split=tally(play(samples, told_apart)),
        settled=tally(play(samples, rules)),
    )


def play(samples: Sequence[Timed], rules: Rules) -> list[Event]:
    """What an agent with these rules would have told."""
    ids = count(1)
    begun = Moment(samples[0].at, samples[0].at)
    watch = Watch(SENSOR, "", rules, begun, new_id=lambda: str(next(ids)))
    told: list[Event] = []
    for at, sample in samples:
        # An agent looks all the time; a sample that comes just in time is in time.
        told += watch.tick(Moment(at - 1, at - 1))
        told += watch.observe(sample, Moment(at, at))
    return told


def tally(events: Iterable[Event]) -> Tally:
    kinds = [event.episode.kind for event in events if event.state == "start"]
    return Tally(kinds.count("physiological"), kinds.count("technical"))


def figures(outcome: Outcome) -> dict[str, int]:
    """For a program."""
    return {
        "samples": outcome.samples,
        "naive": outcome.naive,
        "episodes": outcome.episodes,
        "physiological": outcome.settled.physiological,
        "technical": outcome.settled.technical,
    }


def table(outcome: Outcome) -> list[str]:
    """For a person: alerts by step, and how many a day that would be."""
    rows = [
        ("every bad sample", outcome.naive, None),
        ("as episodes", outcome.episodes, None),
        ("no signal told apart", outcome.split.all, outcome.split),
        ("with must_last, clear_by", outcome.settled.all, outcome.settled),
    ]
    lines = [f"{'':26}{'alerts':>8}{'a day':>10}"]
    for name, alerts, kinds in rows:
        split = f"   {kinds.physiological} physiological, {kinds.technical} technical" if kinds else ""
        lines.append(f"{name:26}{alerts:>8}{alerts / outcome.days:>10.1f}{split}")
    return lines


def _span(samples: Sequence[Timed]) -> int:
    """The last sample stands for as long as the one before it did."""
    if len(samples) == 1:
        return MINUTE_MS
    return samples[-1].at - samples[0].at + samples[-1].at - samples[-2].at


def _is_bad(reading: Reading, rules: Rules) -> bool:
    below = rules.low is not None and reading.value < rules.low
    return below or (rules.high is not None and reading.value > rules.high)


def _sample(cell: Cell) -> Sample:
    if cell is None:
        return Fault(sensor=SENSOR, reason="no-value")
    if isinstance(cell, str):
        return Fault(sensor=SENSOR, reason="not-a-number", detail=cell)
    return Reading(sensor=SENSOR, value=cell)


def _time(cell: Cell, row: int) -> int:
    if isinstance(cell, str):
        try:
            moment = datetime.fromisoformat(cell)
        except ValueError as error:
            raise BadTimes(f"row {row}: want seconds or a timestamp, got {cell!r}") from error
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    if cell is None:
        raise BadTimes(f"row {row}: want seconds or a timestamp, got nothing")
    return round(cell * 1000)

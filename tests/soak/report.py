"""What a soak adds up to: whether memory and latency stayed flat, what was in the logs, and what was lost."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

from msgspec import Struct

from tests.soak.scales import Minute
from tests.soak.soak import Outcome

WARM_UP = 180.0
"""Seconds of a process that are left out: it fills its caches."""

SPAN = 600.0
"""Seconds over which a process must have been watched to be judged: in less, a slope is mostly noise."""

GROWS_MB = 8.0
GROWS_PART = 0.1
"""A process grows if the trend over all of its time comes to more than both of these: megabytes, and part of it."""

SLOWER = 1.5
SLOWER_MS = 25.0
"""Latency rises if the last third is both so many times, and so many ms, above the first."""

NOTED = 20
"""Warnings that the report shows, the most frequent first."""


class Trend(Struct, frozen=True):
    """Of one process, from its warm-up on: the median, and what the slope comes to in an hour."""

    name: str
    seconds: float
    mb: float
    mb_per_hour: float

    @property
    def is_judged(self) -> bool:
        return self.seconds >= SPAN

    @property
    def grows(self) -> bool:
        grown = self.mb_per_hour * self.seconds / 3600
        return self.is_judged and grown > max(GROWS_MB, GROWS_PART * self.mb)


class Thirds(Struct, frozen=True):
    """A latency in the first and in the last third, in ms: medians of the minutes."""

    first: float
    last: float

    @property
    def rises(self) -> bool:
        return self.last > max(SLOWER * self.first, self.first + SLOWER_MS)


class Report(Struct, frozen=True):
    outcome: Outcome
    trends: list[Trend]
    p50: Thirds | None
    p99: Thirds | None
    failures: list[str]

    @property
    def holds(self) -> bool:
        return not self.failures


def report(outcome: Outcome) -> Report:
    minutes = outcome.minutes
    trends = list(_trends(minutes))
    p50 = _thirds([each.p50_ms for each in minutes if each.calm and each.p50_ms is not None])
    p99 = _thirds([each.p99_ms for each in minutes if each.calm and each.p99_ms is not None])
    failures = [f"memory grows: {each.name}: {each.mb_per_hour:+.1f} MB/h" for each in trends if each.grows]
    failures += [
        f"latency rises: {name} from {each.first:.0f} to {each.last:.0f} ms"
        for name, each in (("p50", p50), ("p99", p99))
        if each is not None and each.rises
    ]
    failures += [f"in {each.log}.log: {each.text}" for each in outcome.errors if each.fault is None]
    failures += outcome.troubles
    failures += outcome.broken
    return Report(outcome, trends, p50, p99, failures)


def _trends(minutes: Sequence[Minute]) -> Iterator[Trend]:
    """Of the longest that each process was there without a restart."""
    for name in sorted({name for minute in minutes for name in minute.weights}):
        lives: dict[int, list[tuple[float, float]]] = {}
        for minute in minutes:
            if weight := minute.weights.get(name):
                lives.setdefault(weight.pid, []).append((minute.at, weight.rss_mb))
        longest = max(lives.values(), key=lambda life: life[-1][0] - life[0][0])
        warm = [(at, mb) for at, mb in longest if at - longest[0][0] >= WARM_UP]
        if len(warm) > 1:
            yield Trend(name, warm[-1][0] - warm[0][0], median(mb for _, mb in warm), slope(warm) * 3600)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By Theil and Sen: the median of the slopes between any two points, which a few outliers do not change."""
    return median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2))


def _thirds(values: Sequence[float]) -> Thirds | None:
    third = len(values) // 3
    return Thirds(median(values[:third]), median(values[-third:])) if third else None


def markdown(made: Report) -> str:
    return "\n".join(_lines(made)) + "\n"


def _lines(made: Report) -> Iterator[str]:
    outcome, options = made.outcome, made.outcome.options
    ran = outcome.minutes[-1].at / 60 if outcome.minutes else 0.0
    broker = "Mosquitto" if options.lan else "the embedded broker"
    yield (
        f"**{'Holds' if made.holds else 'Does not hold'}**: {ran:.0f} minutes on {broker}, seed {options.seed}"
        + (", interrupted" if outcome.cut_short else "")
    )
    yield f"({outcome.machine})."
    yield ""
    if outcome.minutes:
        first, last = outcome.minutes[0], outcome.minutes[-1]
        rates = [each.rate for each in outcome.minutes]
        yield (
            f"{last.entries:,} entries on the chain in the end, {median(rates):.1f} a second (median of the minutes; "
            f"{min(rates):.1f} to {max(rates):.1f}). Chain {first.chain_mb:.1f} to {last.chain_mb:.1f} MB, its log at most "
            f"{max(each.wal_mb for each in outcome.minutes):.1f} MB, all of the gateway's directory {last.disk_mb:.1f} MB."
        )
    counts = outcome.counts
    yield (
        f"Devices that joined: {counts.get('joined', 0)}; that were stopped: {counts.get('stopped', 0)}, killed: "
        f"{counts.get('killed', 0)}, revoked: {counts.get('revoked', 0)}. Agents restarted: {counts.get('restarted', 0)}. "
        f"Sessions over REST: {counts.get('sessions', 0)}, with {counts.get('verified', 0):,} entries verified and "
        f"{counts.get('events', 0):,} events; in a real Chromium: {counts.get('browsers', 0)}. "
        f"Put off by a fault, and done later: {counts.get('put off', 0)}."
    )
    faults = ", ".join(f"{name} {times}" for name, times in sorted(outcome.faults.items())) or "none"
    yield f"Faults: {sum(outcome.faults.values())} ({faults})."
    yield ""
    yield "| process | MB (median) | MB an hour | watched, min | fds | threads |"
    yield "|---|---|---|---|---|---|"
    for each in made.trends:
        weights = [minute.weights[each.name] for minute in outcome.minutes if each.name in minute.weights]
        judged = "" if each.is_judged else " (too short to judge)"
        yield (
            f"| {each.name} | {each.mb:.1f} | {each.mb_per_hour:+.1f}{judged} | {each.seconds / 60:.0f} | "
            f"{_range([w.fds for w in weights])} | {_range([w.threads for w in weights])} |"
        )
    yield ""
    for name, thirds in (("p50", made.p50), ("p99", made.p99)):
        if thirds is not None:
            yield (
                f"Publish to verified receipt, {name}: {thirds.first:.1f} ms in the first third of the minutes without a "
                f"fault, {thirds.last:.1f} ms in the last."
            )
    injected = [each for each in outcome.errors if each.fault is not None]
    yield f"Errors in the logs: {len(outcome.errors) - len(injected)}; while something was wrong on purpose: {len(injected)}."
    yield ""
    if outcome.warnings:
        yield "Warnings, the most frequent first:"
        yield ""
        for text, times in sorted(outcome.warnings.items(), key=lambda item: -item[1])[:NOTED]:
            yield f"* {times} times: `{text}`"
        yield ""
    for failure in made.failures:
        yield f"* **{failure}**"


def _range(values: Sequence[int]) -> str:
    return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"

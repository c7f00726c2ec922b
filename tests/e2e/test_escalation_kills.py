"""
Must hold: kill -9 of the gateway at every step of an escalation, and a clock that leaps: each step fires once, in order,
and never early.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle, pairwise
from pathlib import Path

import pytest

from chain.audit import audit
from chain.contracts.terms import Step
from tests.faked_clock import FakedClock
from tests.night import ADMIN, KIM, LEE, ROE, Night, until
from tests.parts import Parts
from tests.sites import BOTH_KINDS, running_site

DEEDS = ("step", "step", "step", "nobody")
AFTER = 1
"""Seconds before each of them."""

HEARD = {KIM: DEEDS, LEE: DEEDS, ROE: DEEDS[1:], ADMIN: DEEDS[3:]}
"""What reaches whom: Roe is named by the second step, and the admin by none."""

LEAPS = (5, -7, 30, -2)
"""Hours by which the wall clock is ahead of the true time, before each of them."""

pytestmark = BOTH_KINDS
Moment = Callable[["Watched", int], None]
"""Returns when it has come, after so many deeds."""


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, *, lan: bool) -> Iterator[Night]:
    """A ward whose gateway is started, killed and stopped by hand."""
    with running_site(tmp_path_factory.mktemp("site"), lan=lan) as site, Night(site) as night:
        steps = (Step(night.nurses, AFTER), Step(night.accounts[ROE], AFTER), Step(night.nurses, AFTER))
        night.escalates(*steps)
        site.stop()
        yield night


@pytest.fixture(scope="module")
def processes(night: Night) -> Iterator[Parts]:
    with closing(Parts(night.site)) as processes:
        yield processes


@pytest.fixture
def parts(processes: Parts) -> Parts:
    """All at work."""
    processes.start(*processes.missing)
    return processes


def ms() -> int:
    """By a clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


class Watched:
    """An alert that nobody answers."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._begun = ms()
        self.alert = night.alerts()

    def comes_to(self, count: int) -> None:
        """So much has been done about it. Hardly anything lies between the commit of that and the end of this."""
        until(lambda: len(self._night.deeds(self.alert)) >= count, f"{DEEDS[:count]} is done", pause=0.001)

    def check(self) -> None:
        """Each step fired once, in order, and not before its time; and all that are concerned heard of it once."""
        night, alert = self._night, self.alert
        self.comes_to(len(DEEDS))
        deeds = night.comes_to(alert, *DEEDS)
        passed = ms() - self._begun
        assert [deed.to for deed in deeds] == [night.nurses, night.accounts[ROE], night.nurses, None]
        times = [night.clock_of(alert.at), *(deed.clock for deed in deeds)]
        assert all(later - sooner >= 1000 * AFTER for sooner, later in pairwise(times)), times
        # Steady time cannot say so of itself: it has not gone faster than ours.
        assert times[-1] - times[0] <= passed
        for handle, did in HEARD.items():
            ear = night.ears[handle]
            night.hears(handle, alert, "nobody")
            assert ear.deeds(alert) == list(did)
            assert set(ear.brought.values()) <= {1}
        assert audit(night.site.chain_file).size > deeds[-1].at


def waits(watched: Watched, done: int) -> None:
    """In the middle of waiting for what comes next."""
    watched.comes_to(done)
    time.sleep(AFTER / 2)


def is_due(watched: Watched, done: int) -> None:
    """About when the next is due."""
    watched.comes_to(done)
    time.sleep(AFTER)


def has_fired(watched: Watched, done: int) -> None:
    """When the next is committed, and perhaps not delivered yet, or not even signed."""
    watched.comes_to(done + 1)


MOMENTS = (waits, is_due, has_fired)


@pytest.mark.parametrize("moment", MOMENTS)
def test_each_step_fires_once_and_never_early_whenever_the_committer_is_killed(
    night: Night, parts: Parts, moment: Moment
) -> None:
    watched = Watched(night)

    for done in range(len(DEEDS)):
        moment(watched, done)
        parts.kill("commit")
        # Every other time it is away when the next is due.
        time.sleep(AFTER * (done % 2))
        parts.start("commit")

    watched.check()


def test_each_step_fires_once_and_never_early_when_all_of_the_gateway_is_killed(
    night: Night, parts: Parts
) -> None:
    watched = Watched(night)

    for done, moment in zip(range(len(DEEDS)), cycle(MOMENTS), strict=False):
        moment(watched, done)
        parts.kill(*parts.names)
        parts.start(*parts.names)

    watched.check()


@pytest.fixture
def clock(parts: Parts, tmp_path: Path) -> Iterator[FakedClock]:
    """Of whatever of the gateway is started from now on."""
    clock = FakedClock(tmp_path / "clock")
    parts.environment = clock.environment
    yield clock
    parts.environment = {}
    parts.kill(*parts.names)


def test_a_clock_that_leaps_neither_hurries_a_step_nor_loses_or_doubles_one(
    night: Night, parts: Parts, clock: FakedClock
) -> None:
    watched = Watched(night)

    for done, (hours, killed) in enumerate(
        zip(LEAPS, (parts.names, ("commit",), (), parts.names), strict=True)
    ):
        waits(watched, done)
        parts.kill(*killed)
        clock.set(hours=hours)
        parts.start(*killed)
        # Whose own clock is right is believed all the same. It stops nothing.
        night.answers(KIM, watched.alert, "seen")

    watched.check()
    headers = night.headers()
    said = [header.timestamp for header in headers]
    assert said == sorted(said)
    assert said[-1] - said[0] > 3_600_000 * max(LEAPS)
    assert [header.clock for header in headers] == sorted(header.clock for header in headers)

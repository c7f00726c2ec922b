"""
Must hold: whatever goes wrong, alone or together, nothing receipted is lost or doubled, no outbox loses an entry, all of it
is read once, and everybody goes on, by themselves or by what the manual says.

`python -m tests.faults` does longer sequences, and every fault alone on either broker; here is a choice of them.
"""

import random
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.invariants import Invariants
from tests.faults.repertoire import repertoire
from tests.faults.scene import Scene, scene, until
from tests.faults.sequence import perform, plan
from tests.sites import BOTH_KINDS

SECONDS = 1.0
"""How long a fault lasts at least."""

WIRE = ("dropped", "doubled", "redelivered", "reordered", "reset", "halfopen-both")
"""What each broker has its own way with."""

EMBEDDED = (
    *WIRE,
    "delayed",
    "trickled",
    "cut",
    "halfopen-up",
    "halfopen-down",
    "hung-broker",
    "outofmemory-broker",
    "leapt-sensor-1",
    "powercut",
)
MOSQUITTO = (
    *WIRE,
    "abandoned",
    "killed-checker",
    "killed-supervisor",
    "hung-committer",
    "hung-worker",
    "hung-mosquitto",
    "hung-dr.lee",
    "outofmemory-committer",
    "outofmemory-worker",
    "outofmemory-sensor-2",
    "leapt-gateway",
    "corrupted",
    "stale",
)
"""What does not ask which broker it is happens where all processes are."""

ALONE = [(False, name) for name in EMBEDDED] + [(True, name) for name in MOSQUITTO]

SEED, FAULTS, DURING = 6, 12, 10.0

pytestmark = pytest.mark.timeout(2400)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, *, lan: bool) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("scene"), lan=lan) as stage:
        yield stage


@pytest.fixture(scope="module")
def invariants(stage: Scene) -> Invariants:
    return Invariants(stage)


def told(words: str) -> None:
    """Pytest shows it when something fails."""
    sys.stdout.write(f"{words}\n")


@pytest.mark.parametrize(
    ("lan", "name"),
    ALONE,
    ids=[f"{'mosquitto' if lan else 'embedded'}-{name}" for lan, name in ALONE],
    indirect=["lan"],
    scope="module",
)
def test_everybody_goes_on_after_a_fault(stage: Scene, invariants: Invariants, name: str) -> None:
    fault = repertoire(lan=stage.site.lan)[name](stage, random.Random(name))
    stage.faults.append(name)
    with fault:
        until(lambda: fault.hits, f"{fault} has struck")
        time.sleep(SECONDS)

    stage.recovers()
    invariants.look()


@BOTH_KINDS
def test_everybody_goes_on_after_many_at_once(stage: Scene, invariants: Invariants) -> None:
    perform(stage, plan(SEED, FAULTS, DURING, sorted(repertoire(lan=stage.site.lan))), told)

    stage.recovers()
    invariants.look()


@BOTH_KINDS
def test_after_all_that_nothing_is_lost_or_doubled(stage: Scene, invariants: Invariants) -> None:
    stage.stops()

    invariants.check()

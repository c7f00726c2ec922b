"""
A sequence: faults that follow one another at random, and overlap, while everybody works.

The plan is made of the seed alone, so the same seed does the same things again, at about the same times.
"""

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.faults.invariants import Invariants
from tests.faults.repertoire import repertoire
from tests.faults.scene import Scene, scene

if TYPE_CHECKING:
    from tests.faults.fault import Fault

LONGEST = 4.0
"""Seconds that a fault lasts, at most."""

Tell = Callable[[str], None]


class Act(NamedTuple):
    """A fault, when it begins (seconds from the beginning of the sequence), how long it lasts, and its own seed."""

    at: float
    fault: str
    lasts: float
    seed: int

    def __str__(self) -> str:
        return f"{self.at:6.1f} s for {self.lasts:.1f} s: {self.fault} (seed {self.seed})"


def plan(seed: int, faults: int, seconds: float, names: Sequence[str]) -> list[Act]:
    """So many faults in so many seconds, sorted by when they begin. No kind is likelier for having more victims."""
    chance = random.Random(seed)
    kinds: dict[str, list[str]] = {}
    for name in sorted(names):
        kinds.setdefault(name.partition("-")[0], []).append(name)
    times = sorted(chance.uniform(0, seconds) for _ in range(faults))
    return [
        Act(
            at,
            chance.choice(chance.choice(list(kinds.values()))),
            chance.uniform(0, LONGEST),
            chance.randrange(2**32),
        )
        for at in times
    ]


def perform(stage: Scene, acts: Sequence[Act], tell: Tell) -> None:
    """Do it; in the end all faults are over."""
    make, begun = repertoire(lan=stage.site.lan), time.monotonic()
    running: list[tuple[float, Fault]] = []
    due = list(acts)
    try:
        while due or running:
            now = time.monotonic() - begun
            for each in [each for each in running if each[0] <= now]:
                running.remove(each)
                each[1].end()
            while due and due[0].at <= now:
                act = due.pop(0)
                fault = make[act.fault](stage, random.Random(act.seed))
                tell(f"{act} {fault}")
                stage.faults.append(str(fault))
                fault.begin()
                running.append((now + act.lasts, fault))
            time.sleep(0.02)
    finally:
        for _, fault in running:
            fault.end()


def run(
    seed: int, faults: int, seconds: float, *, lan: bool, folder: Path | None = None, tell: Tell = print
) -> None:
    """
    A scene of its own, `faults` of them in about so many seconds, and all that has to hold afterwards.

    Raises `AssertionError` with what does not. Then `folder` has what is left of the scene, if one was given.
    """
    tell(f"seed {seed}, {faults} faults in {seconds:g} s, broker {'mosquitto' if lan else 'embedded'}")
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="blockpost-faults-") as made:
            run_in(Path(made), seed, faults, seconds, lan=lan, tell=tell)
    else:
        run_in(folder, seed, faults, seconds, lan=lan, tell=tell)


def run_in(folder: Path, seed: int, faults: int, seconds: float, *, lan: bool, tell: Tell) -> None:
    acts = plan(seed, faults, seconds, sorted(repertoire(lan=lan)))
    with scene(folder, lan=lan) as stage:
        invariants = Invariants(stage)
        perform(stage, acts, tell)
        stage.recovers()
        invariants.look()
        stage.stops()
        invariants.check()
        tell(f"seed {seed}: {len(acts)} faults, {len(stage.committed())} messages committed, all of it holds")

"""Every fault that a scene can have, by name; each is made anew whenever it happens."""

import random
from collections.abc import Callable, Iterator, Mapping

from tests.faults.clock import HOURS, Leapt
from tests.faults.fault import Fault
from tests.faults.keeping import HARMFUL, HARMLESS, Corrupted, DiskFails, Stale
from tests.faults.network import (
    Cut,
    Delayed,
    Doubled,
    Dropped,
    HalfOpen,
    Redelivered,
    Reordered,
    Reset,
    Trickled,
    Who,
    WireFault,
)
from tests.faults.process import Hung, Killed, OutOfMemory, PowerCut, ProcessFault, Starved, roles
from tests.faults.proxy import Way
from tests.faults.scene import DEVICES, Scene

ABANDONED = "abandoned"
"""All connections are half open, and nobody resets them: each end finds out by itself."""

Make = Callable[[Scene, random.Random], Fault]

WIRE = (Dropped, Doubled, Redelivered, Reordered, Delayed, Trickled, Cut, Reset)
PROCESS = (Killed, Hung, Starved, OutOfMemory)
RESTORED = (Corrupted, Stale)
WAYS = {"up": frozenset({Way.UP}), "down": frozenset({Way.DOWN}), "both": frozenset(Way)}


def repertoire(*, lan: bool) -> Mapping[str, Make]:
    """What may go wrong. The random numbers of each fault are its own."""
    return dict((*_wire(), *_processes(lan=lan), *_clocks(), *_disks()))


def _wire() -> Iterator[tuple[str, Make]]:
    for kind in WIRE:
        yield kind.__name__.lower(), _on_the_wire(kind)
    for name, ways in WAYS.items():
        yield f"halfopen-{name}", _half_open(ways)
    yield ABANDONED, lambda scene, chance: HalfOpen(scene.proxy, chance, abandoned=True)


def _on_the_wire(kind: type[WireFault]) -> Make:
    return lambda scene, chance: kind(scene.proxy, chance, whom(scene, chance))


def _half_open(ways: frozenset[Way]) -> Make:
    return lambda scene, chance: HalfOpen(scene.proxy, chance, whom(scene, chance), ways=ways)


def whom(scene: Scene, chance: random.Random) -> Who:
    """One client of the broker; or all, as often."""
    client = chance.choice(scene.clients)
    return None if client is None or chance.random() < 1 / 2 else frozenset({client})


def _processes(*, lan: bool) -> Iterator[tuple[str, Make]]:
    yield "powercut", lambda scene, _: PowerCut(scene)
    for kind in PROCESS:
        for role in roles(lan=lan):
            yield f"{kind.__name__.lower()}-{role}", _of_process(kind, role)


def _of_process(kind: type[ProcessFault], role: str) -> Make:
    return lambda scene, _: kind(scene, role)


def _clocks() -> Iterator[tuple[str, Make]]:
    for whose in ("gateway", *DEVICES):
        yield f"leapt-{whose}", _of_clock(whose)


def _of_clock(whose: str) -> Make:
    return lambda scene, chance: Leapt(scene.clocks[whose], whose, chance.choice(HOURS))


def _disks() -> Iterator[tuple[str, Make]]:
    for what in HARMLESS | HARMFUL:
        yield f"disk-{what}", _of_disk(what)
    for kind in RESTORED:
        yield kind.__name__.lower(), kind


def _of_disk(what: str) -> Make:
    return lambda scene, _: DiskFails(scene, what)

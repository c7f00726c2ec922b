"""
The floor: what broker, network and disk cost with nothing of ours in between.

The load is that of `bench.commit`, which measures it in turn with the way through the chain.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from msgspec import Struct

from bench import commit, part
from bench.machine import Machine
from bench.part import Part
from bench.process import Broker
from bench.site import Progress, Ward


class Options(Struct, frozen=True, kw_only=True):
    """As `bench commit` has them."""

    broker: Broker
    clients: int
    entries: int
    rounds: int
    directory: Path | None


class Result(Struct, frozen=True):
    """Medians of all rounds: entries a second, and what each part computes for one, in microseconds."""

    broker: Broker
    rate: float
    cpu_us: dict[str, int]
    clients: int
    entries: int
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if an entry did not arrive, or a part did not run."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        runs = []
        for number in range(options.rounds):
            ward = Ward.make(Path(name) / f"round-{number}", clients=options.clients)
            runs.append(commit.through_floor(ward.at_free_port(), _load(options)))
            progress(f"round {number + 1}: {runs[-1].rate:,.0f} entries/s")
    return Result(
        broker=options.broker,
        rate=commit.rate_of(runs),
        cpu_us={name: round(median(run.cpu[name] for run in runs)) for name in runs[0].cpu},
        clients=options.clients,
        entries=len(runs[0].latencies),
        machine=machine,
    )


def _load(options: Options) -> commit.Options:
    return commit.Options(
        broker=options.broker,
        clients=options.clients,
        entries=options.entries,
        rounds=options.rounds,
        rate=None,
        growth=False,
        directory=options.directory,
    )


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_load(parser)
    parser.set_defaults(broker="mosquitto")


def _lines(result: Result) -> Iterator[str]:
    computing = ", ".join(f"{name} {spent} us" for name, spent in result.cpu_us.items())
    yield f"load       {result.clients} clients on the {result.broker} broker"
    yield f"rate       {result.rate:,.0f} entries/s, stored and acknowledged, and neither checked nor answered"
    yield f"computing  {computing} an entry"


PART = Part(
    name="floor",
    text="the same messages into one subscriber that stores them unchecked: what broker, network and disk cost",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={"floor": "what the rate of `commit` is held against"},
)

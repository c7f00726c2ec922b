"""
How soon a gateway commits again after SIGKILL, with a long chain behind it.

Once its committer is killed, and the supervisor starts it again; and once all of its processes are, as in a power cut,
and it is started at once. The clock runs from the kill to the first verified receipt.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from msgspec import Struct

from bench import kept, part
from bench.author import Author
from bench.gateway import Gateway
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress
from gateway.supervisor import LONG_ENOUGH

CLIENTS = 10
SETTLE_SECONDS = LONG_ENOUGH + 1
"""For what has run as long, the supervisor does not pause before it starts it again."""


class Options(Struct, frozen=True, kw_only=True):
    """`size` of the chain, in entries."""

    size: int
    rounds: int
    chain: Path | None
    directory: Path | None


class Result(Struct, frozen=True):
    """Medians in seconds from the kill to the first receipt: of the committer's, and of the whole gateway's."""

    committer_s: float
    gateway_s: float
    committer_rounds: list[float]
    gateway_rounds: list[float]
    size: int
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if it does not commit again."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        ward = kept.filled(
            options.chain, Path(name), size=options.size, clients=CLIENTS, progress=progress
        ).at_free_port()
        size, author = kept.size_of(ward), Author(ward, to=ward.recipient.key.account)
        with Gateway(ward) as gateway:
            gateway.wait_ready()

            def again() -> None:
                gateway.kill()
                gateway.start()

            kills = {"committer": gateway.kill_committer, "gateway": again}
            taken: dict[str, list[float]] = {what: [] for what in kills}
            for number in range(options.rounds):
                for what, kill in kills.items():
                    author.commit()
                    time.sleep(SETTLE_SECONDS)
                    taken[what].append(_seconds(kill, author))
                    progress(f"round {number + 1}: {what} killed: {taken[what][-1]} s to the first receipt")
    return Result(
        committer_s=round(median(taken["committer"]), 2),
        gateway_s=round(median(taken["gateway"]), 2),
        committer_rounds=taken["committer"],
        gateway_rounds=taken["gateway"],
        size=size,
        machine=machine,
    )


def _seconds(kill: Callable[[], None], author: Author) -> float:
    began = time.monotonic()
    kill()
    return round(author.commit() - began, 3)


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_count(parser, "size", 1_000_000, "entries on the chain, at least")
    part.add_count(parser, "rounds", 5, "kills of each kind; the medians count")
    kept.add_chain(parser)


def _lines(result: Result) -> Iterator[str]:
    yield f"chain      {result.size:,} entries"
    yield f"committer  {result.committer_s} s from its SIGKILL to the first verified receipt"
    yield f"gateway    {result.gateway_s} s from the SIGKILL of all its processes, started again at once"


PART = Part(
    name="start",
    text="from SIGKILL to the first commit, of the committer and of the whole gateway",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={
        "start --chain ./million": "after a million entries, on a chain that is kept for the next run",
        "start --size 10000": "after ten thousand",
    },
)

"""
What a growing chain costs: rate, latency, the gateway's memory and the disk, on one chain at several sizes.

At each size, runs on it take turns with runs on a chain of the first size, so that a machine that grows busy is not
taken for a chain that grows slow.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import mean, median

from msgspec import Struct

from bench import commit, kept, load, part, rest, web
from bench.commit import Run
from bench.errors import BenchError
from bench.gateway import BROKER, COMMITTER, Gateway
from bench.machine import Machine
from bench.part import Part
from bench.process import Broker
from bench.site import Progress, Ward
from bench.usage import Memory
from bench.web import Job
from bench.worker import Worker, run_together
from chain import store, wire

READERS = 16
"""Requests under way at once, before the memory is looked at: as many as the web server keeps chains open."""

SAMPLE = 100
"""Messages that the size on the wire is averaged over."""


class Options(Struct, frozen=True, kw_only=True):
    """`sizes` of the chain, in entries; `chain` is where it is kept, and may be shorter than the first of them."""

    sizes: Sequence[int]
    broker: Broker
    clients: int
    entries: int
    rounds: int
    chain: Path | None
    directory: Path | None


class At(Struct, frozen=True):
    """
    What was measured at one size: medians of the rounds.

    `ratio` is of `rate` to `first_rate`, that of a chain of the first size in the same minutes. `committer_us` is what
    the committer computes for an entry, which a busy machine changes less. `memory` is that of
    each of the gateway's processes after a run, the sums are without the broker's. `disk_bytes` is what one entry
    takes in the chain's file, and `disk_ratio` that against its size on the wire.
    """

    size: int
    rate: float
    first_rate: float
    ratio: float
    committer_us: int
    first_committer_us: int
    p50_ms: float
    p99_ms: float
    memory: dict[str, Memory]
    rss_mb: float
    pss_mb: float
    disk_bytes: int
    disk_ratio: float


class Result(Struct, frozen=True):
    """`wire_bytes` is what a device publishes for one entry; `growth` the `ratio` at the last size."""

    broker: Broker
    clients: int
    entries: int
    wire_bytes: int
    growth: float
    sizes: list[At]
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if an entry was not receipted, or the chain is longer than it should be."""
    first, *_ = sizes = sorted(set(options.sizes))
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        scratch = Path(name)
        machine = Machine.at(scratch)
        progress(str(machine))
        ward = kept.ward(options.chain or scratch / "chain", clients=options.clients, progress=progress)
        if (had := kept.size_of(ward)) > first:
            raise BenchError(
                f"{options.chain}: want a chain of at most {first} entries to grow, it has {had}"
            )
        small = kept.ward(scratch / "first", clients=options.clients, progress=progress)
        small.fill(first, progress)
        wire_bytes = _wire_bytes(ward)
        found = []
        for size in sizes:
            ward.fill(size, progress)
            disk_bytes = _disk_bytes(ward)
            firsts, runs = _turns(small, ward if size > first else None, options, scratch, progress)
            at = _at(
                size,
                firsts=firsts,
                runs=runs or firsts,
                memory=_memory(ward if size > first else _copy(small, scratch), options),
                disk_bytes=disk_bytes,
                wire_bytes=wire_bytes,
            )
            found.append(at)
            progress(f"{size:,} entries: {_line(at)}")
    return Result(
        options.broker, options.clients, options.entries, wire_bytes, found[-1].ratio, found, machine
    )


def _turns(
    small: Ward, grown: Ward | None, options: Options, scratch: Path, progress: Progress
) -> tuple[list[Run], list[Run]]:
    """Runs on copies of the small chain, which so stays small, and on the grown one if there is one."""
    one = _one_run(options)
    firsts, runs = list[Run](), list[Run]()
    for number in range(options.rounds):
        wards = [(firsts, _copy(small, scratch)), *([(runs, grown)] if grown else [])]
        # Whoever is first finds the machine as the round before left it.
        for results, where in wards if number % 2 == 0 else wards[::-1]:
            results.append(commit.through_chain(where.at_free_port(), one))
            progress(f"round {number + 1}: {results[-1].rate:,.0f} entries/s")
    return firsts, runs


def _one_run(options: Options) -> commit.Options:
    return commit.Options(
        broker=options.broker,
        clients=options.clients,
        entries=options.entries,
        rounds=1,
        rate=None,
        growth=False,
        directory=options.directory,
    )


def _copy(ward: Ward, scratch: Path) -> Ward:
    directory = scratch / "copy"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(ward.site.directory, directory)
    return ward.at(directory)


def _memory(ward: Ward, options: Options) -> dict[str, Memory]:
    """What the whole gateway holds after a run, and after devices and pages have asked it for much."""
    ward = ward.at_free_port()
    with Gateway(ward) as gateway:
        gateway.wait_ready()
        plans = commit.plans(ward, _one_run(options), None)
        run_together([partial(Worker, load.devices, plan) for plan in plans])
        for requests in (rest.intents(ward), rest.history(ward, kept.size_of(ward))):
            job = Job(ward.site.settings, requests, at_once=READERS, total=len(requests))
            run_together([partial(Worker, web.ask, job)])
        return gateway.memory()


def _disk_bytes(ward: Ward) -> float:
    """What one entry takes in the chain's file."""
    with closing(store.connect_writer(ward.site.chain_file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return ward.site.chain_file.stat().st_size / kept.size_of(ward)


def _wire_bytes(ward: Ward) -> int:
    """What a device publishes for one entry."""
    sent = ward.senders[0].messages(ward.recipient.key.account, ward.head())
    return round(mean(len(wire.encode(queued.parcel)) for queued in islice(sent, SAMPLE)))


def _at(
    size: int,
    *,
    firsts: list[Run],
    runs: list[Run],
    memory: dict[str, Memory],
    disk_bytes: float,
    wire_bytes: int,
) -> At:
    latencies = [latency for run in runs for latency in run.latencies]
    rate, first_rate = commit.rate_of(runs), commit.rate_of(firsts)
    ours = [each for name, each in memory.items() if name != BROKER]
    return At(
        size=size,
        rate=rate,
        first_rate=first_rate,
        ratio=round(rate / first_rate, 2),
        committer_us=_committer_us(runs),
        first_committer_us=_committer_us(firsts),
        p50_ms=commit.percentile_ms(latencies, 50),
        p99_ms=commit.percentile_ms(latencies, 99),
        memory=memory,
        rss_mb=round(sum(each.rss_mb for each in ours), 1),
        pss_mb=round(sum(each.pss_mb for each in ours), 1),
        disk_bytes=round(disk_bytes),
        disk_ratio=round(disk_bytes / wire_bytes, 2),
    )


def _committer_us(runs: list[Run]) -> int:
    return round(median(run.cpu[COMMITTER] for run in runs))


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_load(parser)
    part.add_counts(parser, "sizes", (10_000, 100_000, 1_000_000), "entries on the chain")
    kept.add_chain(parser)


def _lines(result: Result) -> Iterator[str]:
    yield f"load       {result.clients} clients on the {result.broker} broker, {result.wire_bytes} bytes an entry"
    for at in result.sizes:
        yield f"{at.size:<10} {_line(at)}"
    for name, memory in result.sizes[-1].memory.items():
        yield f"memory     {name}: {memory.rss_mb} MB resident, {memory.pss_mb} MB with shared pages shared out"


def _line(at: At) -> str:
    return (
        f"{at.rate:,.0f} entries/s, {at.ratio:.2f} of a chain of the first size; committer {at.committer_us} us an entry ({at.first_committer_us}); p50 {at.p50_ms} ms, p99 {at.p99_ms} ms; "
        f"{at.rss_mb} MB resident ({at.pss_mb} MB shared out) without the broker; "
        f"{at.disk_bytes} bytes on disk an entry, {at.disk_ratio:.2f} of its wire size"
    )


PART = Part(
    name="grow",
    text="rate, latency, the gateway's memory and the disk, while one chain grows to a million entries",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={
        "grow": "a chain of 10,000, 100,000 and 1,000,000 entries; about twenty minutes, and 4 GB",
        "grow --sizes 1000 20000": "the same at two sizes of your own",
    },
)

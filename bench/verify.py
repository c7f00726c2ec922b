"""
How fast a whole chain is verified, against how fast one core checks the same Ed25519 signatures and nothing else.

Runs of both take turns. The bare check is that of `cryptography`, with its keys ready.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from bench import kept, part
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress, Ward
from chain import entry
from chain.audit import audit
from chain.chain import Chain

CLIENTS = 10
SAMPLE = 20_000
"""Entries whose signatures are checked bare: enough for seconds, and few enough to hold at once."""


class Options(Struct, frozen=True, kw_only=True):
    """`size` of the chain, in entries."""

    size: int
    rounds: int
    chain: Path | None
    directory: Path | None


class Result(Struct, frozen=True):
    """
    Medians of the rounds. `rate` is entries verified a second with as many processes as there are cores, each entry
    with its hash, body, place in the tree, rules and state; `raw` signatures checked a second by one core, bare.
    `cpu_us` is what all processes together compute for an entry, `raw_us` what a bare signature takes of that.
    """

    rate: float
    raw: float
    ratio: float
    seconds: float
    cpu_us: int
    raw_us: int
    size: int
    workers: int
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `Damaged` if the chain does not hold."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        ward = kept.filled(options.chain, Path(name), size=options.size, clients=CLIENTS, progress=progress)
        signatures = _signatures(ward)
        workers = len(os.sched_getaffinity(0))
        size = kept.size_of(ward)
        whole, bare = list[_Took](), list[_Took]()
        for number in range(options.rounds):
            whole.append(_took(size, lambda: audit(ward.site.chain_file, workers=workers)))
            bare.append(_took(len(signatures), lambda: _check(signatures)))
            progress(
                f"round {number + 1}: {whole[-1].rate:,.0f} entries/s verified, "
                f"{bare[-1].rate:,.0f} signatures/s bare on one core"
            )
    rate, raw = (median(each.rate for each in rounds) for rounds in (whole, bare))
    cpu_us, raw_us = (round(median(each.cpu_us for each in rounds)) for rounds in (whole, bare))
    return Result(
        rate=round(rate),
        raw=round(raw),
        ratio=round(rate / raw, 2),
        seconds=round(size / rate, 2),
        cpu_us=cpu_us,
        raw_us=raw_us,
        size=size,
        workers=workers,
        machine=machine,
    )


class _Took(Struct, frozen=True):
    """How many were done in a second, and what computing one took, in all processes."""

    rate: float
    cpu_us: float


def _took(count: int, work: Callable[[], object]) -> _Took:
    began, before = time.monotonic(), _computed()
    work()
    return _Took(count / (time.monotonic() - began), (_computed() - before) / count * 1e6)


def _check(signatures: list[tuple[Ed25519PublicKey, bytes, bytes]]) -> None:
    for key, signature, signed in signatures:
        key.verify(signature, signed)


def _signatures(ward: Ward) -> list[tuple[Ed25519PublicKey, bytes, bytes]]:
    """Key, signature and what is signed, of the chain's first messages."""
    keys = {
        sender.key.account: sender.key.private.public_key()
        for sender in (*ward.senders, ward.recipient, ward.admin)
    }
    with closing(Chain.open(ward.site.chain_file)) as chain:
        # What is not read to its end would be closed after the database is.
        leaves = list(chain.store.leaves(0, SAMPLE))
    signed = (entry.parse(leaf) for _, leaf in leaves)
    return [
        (keys[each.entry.author], each.signed.signature, each.signed.signed)
        for each in signed
        if each.entry.author in keys
    ]


def _computed() -> float:
    """Seconds of this process and of those that it has started and seen end."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_count(parser, "size", 100_000, "entries on the chain, at least")
    part.add_count(parser, "rounds", 3, "times that all of it is verified; the medians count")
    kept.add_chain(parser)


def _lines(result: Result) -> Iterator[str]:
    yield (
        f"verify     {result.rate:,.0f} entries/s with {result.workers} processes: "
        f"{result.size:,} entries in {result.seconds} s, {result.cpu_us} us of computing each"
    )
    yield f"raw        {result.raw:,.0f} signatures/s bare on one core, {result.raw_us} us each; ratio {result.ratio:.2f}"


PART = Part(
    name="verify",
    text="a whole chain verified offline, against one core's bare Ed25519",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={
        "verify": "a chain of 100,000 entries",
        "verify --size 1000000 --chain ./million": "a million of them, on a chain that is kept for the next run",
    },
)

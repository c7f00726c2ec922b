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
from bench.connection import Connection, Loop
from bench.errors import BenchError
from bench.gateway import Gateway
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress, Ward
from chain import wire
from chain.receipt import Receipt
from device.outbox import Queued
from gateway.supervisor import LONG_ENOUGH

CLIENTS = 10
PATIENCE_SECONDS = 120.0
AGAIN_SECONDS = 0.1
"""How often the entry is published until it is receipted: it is committed once."""

PAUSE = 0.01

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
        size, author = kept.size_of(ward), _Author(ward)
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


def _seconds(kill: Callable[[], None], author: "_Author") -> float:
    began = time.monotonic()
    kill()
    author.commit()
    return round(time.monotonic() - began, 3)


class _Author:
    """One account that tries until its entry is receipted."""

    def __init__(self, ward: Ward) -> None:
        self._port = ward.site.settings.mqtt_port
        self._sender = ward.senders[0]
        self._head = ward.head()
        self._key = ward.gateway.key.public
        self._entries = self._sender.messages(ward.recipient.key.account, self._head)
        account = self._sender.key.account
        self._up = wire.up_topic(account, "entry")
        self._topics = [wire.down_topic(account, "receipt")]

    def commit(self) -> None:
        """Return once the next entry has its verified receipt; raise `BenchError` if it takes too long."""
        queued = next(self._entries)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._try(queued, deadline):
            if time.monotonic() > deadline:
                raise BenchError(f"gateway: it commits nothing within {PATIENCE_SECONDS:g} seconds")
            time.sleep(PAUSE)

    def _try(self, queued: Queued, deadline: float) -> bool:
        """Over one connection; false if the broker is not there, or goes away."""
        told: list[bytes] = []
        try:
            connection = Connection(
                self._port,
                self._sender,
                topics=self._topics,
                on_message=lambda _topic, payload: told.append(payload),
            )
            loop = Loop([connection])
        except OSError:
            return False
        try:
            loop.until(lambda: connection.is_up, "connection")
            again = 0.0
            while not any(self._receipts(queued, payload) for payload in told):
                if (now := time.monotonic()) > deadline:
                    return False
                if now >= again:
                    again = now + AGAIN_SECONDS
                    connection.publish(self._up, wire.encode(queued.parcel))
                loop.turn(AGAIN_SECONDS)
        except (OSError, BenchError):
            return False
        finally:
            loop.close()
        return True

    def _receipts(self, queued: Queued, payload: bytes) -> bool:
        """Whether these are its receipts; raise `Unverified` if they do not hold."""
        mine = [made for made in wire.read_receipts(payload).receipts if made.id == queued.id]
        for made in mine:
            leaf = queued.parcel.entry.encode()
            Receipt.from_text(made.receipt).verify(leaf, origin=self._head.origin, key=self._key)
        return bool(mine)


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

"""
Where a message's microseconds go: what the committer computes for an entry, by stage, and the others in all.

The committer's code runs in this process, over batches of several sizes, with the signatures checked on the spot; what
MQTT takes is measured with a broker that only feeds it; the rest are the processes of one run as `bench commit` has it.
"""

import argparse
import gc
import queue
import socket
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain as chained
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

import paho.mqtt.client as mqtt
from msgspec import Struct

from bench import commit, feeder, part
from bench.machine import Machine
from bench.part import Part
from bench.process import Broker
from bench.site import Progress, Ward, now_ms
from bench.stages import Function, Stages
from bench.worker import Worker
from chain import entry, merkle, rules, wire
from chain.body import Body
from chain.chain import Chain
from chain.entry import SignedEntry
from chain.merkle import Tree
from chain.receipt import Receipt
from chain.wire import Parcel
from gateway.arrivals import Incoming
from gateway.committer import Committer
from gateway.link import Endpoint, Link

SIZES = (1, 16, 64, 256)
"""Entries in a block."""

ENTRIES = {1: 256, 16: 1024}
"""Blocks of a few are many: fewer entries do."""

SQLITE, DISK = "SQLite", "written to disk (fsync)"

STAGES: dict[str, list[Function]] = {
    "parse": [(wire, "read_parcel"), (Parcel, "load"), (entry, "parse")],
    "body's digest": [(Body, "check")],
    "signature": [(SignedEntry, "verify")],
    "rules": [(rules, "admit")],
    "tree": [
        (merkle, "leaf_hash"),
        *((Tree, name) for name in ("append", "root", "inclusion", "consistency")),
    ],
    "checkpoint and block signed": [(Chain, "sign_head")],
    "receipts": [(Chain, "receipts"), (Receipt, "to_text")],
    "encode": [(wire, "encode")],
}


class Options(Struct, frozen=True, kw_only=True):
    """`entries` of each measurement; the rest as `bench commit` has it."""

    broker: Broker
    clients: int
    entries: int
    rounds: int
    directory: Path | None


class Result(Struct, frozen=True):
    """
    Microseconds an entry. `committer` is by size of the block, then by stage; its `signature` is what its checker
    computes on another core. `mqtt` is receiving and acknowledging; `processes` what each had in a run, `floor` in one
    of the floor.
    """

    committer: dict[int, dict[str, float]]
    mqtt: float
    processes: dict[str, int]
    floor: dict[str, int]
    wire_bytes: int
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if a part did not run."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        directory = Path(name)
        machine = Machine.at(directory)
        progress(str(machine))
        ward = Ward.make(directory / "site", clients=options.clients)
        ward.fill(commit.SHORT, progress)
        stages = {}
        for size in SIZES:
            stages[size] = _committer(ward, size, min(options.entries, ENTRIES.get(size, options.entries)))
            progress(f"{size} in a block: {sum(stages[size].values()):,.0f} us an entry")
        wire_bytes = len(next(_messages(ward)).payload)
        received = sorted(_mqtt(options.entries, wire_bytes) for _ in range(options.rounds))
        load = commit.Options(
            broker=options.broker,
            clients=options.clients,
            entries=options.entries,
            rounds=options.rounds,
            rate=None,
            growth=False,
            directory=directory,
        )
        whole = commit.measure(load, progress)
    return Result(
        committer=stages,
        mqtt=received[len(received) // 2],
        processes=whole.cpu_us,
        floor=whole.floor_cpu_us,
        wire_bytes=wire_bytes,
        machine=machine,
    )


def _committer(ward: Ward, size: int, count: int) -> dict[str, float]:
    """What the committer computes for an entry in blocks of `size`."""
    stages = Stages()
    messages = list(islice(_messages(ward), count))
    with _counted(stages), closing(Chain.open(ward.site.chain_file, write=True)) as chain:
        committer = Committer(chain, ward.site.key())
        gc.collect()
        gc.freeze()
        with stages.watching(STAGES), stages.running():
            for start in range(0, count, size):
                committer.commit(messages[start : start + size], now_ms())
    return {stage: round(spent, 1) for stage, spent in stages.us(count).items()}


def _messages(ward: Ward) -> Iterator[Incoming]:
    """What the senders write, in turn, as the committer gets it."""
    to, seen = ward.recipient.key.account, ward.head()
    turns = zip(*(sender.messages(to, seen) for sender in ward.senders), strict=True)
    for queued, sender in zip(chained.from_iterable(turns), _endlessly(ward.senders), strict=False):
        yield Incoming(wire.up_topic(sender.key.account, "entry"), wire.encode(queued.parcel), 0, 0)


def _endlessly(senders: Sequence[Any]) -> Iterator[Any]:
    while True:
        yield from senders


@contextmanager
def _counted(stages: Stages) -> Iterator[None]:
    """Inside, connections to SQLite that are opened count their statements."""

    class Counted(sqlite3.Connection):
        ask = stages.timed(sqlite3.Connection.execute, SQLITE)
        write = stages.timed(sqlite3.Connection.execute, DISK)
        executemany = stages.timed(sqlite3.Connection.executemany, SQLITE)

        def execute(self, statement: str, *values: Any) -> Any:
            return (self.write if statement == "COMMIT" else self.ask)(statement, *values)

    with mock.patch("sqlite3.connect", partial(sqlite3.connect, factory=Counted)):
        yield


def _mqtt(count: int, size: int) -> float:
    """What receiving, handing over and acknowledging a message takes, in microseconds."""
    arrived: queue.SimpleQueue[tuple[bytes, int, int]] = queue.SimpleQueue()

    def enqueue(message: mqtt.MQTTMessage, connection: int) -> None:
        arrived.put((bytes(message.payload), message.mid, connection))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        worker: Worker[int] = Worker(feeder.feed, listening, count, size)
        try:
            worker.wait_ready()
            worker.begin()
            endpoint = Endpoint("127.0.0.1", listening.getsockname()[1], "c", show=lambda _client: None)
            link = Link(endpoint, topics=[wire.UP_ENTRIES], on_message=enqueue, manual_ack=True)
            computed = time.process_time()
            link.start()
            got = 0
            while got < count:
                batch = [arrived.get()]
                time.sleep(0.01)  # as long as a block takes: what comes meanwhile is acknowledged with it
                while not arrived.empty():
                    batch.append(arrived.get())
                link.ack_all((mid, connection) for _, mid, connection in batch)
                got += len(batch)
            worker.result()
            computed = time.process_time() - computed
            link.stop()
        finally:
            worker.close()
    return round(computed / count * 1e6, 1)


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_load(parser)
    parser.set_defaults(broker="mosquitto")


def _lines(result: Result) -> Iterator[str]:
    yield f"entry      {result.wire_bytes} bytes on the wire; all in microseconds of computing an entry"
    yield f"{'in a block of':30}{''.join(f'{size:>8}' for size in result.committer)}"
    for stage in dict.fromkeys(chained.from_iterable(result.committer.values())):
        yield f"{stage:30}{''.join(f'{spent.get(stage, 0.0):8.1f}' for spent in result.committer.values())}"
    yield f"{'committer, without MQTT':30}{''.join(f'{sum(spent.values()):8.1f}' for spent in result.committer.values())}"
    yield f"{'MQTT received, acknowledged':30}{result.mqtt:8.1f}"
    for name, spent in result.processes.items():
        yield f"{name + ' in a run':30}{spent:8}"
    for name, spent in result.floor.items():
        yield f"{name + ' in the floor':30}{spent:8}"


PART = Part(
    name="profile",
    text="where a message's microseconds go: the committer's by stage, and the other processes'",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={"profile": "a table of microseconds an entry, by stage and by the size of the block"},
)

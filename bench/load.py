"""
The load: accounts that publish what they signed before the clock started, and wait for their answers.

A device's answer is its verified receipt. A bare publisher's is the broker's PUBACK: that is the floor.
"""

import gc
import random
import ssl
import time
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from msgspec import Struct, structs

from bench.connection import Connection, Loop
from bench.errors import BenchError
from bench.site import Sender
from bench.worker import Begin
from chain import merkle, wire
from chain.checkpoint import Checkpoint
from chain.encoding import unb64url_hash
from chain.identity import SigningKey
from chain.receipt import Receipt
from chain.wire import Consistency
from device.outbox import Queued
from device.window import SIZE, Window

TURN_SECONDS = 0.1


class Plan(Struct, frozen=True):
    """What one process does. `entries` and `rate` (a second; none: as fast as they are answered) are each sender's."""

    port: int
    senders: list[Sender]
    to: str
    seen: Checkpoint
    gateway: SigningKey
    entries: int
    rate: float | None = None


class Measured(Struct, frozen=True):
    """When the last answer came (monotonic seconds), what computing it took in all, and how long each answer did."""

    ended: float
    cpu: float
    latencies: list[float]


class Talker(Protocol):
    """One account at work."""

    connection: Connection
    latencies: list[float]

    def send(self, now: float) -> float:
        """Publish what is due and fits into the window; return when to be asked again, if nothing comes before."""
        ...

    @property
    def is_done(self) -> bool: ...


class Device:
    """Publishes as an agent does: a window of entries under way, each released by its verified receipt alone."""

    def __init__(self, plan: Plan, sender: Sender, tls: ssl.SSLContext | None = None) -> None:
        self.latencies: list[float] = []
        self._backlog = deque(islice(sender.messages(plan.to, plan.seen), plan.entries))
        self._under_way: dict[str, Queued] = {}
        self._due: dict[str, float] = {}
        self._window = Window()
        self._held = plan.seen
        self._key = plan.gateway
        self._pause = 1 / plan.rate if plan.rate else 0.0
        self._next = 0.0
        account = sender.key.account
        self._topic = wire.up_topic(account, "entry")
        self._refusals = wire.down_topic(account, "refusal")
        topics = [wire.down_topic(account, "receipt"), self._refusals]
        self.connection = Connection(plan.port, sender, topics=topics, on_message=self._arrived, tls=tls)

    @property
    def is_done(self) -> bool:
        return not self._backlog and not self._under_way

    def send(self, now: float) -> float:
        # Not all accounts at one moment.
        self._next = self._next or now + random.uniform(0, self._pause)  # noqa: S311 - jitter, not a secret
        while self._backlog and len(self._under_way) < SIZE and self._next <= now:
            queued = self._backlog.popleft()
            self._under_way[queued.id] = queued
            # Where there is a rate, from when it was due: a stall that held it back is not to be hidden.
            self._due[queued.id] = self._next if self._pause else now
            self._next += self._pause
        for queued, after in self._window.due(list(self._under_way.values()), now):
            self.connection.publish(self._topic, wire.encode(structs.replace(queued.parcel, after=after)))
        return self._next if self._next > now and self._backlog else now + TURN_SECONDS

    def _arrived(self, topic: str, payload: bytes) -> None:
        if topic == self._refusals:
            self._refused(payload)
            return
        message = wire.read_receipts(payload)
        for made in message.receipts:
            queued = self._under_way.get(made.id)
            if queued is None:
                continue  # sent twice, receipted twice
            receipt = Receipt.from_text(made.receipt)
            shown = receipt.verify(queued.parcel.entry.encode(), origin=self._held.origin, key=self._key)
            self._accept(shown, message.consistency)
            del self._under_way[made.id]
            self.latencies.append(time.monotonic() - self._due.pop(made.id))

    def _accept(self, shown: Checkpoint, consistency: Consistency | None) -> None:
        """As `device.trust` does, which keeps its checkpoint on a disk that here is the gateway's own."""
        held = self._held
        if shown == held:
            return
        if consistency is None or consistency.size != held.size:
            raise BenchError(f"receipt: no proof that size {shown.size} continues the {held.size} held")
        path = [unb64url_hash(value, what="consistency path") for value in consistency.path]
        merkle.verify_consistency(held.size, shown.size, path, held.root, shown.root)
        self._held = shown

    def _refused(self, payload: bytes) -> None:
        refusal = wire.read_refusal(payload, key=self._key, origin=self._held.origin)
        if refusal.rule != "gap":
            raise BenchError(f"committer: refused an entry: {refusal.rule}: {refusal.reason}")
        self._window.restart(time.monotonic())


class Publisher:
    """Publishes the same bytes through the same window, released by PUBACK."""

    def __init__(self, plan: Plan, sender: Sender) -> None:
        self.latencies: list[float] = []
        self._backlog = deque(_payloads(islice(sender.messages(plan.to, plan.seen), plan.entries)))
        self._under_way: dict[int, float] = {}
        self._topic = wire.up_topic(sender.key.account, "entry")
        self.connection = Connection(plan.port, sender, on_puback=self._answered)

    @property
    def is_done(self) -> bool:
        return not self._backlog and not self._under_way

    def send(self, now: float) -> float:
        while self._backlog and len(self._under_way) < SIZE:
            self._under_way[self.connection.publish(self._topic, self._backlog.popleft())] = now
        return now + TURN_SECONDS

    def _answered(self, mid: int) -> None:
        self.latencies.append(time.monotonic() - self._under_way.pop(mid))


def _payloads(entries: Iterable[Queued]) -> Iterable[bytes]:
    for queued in entries:
        yield wire.encode(structs.replace(queued.parcel, after=queued.seq - 1 or None))


def devices(begin: Begin, plan: Plan) -> Measured:
    """Run the plan's senders as devices."""
    return _run(begin, [Device(plan, sender) for sender in plan.senders])


def publishers(begin: Begin, plan: Plan) -> Measured:
    """Run the plan's senders as bare publishers."""
    return _run(begin, [Publisher(plan, sender) for sender in plan.senders])


def _run(begin: Begin, talkers: list[Talker]) -> Measured:
    loop = Loop(talker.connection for talker in talkers)
    loop.until(lambda: all(talker.connection.is_up for talker in talkers), "connection")
    # What was signed beforehand would be looked through at every collection.
    gc.collect()
    gc.freeze()
    begin()
    computed = time.process_time()
    while not all(talker.is_done for talker in talkers):
        now = time.monotonic()
        again = min(talker.send(now) for talker in talkers)
        loop.turn(max(0.0, min(again - time.monotonic(), TURN_SECONDS)))
    ended = time.monotonic()
    loop.close()
    latencies = [latency for talker in talkers for latency in talker.latencies]
    return Measured(ended, time.process_time() - computed, latencies)

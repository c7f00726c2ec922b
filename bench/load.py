"""
The load: accounts that publish what they signed before the clock started, and wait for their answers.

A device's answer is its verified receipt. A bare publisher's is the broker's PUBACK: that is the floor.
"""

import gc
import heapq
import random
import ssl
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from bench.connection import Connection, Loop
from bench.errors import BenchError
from bench.site import Sender
from bench.worker import Begin
from chain import merkle, wire
from chain.chain import Chain
from chain.checkpoint import Checkpoint
from chain.encoding import unb64url_hash
from chain.identity import SigningKey
from chain.receipt import Receipt
from chain.wire import Consistency
from device.outbox import Queued
from device.window import SIZE, Window

TURN_SECONDS = 0.1


class Plan(Struct, frozen=True):
    """
    What one process does. `entries` and `rate` (a second; none: as fast as they are answered) are each sender's.

    `chain` is where proofs are read that a device asks for over REST.
    """

    port: int
    senders: list[Sender]
    to: str
    seen: Checkpoint
    gateway: SigningKey
    entries: int
    rate: float | None = None
    chain: Path | None = None


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
        self._payloads = {queued.id: wire.encode(queued.parcel) for queued in self._backlog}
        self._under_way: dict[str, Queued] = {}
        self._due: dict[str, float] = {}
        self._window = Window()
        self._looked = float("-inf")
        self._held = plan.seen
        self._key = plan.gateway
        self._chain = plan.chain
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
            self._looked = float("-inf")
            if self._pause:
                # From when it was due: a stall that held it back is not to be hidden.
                self._due[queued.id] = self._next
            self._next += self._pause
        if now >= self._looked + TURN_SECONDS:
            self._looked = now
            for queued, after in self._window.due(list(self._under_way.values()), now):
                self._due.setdefault(queued.id, now)
                self.connection.publish(self._topic, _payload(self._payloads[queued.id], after))
        return self._next if self._next > now and self._backlog else now + TURN_SECONDS

    def _arrived(self, topic: str, payload: bytes) -> None:
        self._looked = float("-inf")
        if topic == self._refusals:
            self._refused(payload)
            return
        message = wire.read_receipts(payload)
        if message.busy:
            self._window.slow_down()
        for made in message.receipts:
            queued = self._under_way.get(made.id)
            if queued is None:
                continue  # sent twice, receipted twice
            receipt = Receipt.from_text(made.receipt)
            shown = receipt.verify(queued.parcel.entry.encode(), origin=self._held.origin, key=self._key)
            self._accept(shown, message.consistency)
            del self._under_way[made.id], self._payloads[made.id]
            self.latencies.append(time.monotonic() - self._due.pop(made.id))

    def _accept(self, shown: Checkpoint, consistency: Consistency | None) -> None:
        """As `device.trust` does, which keeps its checkpoint on a disk that here is the gateway's own."""
        held = self._held
        if shown == held:
            return
        older, newer = sorted((held, shown), key=lambda each: each.size)
        if newer is shown and consistency is not None and consistency.size == held.size:
            path = [unb64url_hash(value, what="consistency path") for value in consistency.path]
        else:
            path = self._prove(older.size, newer.size)
        merkle.verify_consistency(older.size, newer.size, path, older.root, newer.root)
        self._held = newer

    def _prove(self, older: int, newer: int) -> list[bytes]:
        """What REST would answer: receipts go with QoS 0, and after a lost one the next continues what is not held."""
        if self._chain is None:
            raise BenchError(f"receipt: no proof that size {newer} continues {older}, and no chain to ask")
        with closing(Chain.open(self._chain)) as chain:
            return chain.consistency(older, newer)

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


def _payload(alone: bytes, after: int | None) -> bytes:
    """An encoded parcel, with its `after`: the last of its members."""
    return alone if after is None else b'%b,"after":%d}' % (alone[:-1], after)


def _payloads(entries: Iterable[Queued]) -> Iterable[bytes]:
    for queued in entries:
        yield _payload(wire.encode(queued.parcel), queued.seq - 1 or None)


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
    _serve(loop, talkers)
    ended = time.monotonic()
    loop.close()
    latencies = [latency for talker in talkers for latency in talker.latencies]
    return Measured(ended, time.process_time() - computed, latencies)


def _serve(loop: Loop, talkers: Sequence[Talker]) -> None:
    """Let all talk until they are done; of a thousand, those alone are asked that have something to do."""
    numbers = {talker.connection: number for number, talker in enumerate(talkers)}
    again = [0.0] * len(talkers)
    queue = [(0.0, number) for number in range(len(talkers))]
    talking, moved = set(range(len(talkers))), set[int]()
    while talking:
        now = time.monotonic()
        while queue and queue[0][0] <= now:
            when, number = heapq.heappop(queue)
            if when == again[number]:  # else it was asked in between
                moved.add(number)
        for number in moved & talking:
            again[number] = talkers[number].send(now)
            heapq.heappush(queue, (again[number], number))
            if talkers[number].is_done:
                talking.remove(number)
        pause = queue[0][0] - time.monotonic() if queue else 0.0
        moved = {numbers[connection] for connection in loop.turn(max(0.0, min(pause, TURN_SECONDS)))}

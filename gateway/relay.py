"""
The way from the web server to the committer: an entry goes in over MQTT, its receipt or refusal comes back.

Over the same connection it hears of new checkpoints, who is connected to the broker, and the committer's pulse.
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import paho.mqtt.client as mqtt
from msgspec import Struct

from chain import checkpoint, wire
from chain.encoding import b64url, digest
from chain.errors import ChainError
from chain.wire import ReceiptOf, Refusal
from gateway import pulse
from gateway.errors import Halted, Undecided
from gateway.link import Endpoint, Link
from gateway.presence import Presence
from gateway.pulse import Pulses, read_pulse
from gateway.site import Key

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that an entry may take until it counts as undecided."""


class SignedRefusal(Struct, frozen=True):
    """`jws` is the gateway's signed word for it, `says` what it says."""

    jws: str
    says: Refusal


Answer = ReceiptOf | SignedRefusal

_DOWN = ("", b"")
"""Stands for the end of a connection among what came over it."""


class Heads:
    """The size of the newest checkpoint that anybody told of, and a place to wait for the next one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._size = 0
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the server is going down: whoever waits here is to come to an end."""
        return self._closed

    def announce(self, size: int) -> None:
        with self._changed:
            self._size = max(self._size, size)
            self._changed.notify_all()

    def wait(self, after: int, seconds: float) -> None:
        """Return once there is a checkpoint of more than `after` entries, or `seconds` have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._size > after or self._closed, seconds)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Relay(Protocol):
    """Brings parcels to the committer, and tells of new checkpoints, of who is there, and of the committer."""

    @property
    def heads(self) -> Heads: ...

    @property
    def presence(self) -> Presence: ...

    @property
    def pulses(self) -> Pulses: ...

    def submit(self, parcel: bytes, entry_id: str) -> Answer:
        """
        Hand in a parcel and wait for what becomes of the entry in it.

        Raises `Undecided` if no answer came: the entry may or may not be committed, and the same parcel may
        be submitted again. Raises `Halted` where nothing is committed.
        """
        ...


class MqttRelay:
    """
    A `Relay` over the broker, as a second client of the gateway's own account.

    The callback of the connection only enqueues; one thread of ours reads what came.
    """

    def __init__(
        self, endpoint: Endpoint, key: Key, presence: Presence, *, origin: str, patience: float = PATIENCE
    ) -> None:
        self.heads = Heads()
        self.presence = presence
        self.pulses = Pulses()
        self._key = key
        self._origin = origin
        self._patience = patience
        self._waiting: dict[str, list[queue.SimpleQueue[Answer]]] = {}
        self._lock = threading.Lock()
        self._arrived: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._receipts = wire.down_topic(key.account, "receipt")
        self._refusals = wire.down_topic(key.account, "refusal")
        self._link = Link(
            endpoint,
            topics=[self._receipts, self._refusals, wire.HEAD_TOPIC, wire.UP_STATUSES, pulse.TOPIC],
            on_message=self._enqueue,
            # In the queue it has its place between what came before and what comes after.
            on_down=lambda: self._arrived.put(_DOWN),
        )
        self._reader = threading.Thread(target=self._read, name="relay", daemon=True)

    def start(self) -> None:
        self._reader.start()
        self._link.start()

    def stop(self) -> None:
        self.heads.close()
        self._link.stop()
        self._arrived.put(None)
        self._reader.join(timeout=5)

    def submit(self, parcel: bytes, entry_id: str) -> Answer:
        if (reason := self.pulses.halted()) is not None:
            raise Halted(reason)
        if not self._link.is_up:
            raise Undecided("no connection to the broker just now: the entry was not handed in")
        # A refusal of what did not parse at the committer names it by its digest alone.
        with self._await(entry_id, b64url(digest(parcel))) as answers:
            self._link.publish(wire.up_topic(self._key.account, "entry"), parcel, qos=1)
            try:
                return answers.get(timeout=self._patience)
            except queue.Empty as error:
                raise Undecided(
                    f"no answer from the committer within {self._patience:g} s: submit the same entry again"
                ) from error

    @contextmanager
    def _await(self, *names: str) -> Iterator[queue.SimpleQueue[Answer]]:
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        with self._lock:
            for name in names:
                self._waiting.setdefault(name, []).append(answers)
        try:
            yield answers
        finally:
            with self._lock:
                for name in names:
                    self._waiting[name].remove(answers)
                    if not self._waiting[name]:
                        del self._waiting[name]

    def _enqueue(self, message: mqtt.MQTTMessage, _connection: int) -> None:
        self._arrived.put((message.topic, bytes(message.payload)))

    def _read(self) -> None:
        while (message := self._arrived.get()) is not None:
            try:
                self._take(*message)
            except (ChainError, UnicodeDecodeError, sqlite3.Error) as error:
                log.warning("message not understood topic=%s reason=%s", message[0], error)

    def _take(self, topic: str, payload: bytes) -> None:
        key, origin = self._key.public, self._origin
        if (topic, payload) == _DOWN:
            self.presence.lose_sight()
        elif account := wire.status_account_of(topic):
            self._hear_of(account, payload)
        elif topic == wire.HEAD_TOPIC:
            self.heads.announce(checkpoint.verify(payload.decode(), origin=origin, key=key).size)
        elif topic == pulse.TOPIC:
            self.pulses.hear(read_pulse(payload))
        elif topic == self._receipts:
            for receipt in wire.read_receipts(payload).receipts:
                self._answer(receipt, receipt.id)
        elif topic == self._refusals:
            says = wire.read_refusal(payload, key=key, origin=origin)
            self._answer(SignedRefusal(payload.decode("ascii"), says), says.id or says.digest)

    def _hear_of(self, account: str, payload: bytes) -> None:
        # An empty payload is how a retained status is cleared.
        if payload and wire.read_online(payload).online:
            self.presence.connected(account)
        else:
            self.presence.disconnected(account)

    def _answer(self, answer: Answer, name: str) -> None:
        with self._lock:
            for answers in self._waiting.get(name, ()):
                answers.put(answer)

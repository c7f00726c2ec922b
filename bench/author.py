"""One account that has one entry committed at a time, whatever happens to the gateway meanwhile."""

import time

from bench.connection import Connection, Loop
from bench.errors import BenchError
from bench.site import Ward
from chain import wire
from chain.receipt import Receipt
from device.outbox import Queued

PATIENCE_SECONDS = 180.0
AGAIN_SECONDS = 0.1
"""How often the entry is published until it is receipted: it is committed once."""

PAUSE = 0.01


class Author:
    """The ward's first sender, who writes to the account or group `to`."""

    def __init__(self, ward: Ward, *, to: str) -> None:
        self._port = ward.site.settings.mqtt_port
        self._sender = ward.senders[0]
        self._head = ward.head()
        self._key = ward.gateway.key.public
        self._entries = self._sender.messages(to, self._head)
        account = self._sender.key.account
        self._up = wire.up_topic(account, "entry")
        self._topics = [wire.down_topic(account, "receipt")]

    def commit(self) -> float:
        """
        Return when the next entry had its verified receipt (monotonic seconds).

        Raise `BenchError` if it takes too long, as for one that is refused.
        """
        queued = next(self._entries)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (came := self._try(queued, deadline)) is None:
            if time.monotonic() > deadline:
                raise BenchError(f"gateway: it commits nothing within {PATIENCE_SECONDS:g} seconds")
            time.sleep(PAUSE)
        return came

    def _try(self, queued: Queued, deadline: float) -> float | None:
        """Over one connection; none if the broker is not there, or goes away."""
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
            return None
        try:
            loop.until(lambda: connection.is_up, "connection")
            again = 0.0
            while not any(self._receipts(queued, payload) for payload in told):
                if (now := time.monotonic()) > deadline:
                    return None
                if now >= again:
                    again = now + AGAIN_SECONDS
                    connection.publish(self._up, wire.encode(queued.parcel))
                loop.turn(AGAIN_SECONDS)
            return time.monotonic()
        except (OSError, BenchError):
            return None
        finally:
            loop.close()

    def _receipts(self, queued: Queued, payload: bytes) -> bool:
        """Whether these are its receipts; raise `Unverified` if they do not hold."""
        mine = [made for made in wire.read_receipts(payload).receipts if made.id == queued.id]
        for made in mine:
            leaf = queued.parcel.entry.encode()
            Receipt.from_text(made.receipt).verify(leaf, origin=self._head.origin, key=self._key)
        return bool(mine)

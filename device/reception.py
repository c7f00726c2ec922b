"""
Reception: how an account hears what is for it, over MQTT at once, and over REST what was missed.

Whoever is at work has one: it brings the connection to the broker, and says when to ask.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chain import token, wire
from chain.errors import ChainError
from chain.wire import Delivered
from device.client import Client
from device.errors import Problem, Unreachable, Untrusted
from device.inbox import Inbox
from device.link import Link
from device.renewal import Renewal

log = logging.getLogger(__name__)

CATCH_UP_SECONDS = 10.0
"""How often the inbox is asked for all the same: a delivery may be lost together with the broker."""

RETRY_SECONDS = 1.0


class Reception:
    """`on_message` and `on_up` are called on the network's thread, and only enqueue."""

    def __init__(
        self,
        client: Client,
        inbox: Inbox,
        *,
        on_message: Callable[[str, bytes], None],
        on_up: Callable[[], None],
        every: float = CATCH_UP_SECONDS,
    ) -> None:
        self._client, self._inbox, self._every = client, inbox, every
        self._next = 0.0
        self._told: str | None = None
        self.link = Link(
            client.membership.mqtt_host,
            client.membership.mqtt_port,
            account=client.account,
            password=self._password,
            on_message=on_message,
            on_up=on_up,
            tls=client.tls,
        )

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Meanwhile it is connected; in a LAN, this account keeps a certificate, too."""
        ended = threading.Event()
        if self._client.tls is not None:
            renewal = Renewal(self._client, lambda: self.link.is_up, self.link.hurry)
            threading.Thread(target=renewal.run, args=(ended,), name="renewal", daemon=True).start()
        self.link.start()
        try:
            yield
        finally:
            ended.set()
            self.link.stop()

    def hurry(self) -> None:
        """Something was missed: ask now."""
        self._next = 0.0

    def is_due(self, now: float) -> bool:
        return now >= self._next

    def ask(self, now: float, read: Callable[[], None]) -> bool:
        """Hold the gateway to its history, and `read` what came; false if that cannot be done now."""
        self._next = now + self._every
        try:
            self._client.check_gateway()
            read()
        except (Unreachable, Problem, Untrusted, ChainError) as error:
            # Told once, until it changes: what is away for days would fill the disk.
            if str(error) != self._told:
                log.warning("catch-up put off reason=%s", error)
            self._told = str(error)
            self._next = now + RETRY_SECONDS
            return False
        self._told = None
        return True

    def news(self, payload: bytes) -> list[Delivered]:
        """What a delivery brings; nothing if something was missed before it: then it is asked for, and this again."""
        delivery = wire.read_delivery(payload)
        if delivery.previous > self._inbox.position:
            self.hurry()
            return []
        if delivery.consistency is not None and delivery.entries:
            note = delivery.entries[0].receipt.partition("\n\n")[2]
            self._client.trust.accept(note, delivery.consistency)
        return delivery.entries

    def _password(self) -> str:
        # A broker that turns a token away does not say that it is this clock that is wrong: REST does.
        with contextlib.suppress(Unreachable, Problem, ChainError):
            self._client.gateway.set_clock()
        return self._client.gateway.token(token.MQTT)


@contextmanager
def unharmed(topic: str) -> Iterator[None]:
    """Nothing that somebody sends ends whoever hears it."""
    try:
        yield
    except Unreachable as error:
        # It is sent or asked for again; nothing was released on its word.
        log.info("message put off topic=%s reason=%s", topic, error)
    except (ChainError, Untrusted, Problem) as error:
        log.warning("message ignored topic=%s reason=%s", topic, error)

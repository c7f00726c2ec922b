"""
Taking a revoked account off the broker, and keeping it off until the broker knows that its certificate holds no more.

A broker looks at the list of revoked certificates (CRL) when somebody connects, so whoever is connected stays. But a
client id is connected once: whoever comes with it next takes the place of the one before. So the authority makes itself
a certificate in the account's name, good for minutes, and takes its place. Nothing is left of the session after that.
"""

import logging
import os
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from gateway.tls import Files, client_context

log = logging.getLogger(__name__)

HOLD_SECONDS = 1.0
"""Nobody took the place back for so long: by then the broker has read the list, and lets the account in no more."""

PATIENCE_SECONDS = 10.0
AGAIN_SECONDS = 30.0
"""Until the next attempt after one that failed."""

KEEPALIVE_SECONDS = 20
AT_ONCE = 16
TICK = 0.05
RETRY_SECONDS = 0.2


@dataclass(frozen=True)
class Broker:
    """Where it listens, and by which root it is known."""

    host: str
    port: int
    files: Files


def kick(broker: Broker, account: str, bundle: bytes, stop: threading.Event) -> bool:
    """Take the account's place with the certificate in `bundle`; False if that did not succeed in time."""
    context = _context(broker.files, bundle)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and not stop.is_set():
        try:
            if _hold(broker, account, context, stop):
                return True
        except OSError as error:
            log.info("place not taken account=%s reason=%s", account, error)
        stop.wait(RETRY_SECONDS)
    return False


def _hold(broker: Broker, account: str, context: ssl.SSLContext, stop: threading.Event) -> bool:
    """Whether the place could be held; False if somebody took it back. Raises `OSError` if nobody answers."""
    held: list[float] = []

    def connected(_client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any) -> None:
        if not reason.is_failure:
            held.append(time.monotonic())

    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=account, clean_session=True, reconnect_on_failure=False
    )
    client.tls_set_context(context)
    client.on_connect = connected
    client.connect(broker.host, broker.port, keepalive=KEEPALIVE_SECONDS)
    limit = time.monotonic() + PATIENCE_SECONDS
    try:
        while client.loop(TICK) == mqtt.MQTT_ERR_SUCCESS and time.monotonic() < limit and not stop.is_set():
            if held and time.monotonic() - held[0] >= HOLD_SECONDS:
                return True
        return False
    finally:
        client.disconnect()


def _context(files: Files, bundle: bytes) -> ssl.SSLContext:
    # `ssl` reads keys from files only. This one is in memory, and gone with its descriptor.
    fd = os.memfd_create("pass")
    try:
        os.write(fd, bundle)
        context = client_context(files)
        context.load_cert_chain(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
    return context


class Kicker:
    """
    Kicks whoever has to be, several at a time, and those that failed again after a while.

    `pass_for` makes the certificate in an account's name, `done` is told who was kicked; both from other threads.
    """

    def __init__(self, broker: Broker, pass_for: Callable[[str], bytes], done: Callable[[str], None]) -> None:
        self._broker = broker
        self._pass_for = pass_for
        self._done = done
        self._stopping = threading.Event()
        self._due: dict[str, float] = {}
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="kick")

    def tend(self, accounts: list[str]) -> None:
        """Begin with those of them that are not being kicked already."""
        now = time.monotonic()
        self._due = {account: due for account, due in self._due.items() if account in accounts}
        for account in accounts:
            if now >= self._due.get(account, now):
                self._due[account] = now + PATIENCE_SECONDS + AGAIN_SECONDS
                self._workers.submit(self._kick, account)

    def stop(self) -> None:
        """Leave the rest to the next start."""
        self._stopping.set()
        self._workers.shutdown(cancel_futures=True)

    def _kick(self, account: str) -> None:
        try:
            if kick(self._broker, account, self._pass_for(account), self._stopping):
                self._done(account)
                log.info("kicked account=%s", account)
            elif not self._stopping.is_set():
                log.warning("not kicked account=%s again_in=%.0fs", account, AGAIN_SECONDS)
        except Exception:
            # It is tried again; a thread's exception would go unseen.
            log.exception("kick failed account=%s", account)

"""The gateway's own connection to its broker: kept up, with jitter, from one thread that never dies of a callback."""

import contextlib
import logging
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from chain import token
from gateway.bursts import BurstClient
from gateway.site import Key, Site, near
from gateway.tls import Files, client_context

log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 20
FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
PART_OF_ABSENCE = 0.25
"""Of the time that the broker has been away, so much until the next try: it is found soon after it is back."""

OnMessage = Callable[[mqtt.MQTTMessage, int], None]
"""Told a message and the number of the connection it came on; only enqueues."""


@dataclass(frozen=True)
class Endpoint:
    """
    Where one of the gateway's two clients finds the broker, and as whom.

    `show` is called before each connection, and makes a fresh client prove who it is: by a token on loopback, by its
    certificate in a LAN, each as it is at that moment.
    """

    host: str
    port: int
    client_id: str
    show: Callable[[mqtt.Client], None]


def committers(site: Site, key: Key, origin: str) -> Endpoint:
    """The broker, for the committer of the chain `origin`."""
    return _endpoint(site, key, origin, client_id=key.account, own=site.certificates.committer)


def web_servers(site: Site, key: Key, origin: str) -> Endpoint:
    """The broker, for the web server."""
    return _endpoint(site, key, origin, client_id=f"{key.account}.web", own=site.certificates.web)


def _endpoint(site: Site, key: Key, origin: str, *, client_id: str, own: Path) -> Endpoint:
    settings = site.settings
    show = _certificate(site.certificates, own) if settings.is_lan else _token(key, origin)
    return Endpoint(near(settings.mqtt_host), settings.mqtt_port, client_id, show)


def _certificate(files: Files, own: Path) -> Callable[[mqtt.Client], None]:
    def show(client: mqtt.Client) -> None:
        context = client_context(files, own)
        context.sslsocket_class = _Socket
        client.tls_set_context(context)

    return show


class _Socket(ssl.SSLSocket):
    """Closed when the handshake fails: paho leaves it open."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is there
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _token(key: Key, origin: str) -> Callable[[mqtt.Client], None]:
    audience = token.audience(origin, token.MQTT)

    def show(client: mqtt.Client) -> None:
        made = token.make(key.account, audience=audience, now=time.time(), kid=key.kid, signer=key.sign)
        client.username_pw_set(key.account, made)

    return show


class Link:
    """
    Publishes, and hands on what comes, over connections that follow one another.

    With `manual_ack`, a message stays unacknowledged until `ack_all`; an acknowledgement for an earlier connection
    is dropped, since the packet ids of the new one mean other messages.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        topics: Sequence[str],
        on_message: OnMessage,
        on_up: Callable[[], None] = lambda: None,
        on_down: Callable[[], None] = lambda: None,
        manual_ack: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._address = (endpoint.host, endpoint.port)
        self._topics = list(topics)
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._stopping = threading.Event()
        self._connection = 0
        self._up = False
        self._complaint = ""
        self._manual_ack = manual_ack
        self._client = self._fresh()
        self._thread = threading.Thread(target=self._run, name=f"link-{endpoint.client_id}", daemon=True)

    def _fresh(self) -> BurstClient:
        """A client for one connection: what an earlier one has not sent is not sent later, behind newer messages."""
        client = BurstClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._endpoint.client_id,
            clean_session=True,
            manual_ack=self._manual_ack,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(0)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.on_socket_open = _no_delay
        return client

    @property
    def is_up(self) -> bool:
        return self._up

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Disconnect cleanly."""
        self._stopping.set()
        self._client.disconnect()
        self._client.wake()
        self._thread.join(timeout=5)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Send now or never: what is lost with a connection is sent again by whoever still waits for it."""
        if self._up:
            self._client.publish(topic, payload, qos=qos, retain=retain)
            self._client.wake()

    def ack_all(self, messages: Iterable[tuple[int, int]]) -> None:
        """Acknowledge messages, each named by its packet id and the number of the connection it came on."""
        if self._up:
            self._client.ack_all(mid for mid, connection in messages if connection == self._connection)
            self._client.wake()

    def _run(self) -> None:
        away_since = time.monotonic()
        while not self._stopping.is_set():
            before = self._connection
            try:
                self._client = self._fresh()
                with contextlib.suppress(ConnectionError, TimeoutError, socket.gaierror):
                    self._endpoint.show(self._client)
                    self._client.connect(*self._address, keepalive=KEEPALIVE_SECONDS)
                    self._client.serve()
            except OSError as error:
                # Of TLS, or of a certificate's file: unlike a broker that is away, this seldom mends itself.
                self._complain(str(error))
            except Exception:
                # What a broker sends can make paho raise anything; without this thread we would only seem to run.
                log.exception("connection broke address=%s:%d", *self._address)
            self._lost("connection closed")
            if self._connection > before:
                away_since = time.monotonic()
            away = time.monotonic() - away_since
            delay = min(max(FIRST_DELAY, PART_OF_ABSENCE * away), LONGEST_DELAY)
            self._stopping.wait(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret

    def _complain(self, reason: str) -> None:
        """Once for each reason, until there is a connection."""
        if reason != self._complaint:
            log.warning("broker not reached reason=%s", reason)
        self._complaint = reason

    def _connected(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any
    ) -> None:
        if reason.is_failure:
            log.warning("broker refused reason=%s", reason)
            return
        self._connection += 1
        self._complaint = ""
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        log.info("broker reached address=%s:%d", *self._address)
        self._up = True
        self._on_up()

    def _disconnected(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any
    ) -> None:
        self._lost(str(reason))

    def _lost(self, reason: str) -> None:
        if not self._up:
            return
        if not self._stopping.is_set():
            log.warning("broker lost reason=%s", reason)
        self._up = False
        self._on_down()

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._on_message(message, self._connection)


def _no_delay(_client: mqtt.Client, _data: Any, sock: Any) -> None:
    # Nagle and delayed acknowledgements together cost 25 ms a message.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

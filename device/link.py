"""The device's connection to the broker: kept up, with jitter, by one thread that never dies of a callback."""

import logging
import random
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from chain import wire
from device.errors import DeviceError
from device.tls import Tls

log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 20
FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0

TURN_SECONDS = 1.0
"""Between two looks at whether the connection still lives; nothing else waits for it."""

ONLINE = b'{"online":true}'
OFFLINE = b'{"online":false}'


class Link:
    """
    Publishes this account's entries and hands on what the gateway sends it.

    With `tls`, which a LAN has, the account's certificate says who it is, and is read at each connection; on loopback
    `password` says it, and is asked for at each connection. `on_message` and `on_up` are called on the network's thread, and
    only enqueue. A broker that is away is tried again after a pause that doubles, up to half a minute.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        account: str,
        password: Callable[[], str],
        on_message: Callable[[str, bytes], None],
        on_up: Callable[[], None],
        tls: Tls | None = None,
    ) -> None:
        self._address = (host, port)
        self._account = account
        self._password = password
        self._tls = tls
        self._on_message = on_message
        self._on_up = on_up
        self._stopping = threading.Event()
        self._up = False
        self._ever_up = False
        self._again = threading.Event()
        self._client = self._new_client()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    @property
    def is_up(self) -> bool:
        return self._up

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Say that this account goes, and disconnect."""
        self._stopping.set()
        self._again.set()
        if self._up:
            self._client.publish(wire.up_topic(self._account, "status"), OFFLINE, qos=1, retain=True)
        self._client.disconnect()
        self._thread.join(timeout=5)

    def publish(self, payload: bytes) -> None:
        """Send an entry now or never: it stays in the outbox until its receipt comes."""
        if self._up:
            self._client.publish(wire.up_topic(self._account, "entry"), payload, qos=1)

    def hurry(self) -> None:
        """Connect now, if it waits to try again: what kept it from doing so has changed."""
        self._again.set()

    def _run(self) -> None:
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            self._ever_up = False
            try:
                self._connect()
            except DeviceError as error:
                log.warning("broker not reached reason=%s", error)
            except Exception:
                # What a broker sends can make paho raise anything; without this thread the agent would only seem to run.
                log.exception("connection broke address=%s:%d", *self._address)
            self._lost("connection closed")
            delay = FIRST_DELAY if self._ever_up else min(delay * 2, LONGEST_DELAY)
            # After a power cut a whole building's devices come back at once: spread them.
            self._again.wait(delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            self._again.clear()

    def _connect(self) -> None:
        """Connect, and return when the connection has ended; raise `DeviceError` if it cannot be begun."""
        if self._tls is None:
            self._client.username_pw_set(self._account, self._password())
        else:
            # A client takes one TLS context and keeps it; what it had not sent is still in the outbox.
            self._client = self._new_client()
            context = self._tls.context(own=True)
            context.sslsocket_class = _Socket
            self._client.tls_set_context(context)
        try:
            self._client.connect(*self._address, keepalive=KEEPALIVE_SECONDS)
            _serve(self._client)
        except ssl.SSLError as error:
            if self._tls is not None:
                raise self._tls.refused(error, *self._address) from error
        except OSError:
            pass  # it is away; whoever waits for it says so

    def _new_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._account,
            clean_session=True,
            reconnect_on_failure=False,
        )
        # Our window bounds what is under way; paho's own limit would queue the rest in memory.
        client.max_inflight_messages_set(0)
        client.will_set(wire.up_topic(self._account, "status"), OFFLINE, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.on_socket_open = _no_delay
        client.on_socket_register_write = _by_the_network_thread
        return client

    def _connected(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any
    ) -> None:
        if reason.is_failure:
            log.warning("broker refused reason=%s", reason)
            return
        client.subscribe(
            [(wire.down_topic(self._account, lane), 1) for lane in ("entry", "receipt", "refusal")]
        )
        client.publish(wire.up_topic(self._account, "status"), ONLINE, qos=1, retain=True)
        log.info("broker reached address=%s:%d", *self._address)
        self._up = self._ever_up = True
        self._on_up()

    def _disconnected(
        self, _client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any
    ) -> None:
        self._lost(str(reason))

    def _lost(self, reason: str) -> None:
        if self._up and not self._stopping.is_set():
            log.warning("broker lost reason=%s", reason)
        self._up = False

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload))


def _no_delay(_client: mqtt.Client, _data: Any, sock: Any) -> None:
    # Nagle and delayed acknowledgements together cost 25 ms a message.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _by_the_network_thread(_client: mqtt.Client, _data: Any, _socket: Any) -> None:
    """
    With this in its place, paho leaves all writing to the thread that reads, and wakes it.

    Otherwise whoever publishes writes at once; and two threads that write to one connection garble it.
    """


def _serve(client: mqtt.Client) -> None:
    """
    Move what comes and what is to be sent, until the connection has ended.

    Not by paho's `loop_forever`, which nothing wakes when something is to be sent: `loop` makes the pair of sockets for it.
    """
    while client.loop(TURN_SECONDS) == MQTTErrorCode.MQTT_ERR_SUCCESS:
        pass


class _Socket(ssl.SSLSocket):
    """Closed when the handshake fails: paho leaves it open."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is there
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise

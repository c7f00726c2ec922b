"""MQTT connections of many accounts on one thread, so that the load takes as little of the machine as it can."""

import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from bench.errors import BenchError
from bench.site import Sender

KEEPALIVE_SECONDS = 60
CONNECT_SECONDS = 20


class Connection:
    """
    One account's. `on_message` is told topic and payload, `on_puback` the id that `publish` gave. With `tls`, which has
    its certificate, it needs no password.
    """

    def __init__(
        self,
        port: int,
        account: Sender,
        *,
        topics: Iterable[str] = (),
        on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None,
        on_puback: Callable[[int], None] = lambda _mid: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.account = account.key.account
        self._topics = list(topics)
        self.is_up = False
        self.moved: set[Connection] = set()
        """Where it says that it moved something: its loop's."""
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self.account, reconnect_on_failure=False
        )
        self._client.max_inflight_messages_set(0)
        if tls is None:
            self._client.username_pw_set(self.account, account.password())
        else:
            self._client.tls_set_context(tls)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = lambda _client, _data, message: on_message(
            message.topic, bytes(message.payload)
        )
        self._client.on_publish = lambda _client, _data, mid, _reason, _props: on_puback(mid)
        self._client.on_socket_open = _no_delay
        self._client.connect("127.0.0.1", port, keepalive=KEEPALIVE_SECONDS)

    def publish(self, topic: str, payload: bytes) -> int:
        self.moved.add(self)
        return self._client.publish(topic, payload, qos=1).mid

    def close(self) -> None:
        self._client.disconnect()

    @property
    def socket(self) -> Any:
        """Raise `BenchError` if the broker closed it."""
        sock = self._client.socket()
        if sock is None:
            raise BenchError(f"broker: closed the connection of {self.account}")
        return sock

    def wants_to_write(self) -> bool:
        return self._client.want_write()

    def work(self, events: int) -> None:
        """Move what there is to move; `events` says what the socket is ready for."""
        self.moved.add(self)
        if events & selectors.EVENT_WRITE:
            self._client.loop_write()
        if events & selectors.EVENT_READ:
            self._client.loop_read()
            # What TLS has read already makes no socket ready.
            while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
                self._client.loop_read()

    def tick(self) -> None:
        """Keep the connection alive: call it about once a second."""
        self._client.loop_misc()

    def _connected(
        self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any
    ) -> None:
        if reason.is_failure:
            raise BenchError(f"broker: refused {self.account}: {reason}")
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self.is_up = True

    def _subscribed(
        self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[ReasonCode], _props: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            raise BenchError(f"broker: refused a subscription of {self.account}")
        self.is_up = True


def _no_delay(_client: mqtt.Client, _data: Any, sock: Any) -> None:
    # Nagle and delayed acknowledgements together cost 25 ms a message.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Loop:
    """Serves connections from one thread."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._connections = list(connections)
        self._selector = selectors.DefaultSelector()
        self._ticked = time.monotonic()
        # Of a thousand, few have moved since the last look.
        self._moved = set(self._connections)
        for connection in self._connections:
            connection.moved = self._moved
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def turn(self, timeout: float) -> list[Connection]:
        """
        Wait for at most `timeout` seconds, and move what there is to move; return those for which there was something.

        Raise `BenchError` if the broker closed a connection.
        """
        for connection in self._moved:
            write = selectors.EVENT_WRITE if connection.wants_to_write() else 0
            key = self._selector.get_key(connection.socket)
            if key.events != selectors.EVENT_READ | write:
                self._selector.modify(key.fileobj, selectors.EVENT_READ | write, connection)
        self._moved.clear()
        ready = self._selector.select(timeout)
        for key, events in ready:
            key.data.work(events)
        now = time.monotonic()
        if now - self._ticked >= 1:
            self._ticked = now
            for connection in self._connections:
                connection.tick()
            self._moved.update(self._connections)
        return [key.data for key, _ in ready]

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Serve until `done`; raise `BenchError` if it takes too long."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise BenchError(f"broker: no {what} within {CONNECT_SECONDS} seconds")
            self.turn(0.1)

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._selector.close()

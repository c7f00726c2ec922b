"""An MQTT client for tests of brokers: its callbacks only enqueue, as ours do."""

import queue
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE = 60.0
"""Seconds after which a test gives up; none measures time."""


class Client:
    """
    For a broker on a port of this machine. `flags` are those with which it was last let in.

    What it is known by is a `password`, or the certificate of `tls`; `options` are paho's own.
    """

    def __init__(
        self,
        port: int,
        client_id: str,
        *,
        username: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        self.flags: Any = None
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self._port = port
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
            **options,
        )
        if tls is None:
            self.paho.username_pw_set(username or client_id, password)
        else:
            self.paho.tls_set_context(tls)
        self.paho.max_inflight_messages_set(0)
        self.paho.on_connect = lambda _c, _u, flags, code, _p: self.events.put(("connect", (flags, code)))
        self.paho.on_disconnect = lambda *_: self.events.put(("disconnect", None))
        self.paho.on_subscribe = lambda _c, _u, _m, codes, _p: self.events.put(("subscribe", codes))
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)

    def connect(self) -> Any:
        """Return what the broker says to it."""
        self.paho.connect("127.0.0.1", self._port, 20)
        self.paho.loop_start()
        self.flags, code = self.wait_for("connect")
        return code

    def wait_for(self, event: str) -> Any:
        while True:
            name, value = self.events.get(timeout=PATIENCE)
            if name == event:
                return value

    def subscribe(self, topic_filter: str, qos: int = 1) -> int:
        self.paho.subscribe(topic_filter, qos)
        return int(self.wait_for("subscribe")[0].value)

    def publish(self, topic: str, payload: bytes = b"x", *, qos: int = 1, retain: bool = False) -> None:
        """Return when the broker has acknowledged."""
        self.paho.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE)

    def receive(self) -> paho.MQTTMessage:
        return self.messages.get(timeout=PATIENCE)

    @property
    def is_up(self) -> bool:
        return self.paho.is_connected()

    def vanish(self) -> None:
        """Lose the connection without a DISCONNECT."""
        sock = self.paho.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        self.wait_for("disconnect")

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


@contextmanager
def clients(make: Callable[..., Client]) -> Iterator[Callable[..., Client]]:
    """Make connected clients, which are gone in the end."""
    made: list[Client] = []

    def connected(*who: Any, **options: Any) -> Client:
        client = make(*who, **options)
        made.append(client)
        assert not client.connect().is_failure
        return client

    try:
        yield connected
    finally:
        for client in made:
            client.close()

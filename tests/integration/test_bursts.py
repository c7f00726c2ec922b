"""MQTT in bursts: what comes in whatever pieces is what was sent, and what is to go goes. The broker is a bare socket."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.bursts import BurstClient

TOPIC = b"blockpost/v1/up/a/entry"
PATIENCE = 30


def publish(mid: int, payload: bytes, *, qos: int = 1) -> bytes:
    rest = struct.pack("!H", len(TOPIC)) + TOPIC + (struct.pack("!H", mid) if qos else b"") + payload
    length = bytearray()
    number = len(rest)
    while number >> 7:
        length.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([0x30 | qos << 1, *length, number]) + rest


class Broker:
    """The far end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.recv(4096)
        sock.sendall(b"\x20\x02\x00\x00")

    def expect(self, wanted: bytes) -> None:
        came = b""
        while len(came) < len(wanted) and (more := self.sock.recv(65536)):
            came += more
        assert came == wanted


class Connected:
    def __init__(self, client: BurstClient, broker: Broker, thread: threading.Thread) -> None:
        self.client, self.broker, self.thread = client, broker, thread
        self.got: list[tuple[str, int, int, bytes]] = []
        self.changed = threading.Condition()
        client.on_message = self._got

    def _got(self, _client: Any, _data: Any, message: Any) -> None:
        with self.changed:
            self.got.append((message.topic, message.qos, message.mid, bytes(message.payload)))
            self.changed.notify()

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, PATIENCE)


@contextmanager
def connected(*, manual_ack: bool = True) -> Iterator[Connected]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = BurstClient(CallbackAPIVersion.VERSION2, reconnect_on_failure=False, manual_ack=manual_ack)
        up = threading.Event()
        client.on_connect = lambda *_: up.set()
        client.connect("127.0.0.1", listening.getsockname()[1])
        thread = threading.Thread(target=client.serve)
        thread.start()
        sock, _ = listening.accept()
        with sock:
            broker = Broker(sock)
            assert up.wait(PATIENCE)
            yield Connected(client, broker, thread)
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 100, 1_000_000])
@pytest.mark.parametrize("manual_ack", [True, False])
def test_messages_come_as_they_were_sent_in_pieces_of_any_size(piece: int, *, manual_ack: bool) -> None:
    sizes = [0, 1, 126, 127, 128, 300]
    messages = [(index % 2, index + 1, bytes([index]) * size) for index, size in enumerate(sizes * 2)]
    stream = b"".join(publish(mid, payload, qos=qos) for qos, mid, payload in messages)

    with connected(manual_ack=manual_ack) as there:
        for start in range(0, len(stream), piece):
            there.broker.sock.sendall(stream[start : start + piece])
        there.wait_for(len(messages))

    wanted = [(TOPIC.decode(), qos, mid if qos else 0, payload) for qos, mid, payload in messages]
    assert there.got == wanted


def test_acknowledgements_go_together_and_in_order() -> None:
    with connected() as there:
        there.broker.sock.sendall(b"".join(publish(mid, b"x") for mid in (1, 2, 65_535)))
        there.wait_for(3)

        there.client.ack_all(mid for _, _, mid, _ in there.got)
        there.client.wake()

        there.broker.expect(b"\x40\x02\x00\x01\x40\x02\x00\x02\x40\x02\xff\xff")


def test_what_is_published_while_nothing_comes_is_sent() -> None:
    with connected() as there:
        for _ in range(3):
            there.client.publish(TOPIC.decode(), b"x", qos=0)
            there.client.wake()
            there.broker.expect(publish(0, b"x", qos=0))


def test_more_than_the_system_takes_at_once_is_sent_when_it_does() -> None:
    payloads = [bytes([number]) * 1_000_000 for number in range(12)]
    with connected() as there:
        for payload in payloads:
            there.client.publish(TOPIC.decode(), payload, qos=0)
        there.client.wake()

        there.broker.expect(b"".join(publish(0, payload, qos=0) for payload in payloads))


def test_it_ends_by_itself_after_a_disconnect() -> None:
    with connected() as there:
        there.client.publish(TOPIC.decode(), b"last", qos=0)
        there.client.disconnect()
        there.client.wake()

        there.broker.expect(publish(0, b"last", qos=0) + b"\xe0\x00")
        there.thread.join(PATIENCE)

        assert not there.thread.is_alive()


@pytest.mark.parametrize(
    "garbage",
    [b"\x32\xff\xff\xff\xff\x01", b"\x32\x02\x00\x09", b"\xf0\x00", b"\x32\x00"],
    ids=["endless length", "topic longer than the packet", "reserved packet", "no topic"],
)
def test_garbage_ends_the_connection_and_nothing_else(garbage: bytes) -> None:
    with connected() as there:
        there.broker.sock.sendall(publish(1, b"x") + garbage)
        there.wait_for(1)

    assert [mid for _, _, mid, _ in there.got] == [1]

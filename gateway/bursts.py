"""
paho's client, for a connection with much to move: it takes from the system all that there is, and gives it all there is.

By itself it asks the system five times for each message that comes, and twice for each packet that goes. What is
overridden is how it reads and writes its socket; were that to change, it would go on as it does by itself.
"""

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MessageType

BURST_BYTES = 256 * 1024
"""Read or written at once, at most; then it is the turn of the other."""

TURN_SECONDS = 1.0
"""Between two looks at whether the connection still lives; nothing else waits for it."""

_PUBACK = struct.Struct("!BBH")
_PUBLISH_QOS_1 = MessageType.PUBLISH | 0x02
_NOT_DUP_NOR_RETAIN = 0xF6


class BurstClient(mqtt.Client):
    """For one connection. Any thread may publish, acknowledge, and then `wake`; the one in `serve` reads and writes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # With this in its place, paho leaves all writing to `serve`: two threads that write would garble it.
        self.on_socket_register_write = lambda *_: None
        self._come = b""
        self._read = 0
        self._going = bytearray()
        self._bell: socket.socket | None = None
        self._has_rung = False

    def ack_all(self, mids: Iterable[int]) -> None:
        """Acknowledge QoS 1 messages, in one writing."""
        packets = b"".join([_PUBACK.pack(MessageType.PUBACK, 2, mid) for mid in mids])
        if packets:
            self._packet_queue(MessageType.PUBACK, packets, 0, 1)

    def wake(self) -> None:
        """Have written what is to be sent."""
        if self._bell is not None and not self._has_rung:
            self._has_rung = True
            with contextlib.suppress(OSError):  # it has ended meanwhile
                self._bell.send(b"!")

    def serve(self) -> None:
        """Move what comes and what is to be sent, until the connection has ended."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._bell, self._has_rung = theirs, False
            try:
                self._serve(ours)
            finally:
                self._bell = None

    def _serve(self, bell: socket.socket) -> None:
        poll = select.poll()
        poll.register(bell, select.POLLIN)
        looked = time.monotonic()
        while (sock := self.socket()) is not None:
            wanted = select.POLLOUT if self.want_write() or self._going else 0
            poll.register(sock, select.POLLIN | wanted)
            ready = dict(poll.poll(TURN_SECONDS * 1000))
            if bell.fileno() in ready:
                bell.recv(64)
                # Before the look at what is to be sent: what is added after it rings again.
                self._has_rung = False
            if ready.get(sock.fileno(), 0) & ~select.POLLOUT:
                self._take()
            if self.want_write() or self._going:
                self._give()
            if time.monotonic() - looked >= TURN_SECONDS:
                looked = time.monotonic()
                self.loop_misc()
            if self.socket() is not sock:
                return

    def _take(self) -> None:
        self.loop_read()
        while self._read < len(self._come) and self.socket() is not None:
            if not self._hand_on():
                self.loop_read()

    def _hand_on(self) -> bool:
        """
        Hand on a message that is to be acknowledged by hand, if all of it is here; anything else is paho's to read.

        That is nearly everything that comes to a committer, and paho takes several times as long for it (MQTT 3.1.1
        section 3.3).
        """
        come, start = self._come, self._read
        if (
            come[start] & _NOT_DUP_NOR_RETAIN != _PUBLISH_QOS_1
            or not self._manual_ack
            or self._in_packet["command"]
        ):
            return False
        length, at = _length(come, start + 1)
        end = at + length
        topic_end = at + 2 + int.from_bytes(come[at : at + 2], "big")
        if not length or end > len(come) or topic_end + 2 > end:
            return False
        mid = int.from_bytes(come[topic_end : topic_end + 2], "big")
        message = mqtt.MQTTMessage(mid, come[at + 2 : topic_end])
        message.qos, message.payload = 1, come[topic_end + 2 : end]
        self._read = end
        if self.on_message is not None:
            self.on_message(self, None, message)
        return True

    def _give(self) -> None:
        if self.want_write():
            self.loop_write()
        else:
            # What the system did not take before. That the connection broke, reading it will show.
            with contextlib.suppress(OSError):
                self._push()

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._read == len(self._come):
            self._come, self._read = super()._sock_recv(BURST_BYTES), 0
        piece = self._come[self._read : self._read + bufsize]
        self._read += len(piece)
        return piece

    def _sock_send(self, buf: bytes | bytearray) -> int:
        """Take a packet: all that wait go together, with the last of them."""
        self._going += buf
        if not self.want_write() or len(self._going) >= BURST_BYTES:
            with contextlib.suppress(BlockingIOError):
                self._push()
        return len(buf)

    def _push(self) -> None:
        sent = super()._sock_send(self._going)
        del self._going[:sent]


def _length(come: bytes, at: int) -> tuple[int, int]:
    """
    What follows of a packet, and where it begins: seven bits a byte, the lowest first (MQTT 3.1.1 section 2.2.3).

    Nothing where it does not end in four bytes, or is not here.
    """
    length = 0
    for number, byte in enumerate(come[at : at + 4]):
        length |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            return length, at + number + 1
    return 0, at

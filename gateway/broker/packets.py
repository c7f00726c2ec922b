"""
MQTT 3.1.1 packets: cutting them out of a byte stream; reading and writing those of every message.

amqtt's codec takes ten times as long for these; `rare` uses it for the others.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

PACKET_IDS = 65_535
PINGRESP = b"\xd0\x00"

_LENGTH_BYTES = 4
_PUBACK_HEAD = b"\x40\x02"
_U16 = struct.Struct("!H")


class Kind(IntEnum):
    """The packets a client may send."""

    CONNECT = 1
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    UNSUBSCRIBE = 10
    PINGREQ = 12
    DISCONNECT = 14


class Connack(IntEnum):
    """MQTT 3.1.1 section 3.2.2.3."""

    ACCEPTED = 0
    UNACCEPTABLE_PROTOCOL = 1
    IDENTIFIER_REJECTED = 2
    NOT_AUTHORIZED = 5


class Violation(Exception):
    """A client broke the protocol, or a limit: its connection is closed. Never holds the client's own words."""


class Frame(NamedTuple):
    """One whole packet as it came, and where in it the body begins."""

    raw: bytes
    body_at: int

    @property
    def kind(self) -> int:
        return self.raw[0] >> 4

    @property
    def flags(self) -> int:
        return self.raw[0] & 0x0F


class Message(NamedTuple):
    """What a PUBLISH carries."""

    topic: str
    payload: bytes
    qos: int
    retain: bool

    def to_bytes(self, *, qos: int, packet_id: int, retain: bool) -> bytes:
        topic = self.topic.encode()
        identifier = _U16.pack(packet_id) if qos else b""
        size = 2 + len(topic) + len(identifier) + len(self.payload)
        first = Kind.PUBLISH << 4 | qos << 1 | retain
        return b"".join(
            (bytes([first]), _length(size), _U16.pack(len(topic)), topic, identifier, self.payload)
        )


class Frames:
    """Cuts a stream into packets and holds at most one incomplete packet, none longer than `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._partial = bytearray()
        self._wanted = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the packets that `data` completes; `limit` may change between two of them."""
        if self._partial:
            self._partial += data
            if len(self._partial) < self._wanted:
                return
            data = bytes(self._partial)
            self._partial.clear()
        at = 0
        while at < len(data):
            extent = _extent(data, at)
            if extent is None:
                self._wanted = len(data) - at + 1
                break
            body_at, end = extent
            if end - at > self.limit:
                raise Violation(f"packet of {end - at} bytes, at most {self.limit} are read")
            if end > len(data):
                self._wanted = end - at
                break
            yield Frame(data[at:end], body_at - at)
            at = end
        self._partial += data[at:]


def read_publish(frame: Frame) -> tuple[Message, int]:
    """Return the message and its packet id, which is 0 for QoS 0."""
    raw = frame.raw
    qos = raw[0] >> 1 & 0x03
    if qos > 1:
        raise Violation("PUBLISH with QoS 2, only 0 and 1 are spoken here")
    topic_at = frame.body_at + 2
    topic_end = topic_at + int.from_bytes(raw[frame.body_at : topic_at], "big")
    payload_at = topic_end + 2 if qos else topic_end
    if topic_at > len(raw) or payload_at > len(raw):
        raise Violation("PUBLISH shorter than it says")
    try:
        topic = raw[topic_at:topic_end].decode()
    except UnicodeDecodeError as error:
        raise Violation("PUBLISH whose topic is not UTF-8") from error
    packet_id = int.from_bytes(raw[topic_end:payload_at], "big")
    if qos and not packet_id:
        raise Violation("PUBLISH with packet id 0")
    return Message(topic, raw[payload_at:], qos, bool(raw[0] & 0x01)), packet_id


def read_puback(frame: Frame) -> int:
    if len(frame.raw) != len(_PUBACK_HEAD) + 2:
        raise Violation("PUBACK that is not four bytes")
    return int.from_bytes(frame.raw[2:], "big")


def connack(code: Connack) -> bytes:
    """Session present is always 0: there are no sessions to come back to."""
    return bytes((0x20, 2, 0, code))


def suback(packet_id: int, codes: list[int]) -> bytes:
    return b"\x90" + _length(2 + len(codes)) + _U16.pack(packet_id) + bytes(codes)


def unsuback(packet_id: int) -> bytes:
    return b"\xb0\x02" + _U16.pack(packet_id)


def puback(packet_id: int) -> bytes:
    return _PUBACK_HEAD + _U16.pack(packet_id)


def _extent(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and where it ends; None while that cannot be told."""
    size = 0
    for place in range(_LENGTH_BYTES):
        here = at + 1 + place
        if here >= len(data):
            return None
        size |= (data[here] & 0x7F) << 7 * place
        if data[here] < 0x80:  # noqa: PLR2004 - the continuation bit, section 2.2.3
            return here + 1, here + 1 + size
    raise Violation("remaining length of more than four bytes")


def _length(size: int) -> bytes:
    """MQTT 3.1.1 section 2.2.3."""
    digits = bytearray()
    while True:
        size, digit = divmod(size, 0x80)
        digits.append(digit | 0x80 if size else digit)
        if not size:
            return bytes(digits)

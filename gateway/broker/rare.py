"""
The packets that come once in a while, read by amqtt's codec.

It is lenient, so only what it writes back to the same bytes counts: that refuses bad UTF-8,
bytes left over, lengths that lie, and an empty client id (it makes one up).
"""

import struct
from dataclasses import dataclass, field
from typing import Any

from amqtt.adapters import BufferReader  # type: ignore[import-untyped]
from amqtt.errors import AMQTTError, CodecError, MQTTError, NoDataError  # type: ignore[import-untyped]
from amqtt.mqtt import (  # type: ignore[import-untyped]
    ConnectPacket,
    SubscribePacket,
    UnsubscribePacket,
)

from gateway.broker.packets import Frame, Kind, Message, Violation

_LONGEST = 32 * 1024
"""amqtt's codec takes time by the square of the length: an honest one is far below this."""

_HIGHEST_QOS = 2
_RESERVED_FLAGS = 0x02
"""MQTT 3.1.1 section 2.2.2, for SUBSCRIBE and UNSUBSCRIBE."""


@dataclass(frozen=True, slots=True)
class Connect:
    level: int
    client_id: str
    username: str | None
    password: str = field(repr=False)
    keep_alive: int
    will: Message | None


@dataclass(frozen=True, slots=True)
class Subscribe:
    packet_id: int
    filters: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    packet_id: int
    filters: list[str]


async def read_connect(frame: Frame) -> Connect:
    if frame.kind != Kind.CONNECT or frame.flags:
        raise Violation("the first packet is not CONNECT")
    packet = await _read(frame, ConnectPacket)
    if packet.proto_name != "MQTT" or packet.reserved_flag:
        raise Violation("CONNECT of another protocol")
    will = None
    if packet.will_flag:
        will = Message(
            packet.will_topic, bytes(packet.will_message), packet.will_qos, bool(packet.will_retain_flag)
        )
    return Connect(
        packet.proto_level,
        packet.client_id,
        packet.username,
        packet.password or "",
        packet.keep_alive,
        will,
    )


async def read_subscribe(frame: Frame) -> Subscribe:
    packet = await _read(frame, SubscribePacket)
    filters = packet.payload.topics
    if frame.flags != _RESERVED_FLAGS or not filters or any(qos > _HIGHEST_QOS for _, qos in filters):
        raise Violation("malformed SUBSCRIBE")
    return Subscribe(packet.variable_header.packet_id, filters)


async def read_unsubscribe(frame: Frame) -> Unsubscribe:
    packet = await _read(frame, UnsubscribePacket)
    filters = packet.payload.topics
    if frame.flags != _RESERVED_FLAGS or not filters:
        raise Violation("malformed UNSUBSCRIBE")
    return Unsubscribe(packet.variable_header.packet_id, filters)


async def _read(frame: Frame, codec: Any) -> Any:
    """Nothing is waited for: the whole packet is here, and `BufferReader` only looks like a stream."""
    name = codec.__name__
    if len(frame.raw) > _LONGEST:
        raise Violation(f"{name} of {len(frame.raw)} bytes, at most {_LONGEST} are read")
    try:
        packet = await codec.from_stream(BufferReader(frame.raw))
        written = packet.to_bytes()
    except (AMQTTError, CodecError, MQTTError, NoDataError, ValueError, struct.error) as error:
        raise Violation(f"malformed {name}") from error
    if written != frame.raw:
        raise Violation(f"malformed {name}")
    return packet

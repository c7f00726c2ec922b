"""
A broker with one subscriber and enough to say: what receiving and acknowledging MQTT takes, and nothing else.

It speaks as much of MQTT 3.1.1 as that needs, and believes its subscriber.
"""

import os
import socket
import struct
from itertools import islice

from bench.worker import Begin
from chain import wire

WINDOW = 512
"""Messages under way, as from Mosquitto to a committer with much to do."""

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03%b\x01"
PUBLISH_QOS_1 = 0x32
PUBACK_BYTES = 4
TURN = 16
MAX_MID = 65_535


def feed(begin: Begin, listening: socket.socket, count: int, size: int) -> int:
    """Send `count` messages with a payload of `size` bytes to whoever connects; return how many were acknowledged."""
    begin()
    subscriber, _ = listening.accept()
    with subscriber:
        subscriber.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        subscriber.recv(4096)
        subscriber.sendall(CONNACK)
        subscriber.sendall(SUBACK % subscriber.recv(4096)[2:4])
        packets = (_publish(number % MAX_MID + 1, size) for number in range(count))
        sent = acknowledged = 0
        while acknowledged < count * PUBACK_BYTES:
            while sent < count and sent - acknowledged // PUBACK_BYTES < WINDOW:
                some = list(islice(packets, TURN))
                subscriber.sendall(b"".join(some))
                sent += len(some)
            acknowledged += len(subscriber.recv(65536))
    return acknowledged // PUBACK_BYTES


def _publish(mid: int, size: int) -> bytes:
    topic = wire.up_topic("a" * 26, "entry").encode()
    rest = struct.pack("!H", len(topic)) + topic + struct.pack("!H", mid) + os.urandom(size)
    return bytes([PUBLISH_QOS_1]) + _length(len(rest)) + rest


def _length(number: int) -> bytes:
    """MQTT 3.1.1 section 2.2.3: seven bits a byte, the lowest first."""
    spelled = bytearray()
    while number >> 7:
        spelled.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*spelled, number])

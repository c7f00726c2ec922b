"""
A bare subscriber in the committer's place: paho takes what is published, SQLite gets it in groups, and then it is
acknowledged. It checks nothing, and answers nobody.
"""

import queue
import socket
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion

from bench.errors import BenchError
from bench.site import Sender
from bench.worker import Begin
from chain import wire

GROUP = 256
GROUP_SECONDS = 0.020
PATIENCE_SECONDS = 30

Arrived = queue.SimpleQueue[tuple[bytes, int]]


class Stored(Struct, frozen=True):
    """When the last entry was durable (monotonic seconds), and what computing it all took."""

    ended: float
    cpu: float


def store(begin: Begin, port: int, gateway: Sender, file: Path, entries: int) -> Stored:
    """Store so many entries."""
    arrived: Arrived = queue.SimpleQueue()
    subscribed = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=gateway.key.account, manual_ack=True)
    client.username_pw_set(gateway.key.account, gateway.password())
    client.on_socket_open = _no_delay
    client.on_connect = lambda client, *_: client.subscribe(wire.UP_ENTRIES, qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _client, _data, message: arrived.put((bytes(message.payload), message.mid))
    client.connect("127.0.0.1", port)
    client.loop_start()
    if not subscribed.wait(PATIENCE_SECONDS):
        raise BenchError("subscriber: the broker did not take the subscription")
    db = _open(file)
    begin()
    computed = time.process_time()
    stored = 0
    while stored < entries:
        group = _gather(arrived)
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO entry (payload) VALUES (?)", [(payload,) for payload, _ in group])
        db.execute("COMMIT")
        for _, mid in group:
            client.ack(mid, 1)
        stored += len(group)
    done = Stored(time.monotonic(), time.process_time() - computed)
    client.disconnect()
    client.loop_stop()
    db.close()
    return done


def _open(file: Path) -> sqlite3.Connection:
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE entry (idx INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT")
    return db


def _gather(arrived: Arrived) -> list[tuple[bytes, int]]:
    try:
        group = [arrived.get(timeout=PATIENCE_SECONDS)]
    except queue.Empty as error:
        raise BenchError("subscriber: the broker delivers no more, and not all has come") from error
    deadline = time.monotonic() + GROUP_SECONDS
    while len(group) < GROUP:
        try:
            group.append(arrived.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            break
    return group


def _no_delay(_client: mqtt.Client, _data: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

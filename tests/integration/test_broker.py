"""
The embedded broker on a real socket, with real clients: every hole of amqtt's that we know is a test here.

Run as a program, this file is the broker: `test_broker.py '{"limit": value}'`.
"""

import asyncio
import contextlib
import json
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
from amqtt.broker import Broker  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import pulse
from gateway.broker.door import NotAdmitted
from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.greeting import Greeting
from gateway.broker.limits import KIB, MIB, Limits
from gateway.broker.packets import Frame, Frames, Message, Violation, read_puback, read_publish
from gateway.broker.peer import Peer
from gateway.broker.rare import read_connect, read_subscribe, read_unsubscribe
from gateway.broker.serve import listen, run
from gateway.broker.subscriptions import Subscriptions
from gateway.broker.topics import HEAD, is_account, may_publish, may_retain, may_subscribe
from gateway.broker.window import Window
from gateway.broker.wire import Wire
from gateway.errors import CannotListen
from tests.mqtt import PATIENCE, Client, clients

GATEWAY = "gateway" + "a" * 19
FRIDGE = "fridge" + "b" * 20
CLINIC = "clinic" + "c" * 20
BROKEN_DOOR = "broken" + "d" * 20


class PasswordIsAccountBackwards:
    def admit(self, client_id: str, username: str, password: str) -> None:
        assert client_id in (username, f"{GATEWAY}.web")
        if client_id == BROKEN_DOOR:
            raise RuntimeError("the door itself fails")
        if password != username[::-1] or username in self.expelled({username}):
            raise NotAdmitted("wrong password")

    def expelled(self, accounts: AbstractSet[str]) -> AbstractSet[str]:
        """Whoever the directory has a file of."""
        if Path("broken").exists():
            raise RuntimeError("the door itself fails")
        return {account for account in accounts if Path(account).exists()}


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def client(self, account: str, *, username: str = "", password: str = "", **options: Any) -> Client:
        """It shows the right password, unless another is given."""
        right = (username or account)[::-1]
        return Client(self.port, account, username=username, password=password or right, **options)

    @property
    def lines(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines()

    def rss(self) -> int:
        return psutil.Process(self.process.pid).memory_info().rss

    def logged(self, text: str) -> bool:
        return any(text in line for line in self.lines)


@contextlib.contextmanager
def running(folder: Path, **limits: float) -> Iterator[Running]:
    root = Path(__file__).parents[2]
    log = folder / "broker.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(limits)],
            stdout=subprocess.DEVNULL,
            stderr=file,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
    try:
        until(lambda: "broker ready" in log.read_text("utf-8"))
        line = next(line for line in log.read_text("utf-8").splitlines() if "broker ready" in line)
        yield Running(process, int(line.rpartition("port=")[2]), log)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("broker")) as broker:
        yield broker
        for never in ("Traceback", "a guess", FRIDGE[::-1], "still here"):
            assert not broker.logged(never)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@pytest.fixture
def client(broker: Running) -> Iterator[Callable[..., Client]]:
    with clients(broker.client) as make:
        yield make


def text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def packet(first: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while size >= 0x80:
        length.append(size % 0x80 | 0x80)
        size //= 0x80
    length.append(size)
    return bytes([first, *length]) + body


def connect_packet(account: str, *, level: int = 4, flags: int = 0xC2, keepalive: int = 0) -> bytes:
    head = text("MQTT") + bytes([level, flags]) + keepalive.to_bytes(2, "big")
    return packet(0x10, head + text(account) + text(account) + text(account[::-1]))


@contextlib.contextmanager
def raw(broker: Running, *sent: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", broker.port), PATIENCE) as sock:
        for data in sent:
            sock.sendall(data)
        yield sock


def hang_up(sock: socket.socket) -> None:
    """Say that nothing more will come, to a broker that may have closed already."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)


def read_to_end(sock: socket.socket) -> bytes:
    """Return what came before the broker closed; a reset is a close too."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := sock.recv(64 * KIB):
            received += data
    return received


ACCEPTED = b"\x20\x02\x00\x00"


# Coming and going


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.2", "::ffff:127.0.0.1", "broker.example.org", ""],  # noqa: S104 - refused
)
def test_an_address_that_is_not_loopback_is_refused_before_binding(host: str) -> None:
    with pytest.raises(CannotListen, match="want a loopback address"):
        listen(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_addresses_are_served(host: str) -> None:
    with listen(host, 0) as listener:
        assert listener.getsockname()[1] > 0


def test_a_port_in_use_is_said_in_our_words() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(
            CannotListen, match=f"cannot listen on 127.0.0.1 port {port}: Address already in use"
        ):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_with_clients_connected(tmp_path: Path, number: int) -> None:
    with running(tmp_path) as broker, clients(broker.client) as client, raw(broker, b"\x10"):
        fridge = client(FRIDGE)

        broker.process.send_signal(number)

        assert broker.process.wait(PATIENCE) == 0
        fridge.wait_for("disconnect")
        assert broker.logged("broker stopped")
        assert not broker.logged("Traceback")


# Admission


def test_a_wrong_password_leaves_the_sessions_subscriptions_alone(
    broker: Running, client: Callable[..., Client]
) -> None:
    gateway, victim = client(GATEWAY), client(FRIDGE)
    victim.subscribe(f"blockpost/v1/down/{FRIDGE}/#")

    thief = broker.client(FRIDGE, password="a guess")
    code = thief.connect()
    thief.paho.loop_stop()
    gateway.publish(f"blockpost/v1/down/{FRIDGE}/receipt", b"still here")

    assert code == "Not authorized"
    assert victim.receive().payload == b"still here"


def test_a_client_id_that_is_not_its_username_is_turned_away(
    broker: Running, client: Callable[..., Client]
) -> None:
    gateway, victim = client(GATEWAY), client(FRIDGE)
    victim.subscribe(f"blockpost/v1/down/{FRIDGE}/#")

    thief = broker.client(FRIDGE, username=CLINIC)
    code = thief.connect()
    thief.paho.loop_stop()
    gateway.publish(f"blockpost/v1/down/{FRIDGE}/receipt", b"still here")

    assert code == "Client identifier not valid"
    assert victim.receive().payload == b"still here"


@pytest.mark.parametrize("account", ["", "x", "A" * 26, "b" * 27, "b" * 66, "é" * 26, FRIDGE + "\n"])
def test_what_is_no_account_id_never_reaches_the_door(broker: Running, account: str) -> None:
    with raw(broker, connect_packet(account)) as sock:
        assert read_to_end(sock) in (b"", b"\x20\x02\x00\x02")


def test_another_protocol_level_is_told_so(broker: Running) -> None:
    with raw(broker, connect_packet(FRIDGE, level=5)) as sock:
        assert read_to_end(sock) == b"\x20\x02\x00\x01"


def test_a_second_connection_of_an_account_takes_over_the_first(client: Callable[..., Client]) -> None:
    gateway, first = client(GATEWAY), client(FRIDGE)
    first.subscribe(f"blockpost/v1/down/{FRIDGE}/#")

    second = client(FRIDGE)
    first.wait_for("disconnect")
    second.subscribe(f"blockpost/v1/down/{FRIDGE}/#")
    gateway.publish(f"blockpost/v1/down/{FRIDGE}/receipt", b"for the second")

    assert second.receive().payload == b"for the second"
    assert first.messages.empty()


def test_a_door_that_fails_stays_shut_and_harms_nobody_else(tmp_path: Path) -> None:
    with running(tmp_path) as broker, clients(broker.client) as client:
        with raw(broker, connect_packet(BROKEN_DOOR)) as sock:
            assert read_to_end(sock) == b""

        client(FRIDGE)


def test_whoever_is_expelled_is_cut_off_says_its_last_will_and_does_not_come_back(tmp_path: Path) -> None:
    with running(tmp_path) as broker, clients(broker.client) as client:
        gateway, fridge, clinic = client(GATEWAY), broker.client(FRIDGE), client(CLINIC)
        gateway.subscribe("blockpost/v1/up/+/status")
        fridge.paho.will_set(f"blockpost/v1/up/{FRIDGE}/status", b"gone", 1, retain=True)
        fridge.connect()

        (tmp_path / FRIDGE).touch()

        fridge.wait_for("disconnect")
        assert gateway.receive().payload == b"gone"
        assert broker.logged(f"client down id={FRIDGE} reason=revoked")
        fridge.paho.loop_stop()
        with raw(broker, connect_packet(FRIDGE)) as sock:
            assert read_to_end(sock) == b"\x20\x02\x00\x05"
        assert clinic.paho.is_connected()


def test_a_door_that_fails_expels_nobody_and_is_asked_again(tmp_path: Path) -> None:
    with running(tmp_path) as broker, clients(broker.client) as client:
        fridge = client(FRIDGE)
        (tmp_path / "broken").touch()
        until(lambda: broker.logged("nobody could be expelled"))
        (tmp_path / FRIDGE).touch()
        assert fridge.paho.is_connected()

        (tmp_path / "broken").unlink()

        fridge.wait_for("disconnect")


def test_a_connection_without_connect_is_closed_in_time(tmp_path: Path) -> None:
    with running(tmp_path, connect_seconds=0.1) as broker, raw(broker, b"\x10") as sock:
        assert read_to_end(sock) == b""
        assert broker.logged("connection closed reason=no CONNECT in time")


def test_there_is_no_session_to_come_back_to(broker: Running, client: Callable[..., Client]) -> None:
    gateway = client(GATEWAY)
    away = client(FRIDGE, clean_session=False)
    away.subscribe(f"blockpost/v1/down/{FRIDGE}/#")
    away.vanish()
    away.paho.loop_stop()
    gateway.publish(f"blockpost/v1/down/{FRIDGE}/receipt", b"missed")

    back = broker.client(FRIDGE, clean_session=False)
    back.connect()
    back.subscribe(f"blockpost/v1/down/{FRIDGE}/#")
    gateway.publish(f"blockpost/v1/down/{FRIDGE}/receipt", b"seen")
    got = back.receive().payload
    back.close()

    assert not back.flags.session_present
    assert got == b"seen"


def test_a_silent_client_is_given_up(broker: Running) -> None:
    with raw(broker, connect_packet(FRIDGE, keepalive=1)) as sock:
        assert read_to_end(sock) == ACCEPTED


# Topics


UP, DOWN = "blockpost/v1/up", "blockpost/v1/down"


@pytest.mark.parametrize(
    ("account", "topic", "permitted"),
    [
        (FRIDGE, f"{UP}/{FRIDGE}/entry", True),
        (FRIDGE, f"{UP}/{FRIDGE}/status", True),
        (FRIDGE, f"{UP}/{FRIDGE}/other", False),
        (FRIDGE, f"{UP}/{FRIDGE}/entry/", False),
        (FRIDGE, f"{UP}/{CLINIC}/entry", False),
        (FRIDGE, f"{UP}/+/entry", False),
        (FRIDGE, f"{DOWN}/{FRIDGE}/receipt", False),
        (FRIDGE, HEAD, False),
        (FRIDGE, pulse.TOPIC, False),
        (FRIDGE, "$SYS/broker/uptime", False),
        (FRIDGE, "", False),
        (GATEWAY, f"{UP}/{GATEWAY}/entry", True),
        (GATEWAY, f"{UP}/{FRIDGE}/entry", False),
        (GATEWAY, f"{DOWN}/{FRIDGE}/entry", True),
        (GATEWAY, f"{DOWN}/{FRIDGE}/receipt", True),
        (GATEWAY, f"{DOWN}/{FRIDGE}/refusal", True),
        (GATEWAY, f"{DOWN}/{FRIDGE}/refusal\n", False),
        (GATEWAY, f"{DOWN}/+/receipt", False),
        (GATEWAY, f"{DOWN}/{FRIDGE}/#", False),
        (GATEWAY, HEAD, True),
        (GATEWAY, pulse.TOPIC, True),
        (GATEWAY, "blockpost/v2/gateway/head", False),
    ],
)
def test_who_may_publish_where(account: str, topic: str, *, permitted: bool) -> None:
    assert may_publish(account, topic, gateway=GATEWAY) is permitted


@pytest.mark.parametrize(
    ("account", "topic_filter", "permitted"),
    [
        (FRIDGE, f"{DOWN}/{FRIDGE}/#", True),
        (FRIDGE, f"{DOWN}/{FRIDGE}/+", True),
        (FRIDGE, f"{DOWN}/{FRIDGE}/receipt", True),
        (FRIDGE, HEAD, True),
        (FRIDGE, f"{DOWN}/{CLINIC}/#", False),
        (FRIDGE, f"{DOWN}/+/receipt", False),
        (FRIDGE, f"{DOWN}/{FRIDGE}/#/receipt", False),
        (FRIDGE, f"{DOWN}/{FRIDGE}/a+", False),
        (FRIDGE, f"{DOWN}/{FRIDGE}/a\0", False),
        (FRIDGE, f"{DOWN}/{FRIDGE}/" + "/" * 128, False),
        (FRIDGE, f"{UP}/{FRIDGE}/entry", False),
        (FRIDGE, "blockpost/v1/gateway/+", False),
        (FRIDGE, "#", False),
        (FRIDGE, "+/+/+/+/+", False),
        (FRIDGE, "$SYS/#", False),
        (FRIDGE, "", False),
        (GATEWAY, f"{UP}/+/entry", True),
        (GATEWAY, "blockpost/v1/#", True),
        (GATEWAY, "blockpost/#", False),
        (GATEWAY, "#", False),
        (GATEWAY, "$SYS/#", False),
    ],
)
def test_who_may_subscribe_to_what(account: str, topic_filter: str, *, permitted: bool) -> None:
    assert may_subscribe(account, topic_filter, gateway=GATEWAY) is permitted


@given(st.text())
def test_nobody_but_its_owner_publishes_up(account: str) -> None:
    assert may_publish(account, f"{UP}/{FRIDGE}/entry", gateway=GATEWAY) is (account == FRIDGE)


def test_only_a_status_and_the_head_are_kept() -> None:
    assert may_retain(HEAD)
    assert may_retain(f"{UP}/{FRIDGE}/status")
    assert not may_retain(f"{UP}/{FRIDGE}/entry")
    assert not may_retain(f"{DOWN}/{FRIDGE}/receipt")


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("topic", [f"{UP}/{CLINIC}/entry", f"{DOWN}/{FRIDGE}/receipt", HEAD, "elsewhere"])
def test_publishing_to_a_topic_not_ones_own_ends_the_connection_and_reaches_nobody(
    client: Callable[..., Client], topic: str, *, retain: bool
) -> None:
    gateway, fridge = client(GATEWAY), client(FRIDGE)
    gateway.subscribe("blockpost/v1/#")

    fridge.paho.publish(topic, b"forged", 1, retain)
    fridge.wait_for("disconnect")
    gateway.publish(f"{UP}/{GATEWAY}/entry", b"marker")

    assert gateway.receive().payload == b"marker"


@pytest.mark.parametrize("topic_filter", [f"{DOWN}/{CLINIC}/#", f"{UP}/+/entry", "#", "$SYS/#"])
def test_a_subscription_not_permitted_is_refused_and_the_connection_stays(
    client: Callable[..., Client], topic_filter: str
) -> None:
    fridge = client(FRIDGE)

    assert fridge.subscribe(topic_filter) == 0x80
    assert fridge.subscribe(HEAD) == 1


def test_a_client_has_no_more_subscriptions_than_the_limit(client: Callable[..., Client]) -> None:
    fridge = client(FRIDGE)
    for number in range(Limits().subscriptions):
        assert fridge.subscribe(f"{DOWN}/{FRIDGE}/{number}") == 1

    assert fridge.subscribe(f"{DOWN}/{FRIDGE}/one-more") == 0x80
    assert fridge.subscribe(f"{DOWN}/{FRIDGE}/0", 0) == 0


def test_unsubscribing_ends_delivery(client: Callable[..., Client]) -> None:
    gateway, fridge = client(GATEWAY), client(FRIDGE)
    fridge.subscribe(f"{DOWN}/{FRIDGE}/#")
    fridge.subscribe(HEAD)
    fridge.paho.on_unsubscribe = lambda *_: fridge.events.put(("unsubscribe", None))
    fridge.paho.unsubscribe(f"{DOWN}/{FRIDGE}/#")
    fridge.wait_for("unsubscribe")

    gateway.publish(f"{DOWN}/{FRIDGE}/receipt", b"too late")
    gateway.publish(HEAD, b"head")

    assert fridge.receive().payload == b"head"


# Retained messages and wills


def test_a_live_message_has_no_retain_flag_and_a_kept_one_has(client: Callable[..., Client]) -> None:
    gateway, early = client(GATEWAY), client(FRIDGE)
    early.subscribe(HEAD)
    gateway.publish(HEAD, b"old", qos=0, retain=True)
    gateway.publish(HEAD, b"new", qos=1, retain=True)
    live = [early.receive(), early.receive()]

    late = client(CLINIC)
    late.subscribe(HEAD)
    kept = late.receive()
    gateway.publish(HEAD, b"", retain=True)

    assert [(m.payload, m.retain) for m in live] == [(b"old", False), (b"new", False)]
    assert (kept.payload, kept.retain) == (b"new", True)


def test_an_empty_retained_message_clears_what_was_kept(client: Callable[..., Client]) -> None:
    gateway, fridge = client(GATEWAY), client(FRIDGE)
    gateway.publish(HEAD, b"old", retain=True)
    gateway.publish(HEAD, b"", retain=True)

    fridge.subscribe(HEAD)
    gateway.publish(HEAD, b"live")

    assert fridge.receive().payload == b"live"


@pytest.mark.parametrize(
    ("topic", "size"), [(f"{UP}/{FRIDGE}/entry", 1), (f"{UP}/{FRIDGE}/status", Limits().retained_bytes + 1)]
)
def test_retaining_what_is_not_kept_ends_the_connection(
    client: Callable[..., Client], topic: str, size: int
) -> None:
    fridge = client(FRIDGE)

    fridge.paho.publish(topic, b"x" * size, 1, retain=True)

    fridge.wait_for("disconnect")


def test_a_lost_client_leaves_its_will_and_a_departing_one_does_not(
    broker: Running, client: Callable[..., Client]
) -> None:
    gateway = client(GATEWAY)
    gateway.subscribe(f"{UP}/+/status")
    for account in (CLINIC, FRIDGE):
        made = broker.client(account)
        made.paho.will_set(f"{UP}/{account}/status", b"lost " + account.encode(), 1)
        made.connect()
        if account == CLINIC:
            made.paho.disconnect()
            made.wait_for("disconnect")
        else:
            made.vanish()
        made.paho.loop_stop()

    assert gateway.receive().payload == b"lost " + FRIDGE.encode()


def test_a_will_on_anothers_topic_is_not_admitted(broker: Running) -> None:
    thief = broker.client(FRIDGE)
    thief.paho.will_set(f"{UP}/{CLINIC}/status", b"gone", 1)
    code = thief.connect()
    thief.paho.loop_stop()

    assert code == "Not authorized"


# Delivery


def test_messages_of_one_publisher_arrive_once_and_in_order(client: Callable[..., Client]) -> None:
    committer, fridge = client(GATEWAY), client(FRIDGE)
    committer.subscribe(f"{UP}/+/entry")

    for number in range(3000):
        fridge.paho.publish(f"{UP}/{FRIDGE}/entry", str(number), 1)

    assert [int(committer.receive().payload) for _ in range(3000)] == list(range(3000))


def test_overlapping_subscriptions_deliver_a_message_once(client: Callable[..., Client]) -> None:
    gateway, fridge = client(GATEWAY), client(FRIDGE)
    fridge.subscribe(f"{DOWN}/{FRIDGE}/#", 0)
    fridge.subscribe(f"{DOWN}/{FRIDGE}/receipt", 1)

    gateway.publish(f"{DOWN}/{FRIDGE}/receipt", b"first")
    gateway.publish(f"{DOWN}/{FRIDGE}/receipt", b"second")

    assert [(m.payload, m.qos) for m in (fridge.receive(), fridge.receive())] == [
        (b"first", 1),
        (b"second", 1),
    ]


def test_a_committer_that_acknowledges_late_holds_publishers_and_loses_nothing(tmp_path: Path) -> None:
    window, total = 50, 400
    with running(tmp_path, in_flight=window) as broker, clients(broker.client) as client:
        committer, fridge = client(GATEWAY, manual_ack=True), client(FRIDGE)
        committer.subscribe(f"{UP}/+/entry")
        for number in range(total):
            fridge.paho.publish(f"{UP}/{FRIDGE}/entry", str(number), 1)

        received: list[int] = []
        for _ in range(total // window):
            batch = [committer.receive() for _ in range(window)]
            with pytest.raises(queue.Empty):
                committer.messages.get(timeout=0.05)
            received += [int(message.payload) for message in batch]
            for message in reversed(batch):
                committer.paho.ack(message.mid, 1)

        assert received == list(range(total))


def test_a_gateway_that_acknowledges_nothing_is_given_up_and_publishers_go_on(tmp_path: Path) -> None:
    with running(tmp_path, in_flight=10, stall_seconds=0.5) as broker, clients(broker.client) as client:
        stuck, fridge = client(GATEWAY, manual_ack=True), client(FRIDGE)
        stuck.subscribe(f"{UP}/+/entry")

        for _ in range(20):
            fridge.publish(f"{UP}/{FRIDGE}/entry", b"x")

        stuck.wait_for("disconnect")
        assert broker.logged("reason=acknowledges nothing")


def test_a_device_that_does_not_acknowledge_is_cut_off_and_costs_nobody_else_time(tmp_path: Path) -> None:
    with running(tmp_path, in_flight=10) as broker, clients(broker.client) as client:
        gateway, slow, good = client(GATEWAY), client(FRIDGE, manual_ack=True), client(CLINIC)
        slow.subscribe(f"{DOWN}/{FRIDGE}/#")
        good.subscribe(f"{DOWN}/{CLINIC}/#")

        for _ in range(20):
            gateway.publish(f"{DOWN}/{FRIDGE}/receipt", b"x")
        gateway.publish(f"{DOWN}/{CLINIC}/receipt", b"in time")

        slow.wait_for("disconnect")
        assert good.receive().payload == b"in time"


def test_the_gateways_second_client_is_no_more_waited_for_than_a_device(tmp_path: Path) -> None:
    with running(tmp_path, in_flight=10) as broker, clients(broker.client) as client:
        committer = client(GATEWAY)
        web = client(f"{GATEWAY}.web", username=GATEWAY, manual_ack=True)
        web.subscribe(HEAD)

        for _ in range(20):
            committer.paho.publish(HEAD, b"x", 1)

        web.wait_for("disconnect")
        assert broker.logged("reason=too many messages unacknowledged")


@pytest.mark.parametrize("qos", [0, 1])
def test_a_client_that_does_not_read_costs_bounded_memory(tmp_path: Path, qos: int) -> None:
    with running(tmp_path, in_flight_bytes=MIB) as broker, clients(broker.client) as client:
        gateway = client(GATEWAY)
        subscribe = packet(0x82, b"\x00\x01" + text(HEAD) + bytes([qos]))
        with raw(broker, connect_packet(FRIDGE) + subscribe) as sock:
            assert sock.recv(9, socket.MSG_WAITALL) == ACCEPTED + b"\x90\x03\x00\x01" + bytes([qos])
            before = broker.rss()

            for _ in range(200):
                gateway.publish(HEAD, b"x" * 500 * KIB, qos=qos)
            gateway.subscribe(HEAD)

            assert broker.rss() - before < 32 * MIB


def test_asking_for_kept_messages_and_acknowledging_none_ends_the_connection(tmp_path: Path) -> None:
    with (
        running(tmp_path, in_flight_bytes=KIB, packet_bytes=32 * KIB) as broker,
        clients(broker.client) as client,
    ):
        gateway = client(GATEWAY)
        gateway.publish(HEAD, b"x" * 16 * KIB, retain=True)
        question = packet(0x82, b"\x00\x01" + text(HEAD) + b"\x01")
        with raw(broker, connect_packet(FRIDGE)) as sock, contextlib.suppress(ConnectionError):
            for _ in range(100):
                sock.sendall(question * 100)

        until(lambda: broker.logged(f"client down id={FRIDGE}"))


def test_qos_2_is_not_spoken(client: Callable[..., Client]) -> None:
    fridge = client(FRIDGE)

    assert fridge.subscribe(HEAD, 2) == 1
    fridge.paho.publish(f"{UP}/{FRIDGE}/entry", b"x", 2)
    fridge.wait_for("disconnect")


# Bounds of the wire


def test_the_largest_packet_arrives_whole(client: Callable[..., Client]) -> None:
    committer, fridge = client(GATEWAY), client(FRIDGE)
    committer.subscribe(f"{UP}/+/entry")
    body = os.urandom(Limits().packet_bytes - 100)

    fridge.publish(f"{UP}/{FRIDGE}/entry", body)

    assert committer.receive().payload == body


def test_an_oversized_packet_closes_the_connection_before_its_bytes_are_read(broker: Running) -> None:
    head = packet(0x32, b"x" * 641 * KIB)[:4]
    with raw(broker, connect_packet(FRIDGE)) as sock:
        assert sock.recv(4) == ACCEPTED
        sock.sendall(head)
        assert read_to_end(sock) == b""


def test_a_stranger_gets_less_room_than_a_client(broker: Running) -> None:
    with raw(broker, packet(0x10, b"x" * 33 * KIB)[:4]) as sock:
        assert read_to_end(sock) == b""


def test_one_connection_too_many_is_closed_until_a_place_is_free(tmp_path: Path) -> None:
    with running(tmp_path, connections=2) as broker, raw(broker, connect_packet(CLINIC)) as clinic:
        assert clinic.recv(4) == ACCEPTED
        with raw(broker, connect_packet(FRIDGE)) as fridge:
            assert fridge.recv(4) == ACCEPTED
            with raw(broker) as third:
                assert read_to_end(third) == b""
        until(lambda: broker.logged(f"client down id={FRIDGE}"))

        with raw(broker, connect_packet(FRIDGE)) as again:
            assert again.recv(4) == ACCEPTED
        assert broker.logged("connections full limit=2")
        assert broker.logged("connections free limit=2")


JUNK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@JUNK
@given(junk=st.binary(min_size=1, max_size=200))
def test_junk_from_a_stranger_gets_no_answer(broker: Running, junk: bytes) -> None:
    with raw(broker, junk) as sock:
        hang_up(sock)
        assert read_to_end(sock) in (b"", b"\x20\x02\x00\x01", b"\x20\x02\x00\x02", b"\x20\x02\x00\x05")


@JUNK
@given(first=st.integers(0, 255), body=st.binary(max_size=200))
def test_any_packet_from_a_client_is_answered_or_ends_its_connection(
    broker: Running, first: int, body: bytes
) -> None:
    with raw(broker, connect_packet(CLINIC), packet(first, body), b"\xc0\x00") as sock:
        hang_up(sock)
        received = read_to_end(sock)
    assert received[:4] in (ACCEPTED, b"")


def test_a_flood_of_junk_leaves_one_line_each_no_traceback_and_no_memory(tmp_path: Path) -> None:
    def flood(count: int) -> int:
        """Return the broker's memory after it has dealt with all of `count` junk connections twice."""
        for number in range(count):
            with raw(broker) as stranger, contextlib.suppress(ConnectionError):
                stranger.sendall(bytes([number % 256]) * 32 * KIB)
            with raw(broker, connect_packet(FRIDGE)) as known, contextlib.suppress(ConnectionError):
                known.sendall(packet(number % 256, os.urandom(20 * KIB)))
        gateway.publish(f"{UP}/{GATEWAY}/entry", b"alive")
        assert gateway.receive().payload == b"alive"
        return broker.rss()

    with running(tmp_path) as broker, clients(broker.client) as client:
        gateway = client(GATEWAY)
        gateway.subscribe(f"{UP}/+/entry")
        before = flood(256)

        after = flood(256)

        assert after - before < 16 * MIB
        # One line for each stranger, two for whoever was let in; one more says that the broker is ready.
        assert len(broker.lines) <= 3 * 512 + 2
        assert not broker.logged("Traceback")


def test_nagle_is_off_on_every_accepted_socket() -> None:
    async def option() -> int:
        accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

        class Watched(EmbeddedBroker):
            async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await accepted.put(writer)
                await super()._connected(reader, writer)

        listener = listen("127.0.0.1", 0)
        broker = Watched(listener, PasswordIsAccountBackwards(), gateway=GATEWAY, limits=Limits())
        await broker.start()
        _, client = await asyncio.open_connection(*listener.getsockname())
        sock = (await accepted.get()).get_extra_info("socket")
        value = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.close()
        await broker.shutdown()
        return int(value)

    assert asyncio.run(option()) != 0


def test_who_asks_and_does_not_read_the_answers_is_in_violation() -> None:
    async def converse() -> None:
        accepted: asyncio.Queue[Wire] = asyncio.Queue()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await accepted.put(Wire(reader, writer, packet_bytes=KIB, unsent_bytes=KIB))

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(accept, sock=listener):
            _, client = await asyncio.open_connection(*listener.getsockname())
            wire = await accepted.get()
            client.write(b"\xc0\x00")
            wire.send(b"x" * 32 * MIB)
            try:
                async for _ in wire.packets():
                    pass
            finally:
                wire.cut()
                client.close()

    with pytest.raises(Violation, match="does not read what it is sent"):
        asyncio.run(asyncio.wait_for(converse(), PATIENCE))


# The parts, without a socket


@given(st.binary(), st.lists(st.integers(1, 50)))
def test_packets_are_cut_alike_however_the_bytes_come(data: bytes, sizes: list[int]) -> None:
    def cut(chunks: list[bytes]) -> list[Frame | str]:
        frames, found = Frames(100), list[Frame | str]()
        try:
            for chunk in chunks:
                found.extend(frames.feed(chunk))
        except Violation as error:
            found.append(str(error))
        return found

    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size

    assert cut([*chunks, data[at:]]) == cut([data])


@given(st.integers(0, 255), st.binary(max_size=300))
def test_reading_any_packet_gives_a_value_or_a_violation(first: int, body: bytes) -> None:
    frame = next(Frames(KIB).feed(packet(first, body)))
    for read in (read_publish, read_puback):
        with contextlib.suppress(Violation):
            read(frame)
    for read_rare in (read_connect, read_subscribe, read_unsubscribe):
        with contextlib.suppress(Violation):
            asyncio.run(read_rare(frame))


@given(st.text(), st.binary(max_size=400), st.integers(0, 1), st.integers(1, 65_535), st.booleans())
def test_a_message_reads_back_as_it_was_written(
    topic: str,
    payload: bytes,
    qos: int,
    packet_id: int,
    retain: bool,  # noqa: FBT001 - drawn
) -> None:
    message = Message(topic, payload, qos, retain)
    (frame,) = Frames(4 * KIB).feed(message.to_bytes(qos=qos, packet_id=packet_id, retain=retain))

    assert read_publish(frame) == (message, packet_id if qos else 0)


LEVELS = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=4)
FILTERS = st.tuples(
    st.lists(st.sampled_from(["a", "b", "", "+"]), min_size=1, max_size=4), st.sampled_from([[], ["#"]])
)


@given(LEVELS, st.lists(FILTERS, max_size=6), st.data())
def test_a_topic_reaches_whom_amqtts_own_matching_says(
    levels: list[str], filters: list[tuple[list[str], list[str]]], data: st.DataObject
) -> None:
    topic, written = "/".join(levels), ["/".join(levels + end) for levels, end in filters]
    routes: Subscriptions[int] = Subscriptions()
    for number, topic_filter in enumerate(written):
        routes.add(number, topic_filter, 1)
    for gone in data.draw(st.sets(st.sampled_from(range(len(written))))) if written else ():
        routes.drop(gone)
        written[gone] = "nobody"

    expected = {n for n, f in enumerate(written) if Broker._matches(None, topic, f)}
    assert set(routes.matching(topic)) == expected


def test_dropping_the_last_subscriber_leaves_nothing_behind() -> None:
    routes: Subscriptions[str] = Subscriptions()
    routes.add("a", "x/+/#", 1)
    routes.add("a", "x/y", 1)

    routes.drop("a")

    assert not routes._root.below
    assert not routes._filters


def test_a_window_opens_again_when_it_is_half_empty() -> None:
    window = Window(4, KIB)
    taken = [window.take(1) for _ in range(4)]
    assert window.full

    window.release(taken[3])
    assert window.full
    window.release(taken[3])
    assert window.full
    window.release(taken[0])

    assert not window.full


def test_a_window_is_full_by_bytes_too_and_one_message_always_fits() -> None:
    window = Window(4, KIB)
    big = window.take(2 * KIB)
    assert window.full

    window.release(big)

    assert not window.full


def test_an_id_in_use_is_not_given_again() -> None:
    window = Window(4, KIB)
    kept = window.take(1)
    for _ in range(70_000):
        packet_id = window.take(1)
        assert packet_id != kept
        assert 1 <= packet_id <= 65_535
        window.release(packet_id)


def test_a_publisher_held_for_want_of_room_is_not_taken_for_silent() -> None:
    wire = cast("Wire", SimpleNamespace(heard=0.0))
    peer = Peer(Greeting(FRIDGE, FRIDGE, keep_alive=10, will=None), wire, Limits())
    assert peer.overdue(15) is None
    assert peer.overdue(16) == "silent"

    peer.held = True

    assert peer.overdue(1000) is None


@given(st.text(max_size=40))
def test_an_account_id_is_26_characters_of_base32(account: str) -> None:
    assert is_account(account) is (
        len(account) == 26 and all(c in "abcdefghijklmnopqrstuvwxyz234567" for c in account)
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    run(
        "127.0.0.1",
        0,
        PasswordIsAccountBackwards(),
        gateway=GATEWAY,
        limits=Limits(**json.loads(sys.argv[1])),
    )

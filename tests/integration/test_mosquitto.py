"""Mosquitto as the gateway keeps it, with real certificates: who comes in, who reaches what, and who never does."""

import contextlib
import os
import queue
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

import pytest

import device.link
from chain import durable, wire
from device.tls import Tls
from gateway import bursts, link, pulse
from gateway.broker.limits import KIB, MIB, Limits
from gateway.link import Link
from provisioning.authority.certificates import bundle, new_key, server
from provisioning.authority.kick import Broker, kick
from tests.lan import (
    ACCEPTED,
    Lan,
    Process,
    another_authority,
    connect_packet,
    now,
    running,
    until,
)
from tests.mqtt import PATIENCE, Client, clients

FRIDGE, CLINIC = "fridge" + "b" * 20, "clinic" + "c" * 20
UP, DOWN = f"{wire.PREFIX}/up", f"{wire.PREFIX}/down"

Clients = Callable[..., Client]


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lan]:
    lan = Lan(tmp_path_factory.mktemp("lan"))
    yield lan
    lan.world.close()


@pytest.fixture(scope="module")
def broker(lan: Lan) -> Iterator[Process]:
    with running(lan.site) as process:
        yield process
        for never in ("BEGIN", "PRIVATE", "secret payload"):
            assert never not in process.log


@pytest.fixture
def client(lan: Lan, broker: Process) -> Iterator[Clients]:
    with clients(lan.client) as make:
        yield make


@pytest.fixture(scope="module")
def fridges(lan: Lan) -> Path:
    return lan.papers.client(FRIDGE)


@pytest.fixture(scope="module")
def clinics(lan: Lan) -> Path:
    return lan.papers.client(CLINIC)


def test_an_entry_goes_up_and_what_the_committer_says_comes_down(
    lan: Lan, client: Clients, fridges: Path
) -> None:
    committer, fridge = client(lan.committer), client(fridges)
    committer.subscribe(wire.UP_ENTRIES)
    fridge.subscribe(f"{DOWN}/{FRIDGE}/#")
    fridge.subscribe(wire.HEAD_TOPIC)

    fridge.publish(f"{UP}/{FRIDGE}/entry", b"secret payload")
    committer.publish(f"{DOWN}/{FRIDGE}/receipt", b"receipt")
    committer.publish(wire.HEAD_TOPIC, b"head", retain=True)

    assert committer.receive().payload == b"secret payload"
    assert [fridge.receive().payload for _ in range(2)] == [b"receipt", b"head"]


def test_the_web_server_hands_in_and_hears_what_it_needs_and_no_more(
    lan: Lan, client: Clients, fridges: Path
) -> None:
    committer, web, fridge = client(lan.committer), client(lan.web), client(fridges)
    committer.subscribe(wire.UP_ENTRIES)
    for topic_filter in (f"{DOWN}/#", f"{UP}/#", pulse.TOPIC):
        web.subscribe(topic_filter)

    web.publish(f"{UP}/{lan.gateway}/entry", b"from a browser")
    web.publish(f"{UP}/{FRIDGE}/entry", b"as somebody else")
    web.publish(f"{DOWN}/{FRIDGE}/entry", b"as the committer")
    web.publish(wire.HEAD_TOPIC, b"as the committer", retain=True)
    fridge.publish(f"{UP}/{FRIDGE}/entry", b"not for the web server")
    fridge.publish(f"{UP}/{FRIDGE}/status", b"online")
    for topic in (f"{DOWN}/{FRIDGE}/entry", f"{DOWN}/{lan.gateway}/receipt", pulse.TOPIC):
        committer.publish(topic, topic.encode())

    assert [committer.receive().payload for _ in range(2)] == [b"from a browser", b"not for the web server"]
    heard = {web.receive().topic for _ in range(3)}
    assert heard == {f"{UP}/{FRIDGE}/status", f"{DOWN}/{lan.gateway}/receipt", pulse.TOPIC}


# An enrolled device


@pytest.mark.parametrize("claimed", [CLINIC, "é", "x" * 300])
def test_a_client_is_who_its_certificate_says_whatever_it_calls_itself(
    lan: Lan, client: Clients, fridges: Path, clinics: Path, claimed: str
) -> None:
    committer, victim = client(lan.committer), client(clinics)
    victim.subscribe(f"{DOWN}/{CLINIC}/#")

    thief = lan.client(fridges, claims=claimed)
    thief.paho.username_pw_set(CLINIC, "a guess")
    thief.connect()
    thief.paho.subscribe(f"{DOWN}/{CLINIC}/#")
    thief.publish(f"{UP}/{CLINIC}/entry")
    committer.publish(f"{DOWN}/{CLINIC}/receipt", b"for the victim")

    assert victim.receive().payload == b"for the victim"
    assert victim.is_up
    assert thief.messages.empty()
    thief.close()


def test_nobody_takes_over_the_gateways_own_clients(lan: Lan, client: Clients, fridges: Path) -> None:
    committer, web = client(lan.committer), client(lan.web)

    for name in (lan.gateway, f"{lan.gateway}.web"):
        client(fridges, claims=name)

    committer.publish(f"{DOWN}/{FRIDGE}/entry")
    web.publish(f"{UP}/{lan.gateway}/entry")
    assert committer.is_up
    assert web.is_up


FORBIDDEN = [
    f"{UP}/{CLINIC}/entry",
    f"{UP}/{CLINIC}/status",
    f"{UP}/{FRIDGE}/other",
    f"{UP}/{FRIDGE}/entry/more",
    f"{DOWN}/{FRIDGE}/receipt",
    f"{DOWN}/{CLINIC}/entry",
    wire.HEAD_TOPIC,
    pulse.TOPIC,
    "elsewhere",
    "$SYS/broker/uptime",
    "$CONTROL/dynamic-security/v1",
]


@pytest.mark.parametrize("retain", [False, True])
def test_what_a_device_publishes_elsewhere_reaches_nobody_and_is_not_kept(
    lan: Lan, client: Clients, fridges: Path, clinics: Path, *, retain: bool
) -> None:
    def audience() -> list[Client]:
        committer, web, clinic = client(lan.committer), client(lan.web), client(clinics)
        committer.subscribe(f"{UP}/#")
        web.subscribe("blockpost/#")
        clinic.subscribe("#")
        return [committer, web, clinic]

    fridge, at_once = client(fridges), audience()

    for topic in FORBIDDEN:
        fridge.publish(topic, b"forged", retain=retain)
    heard = [payload for each in at_once for payload in _drained(each)]
    later = [payload for each in audience() for payload in _drained(each)]

    assert b"forged" not in (*heard, *later)
    fridge.publish(f"{UP}/{FRIDGE}/entry", b"permitted")
    assert fridge.is_up


def _drained(client: Client) -> list[bytes]:
    """What has come so far. A round trip first, so that it is all there."""
    client.subscribe("nothing")
    payloads = []
    with contextlib.suppress(queue.Empty):
        while True:
            payloads.append(bytes(client.messages.get_nowait().payload))
    return payloads


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+/+/+/+/+",
        "blockpost/v1/#",
        f"{DOWN}/{CLINIC}/#",
        f"{DOWN}/+/entry",
        wire.UP_ENTRIES,
        wire.UP_STATUSES,
        pulse.TOPIC,
        f"$share/thieves/{wire.UP_ENTRIES}",
        f"$share/thieves/{DOWN}/{CLINIC}/#",
        "$SYS/#",
    ],
)
def test_a_device_reads_its_own_topics_and_the_head_with_whatever_wildcards(
    lan: Lan, client: Clients, fridges: Path, clinics: Path, topic_filter: str
) -> None:
    committer, fridge, clinic = client(lan.committer), client(fridges), client(clinics)
    committer.subscribe(wire.UP_ENTRIES)
    clinic.subscribe(f"{DOWN}/{CLINIC}/#")
    fridge.subscribe(topic_filter)
    fridge.subscribe(f"{DOWN}/{FRIDGE}/#")

    clinic.publish(f"{UP}/{CLINIC}/entry", b"the clinic's entry")
    clinic.publish(f"{UP}/{CLINIC}/status", b"the clinic's status", retain=True)
    committer.publish(f"{DOWN}/{CLINIC}/receipt", b"for the clinic")
    committer.publish(pulse.TOPIC, b"a pulse")
    committer.publish(f"{DOWN}/{FRIDGE}/receipt", b"the end")

    heard = [fridge.receive()]
    while heard[-1].payload != b"the end":
        heard.append(fridge.receive())
    assert {message.topic for message in heard} <= {f"{DOWN}/{FRIDGE}/receipt", wire.HEAD_TOPIC}
    assert committer.receive().payload == b"the clinic's entry"
    assert clinic.receive().payload == b"for the clinic"


def test_a_device_cannot_fill_the_broker_with_kept_messages(
    broker: Process, client: Clients, fridges: Path
) -> None:
    fridge = client(fridges)
    before = broker.mosquitto.memory_info().rss

    for number in range(100):
        for topic in (f"{UP}/{FRIDGE}/{number}", f"{UP}/{FRIDGE}/status", f"{UP}/{FRIDGE}/entry"):
            fridge.publish(topic, os.urandom(600 * KIB), retain=True)
    for topic in (f"{UP}/{FRIDGE}/status", f"{UP}/{FRIDGE}/entry"):
        fridge.publish(topic, b"", retain=True)

    assert broker.mosquitto.memory_info().rss - before < 16 * MIB


def test_the_longest_parcel_passes_and_a_longer_packet_ends_the_connection(
    lan: Lan, client: Clients, fridges: Path
) -> None:
    committer, fridge = client(lan.committer), client(fridges)
    committer.subscribe(wire.UP_ENTRIES)
    parcel = os.urandom(wire.MAX_PARCEL_BYTES)

    fridge.publish(f"{UP}/{FRIDGE}/entry", parcel)
    assert committer.receive().payload == parcel
    fridge.paho.publish(f"{UP}/{FRIDGE}/entry", os.urandom(Limits().packet_bytes), 1)

    fridge.wait_for("disconnect")
    assert committer.is_up


def test_a_second_connection_of_an_account_takes_over_the_first(
    lan: Lan, client: Clients, fridges: Path
) -> None:
    first = client(fridges)

    second = client(fridges)

    first.wait_for("disconnect")
    assert second.is_up


def test_a_lost_connection_leaves_the_last_will_for_those_who_come_later(
    lan: Lan, client: Clients, fridges: Path
) -> None:
    web, fridge = client(lan.web), lan.client(fridges)
    web.subscribe(f"{UP}/{FRIDGE}/status")
    fridge.paho.will_set(f"{UP}/{FRIDGE}/status", b"gone", 1, retain=True)
    fridge.connect()
    fridge.publish(f"{UP}/{FRIDGE}/status", b"here", retain=True)

    fridge.vanish()
    assert [web.receive().payload for _ in range(2)] == [b"here", b"gone"]
    late = client(lan.web)
    late.subscribe(f"{UP}/{FRIDGE}/status")

    assert late.receive().payload == b"gone"
    fridge.close()


# Strangers


def test_a_stranger_is_turned_away(lan: Lan, broker: Process, fridges: Path) -> None:
    foreign, past = another_authority(), lan.papers.client(FRIDGE, days=-1, name="expired")
    nobody = lan.papers.client(FRIDGE, issuer=foreign, name="of another authority")

    assert lan.admits(fridges)
    assert not lan.admits(None)
    assert not lan.admits(past)
    assert not lan.admits(nobody)
    assert not lan.admits(lan.papers.files.server)


def test_another_authority_of_the_same_name_is_another_one(lan: Lan, broker: Process) -> None:
    namesake = another_authority("ward-7.example")

    assert not lan.admits(lan.papers.client(FRIDGE, issuer=namesake, name="of a namesake"))


def test_without_tls_nothing_is_answered(lan: Lan, broker: Process) -> None:
    with socket.create_connection(lan.address) as plain:
        plain.sendall(connect_packet(FRIDGE))

        answer = b""
        with contextlib.suppress(ConnectionError):
            while data := plain.recv(1024):
                answer += data
    assert answer[:1] in (b"", b"\x15")


def test_old_versions_of_tls_are_not_spoken(lan: Lan, broker: Process, fridges: Path) -> None:
    context = lan.papers.context(fridges)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    assert not lan.admits(None, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_today_are(
    lan: Lan, broker: Process, fridges: Path, version: ssl.TLSVersion
) -> None:
    context = lan.papers.context(fridges)
    context.minimum_version = context.maximum_version = version

    assert lan.admits(None, context)


def test_half_open_handshakes_do_not_keep_an_honest_client_out(
    lan: Lan, broker: Process, fridges: Path, client: Clients
) -> None:
    before = client(lan.committer)
    with contextlib.ExitStack() as strangers:
        for number in range(600):
            stranger = strangers.enter_context(socket.create_connection(lan.address))
            if number % 2:
                stranger.sendall(_hello(lan))

        fridge = client(fridges)

        before.subscribe(wire.UP_ENTRIES)
        fridge.publish(f"{UP}/{FRIDGE}/entry", b"in spite of it")
        assert before.receive().payload == b"in spite of it"


def _hello(lan: Lan) -> bytes:
    """The first message of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    started = lan.papers.context(None).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with contextlib.suppress(ssl.SSLWantReadError):
        started.do_handshake()
    return outgoing.read()


# Revocation


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Lan, Process, Clients]]:
    """A site of the test's own, for what changes its certificates."""
    lan = Lan(tmp_path)
    with running(lan.site) as broker, clients(lan.client) as make:
        yield lan, broker, make
    lan.world.close()


def revoked(lan: Lan, account: str, *paths: Path) -> None:
    """What the authority does: list the certificates, and take the account's place until the list is in force."""
    lan.papers.revoke(*paths)
    place = lan.papers.client(account, days=0.01, name=f"place of {account}").read_bytes()
    assert kick(Broker(*lan.address, lan.papers.files), account, place, Event())


def test_a_revoked_account_is_gone_cannot_come_back_and_nobody_else_notices(
    own: tuple[Lan, Process, Clients],
) -> None:
    lan, _, client = own
    fridges, clinics = lan.papers.client(FRIDGE), lan.papers.client(CLINIC)
    committer, web, clinic = client(lan.committer), client(lan.web), client(clinics)
    committer.subscribe(wire.UP_ENTRIES)
    web.subscribe(wire.UP_STATUSES)
    clinic.subscribe(f"{DOWN}/{CLINIC}/#")
    fridge = lan.client(fridges)
    fridge.paho.will_set(f"{UP}/{FRIDGE}/status", b"gone", 1, retain=True)
    fridge.connect()
    fridge.subscribe(f"{DOWN}/{FRIDGE}/#")

    revoked(lan, FRIDGE, fridges)

    fridge.wait_for("disconnect")
    assert web.receive().payload == b"gone"
    assert not lan.admits(fridges)
    fridge.paho.publish(f"{UP}/{FRIDGE}/entry", b"too late", 1)
    committer.publish(f"{DOWN}/{FRIDGE}/receipt", b"too late")
    clinic.publish(f"{UP}/{CLINIC}/entry", b"undisturbed")
    committer.publish(f"{DOWN}/{CLINIC}/receipt", b"undisturbed")
    assert committer.receive().payload == b"undisturbed"
    assert clinic.receive().payload == b"undisturbed"
    assert fridge.messages.empty()
    assert all(other.is_up for other in (committer, web, clinic))
    fridge.close()


def test_two_lists_signed_in_the_same_second_both_hold(own: tuple[Lan, Process, Clients]) -> None:
    lan, *_ = own
    first, second = lan.papers.client(FRIDGE), lan.papers.client(CLINIC)
    assert lan.admits(first)
    assert lan.admits(second)

    lan.papers.revoke(first)
    until(lambda: not lan.admits(first))
    lan.papers.revoke(second)

    until(lambda: not lan.admits(second))
    assert not lan.admits(first)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_from_before_the_revocation_opens_nothing(
    own: tuple[Lan, Process, Clients], version: ssl.TLSVersion
) -> None:
    lan, *_ = own
    fridges = lan.papers.client(FRIDGE)
    context = lan.papers.context(fridges)
    context.minimum_version = context.maximum_version = version

    def greeted(session: ssl.SSLSession | None) -> tuple[bytes, ssl.SSLSession | None]:
        with (
            socket.create_connection(lan.address) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as connection,
        ):
            connection.sendall(connect_packet(FRIDGE))
            return connection.recv(4), connection.session

    answer, session = greeted(None)
    assert answer == ACCEPTED
    assert greeted(session)[0] == ACCEPTED

    lan.papers.revoke(fridges)
    until(lambda: not lan.admits(fridges))

    with pytest.raises((ssl.SSLError, ConnectionError)):
        greeted(session)


def test_a_list_that_is_damaged_is_not_taken_over_and_the_one_before_stays_in_force(
    own: tuple[Lan, Process, Clients],
) -> None:
    lan, broker, _ = own
    fridges, clinics = lan.papers.client(FRIDGE), lan.papers.client(CLINIC)
    lan.papers.revoke(fridges)
    until(lambda: not lan.admits(fridges))

    lan.papers.files.crl.write_bytes(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    until(lambda: broker.logged("certificates not taken over"))

    assert not lan.admits(fridges)
    assert lan.admits(clinics)


def test_a_revoked_account_with_a_new_certificate_is_a_new_start(own: tuple[Lan, Process, Clients]) -> None:
    lan, *_ = own
    old, new = lan.papers.client(FRIDGE), lan.papers.client(FRIDGE, name="new")

    lan.papers.revoke(old)

    until(lambda: not lan.admits(old))
    assert lan.admits(new)


# A machine in the middle


@pytest.fixture
def middle(lan: Lan) -> Iterator[tuple[socket.socket, ssl.SSLContext]]:
    """Somebody who has the gateway's address, and a certificate for its names from an authority of the same name."""
    key, issuer = new_key(), another_authority("ward-7.example")
    made = server(issuer, key.public_key(), ["ward-7.example"], now())
    path = lan.site.directory / "middle.pem"
    path.write_bytes(bundle(key, [made, issuer.certificate]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener, context


def _committers(lan: Lan, port: int, _folder: Path) -> Link:
    found = link.committers(lan.site, lan.site.key(), lan.world.origin)
    return Link(
        replace(found, port=port), topics=[wire.UP_ENTRIES], on_message=lambda _message, _connection: None
    )


def _devices(lan: Lan, port: int, folder: Path) -> device.link.Link:
    durable.write(folder / "root.crt", lan.papers.files.root.read_bytes())
    durable.write(folder / "tls.pem", lan.papers.client(FRIDGE, name="at home").read_bytes())
    return device.link.Link(
        "127.0.0.1",
        port,
        account=FRIDGE,
        password=lambda: "a secret",
        on_message=lambda _topic, _payload: None,
        on_up=lambda: None,
        tls=Tls(folder),
    )


LINKS = pytest.mark.parametrize("make", [_committers, _devices], ids=["committer", "device"])


@LINKS
def test_a_server_of_another_authority_gets_not_a_byte_of_what_is_said(
    lan: Lan,
    middle: tuple[socket.socket, ssl.SSLContext],
    tmp_path: Path,
    make: Callable[[Lan, int, Path], Link | device.link.Link],
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener, context = middle
    client = make(lan, listener.getsockname()[1], tmp_path)

    client.start()
    for _ in range(2):
        plain, _ = listener.accept()
        with plain, pytest.raises(ssl.SSLError):
            context.wrap_socket(plain, server_side=True).recv(1)

    assert not client.is_up
    client.stop()
    assert "broker not reached" in caplog.text


@LINKS
def test_the_right_server_is_connected_to(
    lan: Lan, broker: Process, tmp_path: Path, make: Callable[[Lan, int, Path], Link | device.link.Link]
) -> None:
    client = make(lan, lan.port, tmp_path)

    client.start()

    until(lambda: client.is_up)
    client.stop()


@LINKS
def test_what_is_to_be_sent_wakes_the_connection(
    lan: Lan,
    client: Clients,
    tmp_path: Path,
    make: Callable[[Lan, int, Path], Link | device.link.Link],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (bursts, device.link):
        monkeypatch.setattr(module, "TURN_SECONDS", 60 * PATIENCE)
    sender = make(lan, lan.port, tmp_path)
    if isinstance(sender, Link):
        topic, listener = wire.down_topic(CLINIC, "receipt"), client(lan.papers.client(CLINIC, name="awake"))
        publish: Callable[[bytes], None] = partial(sender.publish, topic, qos=0)
    else:
        topic, listener = wire.up_topic(FRIDGE, "entry"), client(lan.committer)
        publish = sender.publish
    listener.subscribe(topic)
    sender.start()
    until(lambda: sender.is_up)

    for payload in (b"1", b"2", b"3"):
        # So that its thread waits by then.
        time.sleep(0.2)
        publish(payload)
        assert listener.receive().payload == payload

    sender.stop()
    assert not sender._thread.is_alive()

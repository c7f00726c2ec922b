"""The authority at work: what it answers, what it does by itself, and what is left of it when it is killed."""

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from chain.encoding import b64url
from chain.joincode import JoinCode
from device.tls import Tls
from gateway import expiry, tls
from gateway.authority import (
    MAX_QUESTION_BYTES,
    Answer,
    Authority,
    Certify,
    Denied,
    Lines,
    List,
    NoAuthority,
    Question,
    Refusal,
    Renew,
    Renewable,
    address,
)
from gateway.errors import Busy
from gateway.site import Settings, Site
from provisioning import gateway
from provisioning.authority import cli, kick, listener, root, serve
from provisioning.authority.certificates import bundle, new_key
from provisioning.authority.listener import Listener
from provisioning.authority.office import Office
from provisioning.authority.serve import Pace
from provisioning.site import free_ports
from tests.authority import SEED, Lan, a_lan, asks, certified, csr, leaf_of, revoked_serials
from tests.sites import added, ran, running_site
from tests.world import DAY, World

PATIENCE = 30.0
PASSPHRASE = "a stick in the drawer"


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    with a_lan(tmp_path / "gateway") as lan:
        yield lan


@pytest.fixture
def office(lan: Lan) -> Office:
    return lan.office()


def reason(answer: Answer) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.reason


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


# What it answers


def test_a_live_account_gets_a_certificate_that_holds(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    key = new_key()

    given = certified(office.answer(asks(fridge, key=key)))

    leaf, issuing = x509.load_pem_x509_certificates(given.certificate.encode())
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(lan.root.certificate)
    assert leaf.public_key() == key.public_key()
    assert leaf.subject.rfc4514_string() == f"CN={fridge}"
    assert given.root.encode() == lan.site.certificates.root.read_bytes()
    assert given.crl.encode() == lan.site.certificates.crl.read_bytes()
    assert given.now == given.issued == int(lan.clock().timestamp() * 1000)
    assert (given.until - given.now, given.crl_until - given.now) == (90 * DAY, 30 * DAY)


@pytest.mark.parametrize("cn", ["", "b" * 26, "a" * 27])
def test_a_request_for_another_is_denied(lan: Lan, office: Office, cn: str) -> None:
    fridge = lan.world.device("fridge-2").id

    assert "another account" in reason(office.answer(asks(fridge, cn=cn or lan.world.admin.id)))


def test_who_is_not_on_the_chain_gets_none(lan: Lan, office: Office) -> None:
    assert "no live account" in reason(office.answer(asks(lan.world.stranger("nobody").id)))
    assert "no live account" in reason(office.answer(Renew(lan.world.stranger("nobody").id)))


@pytest.mark.parametrize("text", ["", "AA", "!", "A" * 4096, b64url(csr("a" * 26, new_key())) + "="])
def test_junk_for_a_request_is_refused(lan: Lan, office: Office, text: str) -> None:
    assert "certificate request" in reason(office.answer(Certify(lan.world.admin.id, text)))


def test_who_was_in_a_cupboard_comes_back_by_an_admins_word(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    certified(office.answer(asks(fridge)))
    lan.clock.passes(days=200)
    office.tend()
    assert "ask an admin to renew it" in reason(office.answer(asks(fridge)))

    permit = office.answer(Renew(fridge))
    assert isinstance(permit, Renewable)
    assert permit.until == int(lan.clock().timestamp() * 1000) + DAY
    certified(office.answer(asks(fridge)))

    lan.clock.passes(days=91)
    office.tend()
    assert "ask an admin" in reason(office.answer(asks(fridge)))


def test_an_admins_word_outlives_a_restart(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    certified(office.answer(asks(fridge)))
    lan.clock.passes(days=200)
    office.answer(Renew(fridge))

    certified(lan.office().answer(asks(fridge)))


def test_a_year_of_renewals_leaves_a_short_list(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    for _ in range(12):
        certified(office.answer(asks(fridge)))
        lan.clock.passes(days=60)
        office.tend()

    (holder,) = lan.inventory().holders()
    assert len(holder.leaves) == 1


def test_admins_see_the_newest_certificate_of_each_account_page_by_page(lan: Lan, office: Office) -> None:
    accounts = sorted(lan.world.device(f"fridge-{number}").id for number in range(3))
    for account in accounts:
        certified(office.answer(asks(account)))
    newest = leaf_of(office.answer(asks(accounts[0])))
    office.answer(Renew(accounts[1]))

    first = office.answer(List("", 2))
    assert isinstance(first, Lines)
    assert [line.account for line in first.lines] == accounts[:2]
    assert first.lines[0].serial == f"{newest.serial_number:x}"
    assert [line.renewable is None for line in first.lines] == [True, False]
    second = office.answer(List(first.next or "", 2))
    assert isinstance(second, Lines)
    assert ([line.account for line in second.lines], second.next) == (accounts[2:], None)


def test_before_its_own_making_it_signs_nothing(lan: Lan, office: Office) -> None:
    """A machine without a clock battery that has not found the time yet."""
    fridge = lan.world.device("fridge-2").id
    before = lan.site.certificates.crl.read_bytes(), lan.site.certificates.server.read_bytes()
    lan.clock.now = datetime(1970, 1, 2, tzinfo=UTC)

    office.tend()
    with pytest.raises(Busy, match="clock"):
        office.answer(asks(fridge))

    assert before == (lan.site.certificates.crl.read_bytes(), lan.site.certificates.server.read_bytes())


# What it does by itself


def test_whoever_is_revoked_is_on_the_list_at_the_next_look(lan: Lan, office: Office) -> None:
    fridge, other = lan.world.device("fridge-2").id, lan.world.device("fridge-3").id
    leaves = [leaf_of(office.answer(asks(fridge))) for _ in range(2)]
    certified(office.answer(asks(other)))
    office.follow()
    assert revoked_serials(lan.stock) == [set()]

    lan.world.commit(lan.world.admin.revokes(fridge))
    office.follow()

    assert revoked_serials(lan.stock) == [{leaf.serial_number for leaf in leaves}]
    assert office.to_kick() == [fridge]
    assert "no live account" in reason(office.answer(asks(fridge)))
    assert "no live account" in reason(office.answer(Renew(fridge)))


def test_who_is_not_on_the_chain_of_an_older_backup_is_not_revoked(lan: Lan, tmp_path: Path) -> None:
    stranger = lan.world.device("fridge-2").id
    leaf_of(lan.office().answer(asks(stranger)))
    with World(tmp_path, origin=lan.world.origin) as before_it_joined:
        older = Office(lan.stock, lan.inventory(), before_it_joined.chain, lan.clock)
        older.follow()

    assert revoked_serials(lan.stock) == [set()]
    assert older.to_kick() == []


def test_whoever_was_revoked_while_it_did_not_run_is_on_the_list_when_it_does(lan: Lan) -> None:
    fridge = lan.world.device("fridge-2").id
    leaf = leaf_of(lan.office().answer(asks(fridge)))
    lan.world.commit(lan.world.admin.revokes(fridge))

    again = lan.office()
    again.tend()
    again.follow()

    assert revoked_serials(lan.stock) == [{leaf.serial_number}]
    assert again.to_kick() == [fridge]


def test_what_was_decided_but_not_signed_before_a_crash_is_signed_after_it(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    leaf = leaf_of(office.answer(asks(fridge)))
    unsigned = lan.site.certificates.crl.read_bytes()
    lan.world.commit(lan.world.admin.revokes(fridge))
    office.follow()
    lan.site.certificates.crl.write_bytes(unsigned)

    again = lan.office()
    again.tend()

    assert revoked_serials(lan.stock) == [{leaf.serial_number}]
    assert again.to_kick() == [fridge]


def test_who_was_kicked_is_not_kicked_again_after_a_restart(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    certified(office.answer(asks(fridge)))
    lan.world.commit(lan.world.admin.revokes(fridge))
    office.follow()

    office.kicked(fridge)

    assert office.to_kick() == lan.office().to_kick() == []
    assert len(revoked_serials(lan.stock)[0]) == 1


def test_what_has_ended_leaves_the_list_and_the_inventory(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    certified(office.answer(asks(fridge)))
    lan.world.commit(lan.world.admin.revokes(fridge))
    office.follow()
    office.kicked(fridge)

    lan.clock.passes(days=91)
    office.tend()
    assert revoked_serials(lan.stock) == [set()]
    lan.clock.passes(days=30)
    office.tend()
    assert lan.inventory().holders() == []


def test_it_is_in_force_for_years_without_anybody(lan: Lan, office: Office) -> None:
    """Nothing ends that its own machine needs, whatever the day."""
    for _ in range(150):
        lan.clock.passes(days=7)
        office.tend()
        assert list(expiry.near_ends(lan.site.certificates, lan.clock())) == []


def test_a_list_of_the_revoked_is_signed_daily(lan: Lan, office: Office) -> None:
    ends = []
    for _ in range(3):
        lan.clock.passes(days=1)
        office.tend()
        ends.append(expiry.crl_end(lan.site.certificates).at)

    assert [end - ends[0] for end in ends] == [timedelta(days=number) for number in range(3)]


# Its door


@contextmanager
def a_door(path: Path, answer: Callable[[Question], Answer]) -> Iterator[Path]:
    door = Listener(path, answer)
    door.start()
    try:
        yield path
    finally:
        door.stop()


def say(path: Path, data: bytes) -> bytes:
    with closing(socket.socket(socket.AF_UNIX)) as connection, address(path) as place:
        connection.settimeout(PATIENCE)
        connection.connect(place)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answers:
            return answers.read()


def test_a_question_through_the_door_is_answered(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    with a_door(lan.site.certificates.socket, office.answer) as path:
        authority = Authority(path)
        given = authority.certify(fridge, b64url(csr(fridge, new_key())))
        lines, following = authority.list("", 10)
        with pytest.raises(Denied, match="no live account"):
            authority.renew("z" * 26)
        assert authority.renew(fridge) == given.now + DAY

    assert [line.account for line in lines] == [fridge]
    assert following is None
    with pytest.raises(NoAuthority):
        authority.list("", 1)


def test_the_door_is_the_gateways_own_users_only(lan: Lan, office: Office) -> None:
    with a_door(lan.site.certificates.socket, office.answer) as path:
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_a_directory_may_be_deeper_than_an_address_is_long(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)

    with a_door(deep / "authority.sock", lambda _: Renewable(7)) as path:
        assert Authority(path).renew("a") == 7


def test_a_door_that_a_crash_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "authority.sock"
    with closing(socket.socket(socket.AF_UNIX)) as left, address(path) as place:
        left.bind(place)

    with a_door(path, lambda _: Renewable(7)):
        assert Authority(path).renew("a") == 7


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(min_size=1, max_size=200)
    | st.sampled_from(
        [
            b'{"type":"certify"}\n',
            b'{"type":"certify","account":5,"csr":""}\n',
            b'{"type":"certify","account":"a","csr":"\xff"}\n',
            b'{"type":"list","after":"","limit":"1"}\n',
            b'{"type":"renew","account":"a","more":1}\n',
            b'{"type":"stop"}\n',
            b"[" * 5_000 + b"\n",
        ]
    )
)
def test_junk_at_the_door_is_refused(junk_door: Path, junk: bytes) -> None:
    answered = say(junk_door, junk)

    assert answered.startswith(b'{"type":"refusal"')
    assert answered.count(b"\n") == 1


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_question_without_an_end_is_refused(junk_door: Path, end: bytes) -> None:
    answered = say(junk_door, b"{" * 10 * MAX_QUESTION_BYTES + end)

    assert b"want 16384 bytes at most" in answered


@pytest.fixture(scope="module")
def junk_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    def never(question: Question) -> Answer:
        raise AssertionError(question)

    with a_door(tmp_path_factory.mktemp("door") / "authority.sock", never) as path:
        yield path


def test_who_says_nothing_takes_nobodys_place_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "SECONDS", 0.5)
    silent = [socket.socket(socket.AF_UNIX) for _ in range(3 * listener.THREADS)]
    with a_door(tmp_path / "authority.sock", lambda _: Renewable(7)) as path:
        with address(path) as place:
            for each in silent:
                each.connect(place)
        before = threading.active_count()
        assert Authority(path).renew("a") == 7
        assert threading.active_count() <= before + listener.THREADS
        for each in silent:
            each.close()


def test_what_fails_inside_is_no_answer_and_the_door_stays_open(tmp_path: Path) -> None:
    def fails_once(_question: Question) -> Answer:
        if not failed:
            failed.append(True)
            raise OSError(28, "No space left on device")
        return Renewable(7)

    failed: list[bool] = []
    with a_door(tmp_path / "authority.sock", fails_once) as path:
        with pytest.raises(NoAuthority):
            Authority(path).renew("a")
        assert Authority(path).renew("a") == 7


# Its process


@contextmanager
def running(lan: Lan, **pace: float) -> Iterator[Authority]:
    """The authority in this process, as it runs in its own."""
    stop, ended = threading.Event(), []

    def run() -> None:
        serve.run(lan.site, stop, clock=lan.clock, pace=Pace(**pace))
        ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lan.site.certificates.socket.exists, "it listens")
        yield Authority(lan.site.certificates.socket)
    finally:
        stop.set()
        thread.join()
    assert ended


def test_a_running_authority_renews_and_revokes(lan: Lan) -> None:
    fridge = lan.world.device("fridge-2").id
    server = lan.site.certificates.server.read_bytes()
    with running(lan, tick=0.02, tend=0.05) as authority:
        authority.certify(fridge, b64url(csr(fridge, new_key())))
        lan.world.commit(lan.world.admin.revokes(fridge))
        until(lambda: len(revoked_serials(lan.stock)[0]) == 1, "it is on the list")
        lan.clock.passes(days=60)
        until(lambda: lan.site.certificates.server.read_bytes() != server, "the server has a new one")
        lines, _ = authority.list("", 10)

    assert [(line.account, line.revoked) for line in lines] == [(fridge, True)]


def test_there_is_one_authority(lan: Lan) -> None:
    with running(lan), pytest.raises(Busy, match="another process is at work here"):
        serve.run(lan.site, threading.Event())


def test_what_ends_soon_is_said_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    found = iter([[], ["a in 9 days"], ["a in 9 days"], ["a in 8 days", "b in 9 days"], []])
    warner = serve.Warner(lambda: next(found))

    for _ in range(5):
        warner.look()

    assert [record.getMessage() for record in caplog.records] == [
        "ends soon: a in 9 days",
        "ends soon: a in 8 days",
        "ends soon: b in 9 days",
    ]


def test_killed_at_any_moment_it_leaves_whole_files_and_forgets_no_certificate(tmp_path: Path) -> None:
    with a_lan(tmp_path / "gateway", now=datetime.now(UTC)) as lan:
        accounts = [lan.world.device(f"fridge-{number}").id for number in range(60)]
        handed_out: list[str] = []
        for round_ in range(4):
            mine = accounts[round_ * 15 : round_ * 15 + 15]
            _ask_until_killed(lan, mine, handed_out)
            lan.world.commit(lan.world.admin.revokes(mine[0]))

        listed = {leaf.serial for holder in lan.inventory().holders() for leaf in holder.leaves}
        assert set(handed_out) <= listed
        assert len(handed_out) > 4
        office = lan.office()
        office.tend()
        office.follow()
        assert lan.stock.renew(datetime.now(UTC)) == []
        revoked = {holder.account for holder in lan.inventory().holders() if holder.kick}
        assert revoked <= {accounts[0], accounts[15], accounts[30], accounts[45]}


def _ask_until_killed(lan: Lan, accounts: list[str], handed_out: list[str]) -> None:
    command = [sys.executable, "-m", "provisioning", "authority", "run", str(lan.site.directory)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    authority = Authority(lan.site.certificates.socket)
    try:
        until(lambda: _answers(authority), "it answers")
        killer = threading.Timer(random.uniform(0.05, 0.4), process.kill)
        killer.start()
        for account in accounts:
            given = authority.certify(account, b64url(csr(account, new_key())))
            leaf = x509.load_pem_x509_certificate(given.certificate.encode())
            handed_out.append(f"{leaf.serial_number:x}")
    except NoAuthority:
        pass
    finally:
        process.kill()
        process.wait()


def _answers(authority: Authority) -> bool:
    try:
        authority.list("", 1)
    except NoAuthority:
        return False
    return True


# At the broker

MOSQUITTO = """\
listener {port} 127.0.0.1
cafile {tls}/root.crt
certfile {tls}/server.pem
keyfile {tls}/server.pem
crlfile {tls}/crl.pem
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
"""


@contextmanager
def mosquitto(lan: Lan, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    port = lan.site.settings.mqtt_port
    configuration = folder / "mosquitto.conf"
    configuration.write_text(MOSQUITTO.format(port=port, tls=lan.site.certificates.directory) + "user root\n")
    process = subprocess.Popen(["/usr/sbin/mosquitto", "-c", configuration], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), "mosquitto listens")
        yield process
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Device:
    """A client that comes back whenever it is cut off, as fast as it can."""

    def __init__(self, lan: Lan, office: Office, account: str, folder: Path) -> None:
        key = new_key()
        given = x509.load_pem_x509_certificates(
            certified(office.answer(asks(account, key=key))).certificate.encode()
        )
        (folder / "device.pem").write_bytes(bundle(key, given))
        self.connected = 0
        self.refused = threading.Event()
        self._stop = threading.Event()
        self._port = lan.site.settings.mqtt_port
        self._context = tls.client_context(lan.site.certificates, folder / "device.pem")
        self._account = account
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            client = mqtt.Client(
                CallbackAPIVersion.VERSION2, client_id=self._account, reconnect_on_failure=False
            )
            client.tls_set_context(self._context)
            client.on_connect = self._is_connected
            before = self.connected
            # A server that refuses a certificate says so after the handshake, or by hanging up.
            with suppress(OSError):
                client.connect("127.0.0.1", self._port)
                while client.loop(0.02) == mqtt.MQTT_ERR_SUCCESS and not self._stop.is_set():
                    pass
                client.disconnect()
            if self.connected == before:
                self.refused.set()

    def _is_connected(self, *_: object) -> None:
        self.connected += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def test_whoever_is_revoked_is_off_the_broker_and_stays_off(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with a_lan(tmp_path / "gateway", now=datetime.now(UTC), mqtt_port=port) as lan:
        lan.clock.now = datetime.now(UTC)
        office = lan.office()
        fridge = lan.world.device("fridge-2").id
        with mosquitto(lan, tmp_path) as broker:
            device = Device(lan, office, fridge, tmp_path)
            try:
                until(lambda: device.connected, "the device is connected")
                crl = lan.site.certificates.crl.read_bytes()
                with running(lan):
                    lan.world.commit(lan.world.admin.revokes(fridge))
                    until(lambda: lan.site.certificates.crl.read_bytes() != crl, "it is on the list")
                    # In a gateway the broker's keeper does this.
                    broker.send_signal(1)
                    until(lambda: not lan.inventory().of(fridge).kick, "it is kicked")
                    let_in = device.connected
                    device.refused.clear()
                    until(device.refused.is_set, "it comes back, and is refused")
                    assert device.connected == let_in
            finally:
                device.stop()


def test_a_device_that_an_admin_revokes_is_off_the_broker(tmp_path: Path) -> None:
    """All of it at work: chain, authority, broker, and an account that joined."""
    with running_site(tmp_path, lan=True) as site:
        fridge = added(site, "fridge-2", kind="device").account
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=fridge, reconnect_on_failure=False)
        client.tls_set_context(Tls(site.home("fridge-2")).context(own=True))
        client.connect("127.0.0.1", site.mqtt_port)
        until(lambda: client.loop(0.02) == mqtt.MQTT_ERR_SUCCESS and client.is_connected(), "it is connected")

        site.admin("admin", "revoke", "fridge-2", "--reason", "lost")

        until(lambda: client.loop(0.02) != mqtt.MQTT_ERR_SUCCESS, "it is cut off")
        (line,) = [
            line
            for line in Authority(site.directory / "gateway" / "tls" / "authority.sock").list("", 10)[0]
            if line.account == fridge
        ]
        assert line.revoked


def test_a_place_that_is_taken_back_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker does not know the new list: the device comes back, and the authority says that it failed."""
    monkeypatch.setattr(kick, "PATIENCE_SECONDS", 2.0)
    (port,) = free_ports(1)
    with a_lan(tmp_path / "gateway", now=datetime.now(UTC), mqtt_port=port) as lan:
        lan.clock.now = datetime.now(UTC)
        office = lan.office()
        fridge = lan.world.device("fridge-2").id
        with mosquitto(lan, tmp_path):
            device = Device(lan, office, fridge, tmp_path)
            try:
                until(lambda: device.connected, "the device is connected")
                broker = kick.Broker("127.0.0.1", port, lan.site.certificates)
                assert not kick.kick(broker, fridge, office.pass_for(fridge), threading.Event())
                assert device.connected > 1
            finally:
                device.stop()


def test_where_no_broker_is_nobody_is_kicked_and_it_is_said(
    lan: Lan, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kick, "PATIENCE_SECONDS", 0.3)
    (port,) = free_ports(1)
    broker = kick.Broker("127.0.0.1", port, lan.site.certificates)

    assert not kick.kick(broker, "a" * 26, office.pass_for("a" * 26), threading.Event())


# From the command line


def init(directory: Path, *words: str | Path) -> JoinCode:
    done = ran(gateway.main, "init", directory, "--lan", "--stdin", *words, stdin=f"{PASSPHRASE}\n")
    assert done.code == 0, done.err
    return JoinCode.from_text(done.out.split()[-1])


def test_a_gateway_for_a_lan_is_made_with_everything(tmp_path: Path) -> None:
    code = init(tmp_path / "ward", "--host", "gateway.local", "--host", "192.0.2.7")

    site = Site.load(tmp_path / "ward")
    wanted = Settings(
        hosts=("gateway.local", "192.0.2.7"),
        http_host="0.0.0.0",  # noqa: S104
        mqtt_host="0.0.0.0",  # noqa: S104
        http_port=8443,
        mqtt_port=8883,
    )
    assert site.settings == wanted
    assert (code.host, code.port, code.pin) == ("gateway.local", 8443, site.pin())
    assert code.is_lan
    key = tmp_path / "ward-root.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert root.pin(root.derive(root.read_seed(key, PASSPHRASE))) == code.pin
    assert list(expiry.near_ends(site.certificates, datetime.now(UTC))) == []


def test_without_a_host_it_is_known_by_this_machines_own(tmp_path: Path) -> None:
    init(tmp_path / "ward")

    hosts = Site.load(tmp_path / "ward").settings.hosts
    assert socket.gethostname().lower() in hosts
    assert hosts[0].count(".") == 1 or hosts[0] == socket.gethostname().lower()
    assert not set(hosts) & {"127.0.0.1", "localhost"}


def test_the_sheet_is_printed_or_written_and_opens_the_same_root(tmp_path: Path) -> None:
    done = ran(gateway.main, "init", tmp_path / "a", "--lan", "--stdin", stdin=f"{PASSPHRASE}\n")
    assert root.read_sheet(done.out) == root.read_seed(tmp_path / "a-root.key", PASSPHRASE)

    sheet = tmp_path / "sheet.txt"
    ran(gateway.main, "init", tmp_path / "b", "--lan", "--stdin", "--sheet", sheet, stdin=f"{PASSPHRASE}\n")
    assert root.read_sheet(sheet.read_text()) == root.read_seed(tmp_path / "b-root.key", PASSPHRASE)
    assert sheet.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--root", "{dir}/root.key"), "kept apart"),
        (("--sheet", "{dir}/tls/sheet"), "kept apart"),
        (("--root", "{here}/there.key"), "there is a file already"),
        (("--root", "{here}/none/root.key"), "no such folder"),
        (("--root", "{here}/one", "--sheet", "{here}/one"), "a file each"),
        (("--host", "no host"), "hosts"),
        (("--http-port", "0"), "http_port"),
    ],
)
def test_what_could_not_be_finished_is_not_begun(tmp_path: Path, words: tuple[str, ...], wanted: str) -> None:
    (tmp_path / "there.key").touch()
    said = [word.format(dir=tmp_path / "ward", here=tmp_path) for word in words]

    done = ran(gateway.main, "init", tmp_path / "ward", "--lan", "--stdin", *said, stdin=f"{PASSPHRASE}\n")

    assert done.code == 1
    assert wanted in done.err
    assert not (tmp_path / "ward").exists()


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    done = ran(gateway.main, "init", tmp_path / "ward", "--lan", "--stdin", stdin="short\n")

    assert (done.code, "want 12 characters or more" in done.err) == (1, True)
    assert not (tmp_path / "ward").exists()


@pytest.mark.parametrize("words", [("--host", "x"), ("--stdin",), ("--listen", "127.0.0.1"), ("--root", "x")])
def test_what_only_a_lan_has_is_refused_without_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = ran(gateway.main, "init", tmp_path / "ward", *words)

    assert (done.code, f"{words[0]}: goes with --lan" in done.err) == (1, True)


def sheet_in(folder: Path) -> tuple[str, Path]:
    (folder / "letters").write_text(root.sheet(SEED, "ward7.example", datetime.now(UTC), "00:11"))
    return "--sheet", folder / "letters"


def reissued(lan: Lan, *words: str | Path) -> tuple[int, str]:
    done = ran(cli.main, "reissue", lan.site.directory, *words, stdin=f"{PASSPHRASE}\n")
    return done.code, done.err


@pytest.mark.parametrize("source", ["--root", "--sheet"])
def test_a_new_authority_is_made_from_the_stick_or_from_the_sheet(
    lan: Lan, tmp_path: Path, source: str
) -> None:
    file = tmp_path / "source"
    if source == "--root":
        root.write_seed(file, SEED, PASSPHRASE)
    else:
        file = sheet_in(tmp_path)[1]
    pin, before = lan.site.pin(), lan.stock.signer().certificate

    assert reissued(lan, source, file, "--stdin") == (0, "")

    assert lan.site.pin() == pin
    assert [issuer.certificate == before for issuer in lan.stock.issuers()] == [False, True]
    assert lan.stock.root() == lan.root.certificate
    assert list(expiry.near_ends(lan.site.certificates, datetime.now(UTC))) == []


def test_after_a_break_in_the_old_authority_is_gone(lan: Lan, tmp_path: Path) -> None:
    before = lan.stock.signer().certificate

    reissued(lan, *sheet_in(tmp_path), "--compromised")

    (issuer,) = lan.stock.issuers()
    assert issuer.certificate != before
    (crl,) = lan.stock.crls()
    assert crl.issuer == issuer.certificate.subject


def test_devices_of_before_go_on_after_a_new_authority(tmp_path: Path) -> None:
    """OpenSSL, as the broker has it: the old certificate under the old list, beside the new one."""
    with a_lan(tmp_path / "gateway", now=datetime.now(UTC)) as lan:
        fridge = lan.world.device("fridge-2").id
        given = certified(lan.office().answer(asks(fridge)))
        (tmp_path / "device.crt").write_text(given.certificate)

        reissued(lan, *sheet_in(tmp_path))

        files, device = lan.site.certificates, tmp_path / "device.crt"
        words = f"-CAfile {files.root} -untrusted {device} -crl_check -CRLfile {files.crl} {device}"
        done = subprocess.run(
            ["openssl", "verify", *words.split()], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_lost_certificate_of_the_root_is_made_again(lan: Lan, tmp_path: Path) -> None:
    """Devices hold the old one; it has the same name and key, so that new servers verify under it."""
    old = tmp_path / "old-root.crt"
    old.write_bytes(lan.site.certificates.root.read_bytes())
    for file in lan.site.certificates.directory.iterdir():
        file.unlink()
    lan.site.certificates.directory.rmdir()

    assert reissued(lan, *sheet_in(tmp_path)) == (0, "")

    leaf, issuing, _ = x509.load_pem_x509_certificates(lan.site.certificates.server.read_bytes())
    store = x509.verification.Store([lan.root.certificate])
    verifier = (
        x509.verification.PolicyBuilder().store(store).build_server_verifier(x509.DNSName("gateway.local"))
    )
    verifier.verify(leaf, [issuing])


def test_the_key_of_another_root_is_refused(lan: Lan, tmp_path: Path) -> None:
    (tmp_path / "letters").write_text(root.sheet(bytes(32), "ward7.example", datetime.now(UTC), "00:11"))
    before = lan.site.certificates.issuing.read_bytes()

    code, said = reissued(lan, "--sheet", tmp_path / "letters")

    assert (code, "this is the key of another root" in said) == (1, True)
    assert lan.site.certificates.issuing.read_bytes() == before


def test_there_is_no_new_authority_beside_one_that_runs(lan: Lan, tmp_path: Path) -> None:
    with running(lan):
        code, said = reissued(lan, *sheet_in(tmp_path))

    assert (code, "another process is at work here" in said) == (1, True)


def test_what_root_makes_anew_is_the_services(
    lan: Lan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admin who reissues as root would otherwise keep the gateway's own processes from their certificates."""
    given: set[str] = set()

    def fchown(fd: int, uid: int, gid: int) -> None:
        given.add(Path(f"/proc/self/fd/{fd}").readlink().name.removeprefix(".").removesuffix(".new"))

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", fchown)
    reissued(lan, *sheet_in(tmp_path))

    kept = {
        "authority.lock",
        "issuing.key",
        "issuing.crt",
        "server.pem",
        "committer.pem",
        "web.pem",
        "crl.pem",
    }
    assert kept <= given


def test_the_sheet_can_be_printed_again(lan: Lan, tmp_path: Path) -> None:
    root.write_seed(tmp_path / "root.key", SEED, PASSPHRASE)

    done = ran(
        cli.main,
        "sheet",
        lan.site.directory,
        "--root",
        tmp_path / "root.key",
        "--stdin",
        stdin=f"{PASSPHRASE}\n",
    )

    assert root.read_sheet(done.out) == SEED
    assert "ward7.example" in done.out


def test_the_status_says_who_has_what_until_when(lan: Lan, office: Office) -> None:
    fridge = lan.world.device("fridge-2").id
    certified(office.answer(asks(fridge)))

    done = ran(cli.main, "status", lan.site.directory)

    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == [*expiry.SHORT, "account"]
    assert fridge in done.out.splitlines()[-1]
    assert fridge in ran(cli.main, "status", lan.site.directory, "--json").out


def test_a_gateway_of_one_machine_has_no_authority(tmp_path: Path) -> None:
    ran(gateway.main, "init", tmp_path / "alone")

    done = ran(cli.main, "status", tmp_path / "alone")

    assert (done.code, "serves this machine only" in done.err) == (1, True)

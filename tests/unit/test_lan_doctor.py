"""What a gateway's doctor finds of what a LAN is served with, where nothing runs; and what follows from what it sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chain import durable
from chain.finding import Finding
from gateway import doctor, genesis, lan_doctor, tls
from gateway.broker import keeper
from gateway.errors import BadConfig
from gateway.expiry import End, near_ends
from gateway.site import Settings, Site
from provisioning.site import free_ports
from tests.certificates import Pki, in_days, signed

HOSTS = ("gateway.test", "2001:DB8:0::7")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
QUIET = {"clock", "fsync", "disk"}
"""What depends on the machine that the tests run on."""

WELL = {
    "files": "ok",
    "sqlite": "ok",
    "settings": "ok",
    "key": "ok",
    "chain": "ok",
    "time": "ok",
    "log": "ok",
    "certificates": "ok",
    "root": "ok",
    "names": "ok",
    "addresses": "ok",
    "authority": "warning",
    "mosquitto": "warning",
    "broker": "warning",
    "welcome": "warning",
    "web": "warning",
}
"""Of a gateway that does not run."""


class Lan:
    """A gateway with certificates."""

    def __init__(self, directory: Path) -> None:
        http_port, mqtt_port, welcome_port = free_ports(3)
        settings = Settings(hosts=HOSTS, http_port=http_port, mqtt_port=mqtt_port, welcome_port=welcome_port)
        self.files = tls.Files(directory / "tls")

        def certify(account: str) -> str:
            self.pki = Pki(self.files, account, HOSTS)
            return tls.pin(self.pki.root.certificate)

        genesis.init(directory, settings, name="ward.example", admin="admin", certify=certify)
        self.site = Site.load(directory)

    def found(self) -> dict[str, Finding]:
        """By what was looked at; the worst of several."""
        order = ["ok", "warning", "problem"]
        every = sorted(doctor.examine(self.site.directory), key=lambda each: order.index(each.level))
        return {each.what: each for each in every if each.what not in QUIET}

    def levels(self) -> dict[str, str]:
        return {what: each.level for what, each in self.found().items()}


@pytest.fixture
def lan(tmp_path: Path) -> Lan:
    return Lan(tmp_path / "site")


def test_a_gateway_that_does_not_run_is_well_but_for_that(lan: Lan) -> None:
    assert lan.levels() == WELL


def test_it_says_the_fingerprint_that_people_compare(lan: Lan) -> None:
    assert tls.fingerprint(lan.pki.root.certificate) in lan.found()["root"].detail


@pytest.mark.parametrize("name", ["issuing.key", "server.pem", "web.pem"])
def test_a_key_that_others_may_read_is_a_problem(lan: Lan, name: str) -> None:
    durable.write(lan.files.directory / name, (lan.files.server).read_bytes(), mode=0o644)

    files = lan.found()["files"]

    assert files.level == "problem"
    assert name in (files.fix or "")


def test_without_its_directory_that_is_all_that_is_said_of_it(lan: Lan) -> None:
    lan.files.directory.rename(lan.files.directory.with_name("gone"))

    found = lan.found()

    assert found["certificates"].level == "problem"
    assert "restore it" in (found["certificates"].fix or "")
    assert "mosquitto" not in found


@pytest.mark.parametrize("name", ["server.pem", "root.crt", "crl.pem", "issuing.crt"])
@pytest.mark.parametrize("damage", [None, b"", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_what_cannot_be_read_is_a_problem_and_no_more(lan: Lan, name: str, damage: bytes | None) -> None:
    path = lan.files.directory / name
    path.unlink()
    if damage is not None:
        durable.write(path, damage)

    certificates = lan.found()["certificates"]

    assert certificates.level == "problem"
    assert name in certificates.detail
    assert any(name in words for words in near_ends(lan.files, NOW))


def test_what_ends_soon_is_a_warning_and_what_has_ended_a_problem(lan: Lan) -> None:
    lan.pki.revoke(until=in_days(9.5))
    soon = lan.found()["certificates"]
    lan.pki.serve(HOSTS, until=in_days(-1))
    ended = lan.found()["certificates"]

    assert (soon.level, ended.level) == ("warning", "problem")
    assert "the list of revoked certificates expires in 9 days" in soon.detail
    assert "the server certificate expired on" in ended.detail
    assert "authority renews" in (ended.fix or "")


@pytest.mark.parametrize(
    ("what", "days", "level"),
    [
        ("crl", 10, "ok"),
        ("crl", 9, "warning"),
        ("crl", 0, "problem"),
        ("root", 180, "ok"),
        ("root", 179, "warning"),
    ],
)
def test_somebody_is_told_in_good_time(what: str, days: int, level: str) -> None:
    (found,) = lan_doctor.of_ends([End(what, NOW + timedelta(days=days))], NOW)

    assert found.level == level
    if what == "root" and level != "ok":
        assert "authority reissue" in (found.fix or "")


def test_of_several_lists_the_first_that_ends_counts(lan: Lan) -> None:
    first = lan.files.crl.read_bytes()
    lan.pki.revoke(until=in_days(5))
    durable.write(lan.files.crl, first + lan.files.crl.read_bytes())

    assert "expires in 4 days" in lan.found()["certificates"].detail


def test_a_certificate_for_other_names_is_a_problem(lan: Lan) -> None:
    lan.pki.serve(["other.test"], until=in_days(90))

    names = lan.found()["names"]

    assert names.level == "problem"
    assert "gateway.test, 2001:DB8:0::7" in names.detail


def test_a_certificate_without_names_is_for_nobody(lan: Lan) -> None:
    bare = signed("gateway", lan.pki.issuing, until=in_days(90)).certificate

    assert lan_doctor.said_by(bare) == set()


def test_an_address_that_this_machine_has_no_more_is_a_warning() -> None:
    hosts = ("gateway.test", "192.0.2.7", "2001:db8::7")

    assert lan_doctor.of_addresses(hosts, ["192.0.2.7", "198.51.100.1"]).level == "ok"
    assert lan_doctor.of_addresses(("gateway.test",), []).level == "ok"
    moved = lan_doctor.of_addresses(hosts, ["192.0.2.8"])
    assert moved.level == "warning"
    assert "for 192.0.2.7, but this machine is at 192.0.2.8" in moved.detail


def test_a_configuration_that_was_changed_by_hand_is_found(tmp_path: Path) -> None:
    path = tmp_path / "mosquitto.conf"

    assert lan_doctor.of_text(path, "a", "a") == []
    (changed,) = lan_doctor.of_text(path, "a", "b")
    assert changed.level == "warning"
    assert "not as this version" in changed.detail


@contextmanager
def told(monkeypatch: pytest.MonkeyPatch, reason: str) -> Iterator[None]:
    def installed() -> tuple[str, str]:
        raise BadConfig(reason)

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "installed", installed)
        yield


def test_an_old_or_missing_mosquitto_is_a_problem(lan: Lan, monkeypatch: pytest.MonkeyPatch) -> None:
    with told(monkeypatch, "mosquitto: want version 2.0.0 or newer, got 1.6.9"):
        mosquitto = lan.found()["mosquitto"]

    assert mosquitto.level == "problem"
    assert "1.6.9" in mosquitto.detail
    assert "apt install" in (mosquitto.fix or "")

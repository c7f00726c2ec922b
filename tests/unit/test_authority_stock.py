"""The files in `tls/`: what is due when, and what a crash between two of them leaves."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509

from chain import durable
from gateway.errors import BadConfig
from gateway.tls import Files
from provisioning.authority import stock as stock_module
from provisioning.authority.certificates import hosts_of, new_key, private_pem
from provisioning.authority.stock import Owner, Stock
from tests.authority import NOW, Lan, a_lan, revoked_serials

DAY = timedelta(days=1)


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    with a_lan(tmp_path / "gateway") as lan:
        yield lan


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def read(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


def own(files: Files) -> list[Path]:
    return [files.server, files.committer, files.web]


def test_secrets_are_their_owners_alone(lan: Lan) -> None:
    files = lan.stock.files

    assert mode(files.directory) == 0o700
    assert {mode(path) for path in (*own(files), files.issuing_key)} == {0o600}
    assert {mode(path) for path in (files.root, files.crl)} == {0o644}


def test_each_of_the_gateways_files_holds_the_whole_chain(lan: Lan) -> None:
    issuing = lan.stock.signer().certificate

    for path in own(lan.stock.files):
        leaf, *above = read(path)
        assert above == [issuing, lan.root.certificate]
        assert leaf.issuer == issuing.subject
        assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_the_gateways_clients_are_named_for_its_account(lan: Lan) -> None:
    account = lan.site.key().account
    names = [read(path)[0].subject.rfc4514_string() for path in own(lan.stock.files)[1:]]

    assert names == [f"CN={account}", f"CN={account}.web"]


def test_nothing_is_done_before_it_is_due(lan: Lan) -> None:
    assert lan.stock.renew(NOW) == []
    assert lan.stock.renew(NOW + 60 * DAY - timedelta(seconds=2)) == []


def test_on_day_sixty_all_three_are_new(lan: Lan) -> None:
    before = [path.read_bytes() for path in own(lan.stock.files)]

    done = lan.stock.renew(NOW + 60 * DAY)

    assert len(done) == 3
    assert "server.pem made, good until" in done[0]
    after = [path.read_bytes() for path in own(lan.stock.files)]
    assert not set(before) & set(after)
    assert lan.stock.renew(NOW + 60 * DAY) == []


def test_one_that_a_clock_made_which_has_gone_back_is_made_again(lan: Lan) -> None:
    lan.stock.renew(NOW + 400 * DAY)

    assert len(lan.stock.renew(NOW)) == 3
    assert lan.stock.renew(NOW) == []


@pytest.mark.parametrize("damage", [None, b"", b"nonsense"])
def test_one_that_is_damaged_or_gone_is_made_again(lan: Lan, damage: bytes | None) -> None:
    path = lan.stock.files.server
    path.unlink() if damage is None else path.write_bytes(damage)

    (done,) = lan.stock.renew(NOW)

    assert done.startswith("server.pem")


def test_a_gateway_that_is_found_elsewhere_gets_another_certificate(lan: Lan) -> None:
    moved = Stock(lan.stock.files, Owner(lan.site.key().account, ("192.0.2.99",)))

    assert len(moved.renew(NOW)) == 1
    assert "192.0.2.99" in hosts_of(read(lan.stock.files.server)[0])
    assert moved.renew(NOW) == []


def test_near_the_end_of_its_authority_it_does_not_renew_for_ever(lan: Lan) -> None:
    late = NOW + (5 * 365 - 10) * DAY
    assert len(lan.stock.renew(late)) == 3

    assert lan.stock.renew(late + DAY) == []
    assert (
        read(lan.stock.files.server)[0].not_valid_after_utc
        == lan.stock.signer().certificate.not_valid_after_utc
    )


def test_a_list_is_signed_again_daily(lan: Lan) -> None:
    assert not lan.stock.crl_is_due([], NOW)
    assert not lan.stock.crl_is_due([], NOW + DAY - timedelta(seconds=2))
    assert lan.stock.crl_is_due([], NOW + DAY)
    assert lan.stock.crl_is_due([], NOW + 40 * DAY)


def test_a_list_of_a_clock_that_has_gone_back_is_signed_again(lan: Lan) -> None:
    lan.stock.write_crl([], NOW + 400 * DAY)

    assert lan.stock.crl_is_due([], NOW)


def test_a_list_that_says_something_else_is_signed_again(lan: Lan) -> None:
    assert lan.stock.crl_is_due([(7, NOW)], NOW)

    lan.stock.write_crl([(7, NOW)], NOW)

    assert revoked_serials(lan.stock) == [{7}]
    assert not lan.stock.crl_is_due([(7, NOW)], NOW)
    assert lan.stock.crl_is_due([], NOW)


@pytest.mark.parametrize("damage", [None, b"", b"nonsense"])
def test_a_list_that_is_damaged_or_gone_is_due(lan: Lan, damage: bytes | None) -> None:
    path = lan.stock.files.crl
    path.unlink() if damage is None else path.write_bytes(damage)

    assert lan.stock.crl_is_due([], NOW)


def test_the_lists_count_up_whatever_the_clock_says(lan: Lan) -> None:
    numbers = []
    for now in (NOW, NOW, NOW - 400 * DAY, NOW + DAY):
        lan.stock.write_crl([], now)
        (crl,) = lan.stock.crls()
        numbers.append(crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)

    assert all(one < other for one, other in itertools.pairwise(numbers))


def test_after_a_new_authority_the_old_one_still_holds(lan: Lan) -> None:
    before = lan.stock.signer()

    lan.stock.succeed(lan.root, NOW + DAY, trust_old=True)
    lan.stock.renew(NOW + DAY)
    lan.stock.write_crl([(7, NOW)], NOW + DAY)

    new, old = lan.stock.issuers()
    assert old.certificate == before.certificate
    assert read(lan.stock.files.server)[1] == new.certificate
    assert [crl.issuer for crl in lan.stock.crls()] == [new.certificate.subject, old.certificate.subject]
    assert revoked_serials(lan.stock) == [{7}, {7}]
    for crl, issuer in zip(lan.stock.crls(), (new, old), strict=True):
        assert crl.is_signature_valid(issuer.key.public_key())


def test_an_old_authority_is_dropped_when_nothing_is_under_it_any_more(lan: Lan) -> None:
    lan.stock.succeed(lan.root, NOW + DAY, trust_old=True)

    lan.stock.renew(NOW + 91 * DAY)
    assert len(lan.stock.issuers()) == 2

    done = lan.stock.renew(NOW + 91 * DAY + timedelta(seconds=1))
    assert "dropped" in done[0]
    assert len(lan.stock.issuers()) == 1
    assert lan.stock.crl_is_due([], NOW + 91 * DAY)


def test_after_somebody_broke_in_the_old_one_holds_no_more(lan: Lan) -> None:
    before = lan.stock.signer().certificate

    lan.stock.succeed(lan.root, NOW + DAY, trust_old=False)

    (new,) = lan.stock.issuers()
    assert new.certificate != before
    assert lan.stock.crl_is_due([], NOW + DAY)


def test_a_key_of_another_authority_is_told(lan: Lan) -> None:
    lan.stock.files.issuing_key.write_bytes(private_pem(new_key()))

    with pytest.raises(BadConfig, match=r"issuing\.key: not the key of"):
        lan.stock.signer()


@pytest.mark.parametrize("name", ["issuing.crt", "issuing.key", "root.crt"])
def test_a_damaged_file_is_told(lan: Lan, name: str) -> None:
    (lan.stock.files.directory / name).write_bytes(b"-----BEGIN nonsense-----\nx\n-----END nonsense-----\n")

    with pytest.raises(BadConfig, match=name):
        lan.stock.renew(NOW)


class PowerCut(Exception):
    """The power is gone."""


@pytest.mark.parametrize("written", range(8))
@pytest.mark.parametrize("kind", ["planned", "compromised"])
def test_a_power_cut_during_a_reissue_leaves_what_the_next_look_mends(
    lan: Lan, monkeypatch: pytest.MonkeyPatch, written: int, kind: str
) -> None:
    """After any number of files that were written."""
    left = itertools.count(written, -1)

    def write(path: Path, data: bytes, *, mode: int = 0o600) -> None:
        if next(left) == 0:
            raise PowerCut
        durable.write(path, data, mode=mode)

    with monkeypatch.context() as patch:
        patch.setattr(stock_module, "durable", SimpleNamespace(write=write))
        with pytest.raises(PowerCut):
            reissued(lan, trust_old=kind == "planned")

    lan.stock.renew(NOW + DAY)
    if lan.stock.crl_is_due([], NOW + DAY):
        lan.stock.write_crl([], NOW + DAY)
    signer = lan.stock.signer()
    assert all(read(path)[1] == signer.certificate for path in own(lan.stock.files))
    assert lan.stock.crls()[0].is_signature_valid(signer.key.public_key())
    assert lan.stock.renew(NOW + DAY) == []


def reissued(lan: Lan, *, trust_old: bool) -> None:
    lan.stock.succeed(lan.root, NOW + DAY, trust_old=trust_old)
    lan.stock.renew(NOW + DAY)
    lan.stock.write_crl([], NOW + DAY)

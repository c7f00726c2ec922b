"""`device.crl`: from when until when a revocation list is in force."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateRevocationListBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from chain.errors import Malformed
from device.crl import Crl
from tests.certificates import in_days, signed

KEY = generate_private_key(SECP256R1())


def made(since: datetime, until: datetime) -> str:
    issuer = Name([NameAttribute(NameOID.COMMON_NAME, "authority")])
    builder = CertificateRevocationListBuilder().issuer_name(issuer).last_update(since).next_update(until)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("year", [1999, 2026, 2049, 2050, 2126])
def test_its_times_are_read_in_either_form(year: int) -> None:
    since = datetime(year, 2, 28, 23, 59, 58, tzinfo=UTC)
    until = since + timedelta(days=30)

    assert Crl.from_pem(made(since, until)) == Crl(since.timestamp(), until.timestamp())


@pytest.mark.parametrize(("now", "is_in_force"), [(99, False), (100, True), (199, True), (200, False)])
def test_it_is_in_force_from_one_moment_until_the_other(now: int, is_in_force: bool) -> None:  # noqa: FBT001
    assert Crl(100, 200).is_in_force(now) is is_in_force


def test_a_certificate_is_none() -> None:
    with pytest.raises(Malformed, match="revocation list"):
        Crl.from_pem(signed("somebody", until=in_days(1)).pem.decode())


WHOLE = made(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


@given(st.data())
def test_damage_is_malformed_or_gives_some_times(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    letter = data.draw(st.sampled_from("AQgw+/=-\n0z"))
    try:
        listed = Crl.from_pem(WHOLE[:at] + letter + WHOLE[at + 1 :])
    except Malformed:
        return
    assert isinstance(listed, Crl)


@given(st.text())
@example("-----BEGIN X509 CRL-----\n\n-----END X509 CRL-----")
def test_any_other_text_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="revocation list"):
        Crl.from_pem(text)

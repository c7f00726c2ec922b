"""`device.csr`: a request that others read as ours, and believe."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_csr
from cryptography.x509.oid import NameOID

from device import csr

ACCOUNT = "a2" * 13


def test_another_library_reads_the_name_and_the_key_and_believes_the_signature() -> None:
    key = csr.make_key()

    read = load_der_x509_csr(csr.request(key, ACCOUNT))

    assert read.is_signature_valid
    assert [(name.oid, name.value) for name in read.subject] == [(NameOID.COMMON_NAME, ACCOUNT)]
    public = read.public_key()
    assert isinstance(public, EllipticCurvePublicKey)
    assert public.curve.name == "secp256r1"
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert info == csr.public_info(key)
    assert not list(read.extensions)


def test_openssl_believes_it(tmp_path: Path) -> None:
    file = tmp_path / "request.der"
    file.write_bytes(csr.request(csr.make_key(), ACCOUNT))

    done = subprocess.run(
        ["openssl", "req", "-inform", "DER", "-in", file, "-verify", "-noout", "-subject"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "verify OK" in done.stderr
    assert done.stdout.strip().replace(" ", "") == f"subject=CN={ACCOUNT}"


def test_what_was_changed_on_its_way_is_not_believed() -> None:
    made = csr.request(csr.make_key(), ACCOUNT)

    changed = made.replace(ACCOUNT.encode(), ("b2" * 13).encode())

    assert not load_der_x509_csr(changed).is_signature_valid


def test_each_key_is_another_one() -> None:
    assert csr.public_info(csr.make_key()) != csr.public_info(csr.make_key())

"""`device.root`: a newcomer sends nothing before it has seen the root that its join code names."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Unverified
from chain.joincode import JoinCode
from device import joining, root
from device.client import Home
from device.errors import Insecure, Unreachable
from gateway import tls
from tests.certificates import Pki
from tests.tls_server import Recorder, recording

ACCOUNT = "a2" * 13


def pki(folder: Path) -> tuple[Pki, tls.Files]:
    files = tls.Files(folder)
    return Pki(files, ACCOUNT, ("gateway.test",)), files


@pytest.fixture
def site(tmp_path: Path) -> tuple[Pki, tls.Files]:
    return pki(tmp_path / "tls")


@pytest.fixture
def server(site: tuple[Pki, tls.Files]) -> Iterator[Recorder]:
    with recording(site[1].server) as server:
        yield server


def test_the_certificates_are_shown_and_nothing_is_sent(
    server: Recorder, site: tuple[Pki, tls.Files]
) -> None:
    shown = root.shown("127.0.0.1", server.port)

    authorities = [site[0].issuing.certificate, site[0].root.certificate]
    assert [load_der_x509_certificate(each) for each in shown][1:] == authorities
    assert server.told() == []


def test_the_root_that_is_named_is_kept(
    server: Recorder, site: tuple[Pki, tls.Files], tmp_path: Path
) -> None:
    kept = tmp_path / "root.crt"

    root.find(kept, "127.0.0.1", server.port, tls.pin(site[0].root.certificate))

    assert kept.read_bytes() == site[0].root.pem
    assert server.told() == []


def test_a_root_that_is_kept_is_not_asked_for_again(site: tuple[Pki, tls.Files], tmp_path: Path) -> None:
    kept = tmp_path / "root.crt"
    kept.write_bytes(site[0].root.pem)

    root.find(kept, "127.0.0.1", 1, tls.pin(site[0].root.certificate))


def test_a_root_of_another_gateway_is_replaced(
    server: Recorder, site: tuple[Pki, tls.Files], tmp_path: Path
) -> None:
    kept = tmp_path / "root.crt"
    kept.write_bytes(pki(tmp_path / "other")[0].root.pem)

    root.find(kept, "127.0.0.1", server.port, tls.pin(site[0].root.certificate))

    assert kept.read_bytes() == site[0].root.pem


def test_what_another_gateway_shows_is_not_kept(server: Recorder, tmp_path: Path) -> None:
    kept = tmp_path / "root.crt"

    with pytest.raises(Unverified, match="not the gateway that the join code is for"):
        root.find(kept, "127.0.0.1", server.port, tls.pin(pki(tmp_path / "other")[0].root.certificate))

    assert not kept.exists()


def a_code(server: Recorder, pin: str) -> JoinCode:
    return JoinCode("127.0.0.1", server.port, pin, "b" * 16)


def test_a_machine_in_the_middle_with_another_authority_hears_nothing(
    server: Recorder, tmp_path: Path
) -> None:
    code = a_code(server, tls.pin(pki(tmp_path / "true")[0].root.certificate))
    home = Home(tmp_path / "home")

    with pytest.raises(Unverified, match="not the gateway that the join code is for"):
        joining.join(home, code)

    assert server.told() == []
    assert [path.name for path in home.directory.iterdir()] == []


def test_one_that_shows_the_true_root_beside_its_own_certificate_hears_nothing(
    site: tuple[Pki, tls.Files], tmp_path: Path
) -> None:
    false, files = pki(tmp_path / "false")
    files.server.write_bytes(
        files.server.read_bytes().replace(false.root.pem, b"") + site[0].issuing.pem + site[0].root.pem
    )
    with recording(files.server) as middle:
        code = a_code(middle, tls.pin(site[0].root.certificate))

        with pytest.raises(Insecure, match="not the gateway that was joined"):
            joining.join(Home(tmp_path / "home"), code)

        assert middle.told() == []


def test_one_that_has_another_device_of_the_gateways_certificate_hears_nothing(
    site: tuple[Pki, tls.Files], tmp_path: Path
) -> None:
    enrolled = site[1].web.read_bytes() + site[0].root.pem
    (tmp_path / "enrolled.pem").write_bytes(enrolled)
    with recording(tmp_path / "enrolled.pem") as middle:
        code = a_code(middle, tls.pin(site[0].root.certificate))

        with pytest.raises(Insecure, match="certificate is for other names: none"):
            joining.join(Home(tmp_path / "home"), code)

        assert middle.told() == []


def test_a_server_without_tls_is_told_nothing(tmp_path: Path) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak() -> None:
            connection, _ = listening.accept()
            with connection:
                heard.append(connection.recv(65_536))
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(Insecure, match="does not speak TLS"):
            root.shown("127.0.0.1", listening.getsockname()[1])
        thread.join()

    assert [hello[:1] for hello in heard] == [b"\x16"]  # a TLS handshake


def test_where_nobody_listens_there_is_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unreachable, match="refused"):
        root.find(tmp_path / "root.crt", "127.0.0.1", port, "a" * 52)


@given(st.binary(max_size=400))
def test_what_is_no_certificate_is_not_the_one_that_is_named(junk: bytes) -> None:
    assert not root.is_named(junk, "a" * 52)


def test_a_damaged_certificate_is_not_the_one_that_is_named(tmp_path: Path) -> None:
    made, _ = pki(tmp_path / "tls")
    pin = tls.pin(made.root.certificate)
    der = ssl.PEM_cert_to_DER_cert(made.root.pem.decode())
    at = der.index(
        made.root.certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )

    for place in range(at, at + 65):
        changed = bytearray(der)
        changed[place] ^= 1 + os.urandom(1)[0] % 255
        assert not root.is_named(bytes(changed), pin), place
    assert root.is_named(der, pin)

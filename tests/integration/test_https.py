"""The real web server of a LAN, over real TLS."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import Certificate, load_der_x509_certificate

from chain.encoding import b64url
from gateway import genesis, server, tls, web_worker
from gateway.expiry import certificates
from gateway.site import Settings, Site
from gateway.web_client import connection_to
from provisioning.site import free_ports
from tests.certificates import Pki, in_days
from tests.site import Site as Ward
from tests.site import a_site, key_of

PATIENCE = 30
"""Seconds after which a test gives up on a process."""

HOST = "gateway.test"


class Lan:
    """A gateway with certificates, not running."""

    def __init__(self, directory: Path) -> None:
        http_port, mqtt_port = free_ports(2)
        settings = Settings(hosts=(HOST, "192.0.2.7"), http_port=http_port, mqtt_port=mqtt_port)
        self.code = genesis.init(
            directory, settings, name="ward.example", admin="admin", certify=self._certify(directory)
        )
        self.site = Site.load(directory)

    def _certify(self, directory: Path) -> Callable[[str], str]:
        def certify(account: str) -> str:
            self.pki = Pki(tls.Files(directory / "tls"), account, (HOST, "192.0.2.7"))
            return tls.pin(self.pki.root.certificate)

        return certify

    def ask(self, path: str) -> tuple[int, Any]:
        with closing(connection_to(self.site, PATIENCE)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    @contextmanager
    def running(self, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "gateway.cli", "web", str(self.site.directory)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | environment)
        try:
            self._wait(process)
            yield process
        finally:
            process.kill()
            process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self.ask("/v1/site")
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            else:
                return
        raise AssertionError("it does not answer")

    def chain_shown(self, context: ssl.SSLContext) -> list[Certificate]:
        address = ("127.0.0.1", self.site.settings.http_port)
        with (
            socket.create_connection(address, timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as secure,
        ):
            chain = secure._sslobj.get_unverified_chain()  # type: ignore[attr-defined] # public in 3.13
            return [
                load_der_x509_certificate(ssl.PEM_cert_to_DER_cert(each.public_bytes())) for each in chain
            ]


@pytest.fixture
def lan(tmp_path: Path) -> Lan:
    return Lan(tmp_path / "site")


def test_it_shows_its_certificate_and_both_above_it(lan: Lan) -> None:
    files = lan.site.certificates
    with lan.running():
        shown = lan.chain_shown(tls.client_context(files))
        site = lan.ask("/v1/site")[1]

    assert shown == certificates(files.server)
    assert shown[1:] == [lan.pki.issuing.certificate, lan.pki.root.certificate]
    assert tls.pin(shown[2]) == site["pin"] == lan.code.pin


def test_what_a_browser_needs_to_trust_it_is_there_for_everybody(lan: Lan) -> None:
    with lan.running(), closing(connection_to(lan.site, PATIENCE)) as connection:
        connection.request("GET", "/root.crt")
        answer = connection.getresponse()
        root = answer.read()

    assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
    # It would hold for the plain page of the same name, too, where the root is to be had.
    assert answer.headers["Strict-Transport-Security"] is None
    assert sha256(root).digest().hex(":").upper() == tls.fingerprint(lan.pki.root.certificate)


def test_old_tls_is_refused(lan: Lan) -> None:
    newer, older = (tls.client_context(lan.site.certificates) for _ in range(2))
    newer.maximum_version = ssl.TLSVersion.TLSv1_2
    older.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        older.minimum_version = older.maximum_version = ssl.TLSVersion.TLSv1_1
    with lan.running():
        assert lan.chain_shown(newer)

        with pytest.raises(ssl.SSLError, match="alert"):
            lan.chain_shown(older)


def test_without_tls_it_says_nothing(lan: Lan) -> None:
    with lan.running():
        address = ("127.0.0.1", lan.site.settings.http_port)
        with socket.create_connection(address, timeout=PATIENCE) as plain:
            plain.sendall(b"GET /v1/site HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
            said = b"".join(iter(lambda: plain.recv(4096), b""))

    # A TLS alert at most.
    assert len(said) <= 7
    assert b"HTTP" not in said


def test_it_ends_when_its_certificate_is_renewed_and_comes_back_with_the_new_one(lan: Lan) -> None:
    context = tls.client_context(lan.site.certificates)
    with lan.running() as process:
        before = lan.chain_shown(context)[0]
        renewed = lan.pki.serve((HOST,), until=in_days(180))

        assert process.wait(PATIENCE) == 0

    with lan.running():
        after = lan.chain_shown(context)[0]
    assert after == renewed != before


def test_what_nobody_renews_is_said_in_the_log(
    lan: Lan, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *given: ended.append(given))
    files = lan.site.certificates
    lan.pki.revoke(until=in_days(9.5))
    shown = server.version_of(files.server)
    watch = threading.Thread(target=web_worker._end_when_renewed, args=(files, shown))
    watch.start()
    deadline = time.monotonic() + PATIENCE
    while not caplog.records and time.monotonic() < deadline:
        time.sleep(0.05)
    lan.pki.serve((HOST,), until=in_days(90))
    watch.join(PATIENCE)

    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "the list of revoked certificates expires in 9 days" in warning.getMessage()
    assert ended == [(os.getppid(), signal.SIGTERM)]


def test_whoever_never_finishes_a_handshake_keeps_nobody_out(lan: Lan) -> None:
    with lan.running(), ExitStack() as stack:
        address = ("127.0.0.1", lan.site.settings.http_port)
        for _ in range(600):
            silent = stack.enter_context(socket.create_connection(address, timeout=PATIENCE))
            silent.sendall(b"\x16\x03\x01\x02\x00\x01")

        assert lan.ask("/v1/site")[0] == 200


def test_it_asks_itself_over_tls_and_tells_the_service_manager(lan: Lan, tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        with lan.running(NOTIFY_SOCKET=str(tmp_path / "notify")):
            heard = [manager.recv(64) for _ in range(2)]

    assert heard == [b"READY=1", b"WATCHDOG=1"]


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with a_site(tmp_path) as made:
        yield made


def test_a_session_over_tls_is_never_sent_without(ward: Ward) -> None:
    shown = {"handle": "alice", "key": b64url(key_of(ward.alice))}

    answer = ward.app.test_client().post("/login", base_url="https://gateway.test", json=shown)

    assert "; Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("origin", "status"), [("https://gateway.test", 200), ("http://gateway.test", 403), ("null", 403)]
)
def test_a_plain_page_of_the_same_name_is_another_site(ward: Ward, origin: str, status: int) -> None:
    answer = ward.app.test_client().post(
        "/v1/login/salt", base_url="https://gateway.test", json={"handle": "bob"}, headers={"Origin": origin}
    )

    assert answer.status_code == status, answer.text

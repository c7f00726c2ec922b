"""The welcome page: what it says, and what it withstands."""

import asyncio
import http.client
import plistlib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from chain import durable
from gateway import genesis, tls, welcome
from gateway.errors import BadConfig
from gateway.expiry import certificates
from gateway.site import Settings, Site
from gateway.welcome import MAX_BYTES, MOST, Welcome, cannot_listen
from provisioning.site import free_ports
from tests.certificates import Pki, signed

PATIENCE = 30
HOSTS = ("gateway.test", "192.0.2.7", "2001:db8::7")


def a_gateway(directory: Path) -> Site:
    """One that serves a LAN."""
    http_port, mqtt_port, welcome_port = free_ports(3)
    settings = Settings(hosts=HOSTS, http_port=http_port, mqtt_port=mqtt_port, welcome_port=welcome_port)

    def certify(account: str) -> str:
        return tls.pin(Pki(tls.Files(directory / "tls"), account, HOSTS).root.certificate)

    genesis.init(directory, settings, name="ward.example", admin="admin", certify=certify)
    return Site.load(directory)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return a_gateway(tmp_path_factory.mktemp("made") / "site")


@pytest.fixture
def offered(made: Site) -> Welcome:
    return Welcome(made.certificates, made.settings, "ward.example/xyz")


@contextmanager
def running(site: Site) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gateway.cli", "welcome", str(site.directory)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture(scope="module")
def open_to_all(made: Site) -> Iterator[Site]:
    with running(made):
        until(lambda: is_open(made))
        yield made


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"nothing within {PATIENCE} s"
        time.sleep(0.05)


def is_open(site: Site) -> bool:
    try:
        socket.create_connection(("127.0.0.1", site.settings.welcome_port)).close()
    except OSError:
        return False
    return True


def asked(site: Site, method: str, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.settings.welcome_port, timeout=PATIENCE)
    with closing(connection):
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response, response.read()


def root(site: Site) -> Certificate:
    return certificates(site.certificates.root)[0]


def page(site: Site, **headers: str) -> str:
    response, body = asked(site, "GET", "/", **headers)
    assert response.status == 200
    return body.decode()


def test_it_says_the_fingerprint_and_the_way_to_the_gateway(open_to_all: Site) -> None:
    pairs = tls.fingerprint(root(open_to_all)).split(":")
    text = page(open_to_all)

    assert " ".join(f"<span>{pair}</span>" for pair in pairs) in text
    assert f'href="https://gateway.test:{open_to_all.settings.http_port}/"' in text
    assert "ward.example" in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:80", "192.0.2.7"),
        ("GATEWAY.test", "gateway.test"),
        ("[2001:db8::7]:80", "[2001:db8::7]"),
        ("elsewhere.test", "gateway.test"),
        ('"><b>', "gateway.test"),
    ],
)
def test_the_way_is_the_one_that_the_visitor_came_if_the_certificate_knows_it(
    offered: Welcome, said: str, host: str
) -> None:
    text = offered.answer(f"GET / HTTP/1.1\r\nHost: {said}\r\n\r\n".encode()).decode()

    assert f'href="https://{host}:{offered.settings.http_port}/"' in text
    assert "<b>" not in text.partition("\r\n\r\n")[0]


def test_the_certificate_comes_in_the_two_forms_that_systems_install(open_to_all: Site) -> None:
    der = root(open_to_all).public_bytes(Encoding.DER)

    plain, certificate = asked(open_to_all, "GET", "/root.crt")
    apple, profile = asked(open_to_all, "GET", "/root.mobileconfig")

    assert (plain.headers["Content-Type"], certificate) == ("application/x-x509-ca-cert", der)
    assert apple.headers["Content-Type"] == "application/x-apple-aspen-config"
    (payload,) = plistlib.loads(profile)["PayloadContent"]
    assert (payload["PayloadType"], payload["PayloadContent"]) == ("com.apple.security.root", der)
    assert asked(open_to_all, "GET", "/root.mobileconfig")[1] == profile


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/?utm=1", 200),
        ("GET", "/healthz", 404),
        ("GET", "/v1/site", 404),
        ("GET", "//", 404),
        ("GET", "/tls/issuing.key", 404),
        ("POST", "/", 405),
        ("DELETE", "/root.crt", 405),
        ("POST", "/login", 404),
    ],
)
def test_it_has_nothing_else(open_to_all: Site, method: str, path: str, status: int) -> None:
    response, body = asked(open_to_all, method, path)

    assert response.status == status
    assert response.headers["Connection"] == "close"
    assert status == 200 or response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (response.headers["Allow"] == "GET, HEAD") == (status == 405)
    assert status == 200 or body.startswith(str(status).encode())


def test_head_is_get_without_the_body(open_to_all: Site) -> None:
    head, nothing = asked(open_to_all, "HEAD", "/root.crt")
    got, body = asked(open_to_all, "GET", "/root.crt")

    assert nothing == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"] == str(len(body))


def said_to(site: Site, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", site.settings.welcome_port), timeout=PATIENCE) as plain:
        plain.sendall(request)
        plain.shutdown(socket.SHUT_WR)
        try:
            return b"".join(iter(lambda: plain.recv(65536), b""))
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00" + bytes(200),
        b"GET / HTTP/1.1\r\n" + b"A: " + bytes(2 * MAX_BYTES),
    ],
)
def test_what_is_no_request_gets_no_page(open_to_all: Site, request_: bytes) -> None:
    answer = said_to(open_to_all, request_)

    assert answer.partition(b"\r\n")[0] in {
        b"",
        b"HTTP/1.1 400 Bad Request",
        b"HTTP/1.1 431 Request Header Fields Too Large",
    }
    assert "Blockpost" in page(open_to_all)


def test_whoever_says_nothing_keeps_nobody_else_out(open_to_all: Site) -> None:
    address = ("127.0.0.1", open_to_all.settings.welcome_port)
    with ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(address, timeout=PATIENCE)) for _ in range(3 * MOST)
        ]
        for each in silent:
            # The first of them make room for the later ones.
            with suppress(ConnectionError):
                each.sendall(b"GET / HTTP/1.1\r\n")

        assert "Blockpost" in page(open_to_all)
        assert has_ended(silent[0])


def has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_whoever_takes_too_long_is_left(offered: Welcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(welcome, "SECONDS", 0.05)

    async def visit() -> bytes:
        server = await asyncio.start_server(offered._meet, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"GET / HT")
            said = await reader.read()
            writer.close()
            return said

    assert asyncio.run(asyncio.wait_for(visit(), PATIENCE)) == b""
    assert not offered._open


def test_a_new_root_is_offered_at_once(made: Site) -> None:
    welcomed = Welcome(made.certificates, made.settings, "ward.example/xyz")
    before = made.certificates.root.read_bytes()
    other = signed("Blockpost root", until=root(made).not_valid_after_utc, authority=True)
    try:
        durable.write(made.certificates.root, other.pem)
        after = welcomed.answer(b"GET /root.crt HTTP/1.1\r\n\r\n")
        made.certificates.root.unlink()
        without = welcomed.answer(b"GET /root.crt HTTP/1.1\r\n\r\n")
    finally:
        durable.write(made.certificates.root, before)

    assert after.endswith(ssl.PEM_cert_to_DER_cert(other.pem.decode()))
    assert without.startswith(b"HTTP/1.1 503 ")


def test_a_port_that_is_taken_is_said_and_tried_again(tmp_path: Path) -> None:
    site = a_gateway(tmp_path / "site")
    address = ("127.0.0.1", site.settings.welcome_port)
    with socket.create_server(address), running(site) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if b"welcome page" in line).decode()

        assert "WARNING" in line
        assert f"port {site.settings.welcome_port}" in line
        assert process.poll() is None


def test_it_tells_the_service_manager_even_without_its_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_gateway(tmp_path / "site")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        with socket.create_server(("127.0.0.1", site.settings.welcome_port)), running(site):
            heard = {manager.recv(64) for _ in range(2)}

    assert heard == {b"READY=1", b"WATCHDOG=1"}


def test_a_port_that_takes_a_right_is_explained() -> None:
    said = cannot_listen(PermissionError(13, "Permission denied"), 80)

    assert "port 80 takes a right" in said
    assert "provision systemd" in said


def test_a_gateway_without_certificates_has_no_welcome_page(tmp_path: Path) -> None:
    genesis.init(tmp_path / "site", Settings(), name="ward.example", admin="admin")

    with pytest.raises(BadConfig, match="no certificate to offer"):
        welcome.run(Site.load(tmp_path / "site"))

"""The real web server in a process of its own, and the real way from it to the committer."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chain import entry, token, wire
from chain.author import Author
from chain.encoding import b64url
from chain.entry import Account, Contact
from chain.identity import SealingKey, SigningKey, account_id
from chain.joincode import JoinCode
from chain.receipt import Receipt
from gateway import genesis
from gateway.rest.documents import MOST_BODIES
from gateway.site import Settings, Site

PATIENCE = 30
"""Seconds after which a test gives up on a process."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def made(tmp_path: Path) -> tuple[Site, JoinCode]:
    settings = Settings(http_port=free_port(), mqtt_port=free_port())
    code = genesis.init(tmp_path / "site", settings, name="ward.example", admin="admin")
    return Site.load(tmp_path / "site"), code


@contextmanager
def running(site: Site, part: str = "web") -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gateway.cli", part, str(site.directory)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(found: Callable[[], Any]) -> Any:
    """What `found` finds, once it does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (it := found()) is not None:
            return it
        time.sleep(0.05)
    raise AssertionError(f"nothing within {PATIENCE} s")


def ask(site: Site, method: str, path: str, *, document: Any = None, bearer: str = "") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", site.settings.http_port, timeout=PATIENCE)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    try:
        connection.request(method, path, wire.encode(document) if document else None, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def answered(site: Site) -> int | None:
    try:
        return ask(site, "GET", "/v1/site")[0]
    except (OSError, http.client.HTTPException):
        return None


def workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class Newcomer:
    """The first admin, who writes entries by hand."""

    def __init__(self, site: Site, code: JoinCode) -> None:
        secret = Ed25519PrivateKey.generate()
        self.key = SigningKey(b64url(secret.public_key().public_bytes_raw()))
        self.sign = secret.sign
        self.account = account_id(self.key)
        self.code = code.code
        chain = site.read_chain()
        self.origin, self.gateway = chain.origin, chain.key
        self.seen = chain.verified(chain.checkpoint()).seen
        (invite,) = chain.state.invites()
        self.invite = invite.id
        chain.close()
        self.author = Author(
            origin=self.origin,
            account=self.account,
            stream=entry.new_stream(os.urandom),
            kid=self.key.thumbprint,
            sign=self.sign,
        )

    def joins(self) -> wire.Parcel:
        return self.author.parcel(
            Account,
            seq=1,
            at=_now(),
            seen=self.seen,
            kind="person",
            role="admin",
            sign=self.key,
            seal=SealingKey(b64url(b"\xc0" + os.urandom(382) + b"\x01")),
            invite=self.invite,
            code=self.code,
        )

    def befriends_nobody(self) -> wire.Parcel:
        return self.author.parcel(Contact, seq=2, at=_now(), seen=self.seen, action="request", peer="a" * 26)

    def token(self) -> str:
        audience = token.audience(self.origin, token.REST)
        return token.make(
            self.account, audience=audience, now=time.time(), kid=self.key.thumbprint, signer=self.sign
        )


def _now() -> int:
    return time.time_ns() // 1_000_000


def test_it_stops_when_told_to_with_a_stream_open(made: tuple[Site, JoinCode]) -> None:
    site, _ = made
    key = site.key()
    with running(site) as process:
        until(lambda: answered(site))
        chain = site.read_chain()
        audience = token.audience(chain.origin, token.REST)
        chain.close()
        bearer = token.make(key.account, audience=audience, now=time.time(), kid=key.kid, signer=key.sign)
        stream = http.client.HTTPConnection("127.0.0.1", site.settings.http_port, timeout=PATIENCE)
        stream.request("GET", "/v1/events", headers={"Authorization": f"Bearer {bearer}"})
        told = stream.getresponse()
        assert told.readline() == b"retry: 2000\n"

        process.terminate()

        while told.readline():
            pass
        assert process.wait(PATIENCE) == 0
        stream.close()


def test_killed_it_leaves_no_worker_behind_and_another_can_take_its_place(
    made: tuple[Site, JoinCode],
) -> None:
    site, _ = made
    with running(site) as process:
        until(lambda: answered(site))
        left = workers(process)
        assert left
        process.kill()
        process.wait()

        until(lambda: all(map(has_ended, left)) or None)

    with running(site):
        assert until(lambda: answered(site)) == 200


def test_it_ends_when_its_worker_is_killed_so_that_it_is_started_again(made: tuple[Site, JoinCode]) -> None:
    site, _ = made
    with running(site) as process:
        until(lambda: answered(site))
        (worker,) = workers(process)

        worker.send_signal(signal.SIGKILL)

        assert process.wait(PATIENCE) == 1


def test_it_does_not_share_a_port(made: tuple[Site, JoinCode]) -> None:
    site, _ = made
    with running(site):
        until(lambda: answered(site))

        with running(site) as second:
            assert second.wait(PATIENCE) == 1

        assert answered(site) == 200


def test_senders_that_never_finish_do_not_keep_others_from_reading(made: tuple[Site, JoinCode]) -> None:
    site, _ = made
    half = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    with running(site):
        until(lambda: answered(site))
        senders = [socket.create_connection(("127.0.0.1", site.settings.http_port)) for _ in range(300)]
        for sender in senders:
            sender.sendall(half)

        # All that are not waited for are told to come back later.
        until(lambda: len(select.select(senders, [], [], 0)[0]) == len(senders) - MOST_BODIES or None)
        status = answered(site)

        for sender in senders:
            sender.close()
    assert status == 200


def test_without_a_committer_an_entry_is_undecided(made: tuple[Site, JoinCode]) -> None:
    site, code = made
    newcomer = Newcomer(site, code)
    with running(site):
        until(lambda: answered(site))

        status, problem = ask(site, "POST", "/v1/accounts", document=newcomer.joins())

    assert status == 503
    assert problem["type"] == "urn:blockpost:problem:undecided"


def test_an_entry_goes_all_the_way_and_its_receipt_or_refusal_comes_back(made: tuple[Site, JoinCode]) -> None:
    site, code = made
    newcomer = Newcomer(site, code)
    parcel = newcomer.joins()

    def joined() -> dict[str, Any] | None:
        status, document = ask(site, "POST", "/v1/accounts", document=parcel)
        return document if status == 201 else None

    with running(site, "run") as supervisor:
        until(lambda: answered(site))
        receipted = until(joined)
        status, problem = ask(
            site, "POST", "/v1/entries", document=newcomer.befriends_nobody(), bearer=newcomer.token()
        )
        supervisor.terminate()
        supervisor.wait(PATIENCE)

    proof = Receipt.from_text(receipted["receipt"])
    proof.verify(parcel.entry.encode(), origin=newcomer.origin, key=newcomer.gateway)
    assert (status, problem["rule"]) == (409, "unknown")
    refusal = wire.read_refusal(problem["refusal"].encode(), key=newcomer.gateway, origin=newcomer.origin)
    assert refusal.rule == "unknown"

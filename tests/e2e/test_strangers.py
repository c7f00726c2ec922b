"""
Must hold: a stranger cannot join without a code, learn which handles exist, or wear the gateway down.

Strangers are at many addresses of loopback. To the gateway that is one network, as a ward behind one router is.
"""

import http.client
import json
import os
import secrets
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import count, islice
from typing import Any

import pytest

from chain import entry, merkle, wire
from chain.author import Author
from chain.chain import Chain
from chain.encoding import b64url, digest, unb64url
from chain.entry import Account, Seen
from chain.identity import SealingKey, account_id
from chain.joincode import JoinCode, code_hash, new_code
from device import password
from device.client import now_ms
from device.keys import SigningSecret
from gateway.tls import Files, client_context
from provisioning.site import Site
from tests.sites import BOTH_KINDS, added, client_of, invited, processes_of, running_site

BAD = 10_000
"""Joins, and as many logins."""

THREADS = 4
OF_ONE = 25
"""Requests from one address; then the next one tries."""

MIB = 2**20
BOUND = 48 * MIB
"""What web server, committer and broker may grow by together: what is kept of a try is a few dozen bytes."""

OFTEN = 20
SECRET = "a good long password"
AT_HOME = "127.0.0.1"

Ask = tuple[str, bytes]
"""A path, and the body that is posted there."""


pytestmark = BOTH_KINDS


@cache
def trusting(site: Site) -> ssl.SSLContext:
    """Anybody may have the root's certificate: it is on the welcome page."""
    return client_context(Files(site.directory / "gateway" / "tls"))


class Talk:
    """Requests from one address of loopback, over one connection."""

    def __init__(self, site: Site, address: str) -> None:
        source, port = (address, 0), site.http_port
        self._connection = (
            http.client.HTTPSConnection(AT_HOME, port, source_address=source, context=trusting(site))
            if site.lan
            else http.client.HTTPConnection(AT_HOME, port, source_address=source)
        )

    def post(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers but for the time of day, and body."""
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() != "date"}
        return answer.status, headers, answer.read()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, *, lan: bool) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), lan=lan) as site:
        added(site, "dr.lee")
        added(site, "fridge", kind="device")
        site.admin("admin", "link", "fridge", "dr.lee")
        site.set_password("dr.lee", SECRET)
        yield site


@pytest.fixture(scope="module", autouse=True)
def dr_lee(site: Site) -> dict[str, str]:
    """What dr.lee's browser makes of the password. It logged in from home before there were strangers."""
    _, _, answer = asked(site, AT_HOME, "/v1/login/salt", {"handle": "dr.lee"})
    keys = password.derive(SECRET, unb64url(json.loads(answer)["salt"]))
    shown = {"handle": "dr.lee", "key": b64url(keys.auth)}
    assert asked(site, AT_HOME, "/login", shown)[0] == 200
    return shown


@pytest.fixture(scope="module")
def code(site: Site) -> JoinCode:
    """For somebody who has not come yet."""
    return invited(site, "newcomer")


def addresses() -> Iterator[str]:
    """65,000 strangers."""
    for number in count(1):
        yield f"127.{66 + number // 65_536}.{number // 256 % 256}.{number % 256}"


def asked(site: Site, address: str, path: str, document: Any) -> tuple[int, dict[str, str], bytes]:
    with closing(Talk(site, address)) as talk:
        return talk.post(path, json.dumps(document).encode())


def stranger_account(origin: str, *, invite: str | None, code: str | None) -> bytes:
    """A well-formed account entry with keys of its own, as a parcel."""
    secret = SigningSecret.make()
    author = Author(
        origin=origin,
        account=account_id(secret.public),
        stream=entry.new_stream(secrets.token_bytes),
        kid=secret.public.thumbprint,
        sign=secret.sign,
    )
    parcel = author.parcel(
        Account,
        seq=1,
        at=now_ms(),
        seen=Seen(size=0, root=b64url(merkle.EMPTY_ROOT)),
        kind="person",
        role="member",
        sign=secret.public,
        seal=SealingKey(b64url(b"\xc0" + os.urandom(382) + b"\x01")),
        invite=invite,
        code=code,
    )
    return wire.encode(parcel)


def bad_joins(site: Site, code: JoinCode) -> list[Ask]:
    """Codes that nobody gave out, by themselves and with an account; for no invite, and for one that is there."""
    with closing(Chain.open(site.chain_file)) as chain:
        origin = chain.origin
        invite = chain.state.invite_by_hash(code_hash(code.code))
    assert invite is not None
    guesses = [new_code(secrets.token_bytes) for _ in range(50)]
    return [
        *(("/v1/invites", json.dumps({"code": guess}).encode()) for guess in guesses),
        *(("/v1/accounts", stranger_account(origin, invite=invite.id, code=guess)) for guess in guesses),
        *(("/v1/accounts", stranger_account(origin, invite=None, code=None)) for _ in guesses),
    ]


def bad_logins() -> list[Ask]:
    """Guesses at the password of somebody who is there, and of as many who are not; and their salts."""
    handles = ["dr.lee", "admin", *(f"nobody-{number}" for number in range(100))]
    keys = [{"handle": handle, "key": b64url(os.urandom(32))} for handle in handles]
    return [
        *(("/login", json.dumps(each).encode()) for each in keys),
        *(("/v1/login/salt", json.dumps({"handle": handle}).encode()) for handle in handles),
    ]


class Flood:
    """Strangers who try one after the other what is in `asks`: so many times in all, or until they are stopped."""

    def __init__(self, site: Site, asks: Sequence[Ask], times: int | None = None) -> None:
        self.statuses: Counter[int] = Counter()
        self._site = site
        self._asks = asks
        self._left = iter(range(times)) if times else count()
        self._stopped = threading.Event()
        self._addresses = addresses()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self.wait()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            with self._lock:
                numbers = list(islice(self._left, OF_ONE))
                address = next(self._addresses)
            if not numbers:
                return
            with closing(Talk(self._site, address)) as talk:
                statuses = [talk.post(*self._asks[number % len(self._asks)])[0] for number in numbers]
            with self._lock:
                self.statuses.update(statuses)


def on_disk(site: Site) -> dict[str, bytes]:
    """A digest of each file and of the log, but for indexes of write-ahead logs: in those, readers note how far they are."""
    files = [*(site.directory / "gateway").rglob("*"), site.directory / "gateway.log"]
    return {
        str(file): digest(file.read_bytes())
        for file in files
        if file.is_file() and not file.name.endswith("-shm")
    }


def memory(site: Site) -> dict[str, int]:
    """Bytes that each part of the gateway holds."""
    return {
        part: sum(process.memory_info().rss for process in processes_of(site, part))
        for part in ("web", "commit", "broker")
    }


def test_nobody_is_told_which_handles_exist(site: Site) -> None:
    def salts(handle: str) -> tuple[tuple[int, dict[str, str], bytes], ...]:
        return tuple(asked(site, AT_HOME, "/v1/login/salt", {"handle": handle}) for _ in range(2))

    def login(handle: str) -> tuple[int, dict[str, str], bytes]:
        return asked(site, AT_HOME, "/login", {"handle": handle, "key": b64url(bytes(32))})

    (there, again), (made_up, same) = salts("dr.lee"), salts("nobody")
    assert there == again
    assert made_up == same
    assert (made_up[0], made_up[1].keys(), len(made_up[2])) == (there[0], there[1].keys(), len(there[2]))
    assert made_up[2] != salts("nobody-else")[0][2]
    assert login("nobody") == login("dr.lee")
    assert login("nobody")[0] == 401


def test_nobody_joins_without_a_code(site: Site, code: JoinCode) -> None:
    before = on_disk(site)

    for path, body in bad_joins(site, code)[::10]:
        with closing(Talk(site, AT_HOME)) as talk:
            status, _, answer = talk.post(path, body)
        assert (status, json.loads(answer).get("rule")) in ((403, "invite"), (404, None), (429, None)), answer

    assert on_disk(site) == before


def test_ten_thousand_bad_joins_and_logins_write_nothing_and_fill_nothing(site: Site, code: JoinCode) -> None:
    joins, logins = bad_joins(site, code), bad_logins()
    for asks in (joins, logins):  # what a process takes once for its work is not the strangers'
        Flood(site, asks, 500).wait()
    before, disk = memory(site), on_disk(site)

    floods = [Flood(site, asks, BAD) for asks in (joins, logins)]
    for flood in floods:
        flood.wait()

    grown = {part: held - before[part] for part, held in memory(site).items()}
    assert sum(grown.values()) < BOUND, grown
    assert on_disk(site) == disk
    for flood in floods:
        assert flood.statuses.total() == BAD
        assert flood.statuses.keys() <= {200, 401, 403, 404, 429}, flood.statuses


def test_meanwhile_honest_ones_are_served(site: Site, code: JoinCode, dr_lee: dict[str, str]) -> None:
    """A device that is enrolled, and a person who logged in from there before: both while the flood goes on."""
    floods = [Flood(site, asks) for asks in (bad_joins(site, code), bad_logins())]

    with client_of(site, "fridge") as fridge:
        to = fridge.directory.addressee("dr.lee")
        for number in range(OFTEN):
            fridge.submit(fridge.write_message(to, f"still here {number}", cty="text/plain"))
            assert asked(site, AT_HOME, "/login", dr_lee)[0] == 200
        assert fridge.outbox.waiting() == 0

    for flood in floods:
        flood.stop()
        assert flood.statuses.total() > OF_ONE


def test_the_gateway_logged_no_traceback(site: Site) -> None:
    assert "Traceback" not in (site.directory / "gateway.log").read_text("utf-8")

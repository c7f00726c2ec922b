"""`blockpost admin`, what it shows and what else it does: lists, six digits, codes, records, the chain."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import urllib3

from chain import health, merkle
from chain.chain import Chain
from chain.encoding import b64url, unb64url
from chain.errors import ChainError, Damaged, Refused
from chain.joincode import JoinCode
from chain.lists import CertificateLine
from device import cli as device
from device import joining
from device.client import Home
from device.errors import DeviceError
from device.joining import join
from device.password import derive
from provisioning.admin import cli as admin
from provisioning.admin import codes, ledger, requests, status
from provisioning.admin.log import Frontier, LogReader
from provisioning.site import Site
from tests.homes import keep_keys, new_keys
from tests.sites import Done, added, client_of, invited, ran, running_site

PATIENCE = 60.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"n{abs(hash(request.node.nodeid)) % 10**12}"


def as_admin(site: Site, *words: str | Path) -> Done:
    return ran(admin.main, "--home", site.home("admin"), *words)


def said(site: Site, *words: str) -> list[dict[str, Any]]:
    """What a command lists, for programs."""
    done = as_admin(site, *words, "--json")
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def rows(site: Site, *words: str) -> list[str]:
    done = as_admin(site, *words)
    assert done.code == 0, done.err
    return done.out.splitlines()


# Lists


def test_accounts_are_listed_with_a_heading_and_those_that_ended_only_when_asked_for(
    site: Site, name: str
) -> None:
    added(site, name, kind="device", name="Fridge in the hall")
    as_admin(site, "revoke", name, "--reason", "retired")

    heading, *lines = rows(site, "accounts", "--all")

    assert heading.split()[:5] == ["HANDLE", "NAME", "KIND", "ROLE", "STATE"]
    (line,) = [each for each in lines if each.startswith(name)]
    assert re.search(r"Fridge in the hall +device +member +revoked", line)
    assert not any(each.startswith(name) for each in rows(site, "accounts"))


def test_accounts_are_listed_by_kind(site: Site, name: str) -> None:
    added(site, name, kind="device")

    assert {line["kind"] for line in said(site, "accounts", "--kind", "device")} == {"device"}
    assert name not in {line["handle"] for line in said(site, "accounts", "--kind", "person")}


def test_nobody_of_a_kind_is_said_to_a_person_and_printed_nowhere(site: Site) -> None:
    done = as_admin(site, "accounts", "--kind", "service", "--online")

    assert (done.code, done.out, done.err) == (0, "", "no such account\n")


def test_a_name_neither_steers_the_terminal_nor_passes_for_a_line(site: Site, name: str) -> None:
    added(site, name, name="\x1b[2J\rgone\naccount admin")

    done = as_admin(site, "accounts")

    assert "\x1b" not in done.out
    assert "\r" not in done.out
    (line,) = [each for each in done.out.splitlines() if each.startswith(name)]
    assert "gone" in line


def test_devices_of_a_gateway_without_certificates_have_none(site: Site, name: str) -> None:
    added(site, name, kind="device")

    (line,) = [each for each in said(site, "devices") if each["handle"] == name]

    assert (line["until"], line["state"]) == (None, "no certificate")
    assert as_admin(site, "certificates").code == 1


def test_groups_and_contacts_are_listed_by_what_people_call_them(site: Site, name: str) -> None:
    one, other, group = f"{name}-1", f"{name}-2", f"{name}-group"
    ids = {handle: added(site, handle).account for handle in (one, other)}
    as_admin(site, "group", group, one, other)
    as_admin(site, "link", one, group)
    ran(device.main, "--home", site.home(one), "contact", "request", ids[other])

    (line,) = [each for each in rows(site, "groups") if each.startswith(group)]
    assert re.fullmatch(rf"{group} +2 +({one}, {other}|{other}, {one}) +g-[a-z2-7]{{26}}", line)
    contacts = "\n".join(rows(site, "contacts", "--of", one))
    assert re.search(rf"({one} +{group}|{group} +{one}) +in contact", contacts)
    assert re.search(rf"({one} +{other}|{other} +{one}) +asked by {one}", contacts)
    assert len(rows(site, "contacts", "--of", other)) == 2


def test_a_person_s_session_is_listed_and_ended(site: Site, name: str) -> None:
    added(site, name)
    ran(device.main, "--home", site.home(name), "password", "--stdin", stdin="correct horse battery\n")
    log_in(site, name, "correct horse battery")

    (session,) = [line for line in said(site, "sessions") if line["handle"] == name]
    done = as_admin(site, "sessions", "--end", session["id"])

    assert (done.code, done.out) == (0, f"session {session['id']} has ended\n")
    assert not [line for line in said(site, "sessions") if line["handle"] == name]
    assert as_admin(site, "sessions", "--end", session["id"]).code == 1


def log_in(site: Site, handle: str, password: str) -> None:
    base = f"http://127.0.0.1:{site.http_port}"
    salt = urllib3.request("POST", f"{base}/v1/login/salt", json={"handle": handle}).json()["salt"]
    key = b64url(derive(password, unb64url(salt)).auth)
    assert urllib3.request("POST", f"{base}/login", json={"handle": handle, "key": key}).status == 200


# Codes


def test_an_open_code_is_listed_and_stopped(site: Site, name: str) -> None:
    code = invited(site, name)
    (line,) = [each for each in rows(site, "codes") if each.startswith(name)]
    assert " open " in line

    stopped = as_admin(site, "codes", "--cancel", name)

    assert stopped.out.startswith(f"stopped the join code for {name} that was good until ")
    (line,) = [each for each in rows(site, "codes") if each.startswith(name)]
    assert " dead " in line
    keep_keys(site.home(name), new_keys())
    assert ran(device.main, "--home", site.home(name), "join", code.to_text()).code == 1


def test_a_code_that_is_not_open_cannot_be_stopped(site: Site, name: str) -> None:
    added(site, name)

    done = as_admin(site, "codes", "--cancel", name)

    assert (done.code, done.err) == (
        1,
        f"blockpost admin codes: {name}: no join code is open for this handle\n",
    )
    assert not any(each.startswith(name) for each in rows(site, "codes"))
    assert any(re.match(rf"{name} .* used ", each) for each in rows(site, "codes", "--all"))


def test_a_code_may_be_drawn(site: Site, name: str) -> None:
    first, *drawn = as_admin(site, "invite", name, "--qr").out.splitlines()

    assert first.startswith("127.0.0.1:")
    assert "\n".join(drawn) == codes.drawn(first).rstrip("\n")
    assert len(drawn) > 20


# Six digits


class Joining:
    """Somebody who joins in a thread of their own; `digits` are what they are shown."""

    def __init__(self, site: Site, handle: str, code: str) -> None:
        keep_keys(site.home(handle), new_keys())
        self.digits = ""
        self.failure: Exception | None = None
        self._shown = threading.Event()
        self._home = Home(site.home(handle))
        self._thread = threading.Thread(target=self._join, args=(JoinCode.from_text(code),))
        self._thread.start()

    def _join(self, code: JoinCode) -> None:
        try:
            join(self._home, code, tell=self._tell)
        except Exception as error:  # noqa: BLE001 - it is looked at where it is waited for
            self.failure = error

    def _tell(self, text: str) -> None:
        if found := re.search(r"([0-9]{3}) ?([0-9]{3})", text):
            self.digits = f"{found[1]} {found[2]}"
            self._shown.set()

    def shown(self) -> str:
        assert self._shown.wait(PATIENCE)
        return self.digits

    def ended(self) -> Exception | None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.failure


def test_whoever_tells_the_right_digits_is_let_in(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MATCH_SECONDS", 0.1)
    done = as_admin(site, "invite", name, "--match", "--kind", "device")
    assert f"confirm {name} DIGITS" in done.err
    newcomer = Joining(site, name, done.out)
    digits = newcomer.shown()
    (line,) = [each for each in rows(site, "joins") if each.startswith(name)]
    assert "waits for six digits" in line
    assert any(each.startswith(name) and "somebody waits" in each for each in rows(site, "codes"))
    assert f"{name} waits for six digits since" in as_admin(site, "status").out

    confirmed = as_admin(site, "confirm", name, *digits.split())

    assert confirmed.code == 0, confirmed.err
    assert newcomer.ended() is None
    assert name in {each["handle"] for each in said(site, "accounts")}


def test_wrong_digits_let_nobody_in_and_the_fifth_ends_the_code(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MATCH_SECONDS", 0.1)
    newcomer = Joining(site, name, as_admin(site, "invite", name, "--match").out)
    failures = []
    while newcomer.failure is None:
        newcomer.shown()
        waiting = [each for each in said(site, "joins") if each["handle"] == name]
        if waiting:
            wrong = f"{(int(newcomer.digits.replace(' ', '')) + 1) % 10**6:06d}"
            failures.append(as_admin(site, "confirm", name, wrong))
        newcomer._thread.join(0.05)

    assert isinstance(newcomer.ended(), Refused)
    refused = [done for done in failures if "these are not the six digits" in done.err]
    assert len(refused) == 5
    assert all(done.code == 1 for done in failures)
    assert name not in {each["handle"] for each in said(site, "accounts")}


@pytest.mark.parametrize("digits", ["12345", "1234567", "12345a", "\u0661\u0662\u0663\u0664\u0665\u0666", ""])
def test_what_is_not_six_digits_is_not_taken_for_a_try(site: Site, digits: str) -> None:
    done = as_admin(site, "confirm", "somebody", digits)

    assert done.code == 1
    assert "want the 6 digits that are shown where they join" in done.err


def test_nobody_waits_under_a_handle_that_nobody_has(site: Site, name: str) -> None:
    done = as_admin(site, "confirm", name, "123456")

    assert (done.code, done.err) == (
        1,
        f"blockpost admin confirm: {name}: nobody waits with a join code for this handle\n",
    )


# Records


def test_what_was_done_is_listed_newest_first_and_by_type(site: Site, name: str) -> None:
    added(site, name)
    as_admin(site, "revoke", name, "--reason", "left")

    _, newest, *_ = rows(site, "audit")
    types = {line["type"] for line in said(site, "audit", "--type", "revoke")}

    assert re.search(rf"admin +revoke left +{name}", newest)
    assert types == {"revoke"}
    assert len(said(site, "audit", "--lines", "2")) == 2
    indices = [line["index"] for line in said(site, "audit", "--lines", "0")]
    assert indices == sorted(indices, reverse=True)


def test_every_page_of_a_list_is_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = said(site, "audit", "--lines", "0")
    monkeypatch.setattr(requests, "MOST_LINES", 2)

    assert len(whole) > 4
    assert said(site, "audit", "--lines", "0") == whole
    assert said(site, "accounts", "--all")


@pytest.mark.parametrize("lines", ["-1", "1.5", "many"])
def test_a_list_is_of_so_many_lines_or_all(
    site: Site, lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        as_admin(site, "audit", f"--lines={lines}")


def test_what_was_refused_is_listed(site: Site) -> None:
    assert as_admin(site, "invite", "admin").code == 1

    _, newest, *_ = rows(site, "refusals")

    assert re.search(r"admin +handle +a live account has this handle", newest)


def test_what_an_entry_said_is_erased(site: Site, name: str) -> None:
    invited(site, name)
    (invite,) = [each["id"] for each in said(site, "codes") if each["handle"] == name]

    done = as_admin(site, "redact", invite, "--reason", "privacy")

    assert done.out.startswith(f"what entry {invite} said is erased: entry ")
    assert name not in {each["handle"] for each in said(site, "codes", "--all")}
    again = as_admin(site, "redact", invite, "--reason", "privacy")
    assert (again.code, "erased already" in again.err) == (1, True)


# The chain


def checked(found: str) -> health.Done:
    """A check that found block 3 to be bad."""
    return health.Done(at=7, ms=1, ok=False, height=3, size=2, detail=found)


def test_status_says_that_all_is_well_and_what_could_be_better(site: Site) -> None:
    done = as_admin(site, "status")

    assert done.code == 0, done.out
    assert "it commits entries" in done.out
    assert re.search(r"chain +[0-9]+ entries in [0-9]+ blocks", done.out)
    levels = {line["what"]: line["level"] for line in said(site, "status")}
    assert (levels["gateway"], levels["history"], levels["chain"]) == ("ok", "ok", "ok")


def test_status_fails_when_something_is_wrong(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = requests.Requests.health

    def damaged(asked: requests.Requests) -> health.Health:
        verify = checked("block 3: its hash is another")
        return msgspec.structs.replace(sound(asked), verify=verify, free=1)

    monkeypatch.setattr(requests.Requests, "health", damaged)

    done = as_admin(site, "status")

    assert done.code == 1
    assert "block 3: its hash is another" in done.out
    assert re.search(r"warning +disk +1 bytes left", done.out)


DAY = status.MS_PER_DAY
NOW = 1_700_000_000_000


def certificate(**more: Any) -> CertificateLine:
    line: dict[str, Any] = {
        "account": "a" * 26,
        "handle": "fridge",
        "live": True,
        "serial": "1",
        "issued": NOW,
        "until": NOW + 60 * DAY,
        "revoked": False,
        "expired": False,
        "renewable": None,
    }
    return CertificateLine(**(line | more))


@pytest.mark.parametrize(
    ("more", "level", "words"),
    [
        ({}, "ok", "1 in force"),
        ({"until": NOW + 5 * DAY}, "warning", "ends in 5 days"),
        ({"expired": True, "until": NOW - DAY}, "warning", "that of fridge has expired"),
    ],
)
def test_certificates_that_need_somebody_are_said(more: dict[str, Any], level: str, words: str) -> None:
    found = list(status._certificates([certificate(**more)], NOW))

    assert (found[0].level, words in found[0].detail) == (level, True)


@pytest.mark.parametrize("more", [{"live": False}, {"renewable": NOW + DAY}])
def test_an_expired_certificate_that_needs_nobody_is_not_complained_of(more: dict[str, Any]) -> None:
    assert not list(status._certificates([certificate(expired=True, **more)], NOW))


def test_the_gateway_checks_its_chain_when_asked(site: Site) -> None:
    done = as_admin(site, "verify")

    assert done.code == 0, done.err
    assert re.fullmatch(r"everything holds: [0-9]+ entries, up to block [0-9]+, in [0-9.]+ s\n", done.out)


def test_a_chain_that_does_not_hold_is_a_failure() -> None:
    with pytest.raises(Damaged, match="its hash is another"):
        ledger._holds(checked("its hash is another"))


def test_a_check_that_nobody_knows_of_any_more_is_no_damage() -> None:
    with pytest.raises(DeviceError, match="begin it again"):
        ledger._holds(health.Idle())


def test_the_log_is_taken_away_once_it_was_checked(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"

    done = as_admin(site, "download", file)

    assert done.code == 0, done.err
    with closing(Chain.open(site.chain_file)) as chain:
        size = chain.head.size
    assert done.out.startswith(f"{file}: {size} entries in ")
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert sum("entry" in line for line in lines) == size
    assert not any("body" in line for line in lines)
    assert as_admin(site, "download", file).code == 1


def test_a_log_that_breaks_off_leaves_no_file(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = requests.Requests.log

    def broken(asked: requests.Requests) -> Iterator[bytes]:
        yield b"".join(whole(asked))[:-40]

    monkeypatch.setattr(requests.Requests, "log", broken)

    done = as_admin(site, "download", tmp_path / "log.jsonl")

    assert done.code == 1
    assert "the log broke off" in done.err
    assert list(tmp_path.iterdir()) == []


# A log


@pytest.fixture(scope="module")
def log(site: Site) -> tuple[LogReader, list[bytes]]:
    """A reader that has read nothing, and what it may read: lines, without their newlines."""
    with client_of(site, "admin") as client:
        lines = b"".join(requests.Requests(client.gateway).log()).splitlines()
        return LogReader(client.membership.origin, client.membership.gateway_key), lines


def reader(log: tuple[LogReader, list[bytes]]) -> LogReader:
    return LogReader(log[0]._origin, log[0]._key)


def feed(log: tuple[LogReader, list[bytes]], lines: list[bytes]) -> None:
    read = reader(log)
    read.feed(b"".join(line + b"\n" for line in lines))
    read.end()


@pytest.mark.parametrize("width", [1, 7, 1000, 10**9])
def test_a_log_is_read_in_whatever_pieces_it_comes(log: tuple[LogReader, list[bytes]], width: int) -> None:
    data = b"".join(line + b"\n" for line in log[1])
    data = data if width > 7 else data[: data.index(b"\n", 20_000) + 1]
    read = reader(log)

    for start in range(0, len(data), width):
        read.feed(data[start : start + width])

    assert read.size > 0


def changed(line: bytes, **members: Any) -> bytes:
    return msgspec.json.encode(json.loads(line) | members)


def note_after(lines: list[bytes]) -> str:
    """The checkpoint of the next block."""
    return next(str(line["checkpoint"]) for line in map(json.loads, lines) if "checkpoint" in line)


DAMAGE: dict[str, Any] = {
    "an entry is gone": lambda lines: lines[:1] + lines[2:],
    "an entry is there twice": lambda lines: lines[:2] + lines[1:],
    "a block is gone": lambda lines: lines[2:],
    "another entry": lambda lines: [
        lines[0],
        changed(lines[1], entry="x" + json.loads(lines[1])["entry"][1:]),
        *lines[2:],
    ],
    "another header": lambda lines: [
        changed(lines[0], header=json.loads(lines[0])["header"].replace('"id":0', '"id":1')),
        *lines[1:],
    ],
    "no signature": lambda lines: [
        msgspec.json.encode({"block": 0, "header": json.loads(lines[0])["header"]}),
        *lines[1:],
    ],
    "another signature": lambda lines: [changed(lines[0], signature="A" * 86), *lines[1:]],
    "a signature that is none": lambda lines: [changed(lines[0], signature="!"), *lines[1:]],
    "another checkpoint": lambda lines: [
        changed(lines[0], checkpoint=note_after(lines[1:])),
        *lines[1:],
    ],
    "no end": lambda lines: lines[:-1],
    "another end": lambda lines: [*lines[:-1], b'{"end":0,"size":1}'],
    "something after the end": lambda lines: [*lines, lines[0]],
    "an entry before its block": lambda lines: lines[1:],
    "a line that is no JSON": lambda lines: [b"x", *lines],
    "a line that is no object": lambda lines: [b"[]", *lines],
    "a line of nothing known": lambda lines: [b"{}", *lines],
    "a member of another kind": lambda lines: [changed(lines[0], block="0", header=7), *lines[1:]],
    "nothing": lambda _lines: [],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_log_that_does_not_hold_is_refused(log: tuple[LogReader, list[bytes]], damage: Any) -> None:
    with pytest.raises(ChainError):
        feed(log, damage(log[1]))


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(
    log: tuple[LogReader, list[bytes]],
) -> None:
    read = reader(log)

    for _ in range(15):
        read.feed(b"x" * 65_536)
    with pytest.raises(ChainError, match="want lines of at most"):
        read.feed(b"x" * 65_537)


@pytest.mark.parametrize("size", range(20))
def test_a_tree_that_grows_has_the_root_of_the_whole_tree(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(size)]
    nodes: list[bytes] = []
    tree = merkle.Tree(0, nodes.__getitem__)
    frontier = Frontier()
    for leaf in leaves:
        nodes += tree.append(leaf)
        frontier.append(leaf)

    assert frontier.root() == tree.root()

"""Letting people in: `blockpost admin` and `blockpost device join` against a running gateway."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from chain import entry
from chain.chain import Chain
from chain.entry import Account
from chain.errors import Refused, Unverified
from chain.joincode import JoinCode
from device import cli, joining
from device.client import Home
from device.errors import NotJoined, Problem, Unreachable
from device.joining import JoinedAlready
from device.rest import Gateway
from provisioning.admin import cli as admin
from provisioning.admin.accounts import find_account
from provisioning.site import Site
from tests.homes import keep_keys, new_keys
from tests.sites import Done, added, client_of, enter, invited, ran, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"n{abs(hash(request.node.nodeid)) % 10**12}"


def as_admin(site: Site, *words: str) -> Done:
    return ran(admin.main, "--home", site.home("admin"), *words)


def listed(site: Site, name: str) -> str:
    """The line of the list that is about an account or a group."""
    (line,) = [line for line in as_admin(site, "list").out.splitlines() if line.split()[1] == name]
    return line


def accounts(site: Site, account: str) -> int:
    """How many account entries of one author are on the chain."""
    with closing(Chain.open(site.chain_file)) as chain:
        entries = [entry.parse(chain.store.leaf(index)).entry for index in range(chain.head.size)]
    return sum(isinstance(said, Account) and said.author == account for said in entries)


# Invitations


def test_an_invited_person_is_on_the_list(site: Site, name: str) -> None:
    member = added(site, name)

    assert listed(site, name) == f"account {name} {member.account} person member live"


def test_an_invited_device_joins_as_a_device(site: Site, name: str) -> None:
    assert (added(site, name, kind="device").kind, listed(site, name).split()[3]) == ("device", "device")


def test_a_second_admin_may_invite(site: Site, name: str) -> None:
    added(site, name, role="admin")

    assert ran(admin.main, "--home", site.home(name), "invite", f"{name}-2").code == 0


def test_a_code_that_was_given_out_is_on_the_list_without_its_secret(site: Site, name: str) -> None:
    code = invited(site, name)

    printed = as_admin(site, "list").out

    assert f"code for {name} person member until " in printed
    assert code.code not in printed
    assert code.code not in (site.home("admin") / "inventory.json").read_text("utf-8")


def test_a_code_is_good_once(site: Site, name: str) -> None:
    code = invited(site, name)
    enter(site, name, code)

    done = ran(cli.main, "--home", site.home(f"{name}-2"), "join", code.to_text())

    assert done.code == 1
    assert "used already" in done.err
    assert code.code not in done.err


def test_two_who_hold_one_code_do_not_both_get_in(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = invited(site, name)
    register = Gateway.register

    def overtaken(gateway: Gateway, parcel: Any) -> Any:
        monkeypatch.setattr(Gateway, "register", register)
        enter(site, f"{name}-fast", code)
        return register(gateway, parcel)

    monkeypatch.setattr(Gateway, "register", overtaken)

    with pytest.raises(Refused, match="used already"):
        enter(site, f"{name}-slow", code)
    assert Home(site.home(f"{name}-fast")).book.membership().joined
    with pytest.raises(NotJoined):
        Home(site.home(f"{name}-slow")).book.membership()


def wait_until_expired(code: JoinCode) -> None:
    gateway = Gateway(code.host, code.port)
    while True:
        try:
            gateway.invited(code.code)
        except Problem:
            return


def test_an_expired_code_lets_nobody_in(site: Site, name: str) -> None:
    code = invited(site, name, hours=0.0001)
    wait_until_expired(code)

    with pytest.raises(Problem, match="expired"):
        enter(site, name, code)


def test_a_code_that_expires_on_the_way_gives_way_to_the_next_one(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = invited(site, f"{name}-old", hours=0.001)
    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "register", unreachable)
        with pytest.raises(Unreachable):
            enter(site, name, code)
    wait_until_expired(code)
    with pytest.raises(Refused, match="expired"):
        enter(site, name, code)

    member = enter(site, name, invited(site, name))

    assert member.handle == name
    assert accounts(site, member.account) == 1


def unreachable(*_: Any) -> Any:
    raise Unreachable("the power went")


@pytest.mark.parametrize("hours", ["0", "-1", "25", "nan", "inf"])
def test_a_code_is_good_for_a_day_at_most(site: Site, hours: str) -> None:
    done = as_admin(site, "invite", "someone", f"--hours={hours}")

    assert (done.code, done.out) == (1, "")
    assert "at most 24 hours" in done.err


def test_a_name_that_is_taken_is_refused_in_words(site: Site) -> None:
    done = as_admin(site, "invite", "admin")

    assert (done.code, done.err) == (1, "blockpost admin invite: handle: a live account has this handle\n")


def test_a_name_that_is_none_is_refused_and_holds_up_nothing(site: Site, name: str) -> None:
    done = as_admin(site, "invite", "Dr. Lee")

    assert done.code == 1
    assert "malformed" in done.err
    assert as_admin(site, "invite", name).code == 0


def test_a_member_may_not_invite(site: Site, name: str) -> None:
    added(site, name)

    done = ran(admin.main, "--home", site.home(name), "invite", "someone")

    assert (done.code, done.err) == (1, "blockpost admin invite: permission: that takes the role admin\n")


# Links, groups, revocations


def may_write(site: Site, who: str, to: str) -> bool:
    with client_of(site, who) as client:
        try:
            client.gateway.intent(to)
        except Problem:
            return False
        return True


def test_a_link_lets_one_write_to_the_other_until_it_ends(site: Site, name: str) -> None:
    added(site, name, kind="device")
    assert not may_write(site, name, "admin")

    linked = as_admin(site, "link", name, "admin")

    assert linked.out.startswith(f"linked {name} and admin: entry ")
    assert may_write(site, name, "admin")
    assert as_admin(site, "unlink", name, "admin").out.startswith(f"unlinked {name} and admin: entry ")
    assert not may_write(site, name, "admin")


def test_a_link_that_is_not_there_is_refused_in_words(site: Site, name: str) -> None:
    added(site, name)

    assert "there is no such link to end" in as_admin(site, "unlink", name, "admin").err


@pytest.mark.parametrize(
    "words", [("link", "admin", "nobody"), ("link", "nobody", "admin"), ("group", "g", "nobody")]
)
def test_whom_nobody_knows_is_not_found(site: Site, words: tuple[str, ...]) -> None:
    done = as_admin(site, *words)

    assert done.code == 1
    assert "nobody: no live account has this handle or id" in done.err


def test_a_group_is_made_changed_and_ended(site: Site, name: str) -> None:
    group = f"{name}-group"
    added(site, name)
    assert " has 1 members: entry " in as_admin(site, "group", group, name).out
    made = listed(site, group)

    as_admin(site, "group", group, name, "admin")
    changed = listed(site, group)
    as_admin(site, "link", name, group)
    ended = as_admin(site, "group", group)

    assert (made.split()[3], changed.split()[3]) == ("1", "2")
    assert made.split()[2] == changed.split()[2]
    assert ended.code == 0
    assert group not in as_admin(site, "list").out


def test_a_revoked_account_is_at_an_end(site: Site, name: str) -> None:
    member = added(site, name, kind="device")

    done = as_admin(site, "revoke", name, "--reason", "lost")

    assert done.out.startswith(f"revoked {name}: entry ")
    assert listed(site, name) == f"account {name} {member.account} device member revoked"
    assert "no live account" in as_admin(site, "revoke", name, "--reason", "lost").err
    assert ran(cli.main, "--home", site.home(name), "friends").code == 1


def test_an_id_is_not_mistaken_for_a_handle_that_looks_like_it(site: Site, name: str) -> None:
    member = added(site, name)
    twin = added(site, member.account)

    with client_of(site, "admin") as client:
        assert find_account(client, member.account) == member.account
        assert find_account(client, twin.account) == twin.account


def test_the_last_admin_stays(site: Site) -> None:
    with client_of(site, "admin") as client:
        others = [
            line.account
            for line in client.gateway.accounts()
            if line.role == "admin" and line.live and line.account != client.account
        ]
    for other in others:
        as_admin(site, "revoke", other, "--reason", "left")

    done = as_admin(site, "revoke", "admin", "--reason", "left")

    assert (done.code, done.err) == (
        1,
        "blockpost admin revoke: permission: the last admin cannot be revoked\n",
    )


def test_an_admin_who_never_joined_is_told(tmp_path: Path) -> None:
    done = ran(admin.main, "--home", tmp_path / "nowhere", "list")

    assert (done.code, done.out) == (1, "")
    assert "not joined yet" in done.err


# Joining


def test_joining_twice_is_refused(site: Site, name: str) -> None:
    added(site, name)

    with pytest.raises(JoinedAlready, match=f"this is {name} on"):
        enter(site, name, invited(site, f"{name}-2"))


def test_joining_needs_a_code(site: Site, tmp_path: Path) -> None:
    done = ran(cli.main, "--home", tmp_path / "home", "join", "127.0.0.1:1/nonsense")

    assert done.code == 1
    assert "want HOST:PORT/PIN/SECRET" in done.err


def test_a_code_may_come_by_standard_input(site: Site, name: str) -> None:
    keep_keys(site.home(name), new_keys())

    done = ran(cli.main, "--home", site.home(name), "join", "-", stdin=f"{invited(site, name).to_text()}\n")

    assert done.code == 0
    assert f" as {name} (" in done.out


def test_an_empty_password_is_refused_before_anything_is_done(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_keys(site.home(name), new_keys())
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "")

    done = ran(cli.main, "--home", site.home(name), "join", invited(site, name).to_text(), "--password")

    assert done.code == 1
    assert "the password is empty" in done.err
    assert Home(site.home(name)).book.joining() is None


class Impostor(BaseHTTPRequestHandler):
    """Answers as another gateway does, and remembers what it was asked."""

    answer = b""
    requests: list[str]

    def _take(self) -> None:
        self.requests.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    do_GET = do_POST = _take  # noqa: N815 - as BaseHTTPRequestHandler has it

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def impostor(site: Site) -> Iterator[tuple[int, list[str]]]:
    """The port of somebody with the site document of a real gateway, and what was asked there."""
    document = Gateway("127.0.0.1", site.http_port)._request("GET", "/v1/site")
    requests: list[str] = []
    handler = type("Handler", (Impostor,), {"answer": document, "requests": requests})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, requests
        server.shutdown()
        thread.join()


def test_the_secret_is_not_told_to_another_gateway(impostor: tuple[int, list[str]], tmp_path: Path) -> None:
    port, requests = impostor
    code = JoinCode("127.0.0.1", port, "a" * 26, "b" * 16)

    with pytest.raises(Unverified, match="not the gateway that the join code is for"):
        joining.join(Home(tmp_path / "home"), code)

    assert requests == ["GET /v1/site"]
    assert not list((tmp_path / "home").glob("keys-*"))


def test_a_home_that_began_to_join_one_gateway_does_not_go_on_with_another(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(site.home(name))
    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "register", unreachable)
        with pytest.raises(Unreachable):
            enter(site, name, invited(site, name))
    begun = home.book.joining()
    assert begun is not None
    home.book.set_membership(structs.replace(begun, origin="ward8.example/abc"))

    with pytest.raises(JoinedAlready, match="began to join ward8"):
        enter(site, name, invited(site, f"{name}-2"))


class PowerCutError(BaseException):
    """Nothing answers this."""


STEPS = range(1, 6)
"""A join asks for the site, the invite (twice), and hands in the account and the profile."""


@pytest.mark.parametrize("answered", [False, True], ids=["unasked", "answered"])
@pytest.mark.parametrize("step", STEPS)
def test_joining_goes_on_wherever_it_was_interrupted(
    site: Site,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
    answered: bool,  # noqa: FBT001 - a case, not a flag
) -> None:
    calls: Counter[str] = Counter()
    once = Gateway._once

    def cut(gateway: Gateway, method: str, path: str, body: Any) -> tuple[int, bytes]:
        calls["all"] += 1
        if calls["all"] == step and not answered:
            raise PowerCutError
        answer = once(gateway, method, path, body)
        if calls["all"] == step:
            raise PowerCutError
        return answer

    code = invited(site, name)
    keep_keys(site.home(name), new_keys())
    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "_once", cut)
        with pytest.raises(PowerCutError):
            enter(site, name, code)
    # The chain grows meanwhile: what comes next has to be proven to continue what was seen.
    invited(site, f"{name}-other")

    member = enter(site, name, code)

    assert (member.joined, member.handle) == (True, name)
    assert accounts(site, member.account) == 1
    with client_of(site, name) as client:
        assert client.outbox.waiting() == 0
        client.check_gateway()


def test_a_join_asks_no_more_than_its_steps(site: Site, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    once = Gateway._once
    code = invited(site, name)
    keep_keys(site.home(name), new_keys())

    def count(gateway: Gateway, method: str, path: str, body: Any) -> tuple[int, bytes]:
        asked.append(f"{method} {path.split('?', maxsplit=1)[0]}")
        return once(gateway, method, path, body)

    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "_once", count)
        enter(site, name, code)

    consistency = "GET /v1/chain/consistency"
    assert len([each for each in asked if each != consistency]) == len(STEPS)

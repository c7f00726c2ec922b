"""Joining with a code that asks for six digits, and what becomes of a code that is tried in vain."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from chain.encoding import unb64url
from chain.joincode import digits
from chain.wire import Submission
from gateway.errors import Undecided
from gateway.joins import MOST_TRIES
from gateway.rest.tries import MOST_WINDOWS, Windows
from tests.site import Site, a_site, parcel_of
from tests.world import DAY, Actor

HERE = "192.168.1.20"
STRANGERS = 10_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


class Newcomer:
    """Somebody with a join code for `dave`."""

    def __init__(self, site: Site, *, match: bool = True, **says: Any) -> None:
        self.site = site
        self.code = site.world.code()
        self.invite = site.admin.invites(self.code, handle="dave", match=match, **says)
        site.commit(self.invite)
        self.name = self.invite.signed.entry.id
        self.mine = self.made()

    def made(self, name: str = "dave", **says: Any) -> Submission:
        """An account entry with this code."""
        return self.site.world.stranger(name).joins(self.invite, self.code, **says)

    def asks(self, submission: Submission | None = None) -> TestResponse:
        return joined(self.site, submission or self.mine)

    def shows(self, submission: Submission | None = None) -> str:
        """Hand in the entry, and make the digits of the answer."""
        answer = self.asks(submission)
        assert answer.status_code == 202, answer.text
        assert answer.json is not None
        return digits(unb64url(answer.json["nonce"]), (submission or self.mine).signed.leaf)

    def confirm(self, shown: str, actor: Actor | None = None) -> TestResponse:
        return self.site.post(
            actor or self.site.admin, f"/v1/admin/joins/{self.name}/confirm", {"digits": shown}
        )

    def cancel(self) -> TestResponse:
        return self.site.post(self.site.admin, f"/v1/admin/joins/{self.name}/cancel", {})

    def is_known(self) -> bool:
        """Whether whoever has the code is told what it is for."""
        answer = self.site.browser().post("/v1/invites", json={"code": self.code})
        assert answer.status_code in (200, 404)
        return answer.status_code == 200


def joined(site: Site, submission: Submission, address: str = HERE) -> TestResponse:
    browser = site.browser()
    browser.environ_base["REMOTE_ADDR"] = address
    return browser.post("/v1/accounts", json=parcel_of(submission))


def waiting(site: Site) -> list[dict[str, Any]]:
    answer = site.get(site.admin, "/v1/admin/joins").json
    assert answer is not None
    return list(answer["joins"])


def dead(site: Site) -> list[str]:
    answer = site.get(site.admin, "/v1/admin/invites").json
    assert answer is not None
    return [line["handle"] for line in answer["invites"] if line["dead"]]


def refused(answer: TestResponse) -> str:
    assert answer.json is not None
    assert (answer.status_code, answer.json["rule"]) == (403, "invite"), answer.text
    return str(answer.json["detail"])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, but for the index of a write-ahead log: in that, readers say how far they read."""
    return {
        str(file): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm")
    }


def windows_kept() -> int:
    """How many windows of tries this process counts: those of the one application that is there."""
    gc.collect()
    return sum(len(each) for each in gc.get_objects() if isinstance(each, Windows))


def other_than(shown: str) -> str:
    return f"{(int(shown) + 1) % 1_000_000:06d}"


def test_who_shows_the_digits_that_an_admin_types_is_let_in(site: Site) -> None:
    dave = Newcomer(site)
    shown = dave.shows()

    assert dave.shows() == shown
    assert site.relay.handed_in == 0
    assert dave.confirm(shown).status_code == 204
    assert dave.asks().status_code == 201
    assert dave.asks().status_code == 201
    assert site.joins.known() == {}


def test_without_the_wish_for_digits_nobody_waits(site: Site) -> None:
    assert Newcomer(site, match=False).asks().status_code == 201
    assert waiting(site) == []
    assert site.joins.known() == {}


def test_an_admin_sees_who_waits(site: Site) -> None:
    dave = Newcomer(site)
    shown = dave.shows()

    (line,) = waiting(site)
    dave.confirm(shown)
    (after,) = waiting(site)

    assert line == {
        "invite": dave.name,
        "handle": "dave",
        "kind": "person",
        "role": "member",
        "since": site.clock.now,
        "tries": 0,
        "confirmed": False,
        "index": line["index"],
    }
    assert after == {**line, "confirmed": True}


def test_who_waits_comes_in_pages(site: Site) -> None:
    names: list[str] = []
    for _ in range(3):
        newcomer = Newcomer(site)
        newcomer.shows(newcomer.made(f"one more {len(names)}"))
        names.append(newcomer.name)

    first = site.get(site.admin, "/v1/admin/joins?limit=2").json
    assert first is not None
    second = site.get(site.admin, f"/v1/admin/joins?after={first['next']}").json
    assert second is not None

    assert [line["invite"] for line in first["joins"] + second["joins"]] == names
    assert second["next"] is None


def test_only_an_admin_sees_confirms_and_stops(site: Site) -> None:
    dave = Newcomer(site)
    shown = dave.shows()

    assert site.get(site.alice, "/v1/admin/joins").status_code == 403
    assert dave.confirm(shown, site.alice).status_code == 403
    assert site.post(site.alice, f"/v1/admin/joins/{dave.name}/cancel", {}).status_code == 403
    assert dave.shows() == shown


def test_somebody_else_with_the_code_is_not_let_in_by_the_owners_digits(site: Site) -> None:
    dave = Newcomer(site)
    shown = dave.shows()
    theirs = dave.made("mallory")
    dave.shows(theirs)

    assert "not the six digits" in refused(dave.confirm(shown))
    assert dave.asks(theirs).status_code == 202
    assert site.relay.handed_in == 0


def test_wrong_digits_five_times_and_the_code_is_dead(site: Site) -> None:
    dave = Newcomer(site)
    for _ in range(MOST_TRIES):
        assert dave.is_known()
        assert "not the six digits" in refused(dave.confirm(other_than(dave.shows())))

    assert "too often" in refused(dave.asks())
    assert not dave.is_known()
    assert dead(site) == ["dave"]
    assert waiting(site) == []


@pytest.mark.parametrize("match", [False, True])
@pytest.mark.parametrize("says", [{"kind": "device"}, {"role": "admin"}], ids=["kind", "role"])
def test_an_account_of_another_kind_or_role_five_times_and_the_code_is_dead(
    site: Site, *, match: bool, says: dict[str, str]
) -> None:
    dave = Newcomer(site, match=match)
    tried = [dave.asks(dave.made(**says)) for _ in range(MOST_TRIES + 1)]

    assert {refused(answer) for answer in tried[:-1]} == {"this join code is for a person with role member"}
    assert "too often" in refused(tried[-1])
    assert "too often" in refused(dave.asks())
    assert not dave.is_known()
    assert site.relay.handed_in == (0 if match else MOST_TRIES)


@pytest.mark.parametrize("match", [False, True])
def test_four_tries_in_vain_leave_the_fifth(site: Site, *, match: bool) -> None:
    dave = Newcomer(site, match=match)
    for _ in range(MOST_TRIES - 1):
        refused(dave.asks(dave.made(kind="device")))

    if match:
        dave.confirm(dave.shows())

    assert dave.asks().status_code == 201


def test_nobody_is_asked_to_compare_digits_for_what_the_chain_would_not_take(site: Site) -> None:
    dave = Newcomer(site)
    forged = dave.made("mallory", sign_with=site.carol.keys.sign)
    disguised = dave.made("mallory", author=site.carol.id)

    assert [dave.asks(each).status_code for each in (forged, disguised)] == [403, 403]
    assert waiting(site) == []
    assert site.joins.of(dave.name).tries == 2


def test_a_code_that_an_admin_stopped_lets_nobody_in(site: Site) -> None:
    dave = Newcomer(site, match=False)

    assert dave.cancel().status_code == 204
    assert dave.cancel().status_code == 204
    assert "an admin stopped" in refused(dave.asks())
    assert not dave.is_known()
    assert dead(site) == ["dave"]
    assert site.relay.handed_in == 0


def test_a_dead_code_is_told_like_one_that_never_was(site: Site) -> None:
    dave = Newcomer(site)
    dave.cancel()

    answers = [site.browser().post("/v1/invites", json={"code": code}) for code in (dave.code, "a" * 16)]

    assert answers[0].data == answers[1].data


def test_what_was_used_has_expired_or_never_was_is_neither_confirmed_nor_stopped(site: Site) -> None:
    used, late = Newcomer(site, match=False), Newcomer(site)
    used.asks()
    shown = late.shows(late.made("late"))
    site.clock.now += 2 * DAY

    assert "used already" in refused(used.cancel())
    assert "used already" in refused(used.confirm("000000"))
    assert "expired" in refused(late.confirm(shown))
    assert waiting(site) == []
    assert dead(site) == []
    for what in ("confirm", "cancel"):
        path = f"/v1/admin/joins/{used.mine.signed.entry.id}/{what}"
        assert site.post(site.admin, path, {"digits": "000000"}).status_code == 404


def test_where_nobody_waits_there_is_nothing_to_confirm(site: Site) -> None:
    assert Newcomer(site).confirm("000000").status_code == 404


def test_an_invite_whose_body_was_erased_lets_nobody_in(site: Site) -> None:
    """What it asked for was in the body."""
    dave = Newcomer(site)
    site.commit(site.admin.redacts(dave.invite))

    refused(dave.asks())

    assert site.relay.handed_in == 0
    assert site.joins.known() == {}


def test_a_committer_that_does_not_answer_costs_no_try(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    dave = Newcomer(site, match=False)

    def silent(_parcel: bytes, _entry_id: str) -> Any:
        raise Undecided("no answer")

    with monkeypatch.context() as broken:
        broken.setattr(site.relay, "submit", silent)
        statuses = {dave.asks().status_code for _ in range(MOST_TRIES + 1)}

    assert statuses == {503}
    assert dave.asks().status_code == 201


def test_ten_thousand_strangers_leave_nothing_behind(site: Site) -> None:
    """From as many addresses: whatever they send, nothing is written, and what is kept in memory has an end."""
    dave = Newcomer(site)
    stranger = site.world.stranger("mallory")
    tries = [
        ("/v1/accounts", parcel_of(stranger.joins(None, None))),
        ("/v1/accounts", parcel_of(stranger.joins(dave.invite, "a" * 16))),
        ("/v1/invites", {"code": "a" * 16}),
        ("/login", {"handle": "alice", "key": "A" * 43}),
        ("/login", {"handle": "nobody", "key": "A" * 43}),
        ("/v1/login/salt", {"handle": "nobody"}),
    ]
    browser = site.browser()
    before = contents(site.folder)

    for number in range(STRANGERS):
        path, document = tries[number % len(tries)]
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        answer = browser.post(path, json=document, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code in (200, 401, 403, 404), answer.text

    assert contents(site.folder) == before
    assert windows_kept() == MOST_WINDOWS
    assert site.relay.handed_in == 0
    assert dave.shows()

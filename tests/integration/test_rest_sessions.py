"""Who is logged in where: shown to its owner and to admins, and ended by either."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.rest import events
from gateway.sessions import HOUR_MS
from tests.site import IDLE_MS, Site, a_site, log_in
from tests.world import Actor

FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)
    with a_site(tmp_path) as made:
        yield made


def listed(browser: FlaskClient, path: str = "/v1/sessions", **headers: str) -> list[dict[str, Any]]:
    answer = browser.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return list(answer.json["sessions"])


def current(browser: FlaskClient) -> str:
    """The id of this browser's session."""
    (mine,) = (line["id"] for line in listed(browser) if line["current"])
    return str(mine)


def end(browser: FlaskClient, session_id: str, path: str = "/v1/sessions") -> int:
    return browser.post(f"{path}/{session_id}/end", json={}).status_code


def named(site: Site, actor: Actor, agent: str) -> FlaskClient:
    browser = site.app.test_client()
    browser.environ_base["HTTP_USER_AGENT"] = agent
    assert log_in(browser, actor).status_code == 200
    return browser


# One's own


def test_everybody_sees_where_they_are_logged_in(site: Site) -> None:
    begun = site.clock.now
    named(site, site.alice, FIREFOX)
    site.clock.now += HOUR_MS
    site.browser(site.bob)
    here = site.browser(site.alice)
    site.clock.now += HOUR_MS

    there, mine = listed(here)

    assert {name: there[name] for name in there if name != "id"} == {
        "account": site.alice.id,
        "handle": "alice",
        "begun": begun,
        "used": begun,
        "expires": begun + IDLE_MS,
        "agent": "Firefox on Android",
        "current": False,
    }
    assert (mine["current"], mine["begun"]) == (True, begun + HOUR_MS)
    assert mine["used"] == site.clock.now


def test_whoever_shows_a_token_sees_them_too_and_none_is_current(site: Site) -> None:
    browser = site.browser(site.alice)

    lines = listed(browser, **site.bearer(site.alice))

    assert [line["current"] for line in lines] == [False]


def test_what_is_listed_logs_nobody_in(site: Site) -> None:
    browser = site.browser(site.alice)
    cookie = browser.get_cookie("blockpost_session")
    assert cookie is not None

    answer = browser.get("/v1/sessions")

    assert cookie.value not in answer.text
    other = site.browser()
    other.set_cookie("blockpost_session", current(browser))
    assert other.get("/check").status_code == 401


def test_what_opens_nothing_any_more_is_not_listed(site: Site) -> None:
    site.browser(site.alice)
    site.commit(site.profile(site.alice, "another"))
    here = site.browser()
    log_in(here, site.alice, "another")

    assert [line["current"] for line in listed(here)] == [True]


def test_one_may_end_another_of_ones_own(site: Site) -> None:
    here, there = site.browser(site.alice), site.browser(site.alice)

    assert end(here, current(there)) == 204

    assert there.get("/check").status_code == 401
    assert [line["current"] for line in listed(here)] == [True]


def test_one_may_end_the_one_in_use(site: Site) -> None:
    here = site.browser(site.alice)

    assert end(here, current(here)) == 204

    assert here.get("/check").status_code == 401


def test_somebody_elses_and_none_at_all_are_missing_alike(site: Site) -> None:
    alice, bob = site.browser(site.alice), site.browser(site.bob)
    theirs = current(bob)
    made_up = "A" * 22

    answers = [alice.post(f"/v1/sessions/{each}/end", json={}) for each in (theirs, made_up)]

    assert {(answer.status_code, answer.data) for answer in answers} == {(404, answers[0].data)}
    assert bob.get("/check").status_code == 200


def test_ending_one_twice_finds_it_missing(site: Site) -> None:
    here, there = site.browser(site.alice), site.browser(site.alice)
    other = current(there)

    assert [end(here, other), end(here, other)] == [204, 404]


def test_the_page_of_a_session_that_was_ended_is_told(site: Site) -> None:
    here, there = site.browser(site.alice), site.browser(site.alice)
    other = current(there)
    response = there.get("/v1/events?after=1000", buffered=False)
    told = map(bytes, response.iter_encoded())
    while b"event: head" not in next(told):
        pass

    end(here, other)

    *_, last = told
    response.close()
    assert last.startswith(b"event: end\n")
    assert b"log in again" in last


# Everybody's


def test_an_admin_sees_everybodys_in_the_order_in_which_they_came(site: Site) -> None:
    for actor in (site.bob, site.alice, site.bob):
        site.browser(actor)
    here = site.browser(site.admin)

    lines = listed(here, "/v1/admin/sessions")

    assert [(line["account"], line["handle"], line["current"]) for line in lines] == [
        (site.bob.id, "bob", False),
        (site.alice.id, "alice", False),
        (site.bob.id, "bob", False),
        (site.admin.id, "admin", True),
    ]


def test_an_admin_sees_them_page_by_page(site: Site) -> None:
    for actor in (site.alice, site.bob, site.carol, site.bob):
        site.browser(actor)
    after, found = -1, []

    while after is not None:
        answer = site.get(site.admin, f"/v1/admin/sessions?after={after}&limit=2")
        assert answer.json is not None
        found.append([line["handle"] for line in answer.json["sessions"]])
        after = answer.json["next"]

    assert found == [["alice", "bob"], ["carol", "bob"]]


def test_what_a_revoked_account_left_behind_is_not_listed(site: Site) -> None:
    site.browser(site.bob)
    site.commit(site.admin.revokes(site.bob.id))

    assert listed(site.browser(), "/v1/admin/sessions", **site.bearer(site.admin)) == []


def test_an_admin_may_end_anybodys(site: Site) -> None:
    admin, alice, bob = (site.browser(actor) for actor in (site.admin, site.alice, site.bob))

    assert end(admin, current(alice), "/v1/admin/sessions") == 204

    assert alice.get("/check").status_code == 401
    assert bob.get("/check").status_code == 200
    assert end(admin, "A" * 22, "/v1/admin/sessions") == 404


def test_only_an_admin_may(site: Site) -> None:
    alice, bob = site.browser(site.alice), site.browser(site.bob)

    seen = alice.get("/v1/admin/sessions")
    ended = end(alice, current(bob), "/v1/admin/sessions")

    assert (seen.status_code, ended) == (403, 403)
    assert bob.get("/check").status_code == 200

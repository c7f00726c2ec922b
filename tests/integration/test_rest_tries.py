"""Who tries too often is told to wait; whom it does not concern goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chain.encoding import b64url
from tests.site import Site, a_site, log_in, parcel_of
from tests.world import Actor

HERE, THERE = "192.168.1.20", "192.168.1.66"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def browser_at(site: Site, address: str) -> FlaskClient:
    browser = site.browser()
    browser.environ_base["REMOTE_ADDR"] = address
    return browser


def guess(site: Site, address: str, handle: str) -> TestResponse:
    return browser_at(site, address).post("/login", json={"handle": handle, "key": b64url(bytes(32))})


def locked_out(site: Site, address: str, actor: Actor) -> bool:
    return log_in(browser_at(site, address), actor).status_code == 429


def test_who_guesses_a_password_is_told_how_long_to_wait(site: Site) -> None:
    statuses = [guess(site, THERE, "alice").status_code for _ in range(6)]
    answer = guess(site, THERE, "alice")

    assert statuses == [401] * 5 + [429]
    assert answer.headers["Retry-After"] == "60"
    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "type": "urn:blockpost:problem:toomany",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "too many tries from here: wait 60 seconds, then try again",
    }


def test_a_handle_that_does_not_exist_gets_the_same_pause(site: Site) -> None:
    for handle in ("alice", "nobody"):
        answers = [guess(site, THERE, handle) for _ in range(6)]
        assert [each.status_code for each in answers] == [401] * 5 + [429]
        assert answers[-1].headers["Retry-After"] == "60"


def test_the_owner_elsewhere_logs_in_while_somebody_guesses(site: Site) -> None:
    for _ in range(6):
        guess(site, THERE, "alice")

    assert locked_out(site, THERE, site.alice)
    assert not locked_out(site, HERE, site.alice)


def test_a_browser_with_a_session_logs_in_again_while_somebody_guesses_beside_it(site: Site) -> None:
    browser = browser_at(site, HERE)
    log_in(browser, site.alice)
    for _ in range(6):
        guess(site, HERE, "alice")

    assert locked_out(site, HERE, site.alice)
    assert log_in(browser, site.alice).status_code == 200


def test_somebody_elses_session_does_not_help(site: Site) -> None:
    browser = browser_at(site, HERE)
    log_in(browser, site.bob)
    document = {"handle": "alice", "key": b64url(bytes(32))}

    assert [browser.post("/login", json=document).status_code for _ in range(6)][-1] == 429


def test_who_logged_in_there_before_gets_the_salt_and_comes_in_while_somebody_tries_all_handles(
    site: Site,
) -> None:
    assert not locked_out(site, HERE, site.alice)
    for number in range(120):
        guess(site, HERE, f"name-{number}")
        browser_at(site, HERE).post("/v1/login/salt", json={"handle": f"name-{number}"})

    salts = [
        browser_at(site, HERE).post("/v1/login/salt", json={"handle": handle}).status_code
        for handle in ("alice", "bob")
    ]
    assert salts == [200, 429]
    assert (locked_out(site, HERE, site.alice), locked_out(site, HERE, site.bob)) == (False, True)


def test_join_codes_are_not_tried_out(site: Site) -> None:
    def show(address: str) -> int:
        document = {"code": "a" * 16}
        return browser_at(site, address).post("/v1/invites", json=document).status_code

    assert [show(THERE) for _ in range(21)] == [404] * 20 + [429]
    assert show(HERE) == 404


def test_accounts_that_nobody_invited_are_not_handed_in_for_ever(site: Site) -> None:
    parcel = parcel_of(site.world.stranger("mallory").joins(None, None))

    def join() -> int:
        return browser_at(site, THERE).post("/v1/accounts", json=parcel).status_code

    assert [join() for _ in range(21)] == [403] * 20 + [429]
    assert site.relay.handed_in == 0


def test_handles_are_not_tried_out_by_a_member_at_full_speed(site: Site) -> None:
    def find(actor: Actor) -> int:
        return site.post(actor, "/v1/lookup", {"handle": "nobody"}).status_code

    assert [find(site.carol) for _ in range(31)] == [404] * 30 + [429]
    assert find(site.bob) == 404

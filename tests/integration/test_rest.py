"""The five requests of the paper's Table I, and what holds for every route."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from chain import body, errors, wire
from chain.api import Friend
from chain.body import Card
from chain.encoding import b64url
from chain.entry import Profile
from chain.receipt import Receipt
from gateway.authority import Denied
from gateway.errors import GatewayError
from gateway.rest import problems
from gateway.rest.problems import STATUS, RestError
from gateway.sessions import HOUR_MS
from tests.certificates import request
from tests.site import IDLE_MS, Site, a_site, key_of, log_in

PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/metrics"),  # to whoever is on the gateway's own machine
    ("GET", "/v1/site"),
    ("POST", "/v1/invites"),
    ("POST", "/login"),
    ("POST", "/v1/login/salt"),
    ("POST", "/v1/accounts"),
    ("GET", "/v1/crl"),
    ("GET", "/root.crt"),
    ("GET", "/"),
    ("GET", "/assets/index.js"),
}
UNKNOWN = "a" * 26


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def routes(site: Site) -> list[tuple[str, str]]:
    """Method and path of every route, with something in place of what varies."""
    found = []
    for rule in site.app.url_map.iter_rules():
        path = (
            rule.rule.replace("<account>", site.alice.id)
            .replace("<entry_id>", "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071")
            .replace("<path:name>", "0/000.p/1")
            .replace("<height>", "0")
            .replace("<name>", "index.js")
            .replace("<session_id>", "A" * 22)
            .replace("<invite>", "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071")
        )
        found += [(method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return sorted(found)


# GET /check


def test_check_says_who_is_logged_in(site: Site) -> None:
    browser = site.browser(site.alice)

    answer = browser.get("/check")

    assert answer.status_code == 200
    assert answer.json == {
        "account": site.alice.id,
        "handle": "alice",
        "name": "Alice",
        "role": "member",
        "expires": site.clock.now + IDLE_MS,
    }


def test_check_is_unauthorized_without_a_session(site: Site) -> None:
    answer = site.browser().get("/check")

    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


def test_check_answers_a_token_too(site: Site) -> None:
    answer = site.get(site.fridge, "/check")

    assert answer.json is not None
    assert answer.json["account"] == site.fridge.id


# POST /login


def test_login_sets_a_cookie_that_scripts_and_other_sites_do_not_get(site: Site) -> None:
    answer = log_in(site.browser(), site.alice)

    cookie = answer.headers["Set-Cookie"]
    assert answer.status_code == 200
    assert cookie.startswith("blockpost_session=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_over_https_the_cookie_stays_there(site: Site) -> None:
    document = {"handle": "alice", "key": b64url(key_of(site.alice))}
    answer = site.browser().post("/login", json=document, base_url="https://localhost")

    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_unknown_handle_wrong_key_no_login_and_revoked_get_the_same_answer(site: Site) -> None:
    carol = {"handle": "carol", "key": b64url(key_of(site.carol))}
    site.commit(site.admin.revokes(site.carol.id))
    site.commit(
        site.fridge.says(Profile, beside=body.document(Card("fridge-2", "Fridge"), site.world.source))
    )
    attempts = [
        {"handle": "nobody", "key": b64url(bytes(32))},
        {"handle": "Not A Handle!", "key": b64url(bytes(32))},
        {"handle": "alice", "key": b64url(bytes(32))},
        {"handle": "fridge-2", "key": b64url(bytes(32))},
        carol,
    ]

    answers = [site.browser().post("/login", json=attempt) for attempt in attempts]

    assert {(answer.status_code, answer.data) for answer in answers} == {(401, answers[0].data)}
    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_what_stands_in_for_a_missing_login_opens_nothing(site: Site) -> None:
    document = {"handle": "nobody", "key": b64url(bytes(32))}

    assert site.browser().post("/login", json=document).status_code == 401


def test_the_salt_of_an_unknown_handle_is_made_up_and_stable(site: Site) -> None:
    def salt(handle: str) -> str:
        answer = site.browser().post("/v1/login/salt", json={"handle": handle})
        assert answer.status_code == 200
        assert answer.json is not None
        return str(answer.json["salt"])

    assert salt("nobody") == salt("nobody") != salt("somebody")
    assert len(salt("nobody")) == len(salt("alice")) == 22


def test_logging_in_again_ends_the_session_before(site: Site) -> None:
    browser = site.browser(site.alice)
    earlier = browser.get_cookie("blockpost_session")
    assert earlier is not None

    log_in(browser, site.alice)

    assert site.sessions.find(earlier.value) is None
    assert browser.get("/check").status_code == 200


def test_a_changed_password_ends_the_sessions_of_the_old_one(site: Site) -> None:
    browser = site.browser(site.alice)

    site.commit(site.profile(site.alice, "another"))

    assert browser.get("/check").status_code == 401
    assert log_in(browser, site.alice).status_code == 401
    assert log_in(browser, site.alice, "another").status_code == 200


def test_a_recovery_code_logs_in_as_well_as_the_password(site: Site) -> None:
    site.commit(site.profile(site.alice, "password", recovery="code"))

    by_code = log_in(site.browser(), site.alice, "code")
    by_password = log_in(site.browser(), site.alice, "password")

    assert by_code.status_code == by_password.status_code == 200
    assert by_code.json == by_password.json


def test_a_wrong_recovery_code_and_one_where_there_is_none_are_answered_alike(site: Site) -> None:
    site.commit(site.profile(site.alice, "password", recovery="code"))

    answers = [log_in(site.browser(), actor, "another") for actor in (site.alice, site.bob)]

    assert {(answer.status_code, answer.data) for answer in answers} == {(401, answers[0].data)}


def test_each_session_ends_with_what_it_was_begun_with(site: Site) -> None:
    site.commit(site.profile(site.alice, "password", recovery="code"))
    by_password, by_code = site.browser(), site.browser()
    log_in(by_password, site.alice, "password")
    log_in(by_code, site.alice, "code")

    site.commit(site.profile(site.alice, "another", recovery="code"))
    after_the_password = [browser.get("/check").status_code for browser in (by_password, by_code)]
    log_in(by_password, site.alice, "another")
    site.commit(site.profile(site.alice, "another", recovery="another code"))
    after_the_code = [browser.get("/check").status_code for browser in (by_password, by_code)]

    assert after_the_password == [401, 200]
    assert after_the_code == [200, 401]
    assert log_in(site.browser(), site.alice, "code").status_code == 401


def test_a_session_expires_unused_and_lives_on_used(site: Site) -> None:
    idle, busy = site.browser(site.alice), site.browser(site.alice)
    for _ in range(3):
        site.clock.now += 11 * HOUR_MS
        assert busy.get("/check").status_code == 200

    assert idle.get("/check").status_code == 401


def test_a_session_survives_a_restart_of_the_web_server(site: Site) -> None:
    cookie = site.browser(site.alice).get_cookie("blockpost_session")
    assert cookie is not None
    site.sessions.close()
    site.sessions = site.open_sessions()
    browser = site.build().test_client()
    browser.set_cookie("blockpost_session", cookie.value)

    assert browser.get("/check").status_code == 200


# POST /logout


def test_logout_ends_only_this_browsers_session(site: Site) -> None:
    here, there = site.browser(site.alice), site.browser(site.alice)
    cookie = here.get_cookie("blockpost_session")
    assert cookie is not None

    assert here.post("/logout", json={}).status_code == 204

    assert here.get("/check").status_code == 401
    here.set_cookie("blockpost_session", cookie.value)
    assert here.get("/check").status_code == 401
    assert there.get("/check").status_code == 200


# POST /friendslist


def friends(site: Site, name: str) -> dict[str, Friend]:
    answer = site.browser(getattr(site, name)).post("/friendslist", json={})
    assert answer.status_code == 200
    assert answer.json is not None
    return {line["id"]: Friend(**line) for line in answer.json["friends"]}


def test_the_friend_list_holds_contacts_groups_and_whoever_is_linked_to_them(site: Site) -> None:
    found = friends(site, "alice")

    assert {(f.kind, f.handle or f.name, f.state, f.live) for f in found.values()} == {
        ("person", "bob", "contact", True),
        ("device", "fridge-2", "contact", True),
        ("group", "on call", "member", True),
    }


def test_a_request_shows_on_both_sides(site: Site) -> None:
    site.commit(site.carol.contact("request", site.alice.id))

    assert friends(site, "carol")[site.alice.id].state == "asking"
    assert friends(site, "alice")[site.carol.id].state == "asked"


def test_a_linked_account_lists_the_group_and_its_members(site: Site) -> None:
    site.world.link(site.carol, site.on_call)

    found = friends(site, "carol")

    assert {party: friend.state for party, friend in found.items()} == {
        site.on_call: "contact",
        site.alice.id: "contact",
        site.bob.id: "contact",
    }


def test_a_friend_who_was_revoked_is_listed_as_gone(site: Site) -> None:
    site.commit(site.admin.revokes(site.bob.id))

    assert not friends(site, "alice")[site.bob.id].live


# POST /messages


def test_a_conversation_comes_with_proofs_bodies_and_a_cursor(site: Site) -> None:
    said = [site.write(site.bob, site.alice.id, f"{n}") for n in range(5)]
    browser = site.browser(site.alice)

    newest = browser.post("/messages", json={"friend": "bob", "limit": 3}).json
    assert newest is not None
    oldest = browser.post("/messages", json={"friend": "bob", "before": newest["before"]}).json

    assert oldest is not None
    assert [m["index"] for m in oldest["messages"] + newest["messages"]] == said
    assert [m["body"] for m in oldest["messages"] + newest["messages"]] == ["0", "1", "2", "3", "4"]
    assert oldest["before"] is None
    for message in newest["messages"]:
        parcel = wire.Parcel(message["entry"], salt=message["salt"], body=message["body"])
        leaf = parcel.load().signed.leaf
        Receipt.from_text(message["receipt"]).verify(
            leaf, origin=site.world.origin, key=site.world.gateway.keys.public
        )


@pytest.mark.parametrize("name", ["carol", "nobody", UNKNOWN, "g-" + UNKNOWN])
def test_whoever_is_not_a_friend_and_whoever_does_not_exist_are_refused_alike(site: Site, name: str) -> None:
    answer = site.browser(site.alice).post("/messages", json={"friend": name})

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["rule"] == "contact"
    assert answer.json["detail"] == "there is no such addressee, or you are not in contact"


def test_of_a_groups_conversation_everyone_gets_what_was_said_to_them(site: Site) -> None:
    before = site.write(site.fridge, site.on_call)
    everyone = sorted((site.alice.id, site.bob.id, site.carol.id))
    site.commit(site.admin.groups(site.on_call, *everyone))
    after = site.write(site.fridge, site.on_call)

    def seen_by(name: str) -> list[int]:
        answer = site.browser(getattr(site, name)).post("/messages", json={"friend": site.on_call})
        assert answer.json is not None
        return [message["index"] for message in answer.json["messages"]]

    assert seen_by("alice") == [before, after]
    assert seen_by("carol") == [after]


# Every route


def test_every_route_but_the_public_ones_wants_a_login(site: Site) -> None:
    for method, path in routes(site):
        if (method, path) not in PUBLIC:
            answer = site.browser().open(path, method=method, json={} if method == "POST" else None)
            assert answer.status_code in (400, 401), (method, path, answer.text)
            assert answer.content_type == "application/problem+json"


def test_a_revoked_account_is_refused_on_every_route_with_a_live_session_and_a_live_token(site: Site) -> None:
    browser, token = site.browser(site.bob), site.bearer(site.bob)
    site.commit(site.admin.revokes(site.bob.id))
    bodies = {
        "/friendslist": {},
        "/logout": {},
        "/v1/certificates": {"csr": request(site.bob.id)},
        "/messages": {"friend": "alice"},
        "/v1/intents": {"to": "alice"},
        "/v1/lookup": {"handle": "alice"},
    }

    for method, path in routes(site):
        if (method, path) in PUBLIC:
            continue
        document = bodies.get(path, {}) if method == "POST" else None
        query = "?from=0&to=0" if path.endswith("consistency") else ""
        for client, headers in ((browser, {}), (site.browser(), token)):
            answer = client.open(path + query, method=method, json=document, headers=headers)
            assert answer.status_code == 401, (method, path, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/check/", 404), ("DELETE", "/login", 405), ("POST", "/check", 405)],
)
def test_what_the_framework_refuses_is_a_problem_document_too(
    site: Site, method: str, path: str, status: int
) -> None:
    answer = site.browser().open(path, method=method)

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json is not None
    assert {"type", "title", "status", "detail"} <= set(answer.json)


@pytest.mark.parametrize("path", ["//check", "///", "//v1/site"])
def test_a_path_has_one_spelling(site: Site, path: str) -> None:
    # A client would take what follows two slashes for a host.
    answer = site.browser().get("/", environ_overrides={"PATH_INFO": path})

    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_a_body_must_be_json_by_name_and_nature(site: Site) -> None:
    browser = site.browser(site.alice)

    form = browser.post("/friendslist", data={"a": "b"})
    other = browser.post("/friendslist", json=[])
    unknown = browser.post("/friendslist", json={"more": 1})

    assert [answer.status_code for answer in (form, other, unknown)] == [415, 400, 400]
    assert {answer.content_type for answer in (form, other, unknown)} == {"application/problem+json"}


def test_too_large_a_body_is_refused(site: Site) -> None:
    answer = site.post(site.alice, "/v1/entries", {"entry": "a" * wire.MAX_PARCEL_BYTES})

    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://[", "http://localhost:1"])
def test_another_sites_page_cannot_use_a_session(site: Site, origin: str) -> None:
    answer = site.browser(site.alice).post("/logout", json={}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["type"] == "urn:blockpost:problem:crosssite"


def test_our_own_page_can(site: Site) -> None:
    answer = site.browser(site.alice).post("/logout", json={}, headers={"Origin": "http://localhost"})

    assert answer.status_code == 204


def test_an_error_nobody_foresaw_is_a_problem_without_a_trace(site: Site) -> None:
    site.sessions.close()

    answer = site.app.test_client().post(
        "/login", json={"handle": "alice", "key": b64url(key_of(site.alice))}
    )

    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert b"sqlite" not in answer.data


def test_answers_are_kept_by_nobody(site: Site) -> None:
    answer = site.get(site.alice, "/check")

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def descendants(kind: type[Exception]) -> set[type[Exception]]:
    return {found for child in kind.__subclasses__() for found in ({child} | descendants(child))}


def test_every_error_and_every_rule_has_its_status() -> None:
    # What the authority denies is told as `Expired` or `Missing`.
    otherwise = {errors.Refused, problems.Declined, Denied}
    known = descendants(errors.ChainError) | descendants(GatewayError) | descendants(RestError)

    assert set(STATUS) == (known - otherwise) | set(get_args(errors.Rule))

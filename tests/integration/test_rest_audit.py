"""The audit list: what was done on the chain, and by whom."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chain.entry import Account, Contact, Group, Invite, Key, Redact, Revoke, parse
from chain.errors import Refused
from gateway.refusals import Refusal, Refusals
from tests.integration.test_rest_presence import link_of, until
from tests.site import Site, a_site
from tests.sites import added, client_of, running_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


Line = dict[str, Any]


def page(site: Site, query: str = "") -> tuple[list[Line], int | None]:
    answer = site.get(site.admin, f"/v1/admin/audit{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return answer.json["lines"], answer.json["before"]


def newest(site: Site) -> Line:
    """What the newest line says, without what is null."""
    (line,), _ = page(site, "?limit=1")
    return {name: value for name, value in line.items() if value is not None}


def test_an_invite_says_for_whom_and_later_whom_it_let_in(site: Site) -> None:
    dora, code = site.world.stranger("dora"), site.world.code()
    invite = site.admin.invites(code, handle="dora", kind="device")
    (index,) = site.commit(invite)

    wanted = {
        "index": index,
        "at": site.world.chain.store.time_of(index),
        "id": invite.signed.entry.id,
        "type": "invite",
        "author": site.admin.id,
        "author_handle": "admin",
        "about_handle": "dora",
        "kind": "device",
        "role": "member",
    }
    assert newest(site) == wanted

    site.commit(dora.joins(invite, code, kind="device"))
    (line,), _ = page(site, f"?before={index + 1}&limit=1")
    assert line["about"] == dora.id


def test_who_joined_and_who_had_invited_them(site: Site) -> None:
    dora, code = site.world.stranger("dora"), site.world.code()
    invite = site.admin.invites(code, handle="dora")
    site.commit(invite)
    site.commit(dora.joins(invite, code))

    line = newest(site)

    assert (line["type"], line["author"], line["kind"], line["role"]) == (
        "account",
        dora.id,
        "person",
        "member",
    )
    assert (line["about"], line["about_handle"]) == (site.admin.id, "admin")
    assert "author_handle" not in line  # it has not said yet


def test_a_rotation_and_a_reset_are_told_apart(site: Site) -> None:
    keys = site.bob.fresh_keys()
    site.commit(site.bob.gives_keys(keys))
    site.bob.keys = keys
    rotation = newest(site)
    site.commit(site.admin.gives_keys(site.bob.fresh_keys(), to=site.bob.id))
    reset = newest(site)

    assert (rotation["action"], rotation["author"], rotation["about_handle"]) == (
        "rotation",
        site.bob.id,
        "bob",
    )
    assert (reset["action"], reset["author"], reset["about"]) == ("reset", site.admin.id, site.bob.id)


def test_a_revocation_says_why_and_whether_it_is_only_a_key(site: Site) -> None:
    kid = site.bob.keys.kid
    site.commit(site.admin.revokes(site.bob.id, reason="compromised", key=kid))
    key = newest(site)
    site.commit(site.admin.revokes(site.carol.id, reason="left"))
    account = newest(site)

    assert (key["action"], key["key"], key["about_handle"]) == ("compromised", kid, "bob")
    assert (account["action"], account["about"], account.get("key")) == ("left", site.carol.id, None)


def test_contacts_and_links_say_between_whom(site: Site) -> None:
    site.commit(site.carol.contact("request", site.alice.id))
    request = newest(site)
    site.commit(site.admin.contact("unlink", site.on_call, of=site.fridge.id))
    unlink = newest(site)

    assert (request["action"], request["author_handle"], request["about_handle"]) == (
        "request",
        "carol",
        "alice",
    )
    assert (unlink["action"], unlink["of"], unlink["of_handle"]) == ("unlink", site.fridge.id, "fridge-2")
    assert (unlink["about"], unlink["about_handle"]) == (site.on_call, "on call")


def test_a_group_is_set_and_ended(site: Site) -> None:
    site.commit(site.admin.groups(site.on_call, site.alice.id, site.bob.id, site.carol.id))
    made = newest(site)
    site.commit(site.admin.groups(site.on_call, name=None))
    ended = newest(site)

    assert (made["action"], made["members"], made["about_handle"]) == ("set", 3, "on call")
    assert (ended["action"], ended["members"], ended["about"]) == ("end", 0, site.on_call)
    assert "about_handle" not in ended


def test_an_erased_body_says_of_which_entry_and_why(site: Site) -> None:
    message = site.bob.writes(site.alice.id)
    site.commit(message)
    site.commit(site.bob.redacts(message, reason="mistake"))

    line = newest(site)

    assert (line["type"], line["action"], line["about"]) == ("redact", "mistake", message.signed.entry.id)


def test_what_is_said_is_not_in_it(site: Site) -> None:
    before = newest(site)
    alarm = site.fridge.alerts(site.on_call)
    site.commit(alarm)
    site.commit(site.alice.answers(alarm), site.alice.writes(site.bob.id), site.profile(site.alice))

    assert newest(site) == before


def acts(site: Site) -> list[tuple[int, str]]:
    """All that was done, looked for entry by entry."""
    store, kinds = site.world.chain.store, (Account, Contact, Group, Invite, Key, Redact, Revoke)
    entries = [(index, parse(store.leaf(index)).entry) for index in range(site.world.chain.head.size)]
    return [(index, type(said).__name__.lower()) for index, said in entries if isinstance(said, kinds)]


def test_its_pages_together_are_all_that_was_done(site: Site) -> None:
    found: list[Line] = []
    before: int | None = 2**53 - 1
    while before is not None:
        lines, before = page(site, f"?before={before}&limit=3")
        found += lines

    assert [(line["index"], line["type"]) for line in reversed(found)] == acts(site)


@pytest.mark.parametrize("kind", ["invite", "account", "key", "revoke", "contact", "group", "redact"])
def test_one_type_of_it_can_be_asked_for(site: Site, kind: str) -> None:
    site.commit(site.admin.gives_keys(site.bob.fresh_keys(), to=site.bob.id))
    site.commit(site.admin.revokes(site.carol.id))
    message = site.alice.writes(site.bob.id)
    site.commit(message)
    site.commit(site.alice.redacts(message))

    lines, before = page(site, f"?type={kind}")

    assert [line["index"] for line in reversed(lines)] == [idx for idx, type_ in acts(site) if type_ == kind]
    assert lines
    assert before is None


def test_a_page_does_not_look_through_messages(site: Site) -> None:
    asked: list[str] = []
    for _ in range(50):
        site.write(site.alice, site.bob.id)
    with site.chains.snapshot() as now:
        now.chain.store.db.set_trace_callback(asked.append)
    page(site, "?limit=5")
    with site.chains.snapshot() as now:
        now.chain.store.db.set_trace_callback(None)

    assert sum("FROM entry" in query for query in asked) == 5


@pytest.mark.parametrize(
    "query", ["?type=message", "?type=", "?before=-1", "?before=x", "?limit=0", "?limit=201", "?after=1"]
)
def test_another_question_is_refused(site: Site, query: str) -> None:
    assert site.get(site.admin, f"/v1/admin/audit{query}").status_code == 400


def test_it_is_for_admins(site: Site) -> None:
    assert site.get(site.alice, "/v1/admin/audit").status_code == 403
    assert site.app.test_client().get("/v1/admin/audit").status_code == 401


def test_the_gateways_own_beginning_is_in_it(site: Site) -> None:
    lines, _ = page(site, "?before=3")

    assert [(line["type"], line["author"], line["about"]) for line in lines] == [
        ("invite", site.world.gateway.id, site.admin.id),
        ("account", site.world.gateway.id, None),
    ]


# GET /v1/admin/refusals


def refused(site: Site, query: str = "") -> tuple[list[Line], int | None]:
    answer = site.get(site.admin, f"/v1/admin/refusals{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return answer.json["lines"], answer.json["before"]


def keep(site: Site, *refusals: Refusal) -> None:
    with closing(Refusals(site.folder / "refusals.db")) as notebook:
        notebook.keep(refusals)


def test_before_anything_is_refused_the_list_is_empty(site: Site) -> None:
    assert refused(site) == ([], None)


def test_a_refusal_says_whose_which_and_why(site: Site) -> None:
    keep(
        site,
        Refusal(at=5, account=site.bob.id, rule="contact", reason="not in contact", entry="e-1"),
        Refusal(at=6, account=None, rule="malformed", reason="no parcel", entry=None),
    )

    assert refused(site) == (
        [
            {
                "number": 2,
                "at": 6,
                "account": None,
                "handle": None,
                "rule": "malformed",
                "reason": "no parcel",
                "entry": None,
            },
            {
                "number": 1,
                "at": 5,
                "account": site.bob.id,
                "handle": "bob",
                "rule": "contact",
                "reason": "not in contact",
                "entry": "e-1",
            },
        ],
        None,
    )


def test_its_pages_are_all_of_the_list(site: Site) -> None:
    one = Refusal(at=5, account=site.bob.id, rule="contact", reason="", entry=None)
    keep(site, *[one] * 7)

    found: list[int] = []
    before: int | None = 2**53 - 1
    while before is not None:
        lines, before = refused(site, f"?before={before}&limit=3")
        found += [line["number"] for line in lines]

    assert found == [7, 6, 5, 4, 3, 2, 1]


def test_a_list_that_cannot_be_read_is_no_empty_list(site: Site) -> None:
    (site.folder / "refusals.db").write_bytes(b"no database, and long enough to be looked at" * 40)

    assert site.get(site.admin, "/v1/admin/refusals").status_code == 503


def test_the_list_is_for_admins(site: Site) -> None:
    assert site.get(site.alice, "/v1/admin/refusals").status_code == 403
    assert site.get(site.admin, "/v1/admin/refusals?type=x").status_code == 400


def test_what_the_committer_refuses_over_either_way_is_in_the_list(tmp_path: Path) -> None:
    with running_site(tmp_path) as whole, client_of(whole, "admin") as admin:
        member = added(whole, "carol")
        with client_of(whole, "carol") as carol, pytest.raises(Refused):
            carol.say(Contact, action="request", peer="a" * 26)
        link = link_of(admin)
        link.start()
        until(lambda: link.is_up)
        link.publish(b"no parcel")

        def lines() -> list[Line]:
            answer = admin.gateway._request("GET", "/v1/admin/refusals")
            return [dict(line) for line in json.loads(answer)["lines"]]

        until(lambda: lines()[0]["rule"] == "malformed")
        link.stop()
        found = lines()[:2]  # the first of all was whether the committer is there

    assert [(line["rule"], line["account"]) for line in found] == [
        ("malformed", admin.account),
        ("unknown", member.account),
    ]
    assert found[1]["handle"] == "carol"
    assert found[1]["entry"] is not None

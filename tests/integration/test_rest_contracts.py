"""The contracts in force, in words; and what another one would do, before it is installed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import TestResponse

from chain.contracts import dryrun, guard, words
from chain.contracts.guard import NoEngine
from chain.contracts.terms import Access, Nothing, Quorum, QuorumParams, Terms, hash_of
from tests.site import Site, a_site
from tests.world import contracts_for

CHECK = "/v1/admin/contracts/check"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def check(site: Site, terms: Terms, *, contract: str = "mine") -> TestResponse:
    return site.post(site.admin, CHECK, {"contract": contract, "terms": msgspec.to_builtins(terms)})


def problem(answer: TestResponse) -> tuple[int, str | None, str]:
    """Its status, the rule, and what it says."""
    assert answer.json is not None
    return answer.status_code, answer.json.get("rule"), answer.json["detail"]


def escalation(site: Site) -> Terms:
    return contracts_for(site.on_call)["escalate"]


# GET /v1/contracts


def test_each_contract_in_force_is_told_with_its_words(site: Site) -> None:
    terms = escalation(site)
    site.commit(site.admin.installs("ladder", terms))
    installed = site.world.chain.head.timestamp
    site.commit(site.admin.contact("link", site.bob.id, of=site.carol.id))

    answer = site.get(site.carol, "/v1/contracts")

    assert answer.json is not None
    (told,) = answer.json["contracts"]
    assert told == {
        "id": "ladder",
        "hash": hash_of(terms),
        "kind": "escalate",
        "installed": installed,
        "terms": msgspec.to_builtins(terms),
        "words": words.of(terms, {site.on_call: "on call"}.__getitem__),
    }


def test_every_kind_is_told_in_the_order_of_installation(site: Site) -> None:
    site.world.join("second", role="admin")
    for name, terms in contracts_for(site.on_call).items():
        site.commit(site.admin.installs(name, terms))

    answer = site.get(site.alice, "/v1/contracts")

    assert answer.json is not None
    told = [(each["id"], each["kind"]) for each in answer.json["contracts"]]
    kinds = ["escalate", "access", "rate", "quorum", "retain"]
    assert told == list(zip(contracts_for(site.on_call), kinds, strict=True))


def test_what_was_removed_is_not_told(site: Site) -> None:
    site.commit(site.admin.installs("ladder", escalation(site)))
    site.commit(site.admin.removes("ladder"))

    assert site.get(site.alice, "/v1/contracts").json == {"contracts": []}


# POST /v1/admin/contracts/check


def test_a_proposal_is_explained_and_tried_on_the_history(site: Site) -> None:
    site.commit(site.fridge.alerts(site.on_call))
    terms = escalation(site)

    answer = check(site, terms)

    assert answer.status_code == 200
    assert answer.json == {
        "words": words.of(terms, {site.on_call: "on call"}.__getitem__),
        "would": dryrun.would(site.world.chain, "mine", terms, site.clock.now),
    }
    assert answer.json["would"]


def test_it_installs_nothing(site: Site) -> None:
    before = site.world.dump()

    check(site, escalation(site))

    assert site.world.dump() == before
    assert site.get(site.admin, "/v1/contracts").json == {"contracts": []}


def test_what_the_chain_would_refuse_is_refused_with_its_reason(site: Site) -> None:
    nobody = contracts_for(site.world.new_group())["escalate"]
    too_many = Quorum(version=1, when="true", params=QuorumParams(need=2, seconds=60))
    no_guard = Access(version=1, when="size >", params=Nothing())
    answers = [check(site, terms) for terms in (nobody, too_many, no_guard)]

    refused = [
        site.world.refusal(site.admin.installs("mine", terms)) for terms in (nobody, too_many, no_guard)
    ]

    assert [problem(answer) for answer in answers] == [(403, each.rule, each.reason) for each in refused]
    assert problem(answers[0])[2] == "step 1: nobody is there to answer"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contract": "mine"},
        {"contract": "Mine!", "terms": {"kind": "access", "version": 1, "when": "true", "params": {}}},
        {"contract": "mine", "terms": {"kind": "odd", "version": 1, "when": "true", "params": {}}},
        {"contract": "mine", "terms": {"kind": "access", "version": 2, "when": "true", "params": {}}},
        {"contract": "mine", "terms": {"kind": "access", "version": 1, "when": "", "params": {}}},
    ],
)
def test_a_proposal_of_another_form_is_malformed(site: Site, body: dict[str, Any]) -> None:
    assert site.post(site.admin, CHECK, body).status_code == 400


def test_only_an_admin_may_ask(site: Site) -> None:
    body = {"contract": "mine", "terms": msgspec.to_builtins(escalation(site))}

    assert site.post(site.alice, CHECK, body).status_code == 403


def test_without_the_engine_nobody_can_say(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_engine: str) -> None:
        raise NoEngine("not here")

    monkeypatch.setattr(guard, "require", missing)

    answer = check(site, escalation(site))

    assert (answer.status_code, answer.json and answer.json["type"]) == (
        503,
        "urn:blockpost:problem:noengine",
    )


def test_a_chain_that_began_without_an_engine_has_no_contracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "is_installed", lambda: False)
    with a_site(tmp_path) as site:
        answer = check(site, escalation(site))

        refused = site.world.refusal(site.admin.installs("mine", escalation(site)))
        assert problem(answer) == (409, refused.rule, refused.reason)
        assert site.get(site.alice, "/v1/contracts").json == {"contracts": []}

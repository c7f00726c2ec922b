"""Accounts, intents, entries and the inbox: what devices and pages live on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain import entry, wire
from chain.api import IntentAnswer, Party
from chain.entry import Account, Group
from chain.receipt import Receipt
from chain.wire import Delivered, Delivery
from gateway.errors import Undecided
from gateway.relay import Answer
from tests.site import Site, a_site, parcel_of
from tests.world import Actor

UNKNOWN = "a" * 26


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def proven(site: Site, delivered: Delivered) -> entry.Entry:
    """What a delivered entry says, once its proof was checked."""
    leaf = delivered.entry.encode()
    Receipt.from_text(delivered.receipt).verify(
        leaf, origin=site.world.origin, key=site.world.gateway.keys.public
    )
    return entry.parse(leaf).entry


# Accounts


def looked_up(site: Site, who: Actor, whom: str) -> Any:
    return site.get(who, f"/v1/accounts/{whom}")


def test_an_account_comes_with_every_key_it_ever_had_proven(site: Site) -> None:
    keys = site.bob.fresh_keys()
    site.commit(site.bob.gives_keys(keys))

    answer = looked_up(site, site.alice, site.bob.id)

    party = _party(answer.json)
    assert (party.handle, party.kind, party.role, party.live) == ("bob", "person", "member", True)
    first, second = (proven(site, delivered) for delivered in party.entries)
    assert isinstance(first, Account)
    assert isinstance(second, entry.Key)
    assert second.sign == keys.public


def _party(document: Any) -> Party:
    entries = [Delivered(**delivered) for delivered in document["entries"]]
    return Party(**document | {"entries": entries})


def test_whoever_has_nothing_to_do_with_an_account_does_not_learn_that_it_exists(site: Site) -> None:
    hidden, absent = (looked_up(site, site.carol, whom) for whom in (site.alice.id, UNKNOWN))

    assert (hidden.status_code, hidden.data) == (404, absent.data)


def test_an_account_shows_itself_to_itself_to_admins_and_to_friends(site: Site) -> None:
    for who in (site.alice, site.admin, site.bob, site.fridge):
        assert looked_up(site, who, site.alice.id).status_code == 200


def test_the_gateway_shows_itself_to_all(site: Site) -> None:
    assert looked_up(site, site.carol, site.world.gateway.id).status_code == 200


def test_an_author_stays_visible_to_whoever_holds_its_messages(site: Site) -> None:
    site.write(site.fridge, site.on_call)
    site.commit(site.admin.contact("unlink", site.on_call, of=site.fridge.id))

    assert looked_up(site, site.alice, site.fridge.id).status_code == 200


def test_a_newcomer_joins_without_a_login(site: Site) -> None:
    dave, code = site.world.stranger("dave"), site.world.code()
    invite = site.admin.invites(code, handle="dave")
    site.commit(invite)

    answer = site.app.test_client().post("/v1/accounts", json=parcel_of(dave.joins(invite, code)))

    assert answer.status_code == 201
    assert looked_up(site, dave, dave.id).status_code == 200


def test_whoever_has_a_join_code_is_told_what_it_is_for_until_it_is_used(site: Site) -> None:
    dave, code = site.world.stranger("dave"), site.world.code()
    invite = site.admin.invites(code, handle="dave")
    site.commit(invite)
    before = site.app.test_client().post("/v1/invites", json={"code": code})
    site.commit(dave.joins(invite, code))
    after = site.app.test_client().post("/v1/invites", json={"code": code})

    assert before.json is not None
    assert (before.json["id"], before.json["handle"]) == (invite.signed.entry.id, "dave")
    assert after.status_code == 404


def test_nothing_but_an_account_comes_in_without_a_login(site: Site) -> None:
    parcel = parcel_of(site.alice.writes(site.bob.id))

    answer = site.app.test_client().post("/v1/accounts", json=parcel)

    assert answer.status_code == 403
    assert site.relay.handed_in == 0


# Intents


@pytest.mark.parametrize("name", ["bob", "the id"])
def test_an_intent_is_answered_with_the_addressees_proven_keys(site: Site, name: str) -> None:
    answer = site.post(site.alice, "/v1/intents", {"to": site.bob.id if name == "the id" else name})

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["to"] == site.bob.id
    (party,) = (_party(document) for document in answer.json["recipients"])
    account = proven(site, party.entries[0])
    assert isinstance(account, Account)
    assert account.sign == site.bob.keys.public


def test_an_intent_for_a_group_names_its_members_and_proves_who_said_so(site: Site) -> None:
    answer = _intent(site.post(site.fridge, "/v1/intents", {"to": "on call"}).json)

    assert answer.to == site.on_call
    assert {party.account for party in answer.recipients} == {site.alice.id, site.bob.id}
    assert answer.group is not None
    assert answer.admin is not None
    group = proven(site, answer.group)
    assert isinstance(group, Group)
    assert group.author == answer.admin.account == site.admin.id
    assert set(group.members) == {site.alice.id, site.bob.id}


def _intent(document: Any) -> IntentAnswer:
    return IntentAnswer(
        to=document["to"],
        recipients=[_party(party) for party in document["recipients"]],
        group=Delivered(**document["group"]),
        admin=_party(document["admin"]),
    )


def test_all_receipts_of_an_answer_are_under_one_checkpoint(site: Site) -> None:
    answer = _intent(site.post(site.fridge, "/v1/intents", {"to": "on call"}).json)

    assert answer.group is not None
    assert answer.admin is not None
    proofs = [answer.group] + [d for party in (*answer.recipients, answer.admin) for d in party.entries]
    assert len({Receipt.from_text(delivered.receipt).note for delivered in proofs}) == 1


def test_members_who_were_revoked_or_have_no_key_are_left_out(site: Site) -> None:
    everyone = sorted((site.alice.id, site.bob.id, site.carol.id))
    site.commit(site.admin.groups(site.on_call, *everyone))
    site.commit(site.admin.revokes(site.bob.id), site.admin.revokes(site.alice.id, key=site.alice.keys.kid))

    answer = _intent(site.post(site.fridge, "/v1/intents", {"to": site.on_call}).json)

    assert [party.account for party in answer.recipients] == [site.carol.id]


def test_a_caller_is_not_among_the_recipients_of_its_own_group(site: Site) -> None:
    answer = _intent(site.post(site.alice, "/v1/intents", {"to": site.on_call}).json)

    assert [party.account for party in answer.recipients] == [site.bob.id]


@pytest.mark.parametrize("name", ["alice", "nobody", UNKNOWN, "on call", "g-" + UNKNOWN])
def test_an_intent_for_whoever_is_out_of_reach_says_no_more_than_that(site: Site, name: str) -> None:
    answer = site.post(site.carol, "/v1/intents", {"to": name})

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["detail"] == "there is no such addressee, or you are not in contact"


def test_a_name_that_stands_for_two_is_not_guessed_at(site: Site) -> None:
    other = site.world.new_group()
    site.commit(site.admin.groups(other, site.alice.id))

    answer = site.post(site.alice, "/v1/intents", {"to": "on call"})

    assert answer.status_code == 409
    assert site.post(site.alice, "/v1/intents", {"to": site.on_call}).status_code == 200


def test_a_handle_that_looks_like_an_id_does_not_pass_for_it(site: Site) -> None:
    mallory = site.world.join(site.bob.id)
    site.world.link(site.alice, mallory.id)

    answer = site.post(site.alice, "/v1/intents", {"to": site.bob.id})

    assert answer.json is not None
    assert answer.json["to"] == site.bob.id


# Entries


def test_an_entry_is_handed_in_and_receipted(site: Site) -> None:
    submission = site.alice.writes(site.bob.id)

    answer = site.submit(site.alice, submission)

    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["id"] == submission.signed.entry.id
    delivered = Delivered(answer.json["index"], submission.signed.leaf.decode(), answer.json["receipt"])
    assert proven(site, delivered) == submission.signed.entry


def test_the_same_entry_again_is_receipted_again_and_committed_once(site: Site) -> None:
    submission = site.alice.writes(site.bob.id)
    first = site.submit(site.alice, submission)
    size = site.world.chain.head.size

    again = site.submit(site.alice, submission)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert site.world.chain.head.size == size
    assert site.relay.handed_in == 1


def test_a_browser_hands_in_by_its_session(site: Site) -> None:
    answer = site.browser(site.alice).post("/v1/entries", json=parcel_of(site.alice.writes(site.bob.id)))

    assert answer.status_code == 201


def test_a_refused_entry_comes_back_with_its_rule_and_the_gateways_signature(site: Site) -> None:
    answer = site.submit(site.alice, site.alice.writes(site.carol.id))

    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert answer.json is not None
    assert answer.json["rule"] == "contact"
    refusal = wire.read_refusal(
        answer.json["refusal"].encode(), key=site.world.gateway.keys.public, origin=site.world.origin
    )
    assert refusal.rule == "contact"


def test_an_entry_out_of_sequence_is_a_conflict(site: Site) -> None:
    answer = site.submit(site.alice, site.alice.writes(site.bob.id, seq=1))

    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["rule"] == "sequence"


def test_nobody_hands_in_for_another(site: Site) -> None:
    answer = site.submit(site.bob, site.alice.writes(site.bob.id))

    assert answer.status_code == 403
    assert site.relay.handed_in == 0


def test_a_body_that_is_not_the_entrys_is_refused(site: Site) -> None:
    parcel = parcel_of(site.alice.writes(site.bob.id)) | {"body": "another"}

    assert site.post(site.alice, "/v1/entries", parcel).status_code == 403


def test_without_an_answer_of_the_committer_it_is_undecided(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit(_parcel: bytes, _entry_id: str) -> Answer:
        raise Undecided("no answer")

    monkeypatch.setattr(site.relay, "submit", submit)

    answer = site.submit(site.alice, site.alice.writes(site.bob.id))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"


def test_a_receipt_of_something_else_is_not_passed_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = site.relay.submit
    other = parcel_of(site.alice.writes(site.bob.id))

    def submit(_parcel: bytes, entry_id: str) -> Answer:
        return honest(wire.encode(other), entry_id)

    monkeypatch.setattr(site.relay, "submit", submit)

    assert site.submit(site.alice, site.alice.writes(site.bob.id)).status_code == 503


def test_an_entry_is_read_back_by_whom_it_is_for_and_by_nobody_else(site: Site) -> None:
    submission = site.bob.writes(site.alice.id, "sealed")
    site.commit(submission)
    path = f"/v1/entries/{submission.signed.entry.id}"

    mine, receipt = site.get(site.alice, path), site.get(site.alice, f"{path}/receipt")
    others, absent = site.get(site.carol, path), site.get(site.carol, "/v1/entries/nothing")

    assert mine.json is not None
    delivered = Delivered(**mine.json)
    assert delivered.body == "sealed"
    assert proven(site, delivered) == submission.signed.entry
    assert (receipt.text, receipt.mimetype) == (delivered.receipt, "text/plain")
    assert (others.status_code, others.data) == (404, absent.data)


def test_an_erased_body_is_gone_and_its_proof_is_not(site: Site) -> None:
    submission = site.bob.writes(site.alice.id)
    site.commit(submission)
    site.commit(site.bob.redacts(submission))

    answer = site.get(site.alice, f"/v1/entries/{submission.signed.entry.id}")

    assert answer.json is not None
    assert set(answer.json) == {"index", "entry", "receipt", "committed"}


def test_an_entry_says_when_its_block_was_made(site: Site) -> None:
    site.commit(site.bob.writes(site.alice.id))
    site.commit(site.bob.writes(site.alice.id))

    answer = site.get(site.alice, "/v1/inbox?after=-1")

    assert answer.json is not None
    delivered = [Delivered(**each) for each in answer.json["entries"]]
    store = site.world.chain.store
    assert [each.committed for each in delivered] == [store.time_of(each.index) for each in delivered]


# The inbox


def caught_up(site: Site, actor: Actor, query: str) -> Delivery:
    answer = site.get(actor, f"/v1/inbox{query}")
    assert answer.status_code == 200
    return wire.read_delivery(answer.data)


def test_the_inbox_holds_what_others_sent_since(site: Site) -> None:
    (last, *_) = [site.write(site.bob, site.alice.id) for _ in range(3)]
    site.write(site.alice, site.bob.id)

    delivery = caught_up(site, site.alice, f"?after={last}")

    assert delivery.previous == last
    assert [delivered.index for delivered in delivery.entries] == [last + 1, last + 2]
    for delivered in delivery.entries:
        proven(site, delivered)


def test_with_all_it_holds_the_callers_own_too(site: Site) -> None:
    last = site.write(site.bob, site.alice.id)
    own = site.write(site.alice, site.bob.id)

    delivery = caught_up(site, site.alice, f"?after={last}&all=1")

    assert [delivered.index for delivered in delivery.entries] == [own]


def test_it_comes_in_pages_without_gaps_or_repeats(site: Site) -> None:
    for _ in range(5):
        site.write(site.bob, site.alice.id)
    whole = [delivered.index for delivered in caught_up(site, site.alice, "").entries]

    after, paged = -1, list[int]()
    while page := caught_up(site, site.alice, f"?after={after}&limit=2").entries:
        paged += [delivered.index for delivered in page]
        after = paged[-1]

    assert paged == whole


def test_a_page_of_large_bodies_is_cut_and_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.rest.inbox.BUDGET", 10_000)
    first = site.write(site.bob, site.alice.id, "a" * 9_000)
    second = site.write(site.bob, site.alice.id, "a" * 9_000)

    one = caught_up(site, site.alice, f"?after={first - 1}")
    two = caught_up(site, site.alice, f"?after={first}")

    assert [[delivered.index for delivered in page.entries] for page in (one, two)] == [[first], [second]]


@pytest.mark.parametrize("query", ["?after=x", "?after=-2", "?limit=0", "?limit=201", "?afetr=1", "?after="])
def test_a_query_that_is_not_understood_is_refused(site: Site, query: str) -> None:
    assert site.get(site.alice, f"/v1/inbox{query}").status_code == 400


# Tokens


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_a_token_of_a_wrong_clock_is_told_the_time(site: Site, skew: int) -> None:
    headers = {"Authorization": f"Bearer {site.token(site.fridge, skew=skew)}"}

    answer = site.app.test_client().get("/check", headers=headers)

    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["now"] == site.clock.now


def test_a_token_is_good_for_one_service_and_one_signer(site: Site) -> None:
    mqtt = site.token(site.fridge, service="mqtt")
    forged = site.token(site.fridge)[:-4] + "AAAA"
    stranger = site.token(site.world.stranger("dave"))

    for token in (mqtt, forged, stranger, "", "a.b.c", "é"):
        answer = site.app.test_client().get("/check", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token


def test_a_token_signed_by_a_key_of_the_past_is_refused(site: Site) -> None:
    headers, keys = site.bearer(site.fridge), site.fridge.fresh_keys()
    site.commit(site.fridge.gives_keys(keys))

    assert site.app.test_client().get("/check", headers=headers).status_code == 401
    site.fridge.keys = keys
    assert site.get(site.fridge, "/check").status_code == 200


def test_a_bad_token_is_not_made_good_by_a_session(site: Site) -> None:
    browser = site.browser(site.alice)

    assert browser.get("/check", headers={"Authorization": "Bearer x"}).status_code == 401


# The site


def test_a_newcomer_can_check_the_site_against_a_join_code(site: Site) -> None:
    answer = site.app.test_client().get("/v1/site")

    assert answer.json is not None
    genesis = proven(site, Delivered(**answer.json["gateway"]))
    assert genesis.author == site.world.gateway.id
    assert answer.json["origin"] == site.world.origin
    assert answer.json["now"] == site.clock.now

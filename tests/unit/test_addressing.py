"""From a name to keys: believed as far as the chain proves them, and pinned."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec import structs

from chain.api import AlertHeader, Escalation, EscalationParty, IntentAnswer, Party
from chain.chain import Committed
from chain.contracts.terms import Access, Escalate, EscalateParams, Nothing, Step
from chain.entry import MAX_MEMBERS, Alert, Contract
from chain.rulebook.context import Admitted
from chain.wire import Delivered, Submission
from device.addressbook import AddressBook
from device.addressing import Directory, prove
from device.errors import Problem, Unreachable, Untrusted
from device.trust import Trust
from tests.homes import NearGateway, membership
from tests.world import DAY, START, Actor, World

if TYPE_CHECKING:
    from device.rest import Gateway


class Ward:
    """`me` may write to `alice` and to the group `on_call`, of whom `alice` and `bob` are members."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.me = self.world.device("me")
        self.alice, self.bob, self.mallory = (self.world.join(name) for name in ("alice", "bob", "mallory"))
        self.on_call = self.world.group(self.alice, self.bob)
        self.world.link(self.me, self.alice.id)
        self.world.link(self.me, self.on_call)
        self.gateway = Liar(self.world, self.me.id)
        self.book_file = folder / "addressbook.json"
        self.book = AddressBook(self.book_file)
        self.book.set_membership(membership(self.world, self.me.id))
        self.trust = Trust(self.book, self.book.membership(), self.gateway.consistency, lambda: START)
        self.directory = Directory(self.book, cast("Gateway", self.gateway), self.trust)

    def party(self, actor: Actor) -> Party:
        return self.gateway.account(actor.id)

    def proven(self, submission: Submission) -> Delivered:
        """An entry that the gateway put on its chain against the rules, with a receipt that holds."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("chain.rules.admit", lambda *_, **__: Admitted(frozenset()))
            (outcome,) = self.world.append(submission)
        assert isinstance(outcome, Committed)
        return self.gateway.delivered(outcome.index)[0]

    def rotates(self, actor: Actor) -> None:
        keys = actor.fresh_keys()
        self.world.commit(actor.gives_keys(keys))
        actor.keys = keys

    def resets(self, actor: Actor) -> None:
        keys = actor.fresh_keys()
        self.world.commit(self.world.admin.gives_keys(keys, to=actor.id))
        actor.keys = keys


class Liar(NearGateway):
    """A gateway that may answer otherwise than its chain says."""

    def __init__(self, world: World, account: str) -> None:
        super().__init__(world, account)
        self.twist: Callable[[IntentAnswer], IntentAnswer] = lambda answer: answer
        self.twist_party: Callable[[Party], Party] = lambda party: party

    def intent(self, to: str, alert: AlertHeader | None = None, re: str | None = None) -> IntentAnswer:
        return self.twist(super().intent(to, alert, re))

    def account(self, account: str) -> Party:
        return self.twist_party(super().account(account))


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    ward = Ward(tmp_path)
    yield ward
    ward.world.close()


# What the chain proves


def test_an_account_is_proven_by_its_own_entry(ward: Ward) -> None:
    proven = prove(ward.party(ward.alice), ward.trust)

    assert (proven.sign, proven.seal) == (ward.alice.keys.public, ward.alice.keys.seal)


def test_new_keys_are_proven_by_the_old_ones(ward: Ward) -> None:
    old = ward.alice.keys
    ward.rotates(ward.alice)

    proven = prove(ward.party(ward.alice), ward.trust)

    assert proven.sign == ward.alice.keys.public
    assert proven.lineage == (old.kid, ward.alice.keys.kid)


def test_an_admins_reset_begins_a_new_lineage(ward: Ward) -> None:
    old = ward.alice.keys
    ward.resets(ward.alice)

    proven = prove(ward.party(ward.alice), ward.trust)

    assert proven.lineage == (ward.alice.keys.kid,)
    assert proven.named(old.kid) == old.public


def test_a_receipt_of_another_entry_proves_nothing(ward: Ward) -> None:
    party, other = ward.party(ward.alice), ward.party(ward.bob)
    forged = structs.replace(other.entries[0], receipt=party.entries[0].receipt)

    with pytest.raises(Untrusted, match="does not lead to the root"):
        prove(structs.replace(party, entries=[forged]), ward.trust)


def test_another_accounts_entries_prove_nothing(ward: Ward) -> None:
    forged = structs.replace(ward.party(ward.alice), entries=ward.party(ward.mallory).entries)

    with pytest.raises(Untrusted, match="another account's"):
        prove(forged, ward.trust)


def test_an_id_that_is_not_that_of_the_key_proves_nothing(ward: Ward) -> None:
    usurper = ward.world.stranger("usurper")
    entry = ward.proven(usurper.joins(None, None, author=ward.alice.id))

    with pytest.raises(Untrusted, match="another account's"):
        prove(structs.replace(ward.party(ward.alice), entries=[entry]), ward.trust)


def test_an_account_that_another_key_signed_proves_nothing(ward: Ward) -> None:
    stranger = ward.world.stranger("stranger")
    entry = ward.proven(stranger.joins(None, None, sign_with=ward.mallory.keys.sign))
    party = structs.replace(ward.party(ward.alice), account=stranger.id, entries=[entry])

    with pytest.raises(Untrusted, match="signature does not hold"):
        prove(party, ward.trust)


def test_new_keys_that_the_old_one_did_not_sign_prove_nothing(ward: Ward) -> None:
    forged = ward.proven(ward.alice.gives_keys(ward.mallory.keys, sign_with=ward.mallory.keys.sign))
    party = ward.party(ward.alice)

    with pytest.raises(Untrusted, match="signature does not hold"):
        prove(structs.replace(party, entries=[*party.entries, forged]), ward.trust)


def test_another_accounts_new_keys_prove_nothing(ward: Ward) -> None:
    party = ward.party(ward.alice)
    ward.rotates(ward.bob)
    theirs = ward.party(ward.bob).entries[-1]

    with pytest.raises(Untrusted, match="want its account entry, then its key entries"):
        prove(structs.replace(party, entries=[*party.entries, theirs]), ward.trust)


@pytest.mark.parametrize("count", [0, 2])
def test_an_account_begins_once(ward: Ward, count: int) -> None:
    party = ward.party(ward.alice)

    with pytest.raises(Untrusted):
        prove(structs.replace(party, entries=party.entries * count), ward.trust)


# Whom a name means


def test_an_account_is_addressed_under_its_own_key(ward: Ward) -> None:
    found = ward.directory.addressee("alice")

    assert (found.to, found.keys) == (ward.alice.id, (ward.alice.keys.seal,))


def test_a_group_is_addressed_under_the_keys_of_its_members(ward: Ward) -> None:
    found = ward.directory.addressee("on call")

    assert found.to == ward.on_call
    assert set(found.keys) == {ward.alice.keys.seal, ward.bob.keys.seal}


def test_whom_the_chain_keeps_apart_is_a_problem(ward: Ward) -> None:
    with pytest.raises(Problem) as caught:
        ward.directory.addressee("mallory")

    assert caught.value.rule == "contact"


def test_a_member_that_the_admin_did_not_name_is_refused(ward: Ward) -> None:
    ghost = ward.party(ward.mallory)
    ward.gateway.twist = lambda answer: structs.replace(answer, recipients=[*answer.recipients, ghost])

    with pytest.raises(Untrusted, match="not the group's members"):
        ward.directory.addressee("on call")
    assert ward.book.pin(ward.mallory.id) is None


def test_another_account_than_the_one_addressed_is_refused(ward: Ward) -> None:
    ghost = ward.party(ward.mallory)
    ward.gateway.twist = lambda answer: structs.replace(answer, recipients=[ghost])

    with pytest.raises(Untrusted, match="not the account that was asked for"):
        ward.directory.addressee("alice")


@pytest.mark.parametrize("missing", ["group", "admin"])
def test_a_group_without_its_proof_is_refused(ward: Ward, missing: str) -> None:
    ward.gateway.twist = lambda answer: structs.replace(answer, **{missing: None})

    with pytest.raises(Untrusted, match="without the admin's entry"):
        ward.directory.addressee("on call")


def test_another_groups_entry_is_refused(ward: Ward) -> None:
    other = ward.world.group(ward.alice, ward.bob, ward.mallory)
    index = ward.world.chain.state.group_index(other)
    assert index is not None
    (entry,) = ward.gateway.delivered(index)
    ward.gateway.twist = lambda answer: structs.replace(answer, group=entry)

    with pytest.raises(Untrusted, match="not the group's members"):
        ward.directory.addressee("on call")


def forged_group(ward: Ward, **says: Any) -> Delivered:
    members = (ward.alice.id, ward.bob.id, ward.mallory.id)
    return ward.proven(ward.world.admin.groups(ward.on_call, *members, **says))


def test_a_group_that_another_key_signed_in_the_admins_name_is_refused(ward: Ward) -> None:
    entry = forged_group(ward, sign_with=ward.mallory.keys.sign)
    ward.gateway.twist = lambda answer: structs.replace(answer, group=entry)

    with pytest.raises(Untrusted, match="signature does not hold"):
        ward.directory.addressee("on call")


def test_a_group_with_the_key_of_another_signer_is_refused(ward: Ward) -> None:
    entry = forged_group(ward, sign_with=ward.mallory.keys.sign, kid=ward.mallory.keys.kid)
    ward.gateway.twist = lambda answer: structs.replace(answer, group=entry)

    with pytest.raises(Untrusted, match="never had"):
        ward.directory.addressee("on call")


def test_a_group_that_somebody_else_made_is_refused(ward: Ward) -> None:
    members = (ward.alice.id, ward.bob.id, ward.mallory.id)
    entry = ward.proven(ward.mallory.groups(ward.on_call, *members))
    signer = ward.party(ward.mallory)
    ward.gateway.twist = lambda answer: structs.replace(answer, group=entry, admin=signer)

    with pytest.raises(Untrusted, match="not signed by that admin"):
        ward.directory.addressee("on call")


def test_a_group_outlives_its_admins_keys(ward: Ward) -> None:
    ward.rotates(ward.world.admin)

    assert ward.directory.addressee("on call").to == ward.on_call


def test_nobody_with_a_key_is_a_problem(ward: Ward) -> None:
    keyless = structs.replace(ward.gateway.account(ward.world.gateway.id))
    ward.gateway.twist = lambda answer: structs.replace(answer, to=keyless.account, recipients=[keyless])

    with pytest.raises(Problem, match="nobody there has a key"):
        ward.directory.addressee("alice")


# Whom an alert may reach


HIGH = Alert("A" * 22, "physiological", "high", "start")
LOW = Alert("A" * 22, "physiological", "low", "start")


def escalates(*parties: str, when: str = 'priority == "high"') -> Escalate:
    steps = [Step(party, 60) for party in parties]
    return Escalate(version=1, when=when, params=EscalateParams(steps=steps, wait=60, laps=1))


class Night(Ward):
    """High alerts come to the group `by_night` a minute later, of whom `carol` and `dave` are, and then to `erin`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.carol, self.dave, self.erin = (self.world.join(name) for name in ("carol", "dave", "erin"))
        self.by_night = self.world.group(self.carol, self.dave)
        self.world.commit(self.world.admin.installs("night", escalates(self.by_night, self.erin.id)))

    def sealed_for(self, alert: Alert | None = HIGH) -> list[str]:
        """Who can open what is for the group on call."""
        keys = self.directory.addressee("on call", alert).keys
        people = (self.alice, self.bob, self.carol, self.dave, self.erin, self.mallory)
        names = {actor.keys.seal.n: actor.name for actor in people}
        return [names[key.n] for key in keys]

    def goes_on_duty(self, group: str, actor: Actor) -> None:
        self.world.commit(self.world.admin.plans(group, START, START + DAY, account=actor.id))

    def twists(self, change: Callable[[Escalation], Escalation]) -> None:
        """What the gateway says of the escalation."""

        def twist(answer: IntentAnswer) -> IntentAnswer:
            assert answer.escalation is not None
            return structs.replace(answer, escalation=change(answer.escalation))

        self.gateway.twist = twist

    def twists_party(self, number: int, **says: Any) -> None:
        def change(escalation: Escalation) -> Escalation:
            parties = [*escalation.parties]
            parties[number] = structs.replace(parties[number], **says)
            return structs.replace(escalation, parties=parties)

        self.twists(change)

    def contract_of(self, submission: Submission, author: Actor) -> None:
        """The gateway shows another contract, and whoever is said to have signed it."""
        delivered, admin = self.proven(submission), self.party(author)
        self.twists(lambda escalation: structs.replace(escalation, contract=delivered, admin=admin))


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    night = Night(tmp_path)
    yield night
    night.world.close()


ON_CALL = {"alice", "bob"}
EVERYBODY = ON_CALL | {"carol", "dave", "erin"}


def test_an_alert_is_sealed_for_whom_it_may_reach(night: Night) -> None:
    found = night.directory.addressee("on call", HIGH)

    assert found.to == night.on_call
    assert set(night.sealed_for()) == EVERYBODY


def test_what_no_contract_escalates_is_sealed_for_its_addressees(night: Night) -> None:
    assert set(night.sealed_for(LOW)) == ON_CALL
    assert set(night.sealed_for(None)) == ON_CALL


def test_the_oldest_contract_that_speaks_of_an_alert_is_meant(night: Night) -> None:
    night.world.commit(night.world.admin.installs("later", escalates(night.mallory.id)))

    assert set(night.sealed_for()) == EVERYBODY


def test_who_is_on_duty_comes_first(night: Night) -> None:
    night.goes_on_duty(night.on_call, night.bob)
    night.goes_on_duty(night.by_night, night.dave)

    assert night.sealed_for() == ["bob", "dave", "erin", "alice", "carol"]


def test_a_message_has_room_for_so_many(night: Night) -> None:
    crowd = [night.world.join(f"nurse-{number}") for number in range(MAX_MEMBERS - 2)]
    crowded = night.world.group(night.carol, *crowd)
    night.world.commit(night.world.admin.installs("night", escalates(crowded, night.erin.id)))
    night.goes_on_duty(crowded, night.carol)

    keys = night.directory.addressee("on call", HIGH).keys

    first = (night.alice, night.bob, night.carol, night.erin)
    assert len(keys) == len(set(keys)) == MAX_MEMBERS
    assert set(keys[:4]) == {actor.keys.seal for actor in first}
    assert night.directory.addressee("on call", HIGH).keys == keys


def test_whom_the_steps_name_twice_is_sealed_for_once(night: Night) -> None:
    steps = escalates(night.by_night, night.alice.id, night.by_night)
    night.world.commit(night.world.admin.installs("night", steps))

    assert sorted(night.sealed_for()) == ["alice", "bob", "carol", "dave"]


def test_while_the_gateway_is_away_an_alert_goes_where_one_like_it_went(night: Night) -> None:
    known, fewer = night.directory.addressee("on call", HIGH), night.directory.addressee("on call")
    night.gateway.reachable = False

    assert night.directory.addressee("on call", HIGH) == known
    assert night.directory.addressee("on call", LOW) == fewer
    assert night.directory.addressee("on call") == fewer


def test_a_route_that_an_older_program_wrote_still_leads_there(night: Night) -> None:
    known = night.directory.addressee("on call")
    written = night.book_file.read_text("utf-8")
    assert '"alert": null' in written
    night.book_file.write_text(written.replace(', "alert": null', ""), "utf-8")
    night.gateway.reachable = False

    assert night.directory.addressee("on call") == known
    assert night.directory.addressee("on call", HIGH) == known


INVENTED = "escalation not proven"


def test_a_step_that_the_contract_does_not_have_is_left_out(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    ghost = EscalationParty(
        to=night.mallory.id, recipients=[night.party(night.mallory)], on_duty=[night.mallory.id]
    )
    night.twists(lambda escalation: structs.replace(escalation, parties=[*escalation.parties, ghost]))

    assert set(night.sealed_for()) == EVERYBODY
    assert caplog.text.count(INVENTED) == 1
    assert "no step of the contract names it" in caplog.text
    assert night.book.pin(night.mallory.id) is None


def test_a_member_of_a_step_whom_no_admin_named_is_left_out_with_the_step(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    members = [night.party(actor) for actor in (night.carol, night.mallory)]
    night.twists_party(0, recipients=members)

    assert set(night.sealed_for()) == ON_CALL | {"erin"}
    assert "not the group's members" in caplog.text
    assert night.book.pin(night.mallory.id) is None


def test_another_account_than_the_one_a_step_names_is_left_out(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    night.twists_party(1, recipients=[night.party(night.mallory)])

    assert set(night.sealed_for()) == ON_CALL | {"carol", "dave"}
    assert "not the account that was asked for" in caplog.text


def test_keys_of_a_step_that_are_not_proven_are_left_out(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    forged = structs.replace(night.party(night.erin), entries=night.party(night.mallory).entries)
    night.twists_party(1, recipients=[forged])

    assert set(night.sealed_for()) == ON_CALL | {"carol", "dave"}
    assert "another account's" in caplog.text


def test_a_group_of_a_step_without_its_proof_is_left_out(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    night.twists_party(0, group=None)

    assert set(night.sealed_for()) == ON_CALL | {"erin"}
    assert "without the admin's entry" in caplog.text


def test_a_contract_that_no_admin_installed_counts_for_nothing(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    night.contract_of(night.mallory.installs("mine", escalates(night.by_night)), night.mallory)

    assert set(night.sealed_for()) == ON_CALL
    assert "not signed by that admin" in caplog.text


def test_a_contract_that_another_key_signed_in_the_admins_name_counts_for_nothing(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    admin, terms = night.world.admin, escalates(night.by_night)
    forger = night.mallory.keys.sign
    forged = admin.says(Contract, action="install", contract="mine", terms=terms, sign_with=forger)
    night.contract_of(forged, admin)

    assert set(night.sealed_for()) == ON_CALL
    assert "signature does not hold" in caplog.text


def test_a_contract_that_is_not_on_the_chain_counts_for_nothing(
    night: Night, caplog: pytest.LogCaptureFixture
) -> None:
    unsent = night.world.admin.installs("mine", escalates(night.by_night)).signed.leaf.decode()
    night.twists(
        lambda escalation: structs.replace(
            escalation, contract=structs.replace(escalation.contract, entry=unsent)
        )
    )

    assert set(night.sealed_for()) == ON_CALL
    assert "does not lead to the root" in caplog.text


@pytest.mark.parametrize("what", ["another kind", "removed", "a group"])
def test_what_installs_no_escalation_counts_for_nothing(
    night: Night, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    admin = night.world.admin
    night.contract_of(
        {
            "another kind": admin.installs("mine", Access(version=1, when="is_alert", params=Nothing())),
            "removed": admin.removes("night"),
            "a group": admin.groups(night.by_night, night.carol.id),
        }[what],
        admin,
    )

    assert set(night.sealed_for()) == ON_CALL
    assert "installs no escalation" in caplog.text


def test_a_contract_outlives_its_admins_keys(night: Night) -> None:
    night.rotates(night.world.admin)

    assert set(night.sealed_for()) == EVERYBODY


def test_an_alert_that_is_handed_on_goes_to_its_new_reader_alone(night: Night) -> None:
    alarm = night.me.alerts(night.on_call)
    night.world.commit(alarm)
    night.world.passes(61)
    handing = Directory(night.book, cast("Gateway", Liar(night.world, night.alice.id)), night.trust)

    found = handing.addressee("carol", re=alarm.signed.entry.id)

    assert (found.to, found.keys) == (night.carol.id, (night.carol.keys.seal,))
    with pytest.raises(Problem, match="not in contact"):
        handing.addressee("carol")
    with pytest.raises(Problem, match="not in contact"):
        handing.addressee("mallory", re=alarm.signed.entry.id)


# Pins


def test_the_first_keys_are_pinned(ward: Ward) -> None:
    ward.directory.addressee("alice")

    pin = ward.book.pin(ward.alice.id)
    assert pin is not None
    assert (pin.handle, pin.sign, pin.seal) == ("alice", ward.alice.keys.public, ward.alice.keys.seal)
    assert (pin.waiting, pin.notice) == (None, None)


def test_a_rotation_is_taken_and_reported(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    ward.directory.addressee("alice")
    ward.rotates(ward.alice)

    found = ward.directory.addressee("alice")

    pin = ward.book.pin(ward.alice.id)
    assert found.keys == (ward.alice.keys.seal,)
    assert pin is not None
    assert pin.notice == "alice has new keys, signed for by the old ones"
    assert caplog.text.count("key changed") == 1


def test_two_rotations_at_once_are_taken(ward: Ward) -> None:
    ward.directory.addressee("alice")
    ward.rotates(ward.alice)
    ward.rotates(ward.alice)

    assert ward.directory.addressee("alice").keys == (ward.alice.keys.seal,)


def test_a_reset_is_reported_and_not_taken(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    ward.directory.addressee("alice")
    old = ward.alice.keys
    ward.resets(ward.alice)

    for _ in range(3):
        assert ward.directory.addressee("alice").keys == (old.seal,)

    pin = ward.book.pin(ward.alice.id)
    assert pin is not None
    assert pin.sign == old.public
    assert pin.waiting is not None
    assert "did not sign for" in pin.waiting
    assert caplog.text.count("key changed") == 1


def test_a_rotation_after_a_reset_is_not_taken_either(ward: Ward) -> None:
    ward.directory.addressee("alice")
    old = ward.alice.keys
    ward.resets(ward.alice)
    ward.rotates(ward.alice)

    assert ward.directory.addressee("alice").keys == (old.seal,)


def test_a_reset_is_taken_by_a_person_who_says_so(ward: Ward) -> None:
    ward.directory.addressee("alice")
    ward.resets(ward.alice)
    ward.directory.addressee("alice")

    ward.directory.take("alice")

    pin = ward.book.pin(ward.alice.id)
    assert pin is not None
    assert (pin.sign, pin.waiting) == (ward.alice.keys.public, None)
    assert ward.directory.addressee("alice").keys == (ward.alice.keys.seal,)


def test_a_group_is_not_taken_as_a_whole(ward: Ward) -> None:
    with pytest.raises(Untrusted, match="a group of 2"):
        ward.directory.take("on call")


def test_keys_that_are_not_proven_are_not_pinned(ward: Ward) -> None:
    forged = structs.replace(ward.party(ward.alice), entries=ward.party(ward.mallory).entries)
    ward.gateway.twist = lambda answer: structs.replace(answer, recipients=[forged])

    with pytest.raises(Untrusted):
        ward.directory.addressee("alice")

    assert ward.book.pin(ward.alice.id) is None


def test_while_the_gateway_is_away_the_pins_will_do(ward: Ward) -> None:
    found = ward.directory.addressee("on call")
    ward.gateway.reachable = False

    assert ward.directory.addressee("on call") == found


def test_a_name_that_was_never_looked_up_waits_for_the_gateway(ward: Ward) -> None:
    ward.gateway.reachable = False

    with pytest.raises(Unreachable):
        ward.directory.addressee("alice")


# Who signed


def test_a_pinned_key_needs_no_question(ward: Ward) -> None:
    ward.directory.addressee("alice")
    ward.gateway.reachable = False

    assert ward.directory.signing_key(ward.alice.id, ward.alice.keys.kid) == (ward.alice.keys.public, "alice")


def test_an_older_key_of_an_author_is_found(ward: Ward) -> None:
    old = ward.alice.keys
    ward.directory.addressee("alice")
    ward.rotates(ward.alice)
    ward.directory.addressee("alice")

    assert ward.directory.signing_key(ward.alice.id, old.kid) == (old.public, "alice")


def test_a_key_that_the_author_never_had_is_refused(ward: Ward) -> None:
    with pytest.raises(Untrusted, match="never had"):
        ward.directory.signing_key(ward.alice.id, ward.mallory.keys.kid)


def test_another_account_in_the_answer_is_refused(ward: Ward) -> None:
    other = ward.party(ward.mallory)
    ward.gateway.twist_party = lambda _party: other

    with pytest.raises(Untrusted, match="another account"):
        ward.directory.signing_key(ward.alice.id, ward.mallory.keys.kid)

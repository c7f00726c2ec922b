"""Every rule of the chain, made to happen; `World.refusal` sees that nothing of a refused entry stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from chain import body, entry
from chain.block import NO_ENGINE
from chain.body import Card
from chain.chain import Chain, Committed
from chain.contracts.quorum import deed_of
from chain.contracts.terms import Access, Nothing, Quorum, QuorumParams, Rate, RateParams
from chain.encoding import b64url
from chain.entry import Approve, Profile, Seen
from chain.errors import Malformed, Oversized, Refused, Rule, Unverified
from chain.identity import SigningKey, account_id
from chain.state import thread_of
from chain.wire import Parcel, Submission, parcel
from tests.world import DAY, NOTHING, Actor, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def alice(world: World) -> Actor:
    return world.join("alice")


@pytest.fixture
def bob(world: World) -> Actor:
    return world.join("bob")


@pytest.fixture
def friends(world: World, alice: Actor, bob: Actor) -> None:
    """An admin linked alice and bob."""
    world.link(alice, bob.id)


def rule_of(world: World, submission: Submission) -> str:
    return world.refusal(submission).rule


# Who signed it


def test_signature_is_the_rule_for_an_entry_that_somebody_else_signed(world: World, alice: Actor) -> None:
    forged = alice.writes(world.admin.id, sign_with=world.stranger("mallory").keys.sign)

    assert rule_of(world, forged) == "signature"


def test_signature_is_the_rule_for_a_new_account_that_does_not_have_its_key(world: World) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)

    forged = world.stranger("newcomer").joins(invite, code, sign_with=world.admin.keys.sign)

    assert rule_of(world, forged) == "signature"


def test_signature_is_the_rule_for_a_key_that_is_no_point_of_the_curve(world: World) -> None:
    newcomer = world.stranger("newcomer")
    newcomer.keys.public = SigningKey(b64url(b"\x02" + bytes(31)))

    no_point = newcomer.joins(None, None, author=account_id(newcomer.keys.public))

    assert rule_of(world, no_point) == "signature"


def test_stranger_is_the_rule_for_an_account_that_nobody_let_in(world: World) -> None:
    assert rule_of(world, world.stranger("mallory").writes(world.admin.id)) == "stranger"


def test_stranger_is_the_rule_for_a_new_account_under_an_id_that_is_not_its_keys(world: World) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)

    disguised = world.stranger("mallory").joins(invite, code, author=world.admin.id)

    assert rule_of(world, disguised) == "stranger"


def test_revoked_is_the_rule_for_an_account_that_ended(world: World, alice: Actor) -> None:
    world.commit(world.admin.revokes(alice.id))

    assert rule_of(world, alice.introduces("alice")) == "revoked"


def test_revoked_is_the_rule_from_the_next_entry_of_the_same_block(world: World, alice: Actor) -> None:
    before, revoke = alice.introduces("alice"), world.admin.revokes(alice.id)
    after = alice.introduces("alice")
    there, done, refused = world.append(before, revoke, after)

    assert isinstance(there, Committed)
    assert isinstance(done, Committed)
    assert isinstance(refused, Refused)
    assert refused.rule == "revoked"


def test_key_is_the_rule_for_the_old_key_after_a_rotation(world: World, alice: Actor) -> None:
    new = alice.fresh_keys()
    world.commit(alice.gives_keys(new))

    assert rule_of(world, alice.introduces("alice")) == "key"
    alice.keys = new
    world.commit(alice.introduces("alice"))


def test_key_is_the_rule_for_the_old_key_after_a_reset(world: World, alice: Actor) -> None:
    new = alice.fresh_keys()
    world.commit(world.admin.gives_keys(new, to=alice.id))

    assert rule_of(world, alice.introduces("alice")) == "key"
    alice.keys = new
    world.commit(alice.introduces("alice"))


def test_key_is_the_rule_for_the_new_key_before_the_rotation(world: World, alice: Actor) -> None:
    alice.keys = alice.fresh_keys()

    assert rule_of(world, alice.introduces("alice")) == "key"


def test_key_is_the_rule_for_a_key_that_was_revoked(world: World, alice: Actor) -> None:
    world.commit(world.admin.revokes(alice.id, key=alice.keys.kid, reason="lost"))

    assert rule_of(world, alice.introduces("alice")) == "key"
    assert world.chain.state.is_live(alice.id)


def test_key_is_the_rule_for_a_new_account_that_names_another_key(world: World) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)

    named = world.stranger("newcomer").joins(invite, code, kid=world.admin.keys.kid)

    assert rule_of(world, named) == "key"


@pytest.mark.parametrize("whose", ["the current", "an older", "another's"])
def test_key_is_the_rule_for_a_signing_key_that_was_used_before(
    world: World, alice: Actor, bob: Actor, whose: str
) -> None:
    older, current = alice.keys, alice.fresh_keys()
    world.commit(alice.gives_keys(current))
    alice.keys = current

    used = {"the current": current, "an older": older, "another's": bob.keys}[whose]

    assert rule_of(world, alice.gives_keys(used)) == "key"


def test_only_an_admin_gives_others_new_keys(world: World, alice: Actor, bob: Actor) -> None:
    assert rule_of(world, alice.gives_keys(bob.fresh_keys(), to=bob.id)) == "permission"


def test_the_gateways_key_does_not_change(world: World) -> None:
    keys = world.gateway.fresh_keys()

    assert rule_of(world, world.gateway.gives_keys(keys)) == "permission"
    assert rule_of(world, world.admin.gives_keys(keys, to=world.gateway.id)) == "permission"


@pytest.mark.parametrize("whose", ["nobody's", "a revoked account's"])
def test_unknown_is_the_rule_for_keys_of_no_live_account(world: World, alice: Actor, whose: str) -> None:
    world.commit(world.admin.revokes(alice.id))
    account = world.stranger("mallory").id if whose == "nobody's" else alice.id

    assert rule_of(world, world.admin.gives_keys(alice.fresh_keys(), to=account)) == "unknown"


# Which chain it is for, and what of it the author has seen


def test_origin_is_the_rule_for_an_entry_of_another_chain(world: World) -> None:
    assert rule_of(world, world.admin.introduces("admin", chain="ward8.example/abc123")) == "origin"


def test_history_is_the_rule_for_a_root_that_this_chain_never_had(world: World) -> None:
    forked = Seen(size=world.seen.size, root=b64url(bytes(32)))

    assert rule_of(world, world.admin.introduces("admin", seen=forked)) == "history"


@pytest.mark.parametrize("ahead", [1, 2**52])
def test_history_is_the_rule_for_a_size_in_the_future(world: World, ahead: int) -> None:
    future = Seen(size=world.seen.size + ahead, root=world.seen.root)

    assert rule_of(world, world.admin.introduces("admin", seen=future)) == "history"


def test_history_is_the_rule_for_a_size_at_which_no_block_ended(world: World) -> None:
    """The log had that size and that root, but no checkpoint ever said so."""
    size = 2
    tree = world.chain._tree_of(world.chain.head.size)
    inside = Seen(size=size, root=b64url(tree.root(size)))

    assert rule_of(world, world.admin.introduces("admin", seen=inside)) == "history"


def test_history_is_the_rule_for_an_empty_log_that_is_not_empty(world: World) -> None:
    nothing = Seen(size=0, root=world.seen.root)

    assert rule_of(world, world.admin.introduces("admin", seen=nothing)) == "history"


def test_any_checkpoint_of_this_chain_will_do(world: World) -> None:
    roots = world.chain.store.db.execute("SELECT size, root FROM block").fetchall()
    for size, root in roots:
        world.commit(world.admin.introduces("admin", seen=Seen(size=size, root=b64url(root))))
    world.commit(world.admin.introduces("admin", seen=NOTHING))


# In which order


def test_replay_is_the_rule_for_other_bytes_under_an_id_that_is_there(world: World) -> None:
    first = world.admin.introduces("admin")
    world.commit(first)

    again = world.admin.introduces("admin", id=first.signed.entry.id)

    assert rule_of(world, again) == "replay"


def test_replay_is_the_rule_for_other_bytes_in_the_same_block_too(world: World) -> None:
    first = world.admin.introduces("admin")
    again = world.admin.introduces("admin", id=first.signed.entry.id)

    committed, refused = world.append(first, again)

    assert isinstance(committed, Committed)
    assert isinstance(refused, Refused)
    assert refused.rule == "replay"


def test_replay_is_the_rule_for_an_account_that_exists(world: World, alice: Actor) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)

    assert rule_of(world, alice.joins(invite, code)) == "replay"


def test_the_same_entry_twice_is_committed_once(world: World) -> None:
    profile = world.admin.introduces("admin")
    (index,) = world.commit(profile)
    before, head = world.dump(), world.chain.head

    assert world.append(profile) == [Committed(index, fresh=False)]
    assert (world.dump(), world.chain.head) == (before, head)


def test_the_same_entry_twice_in_one_block_is_committed_once(world: World) -> None:
    profile = world.admin.introduces("admin")

    first, second = world.append(profile, profile)

    assert isinstance(first, Committed)
    assert (first.fresh, second) == (True, Committed(first.index, fresh=False))
    assert world.chain.head.size == first.index + 1


def test_the_same_entry_is_receipted_again_even_when_it_would_be_refused_now(
    world: World, alice: Actor
) -> None:
    profile = alice.introduces("alice")
    (index,) = world.commit(profile)
    world.commit(world.admin.revokes(alice.id))

    assert world.append(profile) == [Committed(index, fresh=False)]


@pytest.mark.parametrize("back", [0, 1])
def test_sequence_is_the_rule_for_a_seq_that_does_not_rise(world: World, alice: Actor, back: int) -> None:
    again = alice.introduces("alice", seq=alice.seq - back)

    assert rule_of(world, again) == "sequence"


def test_another_stream_counts_for_itself(world: World, alice: Actor) -> None:
    world.commit(alice.introduces("alice", stream=entry.new_stream(world.source), seq=1))


def test_a_refused_entry_does_not_use_up_its_seq(world: World, alice: Actor) -> None:
    seq = alice.seq + 1
    world.refusal(alice.writes(world.admin.id, seq=seq))

    world.commit(alice.introduces("alice", seq=seq))


def test_gap_is_the_rule_while_the_entry_before_is_not_here(world: World, alice: Actor) -> None:
    first = alice.introduces("alice")
    second = alice.introduces("alice", after=first.signed.entry.seq)

    assert rule_of(world, second) == "gap"
    world.commit(first, second)


def test_gap_is_the_rule_when_the_entry_before_was_refused_in_the_same_block(
    world: World, alice: Actor
) -> None:
    first = alice.writes(world.admin.id)
    second = alice.introduces("alice", after=first.signed.entry.seq)

    refused, held = world.append(first, second)

    assert isinstance(refused, Refused)
    assert isinstance(held, Refused)
    assert (refused.rule, held.rule) == ("contact", "gap")


def test_holes_in_a_stream_are_remembered(world: World, alice: Actor) -> None:
    start = alice.seq
    world.commit(alice.introduces("alice", seq=start + 4), alice.introduces("alice", seq=start + 6))

    holes = world.chain.state.db.execute("SELECT * FROM hole").fetchall()

    assert holes == [
        (alice.id, alice.stream, start + 1, start + 3),
        (alice.id, alice.stream, start + 5, start + 5),
    ]


# Letting in


def test_only_an_admin_invites(world: World, alice: Actor) -> None:
    assert rule_of(world, alice.invites(world.code())) == "permission"


def test_the_gateway_invites_nobody_once_there_is_an_admin(world: World) -> None:
    assert rule_of(world, world.gateway.invites(world.code(), role="admin")) == "permission"
    assert rule_of(world, world.gateway.invites(world.code())) == "permission"


def refused_genesis(world: World, *genesis: Submission) -> Refused:
    """Why there is no chain that begins so."""
    path = world.path.with_name("other.db")
    with pytest.raises(Refused) as refused:
        Chain.create(path, origin=world.origin, writer=world.writer, genesis=genesis, now=world.now)
    assert [file.name for file in path.parent.iterdir() if file.name.startswith("other")] == []
    return refused.value


def test_the_gateway_invites_nobody_but_an_admin(world: World) -> None:
    world.seen = NOTHING
    gateway = world.stranger("another gateway")

    refused = refused_genesis(world, world.founds(gateway), gateway.invites(world.code(), role="member"))

    assert refused.rule == "permission"


@pytest.mark.parametrize(
    ("kind", "role"),
    [("service", "gateway"), ("person", "gateway"), ("device", "admin"), ("service", "admin")],
)
def test_nobody_invites_a_second_gateway_or_an_admin_that_is_no_person(
    world: World, kind: str, role: str
) -> None:
    assert rule_of(world, world.admin.invites(world.code(), kind=kind, role=role)) == "permission"


def test_invite_is_the_rule_for_one_that_has_expired_already(world: World) -> None:
    assert rule_of(world, world.admin.invites(world.code(), expires=world.now)) == "invite"


def test_invite_is_the_rule_for_a_second_invite_with_one_code(world: World) -> None:
    code = world.code()
    world.commit(world.admin.invites(code))

    assert rule_of(world, world.admin.invites(code)) == "invite"


def test_invite_is_the_rule_for_a_join_code_that_was_used(world: World) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)
    world.commit(world.stranger("first").joins(invite, code))

    assert rule_of(world, world.stranger("second").joins(invite, code)) == "invite"


def test_invite_is_the_rule_for_a_join_code_used_twice_in_one_block(world: World) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)

    first, second = world.append(*(world.stranger(name).joins(invite, code) for name in ("one", "two")))

    assert isinstance(first, Committed)
    assert isinstance(second, Refused)
    assert second.rule == "invite"


def test_a_join_code_holds_until_it_expires_and_no_longer(world: World) -> None:
    code, other = world.code(), world.code()
    expires = world.now + DAY
    invites = [world.admin.invites(c, expires=expires, handle=h) for c, h in ((code, "one"), (other, "two"))]
    world.commit(*invites)

    world.now = expires
    world.commit(world.stranger("in time").joins(invites[0], code))
    world.now = expires + 1
    assert rule_of(world, world.stranger("late").joins(invites[1], other)) == "invite"


@pytest.mark.parametrize(
    "says", [{"kind": "device"}, {"role": "admin"}, {"kind": "service", "role": "gateway"}, {"seal": None}]
)
def test_invite_is_the_rule_for_an_account_of_another_kind(world: World, says: dict[str, str]) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)

    assert rule_of(world, world.stranger("newcomer").joins(invite, code, **says)) == "invite"


def test_invite_is_the_rule_for_who_was_not_invited(world: World) -> None:
    code = world.code()
    invite = world.admin.invites(code)
    world.commit(invite)
    newcomer = world.stranger("newcomer")

    assert rule_of(world, newcomer.joins(None, None)) == "invite"
    assert rule_of(world, newcomer.joins(None, code)) == "invite"
    assert rule_of(world, newcomer.joins(invite, None)) == "invite"
    assert rule_of(world, newcomer.joins(invite, world.code())) == "invite"
    assert rule_of(world, newcomer.joins(world.admin.ticks(), code)) == "invite"


@pytest.mark.parametrize(
    "says", [{}, {"kind": "service", "role": "gateway"}, {"kind": "device", "seal": None}], ids=str
)
def test_a_chain_begins_with_a_gateway_that_can_read_nothing(world: World, says: dict[str, str]) -> None:
    world.seen = NOTHING

    assert refused_genesis(world, world.stranger("first").joins(None, None, **says)).rule == "permission"


def test_a_chain_begins_with_an_account(world: World) -> None:
    world.seen = NOTHING

    assert refused_genesis(world, world.stranger("first").introduces("first")).rule == "stranger"


# Handles


@pytest.mark.usefixtures("alice")
def test_handle_is_the_rule_for_a_handle_that_somebody_has(world: World) -> None:
    assert rule_of(world, world.gateway.introduces("alice")) == "handle"
    assert rule_of(world, world.admin.invites(world.code(), handle="alice")) == "handle"


def test_handle_is_the_rule_for_a_handle_that_two_were_invited_with(world: World) -> None:
    """Two invites may name one handle; the first to use it has it."""
    codes = [world.code(), world.code()]
    invites = [world.admin.invites(code, handle="kim") for code in codes]
    world.commit(*invites)
    first, second = world.stranger("first"), world.stranger("second")
    world.commit(first.joins(invites[0], codes[0]), second.joins(invites[1], codes[1]))
    world.commit(first.introduces("kim"))

    assert rule_of(world, second.introduces("kim")) == "handle"


def test_handle_is_the_rule_for_another_than_the_invited_one(world: World, alice: Actor) -> None:
    assert rule_of(world, alice.introduces("dr.alice")) == "handle"


def test_a_handle_is_free_again_when_its_account_ended(world: World, alice: Actor) -> None:
    world.commit(world.admin.revokes(alice.id))

    again = world.join("alice-again")
    assert world.chain.state.by_handle("alice") is None
    world.commit(world.admin.invites(world.code(), handle="alice"))
    assert world.chain.state.handle(again.id) == "alice-again"


@pytest.mark.parametrize("content", ["", "{}", '{"handle":"alice","name":"A" }', '{"handle":"A","name":"A"}'])
def test_malformed_is_the_rule_for_a_profile_that_is_none(world: World, alice: Actor, content: str) -> None:
    assert rule_of(world, alice.says(Profile, beside=alice.sealed(content))) == "malformed"


def test_malformed_is_the_rule_for_a_handle_with_a_newline(world: World, alice: Actor) -> None:
    beside = body.document(Card("alice\n", "Alice"), world.source)

    assert rule_of(world, alice.says(Profile, beside=beside)) == "malformed"


# Ending


def test_only_an_admin_revokes(world: World, alice: Actor, bob: Actor) -> None:
    assert rule_of(world, alice.revokes(bob.id)) == "permission"
    assert rule_of(world, alice.revokes(alice.id)) == "permission"


def test_the_last_admin_cannot_be_revoked(world: World, alice: Actor) -> None:
    assert rule_of(world, world.admin.revokes(world.admin.id)) == "permission"
    assert rule_of(world, world.admin.revokes(world.admin.id, key=world.admin.keys.kid)) == "permission"


def test_an_admin_can_be_revoked_while_there_is_another(world: World) -> None:
    other = world.join("other", role="admin")

    world.commit(other.revokes(world.admin.id))

    assert rule_of(world, other.revokes(other.id)) == "permission"


def test_an_admin_without_a_key_is_not_another(world: World) -> None:
    other = world.join("other", role="admin")
    world.commit(world.admin.revokes(other.id, key=other.keys.kid))

    assert rule_of(world, world.admin.revokes(world.admin.id)) == "permission"
    world.commit(world.admin.revokes(other.id))


def test_the_gateway_cannot_be_revoked(world: World) -> None:
    assert rule_of(world, world.admin.revokes(world.gateway.id)) == "permission"
    key = world.gateway.keys.kid
    assert rule_of(world, world.admin.revokes(world.gateway.id, key=key)) == "permission"


def test_unknown_is_the_rule_for_revoking_what_is_not_there(world: World, alice: Actor) -> None:
    assert rule_of(world, world.admin.revokes(world.stranger("mallory").id)) == "unknown"
    assert rule_of(world, world.admin.revokes(alice.id, key=world.admin.keys.kid)) == "unknown"
    world.commit(world.admin.revokes(alice.id))
    assert rule_of(world, world.admin.revokes(alice.id)) == "unknown"


def test_after_its_key_was_revoked_an_account_gets_new_ones_from_an_admin(world: World, alice: Actor) -> None:
    lost, new = alice.keys, alice.fresh_keys()
    world.commit(world.admin.revokes(alice.id, key=lost.kid, reason="lost"))
    assert rule_of(world, world.admin.gives_keys(lost, to=alice.id)) == "key"
    assert rule_of(world, world.admin.revokes(alice.id, key=lost.kid)) == "unknown"

    world.commit(world.admin.gives_keys(new, to=alice.id))

    alice.keys = new
    world.commit(alice.introduces("alice"))
    assert [pair.ended is None for pair in world.chain.state.keys(alice.id)] == [False, True]


# Contacts


def test_two_become_contacts_when_one_asks_and_the_other_accepts(
    world: World, alice: Actor, bob: Actor
) -> None:
    world.commit(alice.contact("request", bob.id))
    assert not world.chain.state.may_speak(alice.id, bob.id)

    world.commit(bob.contact("accept", alice.id))

    assert world.chain.state.may_speak(alice.id, bob.id)
    assert world.chain.state.may_speak(bob.id, alice.id)
    world.commit(alice.writes(bob.id), bob.writes(alice.id))


def test_contact_is_the_rule_for_accepting_what_was_not_asked(world: World, alice: Actor, bob: Actor) -> None:
    assert rule_of(world, alice.contact("accept", bob.id)) == "contact"
    world.commit(alice.contact("request", bob.id))
    assert rule_of(world, alice.contact("accept", bob.id)) == "contact"


def test_contact_is_the_rule_for_asking_twice(world: World, alice: Actor, bob: Actor) -> None:
    world.commit(alice.contact("request", bob.id))

    assert rule_of(world, alice.contact("request", bob.id)) == "contact"
    assert rule_of(world, bob.contact("request", alice.id)) == "contact"


def test_contact_is_the_rule_for_asking_oneself_or_a_group(world: World, alice: Actor, bob: Actor) -> None:
    group = world.group(bob)

    assert rule_of(world, alice.contact("request", alice.id)) == "contact"
    assert rule_of(world, alice.contact("request", group)) == "contact"
    assert rule_of(world, alice.contact("accept", group)) == "contact"


def test_unknown_is_the_rule_for_asking_who_is_not_there(world: World, alice: Actor, bob: Actor) -> None:
    assert rule_of(world, alice.contact("request", world.stranger("mallory").id)) == "unknown"
    world.commit(world.admin.revokes(bob.id))
    assert rule_of(world, alice.contact("request", bob.id)) == "unknown"


def test_contact_is_the_rule_for_removing_what_is_not_there(world: World, alice: Actor, bob: Actor) -> None:
    assert rule_of(world, alice.contact("remove", bob.id)) == "contact"


@pytest.mark.usefixtures("friends")
def test_either_side_ends_a_contact(world: World, alice: Actor, bob: Actor) -> None:
    world.commit(bob.contact("remove", alice.id))

    assert rule_of(world, alice.writes(bob.id)) == "contact"


@pytest.mark.parametrize("action", ["request", "accept", "remove"])
def test_malformed_is_the_rule_for_speaking_for_others_without_linking(
    world: World, alice: Actor, bob: Actor, action: str
) -> None:
    assert rule_of(world, world.admin.contact(action, bob.id, of=alice.id)) == "malformed"


@pytest.mark.parametrize("action", ["link", "unlink"])
def test_malformed_is_the_rule_for_linking_nobody(world: World, alice: Actor, action: str) -> None:
    assert rule_of(world, world.admin.contact(action, alice.id)) == "malformed"


def test_only_an_admin_links_and_unlinks(world: World, alice: Actor, bob: Actor) -> None:
    assert rule_of(world, alice.contact("link", bob.id, of=alice.id)) == "permission"
    world.link(alice, bob.id)
    assert rule_of(world, alice.contact("unlink", bob.id, of=alice.id)) == "permission"
    world.commit(world.admin.contact("unlink", alice.id, of=bob.id))
    assert rule_of(world, alice.writes(bob.id)) == "contact"


def test_a_link_is_between_two_that_are_there(world: World, alice: Actor, bob: Actor) -> None:
    mallory, group = world.stranger("mallory").id, world.new_group()
    world.commit(world.admin.revokes(bob.id))

    assert rule_of(world, world.admin.contact("link", alice.id, of=alice.id)) == "contact"
    for one, other in ((alice.id, mallory), (mallory, alice.id), (alice.id, bob.id), (bob.id, alice.id)):
        assert rule_of(world, world.admin.contact("link", other, of=one)) == "unknown"
    assert rule_of(world, world.admin.contact("link", group, of=alice.id)) == "unknown"
    assert rule_of(world, world.admin.contact("unlink", group, of=alice.id)) == "contact"


def test_a_link_answers_an_open_request(world: World, alice: Actor, bob: Actor) -> None:
    world.commit(alice.contact("request", bob.id))

    world.link(bob, alice.id)

    world.commit(alice.writes(bob.id))


# Groups


def test_only_an_admin_makes_changes_and_ends_groups(world: World, alice: Actor) -> None:
    group = world.group(alice)

    assert rule_of(world, alice.groups(world.new_group(), alice.id)) == "permission"
    assert rule_of(world, alice.groups(group, alice.id)) == "permission"
    assert rule_of(world, alice.groups(group, name=None)) == "permission"


def test_unknown_is_the_rule_for_a_group_of_who_is_not_there(world: World, alice: Actor, bob: Actor) -> None:
    world.commit(world.admin.revokes(bob.id))
    for absent in (bob.id, world.stranger("mallory").id):
        assert rule_of(world, world.admin.groups(world.new_group(), alice.id, absent)) == "unknown"


def test_unknown_is_the_rule_for_ending_a_group_that_is_not_there(world: World, alice: Actor) -> None:
    assert rule_of(world, world.admin.groups(world.new_group(), name=None)) == "unknown"
    group = world.group(alice)
    world.commit(world.admin.groups(group, name=None))
    assert rule_of(world, world.admin.groups(group, name=None)) == "unknown"


def test_malformed_is_the_rule_for_members_without_a_name_and_a_name_without_members(
    world: World, alice: Actor
) -> None:
    group = world.group(alice)

    assert rule_of(world, world.admin.groups(group, alice.id, name=None)) == "malformed"
    assert rule_of(world, world.admin.groups(group)) == "malformed"
    assert rule_of(world, world.admin.groups(group, alice.id, name="")) == "malformed"
    assert rule_of(world, world.admin.groups(group, alice.id, name="n" * 81)) == "malformed"


def test_members_of_a_group_that_changed_are_the_new_ones(world: World, alice: Actor, bob: Actor) -> None:
    group = world.group(alice)
    world.commit(world.admin.groups(group, bob.id))

    assert world.chain.state.members(group) == {bob.id}
    assert world.chain.state.groups_of(alice.id) == set()


# Messages, and who may have them


def test_contact_is_the_rule_between_those_who_are_none(world: World, alice: Actor, bob: Actor) -> None:
    assert rule_of(world, alice.writes(bob.id)) == "contact"
    assert rule_of(world, alice.writes(world.admin.id)) == "contact"


def test_contact_is_the_rule_for_writing_to_oneself_to_nobody_and_to_no_group(
    world: World, alice: Actor
) -> None:
    assert rule_of(world, alice.writes(alice.id)) == "contact"
    assert rule_of(world, alice.writes(world.stranger("mallory").id)) == "contact"
    assert rule_of(world, alice.writes(world.new_group())) == "contact"


@pytest.mark.usefixtures("friends")
def test_contact_is_the_rule_for_writing_to_who_is_gone(world: World, alice: Actor, bob: Actor) -> None:
    world.commit(world.admin.revokes(bob.id))

    assert rule_of(world, alice.writes(bob.id)) == "contact"


@pytest.mark.usefixtures("friends")
def test_a_message_is_for_its_addressee_and_its_author(world: World, alice: Actor, bob: Actor) -> None:
    (outcome,) = world.append(alice.writes(bob.id))

    assert isinstance(outcome, Committed)
    assert outcome.readers == {alice.id, bob.id}
    state = world.chain.state
    assert state.may_read(alice.id, outcome.index)
    assert state.was_received(bob.id, outcome.index)
    assert not state.was_received(alice.id, outcome.index)
    assert not state.may_read(world.admin.id, outcome.index)
    assert state.thread(thread_of(bob.id, alice.id), before=10**6, limit=9) == [outcome.index]


def test_a_message_to_a_group_is_for_every_member_and_for_nobody_else(
    world: World, alice: Actor, bob: Actor
) -> None:
    fridge, outsider = world.device("fridge-2"), world.join("outsider")
    group = world.group(alice, bob)
    world.link(fridge, group)

    (outcome,) = world.append(fridge.alerts(group))

    assert isinstance(outcome, Committed)
    assert outcome.readers == {fridge.id, alice.id, bob.id}
    assert rule_of(world, outsider.writes(group)) == "contact"
    assert world.chain.state.thread(group, before=10**6, limit=9) == [outcome.index]


def test_members_write_to_their_group_and_to_whoever_is_linked_to_it(
    world: World, alice: Actor, bob: Actor
) -> None:
    fridge, other = world.device("fridge-2"), world.device("fridge-3")
    group = world.group(alice, bob)
    world.link(fridge, group)

    world.commit(alice.writes(group), alice.writes(fridge.id), fridge.writes(bob.id))
    assert rule_of(world, alice.writes(other.id)) == "contact"
    assert rule_of(world, other.writes(group)) == "contact"
    assert rule_of(world, alice.writes(bob.id)) == "contact"


def test_a_group_without_anybody_else_hears_nothing(world: World, alice: Actor, bob: Actor) -> None:
    group = world.group(alice, bob)
    world.commit(world.admin.revokes(bob.id))

    assert rule_of(world, alice.writes(group)) == "contact"


def test_a_member_that_left_the_group_hears_no_more(world: World, alice: Actor, bob: Actor) -> None:
    fridge = world.device("fridge-2")
    group = world.group(alice, bob)
    world.link(fridge, group)
    world.commit(world.admin.groups(group, alice.id))

    (outcome,) = world.append(fridge.alerts(group))

    assert isinstance(outcome, Committed)
    assert bob.id not in outcome.readers
    assert rule_of(world, bob.writes(group)) == "contact"


def test_an_ended_group_hears_nothing_and_links_nobody(world: World, alice: Actor) -> None:
    fridge = world.device("fridge-2")
    group = world.group(alice)
    world.link(fridge, group)
    world.commit(world.admin.groups(group, name=None))

    assert rule_of(world, fridge.writes(group)) == "contact"
    assert rule_of(world, fridge.writes(alice.id)) == "contact"


@pytest.mark.usefixtures("friends")
def test_unknown_is_the_rule_for_an_answer_to_what_the_author_does_not_have(
    world: World, alice: Actor, bob: Actor
) -> None:
    carol = world.join("carol")
    world.link(carol, bob.id)
    between = alice.writes(bob.id)
    world.commit(between)

    answer = carol.writes(bob.id, re=between.signed.entry.id)
    assert rule_of(world, answer) == "unknown"
    nothing = carol.writes(bob.id, re=world.admin.ticks().signed.entry.id)
    assert rule_of(world, nothing) == "unknown"
    world.commit(bob.writes(alice.id, re=between.signed.entry.id))


# Statuses and redactions


@pytest.mark.usefixtures("friends")
def test_permission_is_the_rule_for_a_status_of_who_was_not_addressed(
    world: World, alice: Actor, bob: Actor
) -> None:
    message = alice.writes(bob.id)
    world.commit(message)

    assert rule_of(world, alice.answers(message)) == "permission"
    assert rule_of(world, world.admin.answers(message)) == "permission"
    world.commit(bob.answers(message, "seen"), bob.answers(message, "taken"))


@pytest.mark.usefixtures("friends")
def test_unknown_is_the_rule_for_a_status_about_no_message(world: World, alice: Actor, bob: Actor) -> None:
    message, request = alice.writes(bob.id), alice.introduces("alice")
    world.commit(request)

    assert rule_of(world, bob.answers(message)) == "unknown"
    assert rule_of(world, bob.answers(request)) == "unknown"


@pytest.mark.usefixtures("friends")
def test_a_status_may_follow_its_message_in_the_same_block_and_not_precede_it(
    world: World, alice: Actor, bob: Actor
) -> None:
    message = alice.writes(bob.id)
    early, there, late = world.append(bob.answers(message), message, bob.answers(message))

    assert isinstance(early, Refused)
    assert early.rule == "unknown"
    assert isinstance(there, Committed)
    assert isinstance(late, Committed)


@pytest.mark.usefixtures("friends")
def test_permission_is_the_rule_for_redacting_what_others_wrote(
    world: World, alice: Actor, bob: Actor
) -> None:
    message = alice.writes(bob.id)
    world.commit(message)

    assert rule_of(world, bob.redacts(message)) == "permission"


@pytest.mark.usefixtures("friends")
@pytest.mark.parametrize("who", ["author", "admin"])
def test_an_author_and_an_admin_redact(world: World, alice: Actor, bob: Actor, who: str) -> None:
    message = alice.writes(bob.id)
    (index,) = world.commit(message)

    (outcome,) = world.append({"author": alice, "admin": world.admin}[who].redacts(message))

    assert isinstance(outcome, Committed)
    assert outcome.readers == {alice.id, bob.id, *([world.admin.id] if who == "admin" else [])}
    assert world.chain.store.body(index) is None
    assert world.chain.state.is_erased(index)


@pytest.mark.usefixtures("friends")
def test_unknown_is_the_rule_for_redacting_what_has_no_body(world: World, alice: Actor, bob: Actor) -> None:
    message = alice.writes(bob.id)
    world.commit(message)
    status = bob.answers(message)
    world.commit(status, alice.redacts(message))

    assert rule_of(world, alice.redacts(message)) == "unknown"
    assert rule_of(world, bob.redacts(status)) == "unknown"
    assert rule_of(world, alice.redacts(world.admin.ticks())) == "unknown"


def test_a_redacted_profile_gives_its_handle_free(world: World, alice: Actor) -> None:
    profile = alice.introduces("alice")
    world.commit(profile)

    world.commit(world.admin.redacts(profile))

    assert world.chain.state.handle(alice.id) is None
    world.commit(world.admin.invites(world.code(), handle="alice"))


def test_a_redacted_invite_lets_in_under_any_handle(world: World) -> None:
    code = world.code()
    invite = world.admin.invites(code, handle="jo")
    world.commit(invite, world.admin.redacts(invite))
    newcomer = world.stranger("newcomer")

    world.commit(newcomer.joins(invite, code))
    world.commit(newcomer.introduces("joanna"))

    assert world.chain.state.by_handle("joanna") == newcomer.id


# Contracts; what they do is in `test_contracts`


def access(when: str) -> Access:
    return Access(version=1, when=when, params=Nothing())


def test_unsupported_is_the_rule_for_contracts_where_there_is_nothing_to_judge_them_by(world: World) -> None:
    world.chain.engine = NO_ENGINE

    assert rule_of(world, world.admin.installs("nobody", access("is_alert"))) == "unsupported"


@pytest.mark.parametrize(
    "when", ["is_alert &&", "size", "1.5 < 2.0", "nobody == author", "[1].all(x, x > 0)"]
)
def test_contract_is_the_rule_for_one_whose_guard_is_none(world: World, when: str) -> None:
    assert rule_of(world, world.admin.installs("nobody", access(when))) == "contract"


@pytest.mark.usefixtures("friends")
def test_contract_is_the_rule_for_a_message_that_one_does_not_permit(
    world: World, alice: Actor, bob: Actor
) -> None:
    world.commit(world.admin.installs("long-ones", access("size > 20")))

    assert rule_of(world, alice.writes(bob.id, "x" * 21)) == "contract"
    world.commit(alice.writes(bob.id, "x" * 20))


def test_contract_is_the_rule_for_a_tick_that_says_what_is_not_so(world: World) -> None:
    assert rule_of(world, world.gateway.ticks()) == "contract"


@pytest.mark.usefixtures("friends")
def test_rate_is_the_rule_for_one_message_too_many(world: World, alice: Actor, bob: Actor) -> None:
    params = RateParams(count=2, seconds=60, per="author")
    world.commit(world.admin.installs("slowly", Rate(version=1, when="true", params=params)))

    world.commit(alice.writes(bob.id), alice.writes(bob.id))

    assert rule_of(world, alice.writes(bob.id)) == "rate"
    world.commit(bob.writes(alice.id))
    world.now += 60_000
    world.commit(alice.writes(bob.id))


def test_quorum_is_the_rule_for_what_one_admin_wants_alone(world: World, alice: Actor) -> None:
    second = world.join("second", role="admin")
    params = QuorumParams(need=2, seconds=3600)
    world.commit(world.admin.installs("two", Quorum(version=1, when='type == "revoke"', params=params)))
    revokes = world.admin.revokes(alice.id)

    assert rule_of(world, revokes) == "quorum"
    world.commit(second.says(Approve, deed=deed_of(revokes.signed.entry)))
    world.commit(world.admin.revokes(alice.id))


# What does not parse does not even come here


def test_an_oversized_entry_does_not_parse() -> None:
    with pytest.raises(Oversized):
        Parcel("." * (entry.MAX_LEAF_BYTES + 1)).load()


def test_an_oversize_body_is_neither_made_nor_loaded(world: World, alice: Actor) -> None:
    longest = alice.sealed("b" * body.MAX_BODY_BYTES)
    with pytest.raises(Oversized):
        alice.sealed("b" * (body.MAX_BODY_BYTES + 1))

    with pytest.raises(Malformed):
        alice.says(Profile, beside=body.Body(longest.salt, longest.content + "b"))
    assert alice.says(Profile, beside=longest).body == longest


def test_the_longest_body_is_committed(world: World, alice: Actor, bob: Actor) -> None:
    world.link(alice, bob.id)

    (index,) = world.commit(alice.writes(bob.id, "b" * body.MAX_BODY_BYTES))

    assert world.chain.store.body(index) is not None


@pytest.mark.parametrize("change", ["content", "longer", "salt"])
def test_a_body_that_is_not_the_entrys_is_not_loaded(world: World, alice: Actor, change: str) -> None:
    genuine = alice.writes(world.admin.id, "the content")
    other = {
        "content": body.Body(alice.sealed("").salt, "the content"),
        "longer": alice.sealed("the content."),
        "salt": alice.sealed("the content"),
    }[change]

    with pytest.raises(Unverified):
        parcel(genuine.signed.leaf, other).load()


@pytest.mark.parametrize("lacks", ["body", "salt", "both"])
def test_a_body_comes_with_its_salt_where_the_entry_binds_one(world: World, alice: Actor, lacks: str) -> None:
    genuine = alice.writes(world.admin.id)
    whole = parcel(genuine.signed.leaf, genuine.body)

    with pytest.raises(Malformed):
        Parcel(
            whole.entry,
            salt=whole.salt if lacks == "body" else None,
            body=whole.body if lacks == "salt" else None,
        ).load()


def test_no_body_comes_with_an_entry_that_binds_none(world: World) -> None:
    with pytest.raises(Malformed):
        parcel(world.gateway.ticks().signed.leaf, world.admin.sealed("{}")).load()


# The batch


@pytest.mark.usefixtures("friends")
def test_refused_entries_do_not_take_the_others_of_their_block_with_them(
    world: World, alice: Actor, bob: Actor
) -> None:
    before, after = alice.writes(bob.id), bob.writes(alice.id)
    refused = [
        world.stranger("mallory").writes(bob.id),
        alice.writes(bob.id, sign_with=bob.keys.sign),
        world.admin.introduces("alice"),
        world.admin.ticks(),
        alice.writes(bob.id, chain="ward8.example/abc123"),
    ]

    outcomes = world.append(before, *refused, after)

    assert [outcome.rule for outcome in outcomes if isinstance(outcome, Refused)] == [
        "stranger",
        "signature",
        "handle",
        "permission",
        "origin",
    ]
    first, last = outcomes[0], outcomes[-1]
    assert isinstance(first, Committed)
    assert isinstance(last, Committed)
    assert last.index == first.index + 1
    assert world.chain.store.leaf(first.index) == before.signed.leaf
    assert world.chain.store.leaf(last.index) == after.signed.leaf
    assert world.chain.head.size == last.index + 1


def test_every_rule_that_the_chain_gives_has_its_test_here() -> None:
    source = Path(__file__).read_text("utf-8")

    for rule in set(get_args(Rule)) - {"oversized", "topic"}:  # these two are the committer's
        assert f'== "{rule}"' in source, rule

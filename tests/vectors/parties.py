"""What the chain proves of accounts and groups, and what a gateway may claim beyond it, which is to be refused."""

from collections.abc import Iterator
from typing import Any

from msgspec import structs

from chain.api import IntentAnswer, Party
from chain.entry import Account, Key
from chain.wire import Delivered
from tests.vectors import ledger
from tests.vectors.forge import Json
from tests.world import Actor, World


class Scene:
    """
    `alice` changed her keys, `bob` had his reset and changed them, and `carol` has her first ones. `on_call` has
    alice and bob as members, by an admin who changed keys since. `mallory` is nobody's friend.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.alice, self.bob, self.carol, self.mallory = map(world.join, ("alice", "bob", "carol", "mallory"))
        self.on_call = world.group(self.alice, self.bob)
        self.rotates(self.alice)
        self.rotates(self.alice)
        self.resets(self.bob)
        self.rotates(self.bob)
        self.rotates(world.admin)

    def rotates(self, actor: Actor) -> None:
        keys = actor.fresh_keys()
        self.world.commit(actor.gives_keys(keys))
        actor.keys = keys

    def resets(self, actor: Actor) -> None:
        keys = actor.fresh_keys()
        self.world.commit(self.world.admin.gives_keys(keys, to=actor.id))
        actor.keys = keys

    def party(self, actor: Actor, *more: Delivered) -> Party:
        """What an honest gateway answers, and `more`."""
        party = ledger.party(self.world, actor)
        return structs.replace(party, entries=[*party.entries, *more])

    def group(self) -> Delivered:
        index = self.world.chain.state.group_index(self.on_call)
        assert index is not None
        return ledger.delivered(self.world, index)

    def answer(self, *recipients: Actor, **other: Any) -> IntentAnswer:
        """An honest answer about the group, but for `other`."""
        return structs.replace(
            IntentAnswer(
                to=self.on_call,
                recipients=[self.party(actor) for actor in recipients or (self.alice, self.bob)],
                group=self.group(),
                admin=self.party(self.world.admin),
            ),
            **other,
        )


def cases() -> list[Json]:
    with ledger.empty() as world:
        scene = Scene(world)
        return [
            *_parties(scene),
            *_answers(scene),
            *_refused_parties(scene),
            *_refused_answers(scene),
        ]


# Accounts


def _parties(scene: Scene) -> Iterator[Json]:
    world = scene.world
    for name, actor, by in (
        ("first keys", scene.carol, ["join"]),
        ("two rotations", scene.alice, ["join", "rotation", "rotation"]),
        ("a reset, then a rotation", scene.bob, ["join", "reset", "rotation"]),
        ("an admin", world.admin, ["join", "rotation"]),
        ("the gateway", world.gateway, ["join"]),
    ):
        party = scene.party(actor)
        yield _party(scene, name, party) | {"proven": _proven(scene, actor, party, by)}


def _proven(scene: Scene, actor: Actor, party: Party, by: list[str]) -> Json:
    held = [_held(scene, delivered, how) for delivered, how in zip(party.entries, by, strict=True)]
    since_reset = len(by) - by[::-1].index("reset") - 1 if "reset" in by else 0
    return {
        "ever": held,
        "kind": party.kind,
        "lineage": [each["kid"] for each in held[since_reset:]],
        "role": party.role,
        "seal": None if actor is scene.world.gateway else actor.keys.seal.n,
        "sign": actor.keys.public.x,
    }


def _held(scene: Scene, delivered: Delivered, by: str) -> Json:
    signed = ledger.entries(scene.world)[delivered.index].entry
    assert isinstance(signed, Account | Key)
    return {"at": signed.at, "by": by, "index": delivered.index, "kid": signed.sign.thumbprint}


def _refused_parties(scene: Scene) -> Iterator[Json]:
    world, alice, mallory = scene.world, scene.alice, scene.mallory
    honest, other = scene.party(scene.carol), scene.party(mallory)
    usurper, stranger = world.stranger("usurper"), world.stranger("stranger")
    faults = {
        "no entries": structs.replace(honest, entries=[]),
        "another account's entries": structs.replace(honest, entries=other.entries),
        "its account entry twice": structs.replace(honest, entries=honest.entries * 2),
        "the receipt of another entry": _with_first(honest, receipt=other.entries[0].receipt),
        "the entry of another receipt": _with_first(honest, entry=other.entries[0].entry),
        "an entry that is no entry": _with_first(honest, entry="a.b.c"),
        "a receipt that is no receipt": _with_first(honest, receipt=""),
        "an account of another key": structs.replace(
            honest, entries=[ledger.forced(world, usurper.joins(None, None, author=scene.carol.id))]
        ),
        "an account in another's name": structs.replace(
            honest,
            account=stranger.id,
            entries=[ledger.forced(world, stranger.joins(None, None, author=mallory.id))],
        ),
        "an account that another key signed": structs.replace(
            honest,
            account=stranger.id,
            entries=[ledger.forced(world, stranger.joins(None, None, sign_with=mallory.keys.sign))],
        ),
        "keys without an account entry": _entries(scene.party(alice), slice(1, None)),
        "keys in another order": _entries(scene.party(alice), slice(None, None, -1)),
        "a change of keys left out": structs.replace(
            scene.party(alice), entries=[scene.party(alice).entries[at] for at in (0, 2)]
        ),
        "keys that mallory signed": scene.party(alice, _forged_keys(scene, sign_with=mallory.keys.sign)),
        "keys that mallory signed in her own name": scene.party(
            alice, _forged_keys(scene, sign_with=mallory.keys.sign, kid=mallory.keys.kid)
        ),
        "another account's new keys": scene.party(scene.carol, scene.party(alice).entries[1]),
        "a message among the keys": scene.party(alice, ledger.forced(world, alice.writes(scene.bob.id))),
    }
    for name, party in faults.items():
        yield _party(scene, name, party) | {"refused": True}


def _forged_keys(scene: Scene, **says: Any) -> Delivered:
    return ledger.forced(scene.world, scene.alice.gives_keys(scene.mallory.keys, **says))


def _with_first(party: Party, **changes: Any) -> Party:
    first, *rest = party.entries
    return structs.replace(party, entries=[structs.replace(first, **changes), *rest])


def _entries(party: Party, which: slice) -> Party:
    return structs.replace(party, entries=party.entries[which])


def _party(scene: Scene, name: str, party: Party) -> Json:
    return ledger.checked_by(scene.world) | {
        "kind": "party",
        "name": f"party: {name}",
        "party": ledger.plain(party),
    }


# Groups, and who is addressed


def _answers(scene: Scene) -> Iterator[Json]:
    alone = IntentAnswer(to=scene.carol.id, recipients=[scene.party(scene.carol)])
    for name, answer in {
        "one account": alone,
        "a group, by keys that its admin had": scene.answer(),
        "a group without one of its members": scene.answer(scene.bob),
    }.items():
        yield _answer(scene, name, answer)


def _refused_answers(scene: Scene) -> Iterator[Json]:
    mallory, admin = scene.mallory, scene.world.admin
    members = (scene.alice.id, scene.bob.id, mallory.id)
    alone = IntentAnswer(to=scene.carol.id, recipients=[scene.party(scene.carol)])

    def claimed(by: Actor, **says: Any) -> Delivered:
        return ledger.forced(scene.world, by.groups(scene.on_call, *members, **says))

    faults = {
        "another account": structs.replace(alone, recipients=[scene.party(mallory)]),
        "an account more": structs.replace(alone, recipients=[*alone.recipients, scene.party(mallory)]),
        "nobody": structs.replace(alone, recipients=[]),
        "a member that the admin did not name": scene.answer(scene.alice, scene.bob, mallory),
        "no entry of the group": scene.answer(group=None),
        "no admin": scene.answer(admin=None),
        "another group's entry": scene.answer(to=scene.world.new_group()),
        "an entry that is no group's": scene.answer(group=scene.party(admin).entries[0]),
        "a group that mallory signed in the admin's name": scene.answer(
            group=claimed(admin, sign_with=mallory.keys.sign)
        ),
        "a group that mallory signed in her own name": scene.answer(
            group=claimed(admin, sign_with=mallory.keys.sign, kid=mallory.keys.kid)
        ),
        "a group that mallory made": scene.answer(group=claimed(mallory), admin=scene.party(mallory)),
        "a group of another admin": scene.answer(group=claimed(admin, author=mallory.id)),
        "the receipt of another entry": scene.answer(
            group=structs.replace(scene.group(), receipt=scene.party(mallory).entries[0].receipt)
        ),
        "an admin that is not proven": scene.answer(
            admin=structs.replace(scene.party(admin), entries=scene.party(mallory).entries)
        ),
    }
    for name, answer in faults.items():
        yield _answer(scene, name, answer) | {"refused": True}


def _answer(scene: Scene, name: str, answer: IntentAnswer) -> Json:
    return ledger.checked_by(scene.world) | {
        "answer": ledger.plain(answer),
        "kind": "answer",
        "name": f"answer: {name}",
    }

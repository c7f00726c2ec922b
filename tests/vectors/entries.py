"""Entries of every type, and what is to be refused: when it is read, or when its signature is verified."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from chain import entry
from chain.contracts.terms import (
    Access,
    Escalate,
    EscalateParams,
    Nothing,
    Quorum,
    QuorumParams,
    Rate,
    RateParams,
    Retain,
    RetainParams,
    Step,
    Terms,
)
from chain.encoding import b64url, unb64url
from chain.entry import Account, Contact, Deed, Group, Invite, Key, Message, Revoke, SignedEntry
from chain.identity import SigningKey, account_id
from tests.vectors import ledger, tampered
from tests.vectors.forge import Edit, Json, having, without
from tests.vectors.people import document
from tests.vectors.tampered import signed_as, spelled
from tests.world import Actor, Keys, Source, World

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
NOBODYS = {
    "the neutral point": 1,
    "the neutral point in another spelling": 2**255 - 18,
    "the neutral point with a sign": 1 | 1 << 255,
    "a point of order 2": 2**255 - 20,
    "a point of order 4": 0,
    "a point of order 4 in another spelling": 2**255 - 19,
    "a point of order 8": int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    ),
}
"""Public keys under which anybody may find a signature; for the neutral point, one is known."""

LARGEST = 2**53 - 1
SOURCE = Source("members")
PARTY = "g-" + "a" * 26

TERMS: dict[str, Terms] = {
    "access": Access(version=1, when='author_role == "member" && size > 100000', params=Nothing()),
    "rate": Rate(version=1, when="is_alert", params=RateParams(count=1_000_000, seconds=1, per="author")),
    "quorum": Quorum(version=1, when='type == "revoke"', params=QuorumParams(need=2, seconds=86_400)),
    "escalate": Escalate(
        version=1,
        when='priority in ["high", "medium"]',
        params=EscalateParams(
            steps=[Step(PARTY, 0), Step("a" * 26, 120)], wait=300, laps=2, resolve_within=1800
        ),
    ),
    "escalate-once": Escalate(
        version=1, when="is_alert", params=EscalateParams(steps=[Step(PARTY, 604_800)], wait=1, laps=1)
    ),
    "retain": Retain(version=1, when="!is_alert", params=RetainParams(seconds=2_592_000)),
}
"""A contract of each kind."""

_MESSAGE = "0199f6a0-0000-7000-8000-000000000000"
DEEDS = [
    Deed(contract="escalate", did="step", about=_MESSAGE, step=0, to=PARTY),
    Deed(contract="escalate", did="step", about=_MESSAGE, step=15, to="a" * 26),
    Deed(contract="escalate", did="overdue", about=_MESSAGE),
    Deed(contract="escalate", did="woken", about=_MESSAGE),
    Deed(contract="escalate", did="nobody", about=_MESSAGE),
    Deed(contract="retain", did="erased", about=_MESSAGE),
]
"""A deed of each kind."""


def cases() -> list[Json]:
    with ledger.opened() as world:
        return [*_valid(world), *_unreadable(world), *_unverified(world)]


def _valid(world: World) -> Iterator[Json]:
    seen = set[tuple[str, ...]]()
    known, rare = ledger.keys(world), _rare(world)
    said_below = {entry.type_of(signed.entry) for signed in rare.values()} - {"group", "revoke", "status"}
    for signed in ledger.entries(world):
        says = _said(signed)
        if says["type"] in said_below:
            continue
        variant = (says["type"], *sorted(says), *(says[name] for name in ("action",) if name in says))
        if variant not in seen:
            seen.add(variant)
            yield _accepted(_name(says), signed, known[signed.kid])
    for name, signed in rare.items():
        yield _accepted(name, signed, world.admin.keys.public)


def _rare(world: World) -> dict[str, SignedEntry]:
    """What no chain of the test's world has."""
    admin = world.admin
    members = [account_id(Keys(world.source).public) for _ in range(64)]
    submissions = {
        **{f"contract: {name}": admin.installs(name, terms) for name, terms in TERMS.items()},
        "contract that ends": admin.removes("a"),
        "approve": admin.says(entry.Approve, deed=b64url(bytes(32))),
        "tick": admin.ticks(*DEEDS),
        "tick that says all it can": admin.ticks(*DEEDS[:1] * entry.MAX_DEEDS),
        "shift": admin.plans(world.new_group(), 0, LARGEST, account=admin.id),
        "shift of nobody": admin.plans(world.new_group(), 0, 1, instead=admin.id),
        "a long snooze": admin.says(
            entry.Status, about=DEEDS[0].about, state="snoozed", until=LARGEST, reason="care"
        ),
        "group of 64 members": admin.groups(world.new_group(), *members),
        "group that ends": admin.groups(world.new_group(), name=None),
        "revoke of a key": admin.revokes(admin.id, key=admin.keys.kid, reason="compromised"),
        "the largest numbers": admin.ticks(now=LARGEST, seq=LARGEST, at=LARGEST, clock="free"),
        "the smallest numbers": admin.ticks(now=0, seq=1, at=0),
        "an origin of 200 characters": admin.ticks(chain="w" * 193 + "/abc123"),
    }
    return {name: submission.signed for name, submission in submissions.items()}


def _accepted(name: str, signed: SignedEntry, key: SigningKey) -> Json:
    return {
        "key": key.x,
        "kid": signed.kid,
        "leaf": signed.leaf.decode(),
        "name": name,
        "says": _said(signed),
    }


def _said(signed: SignedEntry) -> Json:
    says: Json = json.loads(signed.signed.payload)
    return says


def _name(says: Json) -> str:
    told = ("alert", "body", "code", "invite", "key", "members", "of", "re", "reason", "seal")
    what = f"{says['type']} {says['action']}" if "action" in says else says["type"]
    return ", ".join([what, *(name for name in told if name in says)])


def _unreadable(world: World) -> Iterator[Json]:
    admin = world.admin
    alert = admin.alerts(world.gateway.id).signed
    for name, payload in tampered.payloads(_said(alert)).items():
        yield _refused("reading", name, signed_as(payload, admin.keys), admin.keys.public)
    for name, leaf in tampered.leaves(alert.leaf, admin.keys).items():
        yield _refused("reading", name, leaf, admin.keys.public)
    known = [*ledger.entries(world), *_rare(world).values()]
    for type_, edits in DOCUMENTS.items():
        good = next(signed for signed in known if isinstance(signed.entry, type_))
        for name, edit in edits.items():
            payload = spelled(edit(_said(good)))
            assert payload != good.signed.payload, name
            what = f"{_said(good)['type']}: {name}"
            yield _refused("reading", what, signed_as(payload, admin.keys), admin.keys.public)


def _signing(**members: Any) -> Edit:
    return lambda good: good | {"sign": good["sign"] | members}


def _sealing(**members: Any) -> Edit:
    return lambda good: good | {"seal": good["seal"] | members}


def _modulus(edit: Callable[[bytes], bytes]) -> Edit:
    return lambda good: good | {"seal": good["seal"] | {"n": b64url(edit(unb64url(good["seal"]["n"])))}}


def _terms(**members: Any) -> Edit:
    return lambda good: good | {"terms": good["terms"] | members}


DOCUMENTS: dict[type, dict[str, Edit]] = {
    Invite: {
        "no body": without("body"),
        "another role": having(role="owner"),
        "another kind": having(kind="robot"),
        "expires as text": having(expires="tomorrow"),
    },
    Account: {
        "no key": without("sign"),
        "null for no sealing key": having(seal=None),
        "a code in capitals": having(code="A" * 16),
        "another curve": _signing(crv="X25519"),
        "a key with its name": _signing(kid="k"),
        "a key with its use": _signing(use="sig"),
        "a private key": _signing(d="AAAA"),
        "a key of 31 bytes": _signing(x=b64url(bytes(31))),
        "a key with stray bits": _signing(x="A" * 42 + "B"),
    },
    Key: {
        "no sealing key": without("seal"),
        "a weak sealing key": _sealing(n=document()["weak"]["n"]),
        "an even modulus": _modulus(lambda n: n[:-1] + b"\x02"),
        "a modulus with a leading zero": _modulus(lambda n: b"\x00" + n),
        "a modulus of 8200 bits": _modulus(lambda n: b"\xc0" + bytes(1023) + b"\x01"),
        "no modulus": _sealing(n=""),
        "another exponent": _sealing(e="Aw"),
        "a padded modulus": lambda good: good | {"seal": good["seal"] | {"n": good["seal"]["n"] + "="}},
    },
    Revoke: {"another reason": having(reason="bored"), "a short key": having(key="k")},
    Contact: {"another action": having(action="block"), "of a group": having(of="g-" + "a" * 26)},
    Group: {
        "unsorted members": lambda good: good | {"members": good["members"][::-1]},
        "a member twice": lambda good: good | {"members": good["members"][:1] * 2},
        "65 members": having(members=sorted(account_id(Keys(SOURCE).public) for _ in range(65))),
        "a member that is a group": having(members=["g-" + "a" * 26]),
        "members in an object": having(members={}),
        "the id of an account": having(group="a" * 26),
    },
    Message: {"re nothing": having(re=""), "an alert of nothing": having(alert={})},
    entry.Status: {
        "another state": having(state="read"),
        "about nobody": without("about"),
        "until tomorrow": having(until="tomorrow"),
        "another reason": having(reason="tired"),
    },
    entry.Redact: {"another reason": having(reason="shame")},
    entry.Contract: {
        "an id in capitals": having(contract="On-call"),
        "terms that are none": having(terms={}),
        "another kind": _terms(kind="permit"),
        "another version": _terms(version=2),
        "no guard": _terms(when=""),
        "a guard of 2049 characters": _terms(when="!" * 2048 + "a"),
        "params of another kind": _terms(params={"seconds": 60}),
        "params with more than there is": _terms(params={"deny": True}),
    },
    entry.Approve: {"a short hash": having(deed="AAAA")},
    entry.Tick: {
        "nothing done": having(did=[]),
        "129 deeds": lambda good: good | {"did": good["did"][:1] * 129},
        "another deed": lambda good: good | {"did": [good["did"][0] | {"did": "called"}]},
        "a step too far": lambda good: good | {"did": [good["did"][0] | {"step": 16}]},
    },
    entry.Shift: {
        "of an account": having(party="a" * 26),
        "of a group by a group": having(account=PARTY),
        "no end": without("ends"),
    },
}


def _unverified(world: World) -> Iterator[Json]:
    admin, other = world.admin, world.gateway
    signed = admin.alerts(other.id).signed
    header, payload, signature = signed.leaf.decode().split(".")
    foreign = signed_as(signed.signed.payload, other.keys).decode().split(".")[0]
    later = b64url(spelled(_said(signed) | {"at": world.now + 1}))
    leaves = {
        "another's signature": _joined(header, payload, b64url(other.keys.sign(signed.signed.signed))),
        "another's name": _joined(foreign, payload, signature),
        "another's key in one's own name": admin.ticks(sign_with=other.keys.sign).signed.leaf,
        "another time": _joined(header, later, signature),
        "a flipped bit": _joined(header, payload, _flipped(signature)),
        "zeros": _joined(header, payload, b64url(bytes(64))),
        "a signature made larger by the order": _joined(header, payload, _enlarged(signature)),
    }
    for name, leaf in leaves.items():
        yield _refused("verifying", name, leaf, admin.keys.public)
    yield _refused("verifying", "the key of another", signed.leaf, other.keys.public)
    for name, point in NOBODYS.items():
        yield _refused("verifying", name, *_nobodys(admin, point))


def _nobodys(author: Actor, point: int) -> tuple[bytes, SigningKey]:
    """Under the neutral point, the neutral point and zero are a signature of everything."""
    key = SigningKey(b64url(point.to_bytes(32, "little")))
    neutral = (1).to_bytes(32, "little") + bytes(32)
    return author.ticks(kid=key.thumbprint, sign_with=lambda _: neutral).signed.leaf, key


def _joined(*parts: str) -> bytes:
    return ".".join(parts).encode()


def _flipped(signature: str) -> str:
    data = unb64url(signature)
    return b64url(bytes([data[0] ^ 1]) + data[1:])


def _enlarged(signature: str) -> str:
    """The same number modulo the group's order, which a careless verifier takes for another signature."""
    data = unb64url(signature)
    number = int.from_bytes(data[32:], "little") + ED25519_ORDER
    return b64url(data[:32] + number.to_bytes(32, "little"))


def _refused(when: str, name: str, leaf: bytes, key: SigningKey) -> Json:
    return {"key": key.x, "leaf": leaf.decode(), "name": name, "refused": when}

"""
A small world around a chain: a gateway, an admin, and whoever joins, each with real signing keys.

Everything in it follows from its seed, so a child process, or a failing example, makes the same world
again. Sealing keys are random odd numbers: nothing here is ever opened.
"""

import secrets
from collections.abc import Mapping
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chain import body, entry, joincode, merkle, state
from chain.author import Author
from chain.body import Body, Card, GroupName, Invitation, Login
from chain.chain import Chain, Committed, Outcome, Writer
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
from chain.encoding import b64url
from chain.entry import (
    Account,
    Alert,
    Approve,
    Common,
    Contact,
    Contract,
    Deed,
    Group,
    Invite,
    Key,
    Message,
    Profile,
    Redact,
    Revoke,
    Seen,
    Shift,
    Status,
    Tick,
)
from chain.errors import Refused
from chain.identity import SealingKey, SigningKey, account_id
from chain.wire import Submission

ORIGIN = "ward7.example/abc123"
START = 1_763_000_000_000
STEP = 1_000
"""How far the world's clock moves at every append, in ms."""

DAY = 86_400_000
TOLD = [Deed(contract="on-call", did="nobody", about="0199f6a0-0000-7000-8000-000000000000")]
"""What a tick says that is refused for other reasons."""

NOTHING = Seen(size=0, root=b64url(merkle.EMPTY_ROOT))

State = Mapping[str, list[tuple[Any, ...]]]
"""The rows of every state table."""


class Source:
    """Bytes that look random and follow from a seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, count: int) -> bytes:
        parts = []
        for _ in range(0, count, 32):
            self._drawn += 1
            parts.append(sha256(f"{self._seed} {self._drawn}".encode()).digest())
        return b"".join(parts)[:count]


class Keys:
    """A signing key pair, and something of the size of a sealing key."""

    def __init__(self, source: Source) -> None:
        self._secret = Ed25519PrivateKey.from_private_bytes(source(32))
        self.sign = self._secret.sign
        self.public = SigningKey(b64url(self._secret.public_key().public_bytes_raw()))
        self.seal = SealingKey(b64url(b"\xc0" + source(382) + b"\x01"))

    @property
    def kid(self) -> str:
        return self.public.thumbprint


class Actor:
    """Somebody with keys who writes entries: the methods sign one, and leave it to the world to append it."""

    def __init__(self, world: "World", name: str) -> None:
        self._world = world
        self._source = Source(f"{world.seed} {name}")
        self.name = name
        self.keys = Keys(self._source)
        self.id = account_id(self.keys.public)
        self.stream = entry.new_stream(self._source)
        self.seq = 0

    def fresh_keys(self) -> Keys:
        return Keys(self._source)

    def says(
        self, type_: type[Common], /, *, beside: Body | None = None, after: int | None = None, **says: Any
    ) -> Submission:
        """
        Sign an entry, and send it over the wire and back.

        `says` is what its type says, and may overrule what every entry says.
        """
        self.seq = says.pop("seq", self.seq + 1)
        author = Author(
            origin=says.pop("chain", self._world.origin),
            account=says.pop("author", self.id),
            stream=says.pop("stream", self.stream),
            kid=says.pop("kid", self.keys.kid),
            sign=says.pop("sign_with", self.keys.sign),
        )
        at = says.pop("at", self._world.now)
        parcel = author.parcel(
            type_,
            seq=self.seq,
            at=at,
            seen=says.pop("seen", self._world.seen),
            clock=says.pop("clock", "synced"),
            entry_id=says.pop("id", None) or entry.new_id(at, self._source),
            beside=beside,
            after=after,
            **says,
        )
        return parcel.load()

    def sealed(self, content: str) -> Body:
        return body.make(content, self._source)

    def invites(self, code: str, *, handle: str = "someone", match: bool = False, **says: Any) -> Submission:
        beside = body.document(Invitation(handle, match), self._source)
        given: dict[str, Any] = {"kind": "person", "role": "member", "expires": self._world.now + DAY} | says
        return self.says(Invite, beside=beside, code_hash=joincode.code_hash(code), **given)

    def joins(self, invite: Submission | None, code: str | None, **says: Any) -> Submission:
        given: dict[str, Any] = {
            "kind": "person",
            "role": "member",
            "sign": self.keys.public,
            "seal": self.keys.seal,
        } | says
        return self.says(Account, invite=invite and invite.signed.entry.id, code=code, **given)

    def introduces(self, handle: str, *, name: str = "Somebody", **says: Any) -> Submission:
        login = Login(salt=entry.new_stream(self._source), verifier=b64url(self._source(32)))
        return self.says(Profile, beside=body.document(Card(handle, name, login), self._source), **says)

    def gives_keys(self, keys: Keys, *, to: str | None = None, **says: Any) -> Submission:
        """Sign a `key` entry; whoever rotates their own keys goes on to use `keys` by setting them."""
        given: dict[str, Any] = {"sign": keys.public, "seal": keys.seal} | says
        return self.says(Key, account=to or self.id, **given)

    def revokes(self, account: str, **says: Any) -> Submission:
        return self.says(Revoke, account=account, **{"reason": "left"} | says)

    def contact(self, action: str, peer: str, **says: Any) -> Submission:
        return self.says(Contact, action=action, peer=peer, **says)

    def groups(self, group: str, *members: str, name: str | None = "on call", **says: Any) -> Submission:
        beside = body.document(GroupName(name), self._source) if name else None
        return self.says(Group, beside=beside, group=group, members=sorted(members), **says)

    def writes(self, to: str, content: str = '{"sealed":true}', **says: Any) -> Submission:
        return self.says(
            Message, beside=self.sealed(content), to=to, commitment=b64url(self._source(32)), **says
        )

    def alerts(self, to: str, **says: Any) -> Submission:
        episode = entry.new_stream(self._source)
        return self.writes(to, alert=Alert(episode, "physiological", "high", "start"), **says)

    def answers(self, message: Submission, state: str = "taken", **says: Any) -> Submission:
        return self.says(Status, about=message.signed.entry.id, state=state, **says)

    def redacts(self, about: Submission, **says: Any) -> Submission:
        return self.says(Redact, about=about.signed.entry.id, **{"reason": "privacy"} | says)

    def installs(self, contract: str, terms: Terms) -> Submission:
        return self.says(Contract, action="install", contract=contract, terms=terms)

    def removes(self, contract: str) -> Submission:
        return self.says(Contract, action="remove", contract=contract)

    def plans(self, party: str, begins: int, ends: int, **says: Any) -> Submission:
        return self.says(Shift, party=party, begins=begins, ends=ends, **says)

    def ticks(self, *did: Deed, **says: Any) -> Submission:
        given: dict[str, Any] = {"now": self._world.now, "did": list(did) or TOLD} | says
        return self.says(Tick, **given)


class World:
    """
    A chain in `folder` with its gateway and its first admin.

    With `fresh=False` it opens the chain that the same seed made there before. Close it, or use it in a `with`.
    """

    chain: Chain

    def __init__(
        self, folder: Path, *, seed: str = "ward 7", origin: str = ORIGIN, fresh: bool = True
    ) -> None:
        self.seed = seed
        self.origin = origin
        self.path = folder / "chain.db"
        self.source = Source(seed)
        self.now = START
        self.seen = NOTHING
        self.gateway = Actor(self, "gateway")
        self.admin = Actor(self, "admin")
        self.writer = Writer(self.gateway.keys.public, self.gateway.keys.sign, self.source)
        if fresh:
            self._found()
        else:
            self.chain = Chain.open(self.path, write=True)
            self._tell()

    def _found(self) -> None:
        code = self.code()
        genesis = [
            self.founds(self.gateway),
            self.gateway.introduces("gateway"),
            self.gateway.invites(code, handle="admin", role="admin"),
        ]
        self.chain = Chain.create(
            self.path, origin=self.origin, writer=self.writer, genesis=genesis, now=self.now
        )
        self._tell()
        self.commit(self.admin.joins(genesis[-1], code, role="admin"))
        self.commit(self.admin.introduces("admin"))

    @staticmethod
    def founds(gateway: Actor) -> Submission:
        """The first entry of all: the gateway's own account."""
        return gateway.joins(None, None, kind="service", role="gateway", seal=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.chain.close()

    def reopen(self, *, write: bool = True) -> Chain:
        """Open the chain again, as after a restart of the gateway."""
        self.chain.close()
        self.chain = Chain.open(self.path, write=write)
        self._tell()
        return self.chain

    def _tell(self) -> None:
        """Everybody has seen the newest checkpoint."""
        head = self.chain.head
        self.seen = Seen(size=head.size, root=b64url(head.root))
        self.now = max(self.now, head.timestamp) + STEP

    # Appending

    def append(self, *submissions: Submission) -> list[Outcome]:
        """Append one block."""
        outcomes = self.chain.append(submissions, writer=self.writer, now=self.now)
        self._tell()
        return outcomes

    def commit(self, *submissions: Submission) -> list[int]:
        """Append one block of entries that all hold; return their indices."""
        outcomes = self.append(*submissions)
        committed = [outcome for outcome in outcomes if isinstance(outcome, Committed)]
        assert len(committed) == len(outcomes), outcomes
        return [outcome.index for outcome in committed]

    def passes(self, seconds: float) -> list[Deed]:
        """Let time pass, and have the gateway say what contracts do because of it, until there is no more; return it."""
        self.now += round(1000 * seconds) - STEP
        told: list[Deed] = []
        while due := self.chain.due(self.now):
            now = self.now
            self.commit(self.gateway.ticks(*due))
            self.now = now
            told += due
        self.now += STEP
        return told

    def refusal(self, submission: Submission) -> Refused:
        """Append an entry that does not hold; see that it left nothing behind; return why."""
        before, head = self.dump(), self.chain.head
        (outcome,) = self.append(submission)
        assert isinstance(outcome, Refused), outcome
        assert self.dump() == before
        assert self.chain.head == head
        return outcome

    def dump(self) -> State:
        """All that the state says."""
        return dump_state(self.chain)

    # Who and what there is

    def stranger(self, name: str) -> Actor:
        """Somebody with keys whom this chain does not know."""
        return Actor(self, name)

    def join(self, name: str, *, kind: str = "person", role: str = "member") -> Actor:
        """Invite somebody, who joins under their name as handle."""
        actor, code = self.stranger(name), self.code()
        invite = self.admin.invites(code, handle=name, kind=kind, role=role)
        self.commit(invite)
        self.commit(actor.joins(invite, code, kind=kind, role=role))
        self.commit(actor.introduces(name))
        return actor

    def device(self, name: str) -> Actor:
        return self.join(name, kind="device")

    def link(self, one: Actor, other: str) -> None:
        self.commit(self.admin.contact("link", other, of=one.id))

    def group(self, *members: Actor) -> str:
        group = self.new_group()
        self.commit(self.admin.groups(group, *(member.id for member in members)))
        return group

    def new_group(self) -> str:
        return "g-" + account_id(Keys(self.source).public)

    def code(self) -> str:
        return joincode.new_code(self.source)


def dump_state(chain: Chain) -> State:
    """Every row of every state table, in the order of its key."""
    query = "SELECT * FROM {}"
    return {table: chain.store.db.execute(query.format(table)).fetchall() for table in state.TABLES}


def contracts_for(party: str) -> dict[str, Terms]:
    """One of each kind; they let everything happen that happens."""
    steps = [Step(party, 60), Step(party, 600)]
    return {
        "escalate": Escalate(
            version=1,
            when="is_alert",
            params=EscalateParams(steps=steps, wait=600, laps=2, resolve_within=900),
        ),
        "long-ones": Access(version=1, when="size > 200000", params=Nothing()),
        "not-too-many": Rate(version=1, when="true", params=RateParams(count=1000, seconds=3600, per="all")),
        "two-admins": Quorum(version=1, when='role == "gateway"', params=QuorumParams(need=2, seconds=3600)),
        "a-month": Retain(version=1, when="!is_alert", params=RetainParams(seconds=2_592_000)),
    }


def ward(folder: Path) -> World:
    """A world in which everything has happened: no table of the chain is empty."""
    world = World(folder)
    admin = world.admin
    world.join("second", role="admin")
    alice, bob, carol = (world.join(name) for name in ("alice", "bob", "carol"))
    leaver = world.join("leaver")
    fridge = world.device("fridge-2")
    on_call = world.group(alice, bob)
    world.link(fridge, on_call)

    for name, terms in contracts_for(on_call).items():
        world.commit(admin.installs(name, terms))
    world.commit(admin.plans(on_call, START, START + DAY, account=alice.id))
    world.commit(bob.plans(on_call, START, START + DAY // 2, account=bob.id, instead=alice.id))
    world.commit(admin.says(Approve, deed=b64url(bytes(32))))

    alarm = fridge.alerts(on_call)
    world.commit(alarm)
    world.passes(120)
    world.commit(bob.answers(alarm, "snoozed", until=world.now + DAY // 2, reason="care"))
    world.commit(bob.answers(alarm, "seen"), alice.answers(alarm, "taken"))

    world.commit(alice.contact("request", carol.id), bob.contact("request", alice.id))
    world.commit(alice.contact("accept", bob.id))
    question = bob.writes(alice.id, "A question of some length. " * 400)
    world.commit(question)
    world.commit(alice.writes(bob.id, re=question.signed.entry.id))
    world.commit(*(fridge.alerts(on_call, seq=fridge.seq + 2) for _ in range(9)))

    world.commit(bob.redacts(question))
    world.commit(alice.introduces("alice", name="Dr Alice"))
    keys = bob.fresh_keys()
    world.commit(bob.gives_keys(keys))
    bob.keys = keys
    world.commit(admin.gives_keys(carol.fresh_keys(), to=carol.id), admin.revokes(leaver.id))
    world.commit(admin.invites(world.code(), handle="newcomer"))
    world.commit(bob.writes(alice.id), fridge.alerts(on_call), alice.writes(bob.id))
    return world


def append_until_killed(folder: Path, pipe: Connection) -> None:
    """
    In a process of its own: append blocks to the chain of `World(folder)`, whose `alice` and `bob` are contacts.

    The ids of a block go into the pipe when `append` has returned.
    """
    world = World(folder, fresh=False)
    alice, bob = world.stranger("alice"), world.stranger("bob")
    alice.stream = entry.new_stream(secrets.token_bytes)
    while True:
        block = [alice.writes(bob.id) for _ in range(5)]
        world.commit(*block)
        pipe.send([submission.signed.entry.id for submission in block])

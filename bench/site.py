"""A gateway with accounts on its chain and entries behind them, made in this process: nothing of it is measured."""

import base64
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count, islice
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct, structs

from bench.ahead import ahead
from bench.errors import BenchError
from chain import body, entry, joincode, token, wire
from chain.author import Author
from chain.body import GroupName, Invitation
from chain.chain import MAX_BLOCK_ENTRIES, Chain
from chain.checkpoint import Checkpoint
from chain.contracts.terms import Terms
from chain.encoding import b64url
from chain.entry import Account, Alert, Common, Contact, Contract, Group, Invite, Message, Priority, Role
from chain.errors import Refused
from chain.identity import SealingKey, SigningKey
from chain.joincode import new_code
from chain.wire import Parcel, Submission
from device.outbox import Queued
from gateway import genesis
from gateway.site import Key, Settings, Site
from provisioning.site import free_ports

SEALED_BYTES = 1_650
"""In base64url they are as long as a reading sealed for one addressee and its own author: 2.2 kB."""

DAY_MS = 86_400_000

TOLD = 20_000
"""Entries after which filling a chain reports again."""

MANY = 4_000
"""Fewer are signed before other processes have started."""

SHARE = MAX_BLOCK_ENTRIES

Progress = Callable[[str], None]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Sender(Struct, frozen=True):
    """An account with its private key, fit to be handed to another process."""

    origin: str
    seed: bytes

    @property
    def key(self) -> Key:
        return Key(Ed25519PrivateKey.from_private_bytes(self.seed))

    def password(self) -> str:
        """What the embedded broker admits it with."""
        key = self.key
        audience = token.audience(self.origin, token.MQTT)
        return token.make(key.account, audience=audience, now=time.time(), kid=key.kid, signer=key.sign)

    def author(self, stream: str | None = None) -> Author:
        """It writes in a stream of its own from here on, unless one is given."""
        key = self.key
        stream = stream or entry.new_stream(secrets.token_bytes)
        return Author(origin=self.origin, account=key.account, stream=stream, kid=key.kid, sign=key.sign)

    def messages(
        self,
        to: str,
        seen: Checkpoint,
        *,
        priority: Priority | None = None,
        stream: str | None = None,
        first: int = 1,
    ) -> Iterator[Queued]:
        """Signed messages without end, as an outbox holds them; with a priority, each begins an alert."""
        author = self.author(stream)
        for seq in count(first):
            at = now_ms()
            mid = entry.new_id(at, os.urandom)
            sealed = base64.urlsafe_b64encode(os.urandom(SEALED_BYTES)).decode("ascii")
            parcel = author.parcel(
                Message,
                entry_id=mid,
                seq=seq,
                at=at,
                seen=seen.seen,
                beside=body.make(sealed, os.urandom),
                to=to,
                commitment=b64url(os.urandom(32)),
                alert=None if priority is None else _alert(priority),
            )
            yield Queued(mid, seq, parcel, "message")


def _alert(priority: Priority) -> Alert:
    return Alert(entry.new_stream(os.urandom), "physiological", priority, "start")


def new_sender(origin: str) -> Sender:
    return Sender(origin, secrets.token_bytes(32))


@dataclass(frozen=True)
class Ward:
    """A gateway's directory, its admin, the accounts that write, and the one they write to."""

    site: Site
    admin: Sender
    senders: list[Sender]
    recipient: Sender

    @classmethod
    def make(cls, directory: Path, *, clients: int) -> Self:
        settings = Settings()
        code = genesis.init(directory, settings, name="bench.example", admin="admin")
        site = Site(directory, settings)
        with closing(Chain.open(site.chain_file, write=True)) as chain:
            origin = chain.origin
            admin = new_sender(origin)
            people = [new_sender(origin) for _ in range(clients + 1)]
            recipient, *senders = people
            desk = _Desk(chain, site.key(), admin)
            (first,) = chain.state.invites()
            desk.join(admin, first.id, code.code, role="admin")
            for person in people:
                desk.let_in(person)
            for sender in senders:
                desk.says(Contact, action="link", peer=recipient.key.account, of=sender.key.account)
        return cls(site, admin, senders, recipient)

    def at_free_port(self) -> Self:
        """The same, its broker and web server to listen where nobody does now."""
        mqtt, http = free_ports(2)
        settings = structs.replace(self.site.settings, mqtt_port=mqtt, http_port=http)
        (self.site.directory / "gateway.toml").write_text(settings.to_toml(), "utf-8")
        return replace(self, site=replace(self.site, settings=settings))

    def at(self, directory: Path) -> Self:
        """A copy of the gateway that lies there."""
        return replace(self, site=replace(self.site, directory=directory))

    @cached_property
    def gateway(self) -> Sender:
        """The gateway's own account: the floor's subscriber takes the committer's place."""
        with closing(self.site.read_chain()) as chain:
            return Sender(chain.origin, (self.site.directory / "gateway.key").read_bytes())

    def head(self) -> Checkpoint:
        """The newest checkpoint."""
        with closing(self.site.read_chain()) as chain:
            return chain.verified(chain.checkpoint())

    def govern(self, contracts: Mapping[str, Terms]) -> None:
        """Put contracts in force, with a second admin for those that ask for two."""
        with closing(Chain.open(self.site.chain_file, write=True)) as chain:
            desk = _Desk(chain, self.site.key(), self.admin)
            desk.let_in(new_sender(chain.origin), role="admin")
            for contract, terms in contracts.items():
                desk.says(Contract, action="install", contract=contract, terms=terms)

    def gather(self) -> str:
        """Make a group of all senders; return its id."""
        group = f"g-{self.admin.key.account}"
        members = sorted(sender.key.account for sender in self.senders)
        with closing(Chain.open(self.site.chain_file, write=True)) as chain:
            desk = _Desk(chain, self.site.key(), self.admin)
            name = body.document(GroupName("everybody"), secrets.token_bytes)
            desk.says(Group, beside=name, group=group, members=members)
        return group

    def alarm(self, count: int) -> None:
        """Let the senders begin so many alerts, in turn, every other one an urgent one."""
        writer, to = self.site.key().writer, self.recipient.key.account
        with closing(Chain.open(self.site.chain_file, write=True)) as chain:
            seen = chain.verified(chain.checkpoint())
            turns = zip(
                *(sender.messages(to, seen, priority="high") for sender in self.senders),
                *(sender.messages(to, seen, priority="low") for sender in self.senders),
                strict=True,
            )
            parcels = (queued.parcel for turn in turns for queued in turn)
            for start in range(0, count, MAX_BLOCK_ENTRIES):
                block = [parcel.load() for parcel in islice(parcels, min(count - start, MAX_BLOCK_ENTRIES))]
                _accepted(chain.append(block, writer=writer, now=now_ms()))

    def fill(self, size: int, progress: Progress) -> None:
        """Let the senders write, in turn, until the chain has `size` entries."""
        writer = self.site.key().writer
        with closing(Chain.open(self.site.chain_file, write=True)) as chain:
            before = chain.head.size
            for block in self._signed(chain, size - before):
                submissions = [wire.read_parcel(parcel).load() for parcel in block]
                # The signatures were made a moment ago, for this.
                outcomes = chain.append(submissions, writer=writer, now=now_ms(), check=_trust)
                _accepted(outcomes)
                if chain.head.size // TOLD > (chain.head.size - len(block)) // TOLD:
                    progress(f"filling the chain: {chain.head.size:,} of {size:,} entries")

    def _signed(self, chain: Chain, entries: int) -> Iterator[list[bytes]]:
        """So many messages as they travel, a block at a time."""
        seen = chain.verified(chain.checkpoint())
        streams = [entry.new_stream(secrets.token_bytes) for _ in self.senders]
        tasks = (
            _Share(
                self.senders, streams, self.recipient.key.account, seen, first, min(first + SHARE, entries)
            )
            for first in range(0, entries, SHARE)
        )
        return map(_sign, tasks) if entries < MANY else ahead(_sign, tasks)


class _Share(Struct, frozen=True):
    """The messages from number `first` up to `end`, of all senders in turn."""

    senders: list[Sender]
    streams: list[str]
    to: str
    seen: Checkpoint
    first: int
    end: int


def _sign(share: _Share) -> list[bytes]:
    each = len(share.senders)
    # Number n is that of sender n % each, and its n // each + 1st.
    authors = [
        sender.messages(share.to, share.seen, stream=stream, first=-((number - share.first) // each) + 1)
        for number, (sender, stream) in enumerate(zip(share.senders, share.streams, strict=True))
    ]
    return [wire.encode(next(authors[number % each]).parcel) for number in range(share.first, share.end)]


def _trust(_signed: entry.SignedEntry, _key: SigningKey) -> None:
    """Check nothing."""


class _Desk:
    """The admin's desk: puts one entry after the other on the chain."""

    def __init__(self, chain: Chain, gateway: Key, admin: Sender) -> None:
        self._chain = chain
        self._gateway = gateway
        self._admin = admin
        self._author = admin.author()
        self._seq = 1

    def join(self, who: Sender, invite: str, code: str, *, role: Role) -> None:
        parcel = (self._author if who == self._admin else who.author()).parcel(
            Account,
            seq=1,
            at=now_ms(),
            seen=self._seen,
            kind="person" if role == "admin" else "device",
            role=role,
            sign=who.key.public,
            # Nothing is ever opened here: any odd number of the right length will do.
            seal=SealingKey(b64url(b"\xc0" + os.urandom(382) + b"\x01")),
            invite=invite,
            code=code,
        )
        self._append(parcel)

    def let_in(self, who: Sender, *, role: Role = "member") -> None:
        code = new_code(secrets.token_bytes)
        invite = self.says(
            Invite,
            beside=body.document(Invitation(f"d-{who.key.account}"), secrets.token_bytes),
            code_hash=joincode.code_hash(code),
            kind="person" if role == "admin" else "device",
            role=role,
            expires=now_ms() + DAY_MS,
        )
        self.join(who, invite.signed.entry.id, code, role=role)

    def says(self, type_: type[Common], **says: Any) -> Submission:
        self._seq += 1
        return self._append(self._author.parcel(type_, seq=self._seq, at=now_ms(), seen=self._seen, **says))

    @property
    def _seen(self) -> entry.Seen:
        return self._chain.verified(self._chain.checkpoint()).seen

    def _append(self, parcel: Parcel) -> Submission:
        submission = parcel.load()
        _accepted(self._chain.append([submission], writer=self._gateway.writer, now=now_ms()))
        return submission


def _accepted(outcomes: list[Any]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            raise BenchError(f"site: the chain refused an entry of it: {outcome}")

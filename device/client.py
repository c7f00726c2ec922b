"""
An account at work: what a person at the command line, a sensor's agent and an admin have in common.

Writes entries into the outbox, submits commands, verifies receipts, reads and opens what was addressed to it.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from chain import entry
from chain.author import Author
from chain.body import make
from chain.clock import clock
from chain.encoding import b64url, unb64url_hash
from chain.entry import Alert, Common, Message, SignedEntry
from chain.errors import ChainError, Refused, Unverified
from chain.wire import Delivered, Parcel
from device import content, forward, identity, sealing
from device.addressbook import AddressBook, Membership
from device.addressing import Addressee, Directory
from device.content import FORWARD, Forward
from device.errors import CannotOpen, CannotSeal, Problem, Unreachable
from device.identity import Identity
from device.outbox import Lane, Note, Outbox, Queued
from device.rest import Caller, Gateway, Receipted
from device.sealing import Opened
from device.tls import Tls
from device.trust import Trust


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Home:
    """The folder of one account: its keys, its address book, its outbox."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def book(self) -> AddressBook:
        return AddressBook(self.directory / "addressbook.json")

    @property
    def outbox_file(self) -> Path:
        return self.directory / "outbox.db"

    @property
    def lock_file(self) -> Path:
        return self.directory / "agent.lock"

    @property
    def settings_file(self) -> Path:
        return self.directory / "agent.toml"

    @property
    def annunciator_file(self) -> Path:
        return self.directory / "annunciator.toml"

    @property
    def join_file(self) -> Path:
        """Whoever puts it there lets `run` join by itself."""
        return self.directory / "join.toml"

    def tls(self) -> Tls:
        return Tls(self.directory)


class Read(Struct, frozen=True):
    """A committed message that was verified and opened; `text` is absent where it could not be."""

    index: int
    entry: Message
    author: str
    handle: str
    cty: str | None
    text: str | None


class Client:
    """
    One joined account. Opening it reads the keys and the address book, and asks nobody anything.

    `membership` is given while it is still joining, and `acting` while its keys change. Raises `NotJoined`, `BadKeys` or `TwoHistories` if this account
    cannot work.
    """

    def __init__(
        self, home: Home, membership: Membership | None = None, acting: Identity | None = None
    ) -> None:
        self.home = home
        self.book = home.book
        self.membership = membership or self.book.membership()
        self.identity = acting or identity.load(home.directory)
        self.tls = home.tls() if self.membership.is_lan else None
        self.gateway = self.open_gateway()
        self.trust = Trust(self.book, self.membership, self.gateway.consistency, now_ms)
        self.directory = Directory(self.book, self.gateway, self.trust)
        self.outbox = Outbox(home.outbox_file)

    @property
    def account(self) -> str:
        return self.identity.account_id

    def close(self) -> None:
        self.outbox.close()

    def open_gateway(self) -> Gateway:
        """Another way to ask the gateway, for another thread."""
        caller = Caller(
            self.identity.account_id,
            self.membership.origin,
            self.identity.signing.thumbprint,
            self.identity.sign,
        )
        return Gateway(self.membership.http_host, self.membership.http_port, caller, tls=self.tls)

    def check_gateway(self) -> None:
        """Hold the gateway's newest checkpoint against the one held; raise `TwoHistories` or `Unreachable`."""
        self.trust.accept_head(self.gateway.checkpoint)

    # Writing

    def write(self, lane: Lane, type_: type[Common], *, note: Note | None = None, **says: Any) -> Queued:
        """Sign an entry of this account and put it into the outbox."""

        def sign(stream: str, seq: int) -> Parcel:
            author = Author(
                origin=self.membership.origin,
                account=self.account,
                stream=stream,
                kid=self.identity.signing.thumbprint,
                sign=self.identity.sign,
            )
            return author.parcel(type_, seq=seq, at=now_ms(), clock=clock(), seen=self.trust.seen, **says)

        return self.outbox.queue(lane, sign, note)

    def write_message(
        self,
        to: Addressee,
        said: str,
        *,
        cty: str,
        re: str | None = None,
        alert: Alert | None = None,
        note: Note | None = None,
    ) -> Queued:
        """Seal a message for the addressee (and for this account itself) and put it into the outbox, alerts apart."""
        mid = entry.new_id(now_ms(), secrets.token_bytes)
        sealed = sealing.seal(
            said,
            cty=cty,
            iss=self.account,
            skid=self.identity.signing.thumbprint,
            mid=mid,
            recipients=[*to.keys, self.identity.sealing],
        )
        return self.write(
            "message" if alert is None else "alert",
            Message,
            note=note,
            entry_id=mid,
            beside=make(sealed.body, secrets.token_bytes),
            to=to.to,
            commitment=b64url(sealed.commitment),
            re=re,
            alert=alert,
        )

    def say(self, type_: type[Common], **says: Any) -> int:
        """
        Write a command, submit it over REST, and return its index once its receipt is verified.

        Commands that were left behind earlier go first. Raises `Refused` with the chain's rule, `Unreachable` if
        there is no answer now: then the command stays in the outbox, and goes with the next one.
        """
        return self.send_commands(self.write("command", type_, **says))

    def send_commands(self, mine: Queued | None = None) -> int:
        """Submit all that wait, and return the index of the last: `mine` is the one whose refusal is raised."""
        index = -1
        for queued in self.outbox.pending("command", limit=1000):
            try:
                index = self.submit(queued)
            except Refused as refusal:
                self.outbox.reject(queued.id, refusal.rule, refusal.reason)
                if mine is not None and queued.id == mine.id:
                    raise
            except Unreachable as error:
                raise Unreachable(
                    f"{error}; it stays in the outbox and goes with the next command"
                ) from error
        return index

    def submit(self, queued: Queued, send: Callable[[Parcel], Receipted] | None = None) -> int:
        """Submit one entry, verify its receipt, release it; return its index."""
        try:
            answer = (send or self.gateway.submit)(queued.parcel)
        except Problem as problem:
            if problem.rule is None:
                raise
            if problem.rule == "history":
                raise self.trust.catch(
                    problem.refusal or "", f"it disowns its own history: {problem}"
                ) from problem
            raise Refused(problem.rule, str(problem)) from problem  # type: ignore[arg-type] # as the gateway names it
        receipt = self.trust.accept_receipt(answer.receipt, queued.parcel.entry.encode())
        self.outbox.release([queued.id])
        return receipt.index

    # Reading

    def committed(self, delivered: Delivered) -> SignedEntry:
        """Return the entry, once its receipt proves it to be on the chain; raise `ChainError`."""
        leaf = delivered.entry.encode()
        receipt = self.trust.accept_receipt(delivered.receipt, leaf)
        if receipt.index != delivered.index:
            raise Unverified(f"entry {delivered.index}: the receipt is for entry {receipt.index}")
        return entry.parse(leaf)

    def proven(self, signed: SignedEntry) -> str:
        """
        The handle of who signed an entry; its author did, by a key that was theirs.

        Raises `Unverified`, `Untrusted`, or `Unreachable` if a key has to be asked for and cannot.
        """
        key, handle = self.directory.signing_key(signed.entry.author, signed.kid)
        signed.verify(key)
        return handle

    def read(self, delivered: Delivered, signed: SignedEntry) -> Read | None:
        """
        Open a committed entry, once it is proven to be signed by a key of its author; `None` if it is no message.

        One that cannot be opened is returned without text. Raises `ChainError`, `Untrusted`, or `Unreachable`
        if a key has to be asked for and cannot.
        """
        said = signed.entry
        handle = self.proven(signed)
        if not isinstance(said, Message):
            return None
        try:
            opened = self._opened(delivered, said, signed.kid)
        except (CannotOpen, ChainError):
            return Read(delivered.index, said, said.author, handle, None, None)
        return Read(delivered.index, said, said.author, handle, opened.cty, opened.content)

    def _opened(self, delivered: Delivered, said: Message, kid: str) -> Opened:
        return sealing.open_sealed(
            delivered.body or "",
            keys=self.identity.opening,
            signer=kid,
            author=said.author,
            mid=said.id,
            commitment=unb64url_hash(said.commitment, what="commitment"),
        )

    # Handing on

    def hand_on(self, entry_id: str, to: Addressee) -> Queued:
        """
        Seal a message that this account can open for somebody else, and put it into the outbox.

        Raises `CannotOpen` if it cannot, and what `read` does.
        """
        delivered = self.gateway.entry(entry_id)
        signed = self.committed(delivered)
        self.proven(signed)
        said = signed.entry
        if not isinstance(said, Message) or said.id != entry_id:
            raise CannotSeal(f"{entry_id}: want a message")
        handed_on = forward.make(entry_id, self._opened(delivered, said, signed.kid))
        return self.write_message(to, content.written(handed_on), cty=FORWARD, re=entry_id)

    def handed_on(self, text: str) -> Read:
        """
        The message that a forward hands on, as if it had been sealed for this account.

        Raises `ChainError` or `Untrusted` if it is not proven to be its author's, `Problem` if this account may not
        read its entry, and `Unreachable`.
        """
        said = content.read(FORWARD, text)
        assert isinstance(said, Forward)
        delivered = self.gateway.entry(said.about)
        signed = self.committed(delivered)
        handle = self.proven(signed)
        message = forward.checked(said, signed.entry)
        return Read(delivered.index, message, message.author, handle, said.cty, said.content)

"""
The Chain of the paper: it makes blocks, links them, and reads them back with proofs.

One process has it open for writing (the gateway's committer); any number read beside it.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from msgspec import Struct

from chain import block as blocks
from chain import checkpoint, entry, merkle, refold, rules, state, store
from chain.alerts import Moment
from chain.block import Block, Header
from chain.checkpoint import Checkpoint
from chain.contracts import guard, timers
from chain.contracts.docket import Docket
from chain.contracts.guard import NoEngine
from chain.contracts.runs import runs
from chain.ed25519 import Signer
from chain.encoding import b64url
from chain.entry import Account, Deed, SignedEntry
from chain.errors import Malformed, Refused
from chain.identity import SigningKey
from chain.receipt import Receipt
from chain.rulebook.context import Check, Context, Effect
from chain.state import State
from chain.store import Head, Store, Uptime
from chain.wire import Submission

MAX_BLOCK_ENTRIES = 256


class Committed(Struct, frozen=True):
    """The entry is on the chain, durably. `fresh` says whether it came with this block or was there."""

    index: int
    readers: frozenset[str] = frozenset()
    fresh: bool = True


Outcome = Committed | Refused


class Writer(Struct, frozen=True):
    """The gateway's key and what signs with it; the secret itself never comes here."""

    key: SigningKey
    sign: Signer
    random: Callable[[int], bytes] = secrets.token_bytes


class _Draft(Struct):
    """A block in the making: the tree as it grows, the nodes that it gains, what contracts do, and the ids in use."""

    tree: merkle.Tree
    moment: Moment
    nodes: list[bytes] = []
    effects: list[Effect] = []
    taken: set[str] = set()


class Chain:
    """A chain over an open store. `append` takes a `Writer`; everything else only reads."""

    def __init__(self, db: sqlite3.Connection, *, origin: str, key: SigningKey) -> None:
        self.origin = origin
        self.key = key
        """The gateway's signing key: it signs checkpoints, blocks and refusals."""
        self.store = Store(db)
        self.state = State(db)
        self.head = self.store.head()
        self.engine = guard.ENGINE
        self._docket = Docket(self.state)
        # The tree of the last append still holds the hashes that this block's receipts are made of.
        self._tree: merkle.Tree | None = None
        # The signature that was made here last need not be checked.
        self._signed: tuple[int, str, Checkpoint] | None = None

    @classmethod
    def create(
        cls, path: Path, *, origin: str, writer: Writer, genesis: Sequence[Submission], now: int
    ) -> Self:
        """Make the file and its genesis block; raise `FileExistsError`, or `Refused` for a genesis the rules deny."""
        # Names and login verifiers are in it, in clear: the file is its owner's alone from its first byte.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        db = store.connect_writer(path, create=True)
        db.executescript(f"BEGIN;{store.SCHEMA}{state.SCHEMA}COMMIT;")
        chain = cls(db, origin=origin, key=writer.key)
        chain.engine = guard.ENGINE if guard.is_installed() else blocks.NO_ENGINE
        with ExitStack() as undo:
            undo.callback(path.unlink)
            undo.callback(chain.close)
            for outcome in chain.append(genesis, writer=writer, now=now):
                if isinstance(outcome, Refused):
                    raise outcome
            undo.pop_all()
        return chain

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """Open a chain; what it is called and who signs it stand in its first entry."""
        db = store.connect_writer(path) if write else store.connect_reader(path)
        with ExitStack() as undo:
            undo.callback(db.close)
            first = entry.parse(Store(db).leaf(0)).entry
            if not isinstance(first, Account):
                raise Malformed(f"{path}: the first entry is not the gateway's account")
            chain = cls(db, origin=first.chain, key=first.sign)
            chain.engine = Store(db).block(0).header.engine or blocks.NO_ENGINE
            if write:
                refold.refold_if_older(chain)
                if chain.state.contracts.in_force():
                    guard.require(chain.engine)
                    chain._docket.prepare()
            undo.pop_all()
        return chain

    def close(self) -> None:
        self.store.db.close()

    # Writing

    def append(
        self,
        submissions: Sequence[Submission],
        *,
        writer: Writer,
        now: int,
        uptime: Uptime | None = None,
        check: Check = SignedEntry.verify,
    ) -> list[Outcome]:
        """
        Decide on each submission in order, and commit those that hold as one block.

        When this returns, what it calls `Committed` is on disk and signed for. It raises, not for a refused
        entry, which has its outcome, but for a disk that is full or failing: then all of the block is on disk
        or nothing is, and the next call is safe either way, with the same submissions too.
        `now` is in ms; a clock that went back does not take the chain's time with it, and with `uptime` one that
        leaps does not hurry the contracts. `check` checks an entry's signature, for a caller who has a faster way
        than one after the other.
        """
        if writer.key != self.key:
            raise ValueError("the writer's key is not the one that this chain is signed with")
        # Its signature may have failed, and only the newest block may be without.
        self.sign_head(writer)
        before = self.head
        moment = self.moment(now, uptime)
        tree = self._tree
        is_newest = tree is not None and tree.size == before.size
        draft = _Draft(
            tree.grown() if tree and is_newest else merkle.Tree(before.size, self.store.node), moment
        )
        head = before
        try:
            with self.store.transaction(), self.state.together():
                draft.taken = self.store.known(submission.signed.entry.id for submission in submissions)
                outcomes = [self._decide(submission, draft, check) for submission in submissions]
                if draft.tree.size > before.size:
                    head = self._cut(draft, writer)
                    if uptime is not None:
                        self.store.write_uptime(uptime, moment.clock)
        except BaseException:
            # What is in memory may be of what was rolled back.
            self.state.contracts.forget()
            self._docket.forget()
            raise
        self.head, self._tree = head, draft.tree
        self.sign_head(writer)
        self.state.remember()
        return outcomes

    def moment(self, now: int, uptime: Uptime | None = None) -> Moment:
        """
        The times that a block made at `now` (wall ms) has.

        Steady time goes on as the machine's uptime does, over a restart of the gateway, too. Over one of the machine
        the wall clock has to be believed; it may stand still then, but it does not go back.
        """
        head = self.head
        at = max(now, head.timestamp)
        since = None if uptime is None else self.store.steady(uptime)
        gone = at - head.timestamp if head.height >= 0 else 0
        return Moment(at, max(head.clock, head.clock + gone if since is None else since))

    def due(self, now: int, uptime: Uptime | None = None) -> list[Deed]:
        """What contracts do now: what the first entry of the next block has to say, a `tick`, if it is anything."""
        moment = self.moment(now, uptime)
        due = timers.next_due(self.state)
        return (
            []
            if due is None or due > moment.clock
            else timers.plan(self.state, moment.at, moment.clock).deeds
        )

    def _decide(self, submission: Submission, draft: "_Draft", check: Check) -> Outcome:
        signed = submission.signed
        if signed.entry.id in draft.taken:
            return self._again(signed)
        index = draft.tree.size
        context = Context(
            state=self.state,
            docket=self._docket,
            origin=self.origin,
            engine=self.engine,
            find=self.store.find,
            root_at=self.store.root_at,
            check=check,
            now=draft.moment.at,
            clock=draft.moment.clock,
            idx=index,
            body=submission.body,
            effects=draft.effects,
        )
        try:
            admitted = rules.admit(context, signed, after=submission.after)
        except Refused as refusal:
            return refusal
        except NoEngine as error:
            return Refused("unsupported", str(error))
        draft.taken.add(signed.entry.id)
        draft.nodes += draft.tree.append(merkle.leaf_hash(signed.leaf))
        self.store.write_entry(index, signed.entry.id, signed.leaf, submission.body)
        for erased in admitted.erased:
            self.store.erase(erased)
        return Committed(index, admitted.readers)

    def _again(self, signed: SignedEntry) -> Outcome:
        """An id that is on the chain: of the same entry, or of another."""
        found = self.store.find(signed.entry.id)
        if found is None or found[1] != signed.leaf:
            return Refused("replay", "another entry with this id is on the chain")
        return Committed(found[0], fresh=False)

    def _cut(self, draft: "_Draft", writer: Writer) -> Head:
        """Say that this block is next: the one place that does."""
        before, tree, moment = self.head, draft.tree, draft.moment
        header = Header(
            v=1,
            id=before.height + 1,
            timestamp=moment.at,
            clock=moment.clock,
            previous_hash=b64url(before.hash),
            first=before.size,
            count=tree.size - before.size,
            contracts=runs(self.state.contracts, draft.effects),
            nonce=b64url(writer.random(16)),
            size=tree.size,
            root=b64url(tree.root()),
            gateway=writer.key.thumbprint,
            engine=self.engine if before.height < 0 else None,
        )
        block = Block(header, ())
        self.store.write_block(block, merkle.node_count(before.size), draft.nodes)
        return Head(block.id, block.hash, block.timestamp, moment.clock, tree.size, block.root)

    def sign_head(self, writer: Writer) -> None:
        """Sign the newest block if nobody did: it is on disk, so there will never be another of its size."""
        head = self.head
        if self._signed is not None and self._signed[0] == head.height:
            return
        if head.height < 0 or self.store.has_signature(head.height):
            return
        said = Checkpoint(self.origin, head.size, head.root)
        note = checkpoint.sign(said, key=writer.key, signer=writer.sign)
        self.store.write_signature(head.height, note, writer.sign(blocks.signed_bytes(head.hash)))
        self._signed = head.height, note, said

    # Reading

    def checkpoint(self) -> str:
        """The newest signed checkpoint."""
        note = self.store.checkpoint()
        if note is None:
            raise Malformed("chain: no block of it was ever signed")
        return note

    def receipts(self, indices: Iterable[int], *, note: str | None = None) -> list[Receipt]:
        """Prove that the entries are on the chain, under one signed checkpoint (the newest)."""
        note = self.checkpoint() if note is None else note
        size = self.verified(note).size
        tree = self._tree_of(size)
        return [Receipt(index, tuple(tree.inclusion(index, size)), note) for index in indices]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the log of `new` entries continues the log of `old`; raise `Malformed` for sizes it never had."""
        return self._tree_of(new).consistency(old, new)

    def verified(self, note: str) -> Checkpoint:
        """The checkpoint in a note of this chain; raise `Malformed` or `Unverified`."""
        if self._signed is not None and self._signed[1] == note:
            return self._signed[2]
        return checkpoint.verify(note, origin=self.origin, key=self.key)

    def _tree_of(self, size: int) -> merkle.Tree:
        if self._tree is not None and self._tree.size == size:
            return self._tree
        return merkle.Tree(max(self.head.size, self.store.head().size), self.store.node)

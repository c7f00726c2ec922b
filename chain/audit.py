"""
The audit: a chain checked from its first byte, trusting nobody, least of all the gateway that wrote it.

Hashes, links, signatures, roots, tree nodes, bodies; and the state, folded anew from the entries and held
against the one that is stored. Ed25519 is most of the work, and is spread over all cores.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path

from msgspec import Struct

from chain import block as blocks
from chain import checkpoint, ed25519, entry, merkle, rules, state, store
from chain.block import Block
from chain.body import ERASED
from chain.checkpoint import Checkpoint
from chain.contracts.docket import Docket
from chain.contracts.guard import NoEngine
from chain.contracts.runs import runs
from chain.entry import Account, SignedEntry
from chain.errors import ChainError, Damaged, Unverified
from chain.identity import SigningKey
from chain.rulebook.context import Context, Effect
from chain.state import State
from chain.store import Head, Store

Progress = Callable[[int, int], None]
"""Told the number of entries checked, and of all."""

BATCH = 1024
"""Signatures that one worker checks at a time."""

_UNREADABLE = (ChainError, sqlite3.DatabaseError, AttributeError, TypeError, ValueError, OverflowError)
"""What reading raises when a row does not say what it should; one flipped bit gives a value another type."""

Signature = tuple[int, bytes, bytes, bytes]
"""Height, public key, signature, signed bytes."""


class Report(Struct, frozen=True):
    """
    What was checked, all of which holds, for the gateway whose `key` it is: whether that is the gateway you
    mean, only its key can say. `signed` is how many blocks it signed: the newest may lack it after a power cut.
    """

    origin: str
    key: SigningKey
    height: int
    size: int
    signed: int
    checkpoint: Checkpoint


def audit(path: Path, *, workers: int = 1, progress: Progress = lambda _done, _all: None) -> Report:
    """
    Check the whole chain in the file; raise `Damaged` with the first bad height.

    Raises `OSError` if there is no such file, and `NoEngine` if it has contracts that cannot be judged here. `workers` is the number of processes that check signatures.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such chain")
    with closing(store.connect_reader(path)) as db, closing(sqlite3.connect("")) as scratch:
        # All of it as it is now, whatever the gateway appends meanwhile.
        db.execute("BEGIN")
        try:
            _check_schema(db)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise Damaged(0, f"not readable as a chain: {error}") from error
        auditor = _Auditor(db, scratch)
        with _verifiers(workers) as verifiers:
            return auditor.run(verifiers, progress)


def _check_schema(db: sqlite3.Connection) -> None:
    with closing(sqlite3.connect("")) as wanted:
        wanted.executescript(store.SCHEMA + state.SCHEMA)
        query = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
        if db.execute(query).fetchall() != wanted.execute(query).fetchall():
            raise Damaged(0, "the tables are not those of a chain")


class _Verifiers:
    """Checks batches of signatures, elsewhere if there are workers; the first bad height is what matters."""

    def __init__(self, pool: ProcessPoolExecutor | None, limit: int) -> None:
        self._pool = pool
        self._limit = limit
        self._pending: deque[Future[int | None]] = deque()
        self._batch: list[Signature] = []
        self._below: int | None = None

    def add(self, signature: Signature) -> None:
        self._batch.append(signature)
        if len(self._batch) >= BATCH:
            self._send()

    def finish(self, *, below: int | None = None) -> None:
        """Wait for all; raise `Damaged` for the lowest height, `below` the given one, with a bad signature."""
        self._below = below
        self._send()
        while self._pending:
            self._take()

    def _send(self) -> None:
        if self._pool is None:
            self._raise_if_bad(_first_bad(self._batch))
        else:
            self._pending.append(self._pool.submit(_first_bad, self._batch))
            if len(self._pending) > self._limit:
                self._take()
        self._batch = []

    def _take(self) -> None:
        self._raise_if_bad(self._pending.popleft().result())

    def _raise_if_bad(self, height: int | None) -> None:
        if height is not None and (self._below is None or height < self._below):
            raise Damaged(height, "a signature does not hold")


@contextmanager
def _verifiers(workers: int) -> Iterator[_Verifiers]:
    if workers <= 1:
        yield _Verifiers(None, 0)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield _Verifiers(pool, limit=4 * workers)


def _first_bad(batch: list[Signature]) -> int | None:
    for height, key, signature, message in batch:
        try:
            ed25519.verify(key, signature, message, what="signature")
        except ChainError:
            return height
    return None


class _Auditor:
    """Walks the blocks of `db`, folding them into a new state in `scratch`."""

    def __init__(self, db: sqlite3.Connection, scratch: sqlite3.Connection) -> None:
        self._store = Store(db)
        self._scratch = scratch
        scratch.executescript(state.SCHEMA)
        self._state = State(scratch)
        self._docket = Docket(self._state)
        self._engine = blocks.NO_ENGINE
        self._nodes = 0
        self._bodies = 0
        self._erased: set[int] = set()
        self._signed = 0
        self._origin = ""
        self._key: SigningKey | None = None

    def run(self, verifiers: _Verifiers, progress: Progress) -> Report:
        try:
            head = self._walk(verifiers, progress)
        except Damaged as found:
            # A signature that is still being checked may be bad at a lower height.
            verifiers.finish(below=found.height)
            raise
        except NoEngine:
            # Perhaps it is the forged header of genesis that asks for it.
            verifiers.finish()
            raise
        verifiers.finish()
        self._check_rest(head)
        checked = Checkpoint(self._origin, head.size, head.root)
        return Report(self._origin, self._gateway, head.height, head.size, self._signed, checked)

    def _walk(self, verifiers: _Verifiers, progress: Progress) -> Head:
        previous = store.NO_HEAD
        try:
            ((tip, size),) = self._store.db.execute("SELECT max(height), max(size) FROM block")
        except sqlite3.DatabaseError as error:
            raise Damaged(0, f"not readable: {error}") from error
        if tip is None:
            raise Damaged(0, "there is no genesis block")
        for height in range(tip + 1):
            try:
                previous = self._check_block(height, previous, verifiers, is_tip=height == tip)
            except NoEngine:
                raise
            except Damaged as error:
                # A signature is checked some blocks after its own; what names no height is of this one.
                known = height if error.height < 0 else min(height, error.height)
                raise Damaged(known, error.reason) from error
            except _UNREADABLE as error:
                raise Damaged(height, str(error)) from error
            progress(previous.size, size)
        return previous

    def _check_block(self, height: int, previous: Head, verifiers: _Verifiers, *, is_tip: bool) -> Head:
        row = self._store.db.execute(
            "SELECT header, hash, size, root FROM block WHERE height = ?", (height,)
        ).fetchone()
        if row is None:
            raise Damaged(height, "the block is missing")
        header, block_hash, size, root = row
        block = Block.read(header, self._store.leaves_of(height))
        _expect(block.id, height, "its id")
        _expect(block.previous_hash, previous.hash, "its link to the block before")
        _expect(block.hash, block_hash, "its hash")
        _expect((block.header.size, block.root), (size, root), "its size and root")
        _expect((block.header.first, size), (previous.size, previous.size + block.header.count), "its range")
        self._check_engine(block)
        if block.timestamp < previous.timestamp or block.header.clock < previous.clock or not block.entries:
            raise Damaged(height, "its time goes back, or it is empty")
        tree = merkle.Tree(previous.size, self._store.node)
        effects: list[Effect] = []
        for index, leaf in enumerate(block.entries, previous.size):
            self._check_entry(index, leaf, block, effects, verifiers)
            self._check_nodes(tree.append(merkle.leaf_hash(leaf)))
        _expect(block.header.contracts, runs(self._state.contracts, effects), "what contracts did")
        _expect(tree.root(), root, "the root of its entries")
        _expect(block.header.gateway, self._gateway.thumbprint, "its gateway key")
        self._check_signature(block, verifiers, is_tip=is_tip)
        return Head(height, block_hash, block.timestamp, block.header.clock, size, root)

    def _check_engine(self, block: Block) -> None:
        engine = block.header.engine
        if (engine is None) == (block.id == 0):
            raise Damaged(block.id, "its contract engine is not what it should be")
        if engine is not None:
            self._engine = engine

    @property
    def _gateway(self) -> SigningKey:
        if self._key is None:
            raise Unverified("the first entry is not the gateway's account")
        return self._key

    def _check_entry(
        self, index: int, leaf: bytes, block: Block, effects: list[Effect], verifiers: _Verifiers
    ) -> None:
        signed = entry.parse(leaf)
        if index == 0 and isinstance(signed.entry, Account):
            self._origin, self._key = signed.entry.chain, signed.entry.sign
        _expect(self._store.find(signed.entry.id), (index, leaf), f"the id of entry {index}")
        body = self._store.body(index)
        if body is not None and signed.body is not None:
            body.check(signed.body)
            self._bodies += 1
        elif body is not None:
            raise Damaged(block.id, f"entry {index} has a body that it does not bind")
        elif signed.body is not None:
            self._check_erased(index, signed.body.size)

        def defer(signed: SignedEntry, key: SigningKey) -> None:
            verifiers.add((block.id, key.raw, signed.signed.signature, signed.signed.signed))

        context = Context(
            state=self._state,
            docket=self._docket,
            origin=self._origin,
            engine=self._engine,
            find=self._store.find,
            root_at=self._store.root_at,
            check=defer,
            now=block.timestamp,
            clock=block.header.clock,
            idx=index,
            body=body,
            effects=effects,
        )
        rules.admit(context, signed)

    def _check_erased(self, index: int, size: int) -> None:
        """See that the body is not simply gone. Whether an entry told to erase it, the end will show."""
        row = self._store.db.execute("SELECT salt, content FROM body WHERE idx = ?", (index,)).fetchone()
        _expect(row, (ERASED, bytes(size)), f"the body of entry {index}")
        self._erased.add(index)

    def _check_nodes(self, nodes: list[bytes]) -> None:
        for node in nodes:
            _expect(self._store.node(self._nodes), node, f"tree node {self._nodes}")
            self._nodes += 1

    def _check_signature(self, block: Block, verifiers: _Verifiers, *, is_tip: bool) -> None:
        row = self._store.db.execute(
            "SELECT checkpoint, block FROM signature WHERE height = ?", (block.id,)
        ).fetchone()
        if row is None:
            if is_tip:
                return  # the power failed between the commit and its signature: the gateway makes it at start-up
            raise Damaged(block.id, "the gateway's signature is missing")
        note, signature = row
        head = checkpoint.verify(note.decode(), origin=self._origin, key=self._gateway)
        _expect((head.size, head.root), (block.header.size, block.root), "its checkpoint")
        verifiers.add((block.id, self._gateway.raw, signature, blocks.signed_bytes(block.hash)))
        self._signed += 1

    def _check_rest(self, head: Head) -> None:
        """What is left when every block holds: nothing too much, bodies erased as said, and the same state."""
        try:
            self._check_counts(head)
            ((verdict,),) = self._store.db.execute("PRAGMA integrity_check(1)")
            for table in state.TABLES:
                self._compare(table, head.height)
        except sqlite3.DatabaseError as error:
            raise Damaged(head.height, f"not readable: {error}") from error
        if verdict != "ok":
            raise Damaged(head.height, f"the file's structure: {verdict}")

    def _check_counts(self, head: Head) -> None:
        wanted = {
            "block": head.height + 1,
            "entry": head.size,
            "body": self._bodies + len(self._erased),
            "node": self._nodes,
            "signature": self._signed,
        }
        for table, count in wanted.items():
            ((found,),) = self._store.db.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
            # What is left over was of a block that is gone; a signature, of the newest that is there.
            height = head.height + (found > count and table != "signature")
            _expect(found, count, f"the number of rows of {table}", height=height)
        told = {idx for (idx,) in self._scratch.execute("SELECT idx FROM erased")}
        for idx in sorted(self._erased ^ told):
            raise Damaged(
                self._store.height_of(idx),
                f"the body of entry {idx}: erased, or not, against what the chain says",
            )

    def _compare(self, table: str, height: int) -> None:
        """Hold the stored table against the one folded anew, as bytes: stored text may be anything."""
        for db in (self._store.db, self._scratch):
            db.text_factory = bytes
        columns = ", ".join(str(n) for n in range(1, self._columns(table) + 1))
        query = f"SELECT * FROM {table} ORDER BY {columns}"  # noqa: S608 - our own names
        for stored, folded in zip_longest(self._store.db.execute(query), self._scratch.execute(query)):
            _expect(stored, folded, f"the state, table {table}", height=height)

    def _columns(self, table: str) -> int:
        ((count,),) = self._scratch.execute("SELECT count(*) FROM pragma_table_info(?)", (table,))
        return int(count)


def _expect(got: object, wanted: object, what: str, *, height: int = -1) -> None:
    if got != wanted:
        raise Damaged(height, f"{what} is not what it should be")

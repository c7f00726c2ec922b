"""
A survey: what can be checked of blocks without knowing what the entries before them amount to.

Form, hashes, links, tree nodes, roots, bodies and signatures: nearly all the work of an audit, and any span of blocks
can be surveyed beside any other. What a span leans on, the row before it and the tree nodes to its left, belongs to
the spans before it and is checked there. What is left, the fold over the entries, needs them in their order, and is
handed what a survey has read.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from chain import block as blocks
from chain import checkpoint, ed25519, entry, merkle, store
from chain.block import Block, Header, read_header
from chain.body import ERASED, Body
from chain.entry import Account, BodyRef, Message, SignedEntry
from chain.errors import ChainError, Damaged
from chain.identity import SigningKey
from chain.store import NO_HEAD, Head, Store

LEAF_BYTES = 4 * 2**20
"""After so many a survey stops at the end of a block: what it hands on stays in memory until its turn comes."""

UNREADABLE = (ChainError, sqlite3.DatabaseError, AttributeError, TypeError, ValueError, OverflowError)
"""What reading raises when a row does not say what it should; one flipped bit gives a value another type."""


class Ground(Struct, frozen=True):
    """What the first entry says, `origin` and the gateway's key, and the newest block there is: its signature is not surveyed."""

    origin: str
    key: SigningKey
    tip: int


class Read(Struct, frozen=True, array_like=True):
    """
    An entry, its signature checked with the key that it names; unless that key is in no entry, and so not `proven`.

    `payload` is the canonical JSON. `body` is there where a rule reads it: nobody but its readers can open a message.
    """

    kid: str
    payload: bytes
    body: Body | None
    proven: bool


class Surveyed(Struct, frozen=True, array_like=True):
    """A block of which all but the fold holds. `erased` are its entries whose bodies are zeros, `bodies` counts the others."""

    header: bytes
    hash: bytes
    entries: list[Read]
    erased: list[tuple[int, BodyRef]]
    bodies: int


class Survey(Struct, frozen=True):
    """Of the blocks before `end`; the one at `end` is damaged if there is a `damage`, which says how."""

    blocks: list[Surveyed]
    end: int
    damage: str | None = None


def survey_file(path: Path, ground: Ground, first: int, end: int) -> Survey:
    """`Surveyor.survey` in a process of its own. It may see bodies as erased that were not, when the audit began."""
    return _surveyor(path, ground).survey(first, end)


@lru_cache(maxsize=1)
def _surveyor(path: Path, ground: Ground) -> "Surveyor":
    return Surveyor(store.connect_reader(path), ground)


class Surveyor:
    """Surveys one span after the other."""

    def __init__(self, db: sqlite3.Connection, ground: Ground) -> None:
        self._db = db
        self._ground = ground
        self._keys = _Keys(db)

    def survey(self, first: int, end: int) -> Survey:
        """Look at the blocks from `first` up to `end`, or at as many as have `LEAF_BYTES`; stop at the first bad one."""
        done: list[Surveyed] = []
        try:
            span = _Span(self._db, self._ground, self._keys, first)
            while first + len(done) < end and span.leaf_bytes < LEAF_BYTES:
                done.append(span.block())
        except UNREADABLE as error:
            return Survey(done, first + len(done), error.reason if isinstance(error, Damaged) else str(error))
        return Survey(done, first + len(done))


class _Span:
    """Goes from block to block."""

    def __init__(self, db: sqlite3.Connection, ground: Ground, keys: "_Keys", first: int) -> None:
        self._db = db
        self._ground = ground
        self._keys = keys
        self._previous = _head_before(db, first)
        self._tree = merkle.Tree(self._previous.size, Store(db).node)
        self.leaf_bytes = 0

    def block(self) -> Surveyed:
        """The next one; raises one of `UNREADABLE` if it is bad."""
        previous, height = self._previous, self._previous.height + 1
        raw, block_hash, size, root = _row_of(self._db, height)
        header = read_header(raw)
        block = Block(header, ())
        expect(header.id, height, "its id")
        expect(block.previous_hash, previous.hash, "its link to the block before")
        expect(block.hash, block_hash, "its hash")
        expect((header.size, block.root), (size, root), "its size and root")
        expect((header.first, size), (previous.size, previous.size + header.count), "its range")
        expect(header.gateway, self._ground.key.thumbprint, "its gateway key")
        if (header.engine is None) == (height == 0):
            raise Damaged(height, "its contract engine is not what it should be")
        if header.timestamp < previous.timestamp or header.clock < previous.clock or not header.count:
            raise Damaged(height, "its time goes back, or it is empty")
        surveyed = self._entries(header, raw, block_hash)
        expect(self._tree.root(), root, "the root of its entries")
        if height != self._ground.tip:
            check_signature(self._db, self._ground, header, block_hash)
        self._previous = Head(height, block_hash, header.timestamp, header.clock, size, root)
        return surveyed

    def _entries(self, header: Header, raw: bytes, block_hash: bytes) -> Surveyed:
        signed, nodes = list[SignedEntry](), list[bytes]()
        for index, entry_id, leaf in self._rows(header):
            parsed = entry.parse(leaf)
            expect(entry_id, entry.id_bytes(parsed.entry.id), f"the id of entry {index}")
            nodes += self._tree.append(merkle.leaf_hash(leaf))
            signed.append(parsed)
            self.leaf_bytes += len(leaf)
        bodies = self._bodies(header, signed)
        self._check_nodes(header.first, nodes)
        read = [
            Read(each.kid, each.signed.payload, _clear(each, body), self._is_proven(each))
            for each, body in zip(signed, bodies, strict=True)
        ]
        erased = [
            (index, each.body)
            for index, (each, body) in enumerate(zip(signed, bodies, strict=True), header.first)
            if each.body is not None and body is None
        ]
        there = sum(body is not None for body in bodies)
        return Surveyed(raw, block_hash, read, erased, there)

    def _rows(self, header: Header) -> Iterator[tuple[int, bytes, bytes]]:
        """The rows of its entries: as many as it says, at their places."""
        # With a limit, SQLite does not look at the page after the last: its damage is another block's.
        rows = self._db.execute(
            "SELECT idx, id, leaf FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?",
            (header.first, header.count),
        )
        index = header.first
        for index, row in enumerate(rows, header.first):
            expect(row[0], index, f"entry {index}")
            yield row
        expect(index + 1, header.size, "the number of its entries")

    def _bodies(self, header: Header, signed: Sequence[SignedEntry]) -> list[Body | None]:
        """The body of each entry, if it binds one that is not erased."""
        rows = self._body_rows(header)
        bodies: list[Body | None] = []
        for index, each in enumerate(signed, header.first):
            row, ref = rows.pop(index, None), each.body
            if ref is None:
                if row is not None:
                    raise Damaged(header.id, f"entry {index} has a body that it does not bind")
                bodies.append(None)
            elif row is not None and row[0] != ERASED:
                body = Body(row[0], row[1].decode())
                body.check(ref)
                bodies.append(body)
            else:
                expect(row, (ERASED, bytes(ref.size)), f"the body of entry {index}")
                bodies.append(None)
        return bodies

    def _body_rows(self, header: Header) -> dict[int, tuple[bytes, bytes]]:
        with suppress(sqlite3.DatabaseError):
            rows = self._db.execute(
                "SELECT idx, salt, content FROM body WHERE idx >= ? AND idx < ?", (header.first, header.size)
            )
            return {index: (salt, content) for index, salt, content in rows}
        # It may be the page after the last that is damaged.
        return {
            index: row
            for index in range(header.first, header.size)
            if (row := self._db.execute("SELECT salt, content FROM body WHERE idx = ?", (index,)).fetchone())
        }

    def _check_nodes(self, first: int, nodes: Sequence[bytes]) -> None:
        start = merkle.node_count(first)
        rows = self._db.execute(
            "SELECT position, hash FROM node WHERE position >= ? ORDER BY position LIMIT ?",
            (start, len(nodes)),
        ).fetchall()
        wanted = list(enumerate(nodes, start))
        if rows != wanted:
            found = dict(rows)
            position = next(position for position, node in wanted if found.get(position) != node)
            expect(None, position, f"tree node {position}")

    def _is_proven(self, signed: SignedEntry) -> bool:
        """Whether the key is known; raises if it is, and did not sign this."""
        author = signed.entry
        key = author.sign if isinstance(author, Account) else self._keys.of(signed.kid)
        if key is None or key.thumbprint != signed.kid:
            return False
        _check(key, signed.signed.signature, signed.signed.signed)
        return True


class _Keys:
    """Keys by their thumbprints. A thumbprint proves its key, wherever that was found: here, in the stored state."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[str, SigningKey | None] = {}

    def of(self, kid: str) -> SigningKey | None:
        if kid not in self._known:
            self._known[kid] = self._found(kid)
        return self._known[kid]

    def _found(self, kid: str) -> SigningKey | None:
        with suppress(*UNREADABLE):
            row = self._db.execute("SELECT sign FROM keypair WHERE kid = ?", (kid,)).fetchone()
            return None if row is None else SigningKey(row[0])
        return None


def check_signature(db: sqlite3.Connection, ground: Ground, header: Header, block_hash: bytes) -> None:
    """See that the gateway signed the block and its checkpoint; raise `Damaged` if there is no signature."""
    row = db.execute("SELECT checkpoint, block FROM signature WHERE height = ?", (header.id,)).fetchone()
    if row is None:
        raise Damaged(header.id, "the gateway's signature is missing")
    note, signature = row
    head = checkpoint.verify(note.decode(), origin=ground.origin, key=ground.key)
    expect((head.size, head.root), (header.size, Block(header, ()).root), "its checkpoint")
    _check(ground.key, signature, blocks.signed_bytes(block_hash))


def _check(key: SigningKey, signature: bytes, signed: bytes) -> None:
    try:
        ed25519.verify(key.raw, signature, signed, what="signature")
    except ChainError as error:
        raise Damaged(-1, "a signature does not hold") from error


def _head_before(db: sqlite3.Connection, height: int) -> Head:
    if height == 0:
        return NO_HEAD
    raw, block_hash, size, root = _row_of(db, height - 1)
    header = read_header(raw)
    return Head(height - 1, block_hash, header.timestamp, header.clock, size, root)


def _row_of(db: sqlite3.Connection, height: int) -> tuple[bytes, bytes, int, bytes]:
    row: tuple[bytes, bytes, int, bytes] | None = db.execute(
        "SELECT header, hash, size, root FROM block WHERE height = ?", (height,)
    ).fetchone()
    if row is None:
        raise Damaged(height, "the block is missing")
    return row


def _clear(signed: SignedEntry, body: Body | None) -> Body | None:
    return None if isinstance(signed.entry, Message) else body


def expect(got: object, wanted: object, what: str, *, height: int = -1) -> None:
    """Raise `Damaged` unless they are the same; without a height, whoever catches it knows the block."""
    if got != wanted:
        raise Damaged(height, f"{what} is not what it should be")

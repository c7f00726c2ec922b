"""
The chain on disk: one SQLite file with blocks, entries, bodies, tree nodes and the state.

Everything a block brings is written in one transaction; SQLite's WAL with `synchronous=FULL` makes
it durable with one fsync. Nothing here decides anything.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from chain import merkle
from chain.block import Block, Header, read_header
from chain.body import ERASED, Body
from chain.entry import id_bytes
from chain.errors import Damaged, Missing
from chain.waiting import Waiting

SCHEMA = """
CREATE TABLE block (height INTEGER PRIMARY KEY, header BLOB NOT NULL, hash BLOB NOT NULL,
    size INTEGER NOT NULL UNIQUE, root BLOB NOT NULL) STRICT;
CREATE TABLE entry (idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, leaf BLOB NOT NULL) STRICT;
CREATE TABLE body (idx INTEGER PRIMARY KEY, salt BLOB NOT NULL, content BLOB NOT NULL) STRICT;
CREATE TABLE node (position INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE signature (height INTEGER PRIMARY KEY, checkpoint BLOB NOT NULL, block BLOB NOT NULL) STRICT;
"""

UPTIME = """\
CREATE TABLE IF NOT EXISTS uptime (boot TEXT PRIMARY KEY, ms INTEGER NOT NULL, clock INTEGER NOT NULL) STRICT;
"""
SCHEMA += UPTIME

PAGE_BYTES = 8192
"""A sealed message is about 2 kB: in pages of 4 kB, half of each would stay empty."""

CACHED_STATEMENTS = 512

KNOWN_ROOTS = 4096
"""Every entry names a root, and those of one moment name the same few."""


class Head(Struct, frozen=True):
    """The newest block, and the log after it. A chain without a block has height -1."""

    height: int
    hash: bytes
    timestamp: int
    clock: int
    size: int
    root: bytes


NO_HEAD = Head(height=-1, hash=bytes(32), timestamp=0, clock=0, size=0, root=merkle.EMPTY_ROOT)


class Uptime(Struct, frozen=True):
    """How long the machine has been up since a boot, in ms: nobody can set that."""

    boot: str
    ms: int


def connect_writer(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open for the one writer. With `create`, the file must not exist; else it must."""
    mode = "rwc" if create else "rw"
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )
    db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    # What a table no longer holds must not stay readable in the file's free pages.
    db.execute("PRAGMA secure_delete = ON")
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open for reading only, beside a writer in another process."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )
    db.execute("PRAGMA query_only = ON")
    return db


class Store:
    """Reads and writes rows. Indices count entries from 0, heights count blocks from 0."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self._waiting = Waiting(db)
        self._roots: dict[int, bytes] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside, durably; roll all of it back if it raises."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            with self._waiting.together():
                yield
            self.db.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where it must, as when the disk is full.
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def head(self) -> Head:
        row = self.db.execute(
            "SELECT height, header, hash FROM block ORDER BY height DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return NO_HEAD
        height, header, block_hash = row
        # Of a damaged page SQLite reads rows that the table does not allow.
        if not (isinstance(header, bytes) and isinstance(block_hash, bytes)):
            raise Damaged(height or 0, "its header or its hash is gone")
        block = Block(read_header(header), ())
        return Head(height, block_hash, block.timestamp, block.header.clock, block.header.size, block.root)

    def block(self, height: int) -> Block:
        """Raise `Missing` if the chain is not that high."""
        row = self.db.execute("SELECT header FROM block WHERE height = ?", (height,)).fetchone()
        if row is None:
            raise Missing(f"block {height}: the chain is not that high")
        return Block.read(row[0], self.leaves_of(height))

    def header(self, height: int) -> Header:
        """Raise `Missing` if the chain is not that high."""
        row = self.db.execute("SELECT header FROM block WHERE height = ?", (height,)).fetchone()
        if row is None:
            raise Missing(f"block {height}: the chain is not that high")
        return read_header(row[0])

    def leaves_of(self, height: int) -> list[bytes]:
        self._waiting.write()
        rows = self.db.execute(
            "SELECT leaf FROM entry WHERE idx < (SELECT size FROM block WHERE height = ?1)"
            " AND idx >= coalesce((SELECT size FROM block WHERE height = ?1 - 1), 0) ORDER BY idx",
            (height,),
        )
        return [leaf for (leaf,) in rows]

    def height_of(self, index: int) -> int:
        """The block that holds the entry at `index`; raise `Missing`."""
        row = self.db.execute(
            "SELECT height FROM block WHERE size > ? ORDER BY size LIMIT 1", (index,)
        ).fetchone()
        if row is None:
            raise Missing(f"entry {index}: the chain is not that long")
        return int(row[0])

    def time_of(self, index: int) -> int:
        """When the block was made that holds the entry at `index`, in ms; raise `Missing`."""
        row = self.db.execute(
            "SELECT header FROM block WHERE size > ? ORDER BY size LIMIT 1", (index,)
        ).fetchone()
        if row is None:
            raise Missing(f"entry {index}: the chain is not that long")
        return read_header(row[0]).timestamp

    def leaf(self, index: int) -> bytes:
        """Raise `Missing` if the chain is not that long."""
        self._waiting.write()
        row = self.db.execute("SELECT leaf FROM entry WHERE idx = ?", (index,)).fetchone()
        if row is None:
            raise Missing(f"entry {index}: the chain is not that long")
        leaf: bytes = row[0]
        if not isinstance(leaf, bytes):
            raise Damaged(self.height_of(index), f"entry {index} is gone")
        return leaf

    def leaves(self, first: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Those of the entries from `first` up to `end`, by index."""
        self._waiting.write()
        yield from self.db.execute(
            "SELECT idx, leaf FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", (first, end)
        )

    def find(self, entry_id: str) -> tuple[int, bytes] | None:
        """Index and leaf of the entry with this id."""
        self._waiting.write()
        row = self.db.execute("SELECT idx, leaf FROM entry WHERE id = ?", (id_bytes(entry_id),)).fetchone()
        return None if row is None else (row[0], row[1])

    def known(self, entry_ids: Iterable[str]) -> set[str]:
        """Which of these entries are there."""
        self._waiting.write()
        wanted = {id_bytes(entry_id): entry_id for entry_id in entry_ids}
        rows = self.db.execute(
            f"SELECT id FROM entry WHERE id IN ({', '.join('?' * len(wanted))})",  # noqa: S608 - question marks
            tuple(wanted),
        )
        return {wanted[found] for (found,) in rows}

    def body(self, index: int) -> Body | None:
        """The body of the entry at `index`, if it has one that was not erased."""
        self._waiting.write()
        row = self.db.execute("SELECT salt, content FROM body WHERE idx = ?", (index,)).fetchone()
        return None if row is None or row[0] == ERASED else Body(row[0], row[1].decode())

    def node(self, position: int) -> bytes:
        row = self.db.execute("SELECT hash FROM node WHERE position = ?", (position,)).fetchone()
        if row is None:
            raise Damaged(self.head().height, f"tree node {position} is missing")
        value: bytes = row[0]
        return value

    def root_at(self, size: int) -> bytes | None:
        """The root of the log at a size at which a checkpoint was signed."""
        if size == 0:
            return merkle.EMPTY_ROOT
        root = self._roots.get(size)
        if root is None:
            row = self.db.execute("SELECT root FROM block WHERE size = ?", (size,)).fetchone()
            if row is None:
                return None
            if len(self._roots) >= KNOWN_ROOTS:
                self._roots.clear()
            root = self._roots[size] = row[0]
        return root

    def checkpoint(self) -> str | None:
        """The newest signed checkpoint."""
        row = self.db.execute("SELECT checkpoint FROM signature ORDER BY height DESC LIMIT 1").fetchone()
        return None if row is None else row[0].decode()

    def signatures(self, height: int) -> tuple[str, bytes] | None:
        """The signed checkpoint and the signature of a block, once it has them."""
        row = self.db.execute(
            "SELECT checkpoint, block FROM signature WHERE height = ?", (height,)
        ).fetchone()
        return None if row is None else (row[0].decode(), row[1])

    def has_signature(self, height: int) -> bool:
        row = self.db.execute("SELECT 1 FROM signature WHERE height = ?", (height,)).fetchone()
        return row is not None

    def write_entry(self, index: int, entry_id: str, leaf: bytes, body: Body | None) -> None:
        self._waiting.add("INSERT INTO entry VALUES (?, ?, ?)", index, id_bytes(entry_id), leaf)
        if body is not None:
            self._waiting.add("INSERT INTO body VALUES (?, ?, ?)", index, body.salt, body.content.encode())

    def write_block(self, block: Block, first_node: int, nodes: list[bytes]) -> None:
        header = block.header
        self.db.execute(
            "INSERT INTO block VALUES (?, ?, ?, ?, ?)",
            (block.id, block.header_bytes, block.hash, header.size, block.root),
        )
        self.db.executemany("INSERT INTO node VALUES (?, ?)", enumerate(nodes, first_node))

    def steady(self, uptime: Uptime) -> int | None:
        """Steady time now, if the newest block was made since the same boot."""
        row = self.db.execute("SELECT ms, clock FROM uptime WHERE boot = ?", (uptime.boot,)).fetchone()
        return None if row is None else int(row[1]) + max(0, uptime.ms - int(row[0]))

    def write_uptime(self, uptime: Uptime, clock: int) -> None:
        """The newest block was made at `clock`, in steady time."""
        self.db.execute("DELETE FROM uptime WHERE boot <> ?", (uptime.boot,))
        self.db.execute("INSERT OR REPLACE INTO uptime VALUES (?, ?, ?)", (uptime.boot, uptime.ms, clock))

    def write_signature(self, height: int, checkpoint: str, block: bytes) -> None:
        """
        Keep the signatures of a block that is on disk already.

        They are not worth a second fsync: lost in a power cut, they are made again, and Ed25519 makes the same.
        """
        self.db.execute("PRAGMA synchronous = NORMAL")
        try:
            self.db.execute("INSERT INTO signature VALUES (?, ?, ?)", (height, checkpoint.encode(), block))
        finally:
            self.db.execute("PRAGMA synchronous = FULL")

    def erase(self, index: int) -> None:
        """
        Overwrite a body and its salt with zeros, in their place.

        To delete the row would make SQLite move its neighbours together, and leave copies of them behind:
        when it is their turn to be erased, nothing would find those.
        """
        self._waiting.write()
        self.db.execute(
            "UPDATE body SET salt = zeroblob(length(salt)), content = zeroblob(length(content)) WHERE idx = ?",
            (index,),
        )

"""
The audit: a chain checked from its first byte, trusting nobody, least of all the gateway that wrote it.

Two things are done at once. What takes no state (`chain.survey`: hashes, links, signatures, roots, tree nodes, bodies)
is done span by span, on all cores. The state is folded anew from the entries, one after the other, as far as the
spans before hold; it is held against the one that is stored.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from chain import block as blocks
from chain import entry, jws, merkle, rules, state, store, worker
from chain.block import Header, read_header
from chain.checkpoint import Checkpoint
from chain.contracts.docket import Docket
from chain.contracts.guard import NoEngine
from chain.contracts.runs import runs
from chain.encoding import unb64url
from chain.entry import TYP, Account, BodyRef, Entry, SignedEntry
from chain.errors import Damaged, Unverified
from chain.identity import SigningKey
from chain.rulebook.context import Context, Effect
from chain.state import State
from chain.store import Store
from chain.survey import (
    UNREADABLE,
    Ground,
    Read,
    Survey,
    Surveyed,
    Surveyor,
    check_signature,
    expect,
    survey_file,
)

Progress = Callable[[int, int], None]
"""Told the number of entries checked, and of all."""

ENTRIES = 1024
"""About as many are surveyed at a time."""

SCRATCH_KIB = 65_536
"""Of the state folded anew, so much is kept in memory; the rest is in a file without a name."""

ROWS = 1024
"""So many are compared at a time."""


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

    Raises `OSError` if there is no such file, or a worker was ended from outside, and `NoEngine` if it has contracts
    that cannot be judged here. With more than one of the `workers`, which are processes, all of them survey while
    this one folds.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such chain")
    with closing(store.connect_reader(path)) as db, closing(_scratch()) as scratch:
        # All of it as it is now, whatever the gateway appends meanwhile.
        db.execute("BEGIN")
        try:
            _check_schema(db)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise Damaged(0, f"not readable as a chain: {error}") from error
        ground, size = _ground(db)
        with _surveys(path, db, ground, size, workers) as surveys:
            return _Auditor(db, scratch, ground, size).run(surveys, progress)


def _scratch() -> sqlite3.Connection:
    """A database that is nowhere, and nobody's once it is closed."""
    db = sqlite3.connect("", isolation_level=None, cached_statements=store.CACHED_STATEMENTS)
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.execute(f"PRAGMA cache_size = -{SCRATCH_KIB}")
    db.executescript(state.SCHEMA)
    db.execute("BEGIN")
    return db


def _check_schema(db: sqlite3.Connection) -> None:
    with closing(sqlite3.connect("")) as wanted:
        wanted.executescript(store.SCHEMA + state.SCHEMA)
        query = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
        if db.execute(query).fetchall() != wanted.execute(query).fetchall():
            raise Damaged(0, "the tables are not those of a chain")


def _ground(db: sqlite3.Connection) -> tuple[Ground, int]:
    """Whose chain it is, and how many blocks and entries it says that it has."""
    try:
        ((tip, size),) = db.execute("SELECT max(height), max(size) FROM block")
        if tip is None or tip < 0:
            raise Damaged(0, "there is no genesis block")
        first = entry.parse(Store(db).leaf(0)).entry
        if not isinstance(first, Account):
            raise Unverified("the first entry is not the gateway's account")
    except UNREADABLE as error:
        raise Damaged(0, error.reason if isinstance(error, Damaged) else str(error)) from error
    return Ground(first.chain, first.sign, tip), size


# Spans


@contextmanager
def _surveys(
    path: Path, db: sqlite3.Connection, ground: Ground, size: int, workers: int
) -> Iterator[Iterator[Survey]]:
    """The surveys of all blocks, in their order, up to the first damage."""
    blocks_each = max(1, min(ENTRIES, ENTRIES * (ground.tip + 1) // max(size, 1)))
    if workers <= 1:
        yield _here(Surveyor(db, ground), ground.tip + 1, blocks_each)
        return
    with worker.pool(workers) as pool:
        yield _elsewhere(pool, path, ground, blocks_each, ahead=2 * workers)


def _here(surveyor: Surveyor, end: int, blocks_each: int) -> Iterator[Survey]:
    height = 0
    while height < end:
        survey = surveyor.survey(height, min(height + blocks_each, end))
        yield survey
        height = survey.end


def _elsewhere(
    pool: ProcessPoolExecutor, path: Path, ground: Ground, blocks_each: int, *, ahead: int
) -> Iterator[Survey]:
    end = ground.tip + 1
    starts = iter(range(0, end, blocks_each))
    pending: deque[tuple[int, Future[Survey]]] = deque()

    def send(first: int, last: int) -> tuple[int, Future[Survey]]:
        return last, pool.submit(survey_file, path, ground, first, last)

    while True:
        while len(pending) < ahead and (first := next(starts, None)) is not None:
            pending.append(send(first, min(first + blocks_each, end)))
        if not pending:
            return
        last, future = pending.popleft()
        survey = future.result()
        if survey.end < last and survey.damage is None:
            # These blocks were larger than others: the rest of them comes next.
            pending.appendleft(send(survey.end, last))
        yield survey


# The fold


class _Auditor:
    """Folds the entries of `db`, as far as they are surveyed, into a new state in `scratch`."""

    def __init__(
        self, db: sqlite3.Connection, scratch: sqlite3.Connection, ground: Ground, size: int
    ) -> None:
        self._store = Store(db)
        self._scratch = scratch
        self._ground = ground
        self._size = size
        self._state = State(scratch)
        self._docket = Docket(self._state)
        self._engine = blocks.NO_ENGINE
        self._bodies = 0
        self._erased: set[int] = set()
        self._signed = 0

    def run(self, surveys: Iterator[Survey], progress: Progress) -> Report:
        try:
            header = self._walk(surveys, progress)
            self._check_rest(header)
        except Damaged as found:
            raise self._lowest(found) from found
        checked = Checkpoint(self._ground.origin, header.size, unb64url(header.root))
        return Report(self._ground.origin, self._ground.key, header.id, header.size, self._signed, checked)

    def _walk(self, surveys: Iterator[Survey], progress: Progress) -> Header:
        header: Header | None = None
        for survey in surveys:
            with self._state.together():
                for block in survey.blocks:
                    header = self._fold(block)
                    progress(header.size, self._size)
            if survey.damage is not None:
                raise Damaged(survey.end, survey.damage)
        assert header is not None  # there is a tip, so there is a block or a damage
        return header

    def _fold(self, block: Surveyed) -> Header:
        header = read_header(block.header)
        try:
            self._fold_entries(header, block)
            self._count(header, block)
        except NoEngine:
            raise
        except UNREADABLE as error:
            raise Damaged(header.id, error.reason if isinstance(error, Damaged) else str(error)) from error
        return header

    def _fold_entries(self, header: Header, block: Surveyed) -> None:
        if header.engine is not None:
            self._engine = header.engine
        effects: list[Effect] = []
        for index, read in enumerate(block.entries, header.first):
            context = Context(
                state=self._state,
                docket=self._docket,
                origin=self._ground.origin,
                engine=self._engine,
                find=self._store.find,
                root_at=self._store.root_at,
                check=_checked if read.proven else SignedEntry.verify,
                now=header.timestamp,
                clock=header.clock,
                idx=index,
                body=read.body,
                effects=effects,
            )
            rules.admit(context, self._signed_entry(index, read))
        expect(header.contracts, runs(self._state.contracts, effects), "what contracts did")

    def _signed_entry(self, index: int, read: Read) -> SignedEntry:
        if not read.proven:
            return entry.parse(self._store.leaf(index))
        return SignedEntry(b"", _entries.decode(read.payload), _named(read.kid))

    def _count(self, header: Header, block: Surveyed) -> None:
        """What the end is to find, as far as this block goes."""
        self._bodies += block.bodies
        for index, ref in block.erased:
            self._note_erased(index, ref)
        if header.id < self._ground.tip:
            self._signed += 1
        elif self._store.has_signature(header.id):
            check_signature(self._store.db, self._ground, header, block.hash)
            self._signed += 1
        # Else the power failed between the commit and its signature: the gateway makes it at start-up.

    def _note_erased(self, index: int, ref: BodyRef) -> None:
        """Whether an entry told to erase it, the end will show; it may have been erased since the audit began."""
        body = self._store.body(index)
        if body is None:
            self._erased.add(index)
        else:
            body.check(ref)
            self._bodies += 1

    # What is left when every block holds

    def _check_rest(self, header: Header) -> None:
        """Nothing too much, bodies erased as said, and the same state."""
        try:
            self._check_counts(header)
            ((verdict,),) = self._store.db.execute("PRAGMA integrity_check(1)")
            for table in state.TABLES:
                self._compare(table, header.id)
        except sqlite3.DatabaseError as error:
            raise Damaged(header.id, f"not readable: {error}") from error
        if verdict != "ok":
            raise Damaged(header.id, f"the file's structure: {verdict}")

    def _check_counts(self, header: Header) -> None:
        wanted = {
            "block": header.id + 1,
            "entry": header.size,
            "body": self._bodies + len(self._erased),
            "node": merkle.node_count(header.size),
            "signature": self._signed,
        }
        for table, count in wanted.items():
            ((found,),) = self._store.db.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
            # What is left over was of a block that is gone; a signature, of the newest that is there.
            height = header.id + (found > count and table != "signature")
            expect(found, count, f"the number of rows of {table}", height=height)
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
        stored, folded = self._store.db.execute(query), self._scratch.execute(query)
        while rows := folded.fetchmany(ROWS):
            expect(stored.fetchmany(len(rows)), rows, f"the state, table {table}", height=height)
        expect(stored.fetchone(), None, f"the state, table {table}", height=height)

    def _columns(self, table: str) -> int:
        ((count,),) = self._scratch.execute("SELECT count(*) FROM pragma_table_info(?)", (table,))
        return int(count)

    def _lowest(self, found: Damaged) -> Damaged:
        """What was found, unless the index of an entry further down leads nowhere: that may have led astray."""
        with suppress(*UNREADABLE):
            rows = self._store.db.execute(
                "SELECT idx, id, leaf FROM entry WHERE idx < (SELECT size FROM block WHERE height = ?) ORDER BY idx",
                (found.height - 1,),
            )
            for index, entry_id, leaf in rows:
                row = self._store.db.execute(
                    "SELECT idx, leaf FROM entry WHERE id = ?", (entry_id,)
                ).fetchone()
                if row != (index, leaf):
                    return Damaged(
                        self._store.height_of(index), f"the id of entry {index} is not what it should be"
                    )
        return found


_entries: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
"""Of a payload whose form was surveyed."""


def _checked(_signed: SignedEntry, _key: SigningKey) -> None:
    """Its survey did, with the key of this very name."""


@lru_cache(maxsize=4096)
def _named(kid: str) -> jws.Jws:
    """What the rules look at of a signature: the name of its key."""
    return jws.Jws(jws.Header(kid, TYP), b"", b"", b"")

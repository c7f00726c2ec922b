"""What contracts count and wait for: messages of a rate, admins of a quorum, bodies to be erased."""

import sqlite3
from collections.abc import Iterator

import msgspec
from msgspec import Struct

SCHEMA = """\
CREATE TABLE tally (contract TEXT NOT NULL, of TEXT NOT NULL, began INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (contract, of)) STRICT, WITHOUT ROWID;
CREATE TABLE approval (deed TEXT NOT NULL, account TEXT NOT NULL, clock INTEGER NOT NULL,
    PRIMARY KEY (deed, account)) STRICT, WITHOUT ROWID;
CREATE TABLE keep (idx INTEGER PRIMARY KEY, entry TEXT NOT NULL, contract TEXT NOT NULL, alert INTEGER,
    due INTEGER NOT NULL) STRICT;
CREATE INDEX keep_due ON keep (due, idx);
"""

TABLES = ("tally", "approval", "keep")

_READY = (
    "(alert IS NULL OR NOT EXISTS (SELECT 1 FROM alert"
    " WHERE alert.idx = keep.alert AND taken_by IS NULL AND resolved = 0))"
)
"""A body is not erased while its alert is open."""


class Kept(Struct, frozen=True):
    """The body of the entry at `idx`, to be erased by a contract at `due` (steady ms); `alert` is the one it is of."""

    idx: int
    entry: str
    contract: str
    alert: int | None
    due: int


class Counters:
    """In the tables of a chain. All times are steady ms."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def count(self, contract: str, of: str, seconds: int, clock: int) -> int:
        """How many there were in the time that goes on."""
        row = self._db.execute(
            "SELECT count FROM tally WHERE contract = ? AND of = ? AND began > ?",
            (contract, of, clock - 1000 * seconds),
        ).fetchone()
        return 0 if row is None else int(row[0])

    def counted(self, contract: str, of: str, seconds: int, clock: int) -> None:
        """One more; or the first of a new time."""
        self._db.execute(
            "INSERT INTO tally VALUES (?1, ?2, ?3, 1) ON CONFLICT DO UPDATE SET"
            " count = iif(began > ?4, count + 1, 1), began = iif(began > ?4, began, ?3)",
            (contract, of, clock, clock - 1000 * seconds),
        )

    def approve(self, deed: str, account: str, clock: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO approval VALUES (?, ?, ?)", (deed, account, clock))

    def approvals(self, deed: str, seconds: int, clock: int) -> set[str]:
        """Who agreed to it lately; that they are admins still is for the caller to see."""
        rows = self._db.execute(
            "SELECT account FROM approval WHERE deed = ? AND clock >= ?", (deed, clock - 1000 * seconds)
        )
        return {account for (account,) in rows}

    def done(self, deed: str) -> None:
        """What was approved was done: to do it again takes new approvals."""
        self._db.execute("DELETE FROM approval WHERE deed = ?", (deed,))

    def keep(self, kept: Kept) -> None:
        """Erase it when it is due; of several contracts, the first to be."""
        self._db.execute(
            "INSERT INTO keep VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET contract = ?3, due = ?5"
            " WHERE due > ?5",
            msgspec.structs.astuple(kept),
        )

    def erased(self, idx: int) -> None:
        """It is gone already."""
        self._db.execute("DELETE FROM keep WHERE idx = ?", (idx,))

    def due(self, clock: int) -> Iterator[Kept]:
        """What is to be erased, in its order."""
        rows = self._db.execute(
            f"SELECT * FROM keep WHERE due <= ? AND {_READY} ORDER BY due, idx",  # noqa: S608 - our own words
            (clock,),
        )
        return (Kept(*row) for row in rows)

    def next_due(self) -> int | None:
        """When there is something to erase, in steady ms."""
        row = self._db.execute(
            f"SELECT due FROM keep WHERE {_READY} ORDER BY due LIMIT 1"  # noqa: S608 - our own words
        ).fetchone()
        return None if row is None else int(row[0])

    def ended(self, contract: str) -> None:
        """The contract is removed: what it counted and waited for is nothing any more."""
        # That is seldom, and an index for it would be written at each message.
        self._db.execute("DELETE FROM tally WHERE contract = ?", (contract,))
        self._db.execute("DELETE FROM keep WHERE contract = ?", (contract,))

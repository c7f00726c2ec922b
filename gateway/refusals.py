"""
The newest refusals, kept for admins: what was not committed, whose it was, and why.

The committer writes them down when everybody has their answer; the web server reads. It is a notebook, not evidence:
that is the signed refusal, which the author has. So nothing waits for it, and nothing fails with it.
"""

import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from chain.errors import Rule

log = logging.getLogger(__name__)

KEPT = 1_000

MOST_OF_A_BATCH = 16
"""Of more than this the rest is only counted: a flood of junk must not cost honest entries their time."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS refusal (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, account TEXT,
    rule TEXT NOT NULL, reason TEXT NOT NULL, entry TEXT) STRICT;
"""


class Refusal(Struct, frozen=True, kw_only=True):
    """`at` is in ms. `account` and `entry` are there as far as they could be read."""

    at: int
    account: str | None
    rule: Rule
    reason: str
    entry: str | None


class Kept(Struct, frozen=True):
    """A refusal and its number: every one has a number, so what is missing between two was only counted."""

    number: int
    refusal: Refusal


class Refusals:
    """The committer's side. A file that cannot be written is said in the log, once, and tried again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._count = 0
        self._failed = False
        # What a power cut left half made is made whole before anybody reads it: a reader cannot.
        if path.exists():
            self._write(())

    def keep(self, refusals: Sequence[Refusal]) -> None:
        """Write down those of one batch, in one transaction."""
        if refusals:
            self._write(refusals)

    def _write(self, refusals: Sequence[Refusal]) -> None:
        try:
            self._keep(self._opened(), refusals)
        except (sqlite3.Error, OSError) as error:
            if not self._failed:
                log.warning("refusals not kept file=%s reason=%s", self._path, error)
            self._failed = True
            self.close()
        else:
            self._failed = False

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db = None

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        # SQLite gives its journals the mode of the file they belong to.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._db = db = sqlite3.connect(self._path, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        # Lost in a power cut, they were only a notebook: no fsync of theirs delays a block's.
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(SCHEMA)
        ((count,),) = db.execute("SELECT coalesce(max(number), 0) FROM refusal")
        self._count = max(self._count, count)
        return db

    def _keep(self, db: sqlite3.Connection, refusals: Sequence[Refusal]) -> None:
        rows = [
            (number, each.at, each.account, each.rule, each.reason, each.entry)
            for number, each in enumerate(refusals[:MOST_OF_A_BATCH], self._count + 1)
        ]
        self._count += len(refusals)
        with db:
            db.execute("BEGIN")
            db.executemany("INSERT INTO refusal VALUES (?, ?, ?, ?, ?, ?)", rows)
            db.execute(
                "DELETE FROM refusal WHERE number <="
                " (SELECT number FROM refusal ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (KEPT,),
            )


def read(path: Path, *, before: int, limit: int) -> list[Kept]:
    """The newest with numbers below `before`, falling; none if nothing was ever refused. Raises `sqlite3.Error`."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT number, at, account, rule, reason, entry FROM refusal WHERE number < ?"
            " ORDER BY number DESC LIMIT ?",
            (before, limit),
        ).fetchall()
    return [
        Kept(number, Refusal(at=at, account=account, rule=rule, reason=reason, entry=entry))
        for number, at, account, rule, reason, entry in rows
    ]

"""Browser sessions: who is logged in, kept over a restart, without keeping what would log anybody in."""

import hmac
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

from msgspec import Struct

from chain.encoding import b64url, digest

HOUR_MS = 3_600_000
LONGEST_MS = 7 * 24 * HOUR_MS
"""No session outlives this, however much it is used."""

SLIDE_MS = 60_000
"""A use is written down at most once a minute: it costs an fsync."""

TOKEN_BYTES = 32
ID_BYTES = 16

SCHEMA = """
CREATE TABLE IF NOT EXISTS session (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL, verifier TEXT NOT NULL, agent TEXT NOT NULL, begun INTEGER NOT NULL,
    used INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS session_account ON session (account, number);
CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), salts BLOB NOT NULL) STRICT;
"""

IN_FORCE = """
SELECT number, id, account, verifier, agent, begun, used, min(used + ?1, begun + ?2) AS expires
FROM session WHERE expires > ?3
"""

Clock = Callable[[], int]
"""Milliseconds since 1970."""


class Session(Struct, frozen=True):
    """
    One browser of `account`. `id` names it to people, and opens nothing; `number` rises from one to the next.

    `verifier` is the login it was begun with, `agent` the browser in words; `begun`, `used` and `expires` are
    in ms.
    """

    number: int
    id: str
    account: str
    verifier: str
    agent: str
    begun: int
    used: int
    expires: int


class Sessions:
    """
    The open sessions. A token is shown once, to its browser; only its SHA-256 is kept.

    Any number of threads and processes may share the file. `idle_ms` is how long a session lives unused.
    """

    def __init__(self, db: sqlite3.Connection, *, clock: Clock, idle_ms: int) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._clock = clock
        self._idle = idle_ms
        db.execute("INSERT OR IGNORE INTO secret VALUES (1, ?)", (secrets.token_bytes(32),))
        ((self._salts,),) = db.execute("SELECT salts FROM secret")

    @classmethod
    def open(cls, path: Path, *, clock: Clock, idle_ms: int) -> Self:
        """Open the file, or make it, readable by nobody else."""
        # SQLite gives its journals the mode of the file they belong to.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        _drop_other_form(db)
        db.executescript(SCHEMA)
        return cls(db, clock=clock, idle_ms=idle_ms)

    def close(self) -> None:
        self._db.close()

    def begin(self, account: str, verifier: str, agent: str) -> str:
        """Log a browser in; return the token that only it will know."""
        token = b64url(secrets.token_bytes(TOKEN_BYTES))
        now = self._clock()
        with self._lock:
            self._db.execute(
                "DELETE FROM session WHERE used <= ? OR begun <= ?", (now - self._idle, now - LONGEST_MS)
            )
            self._db.execute(
                "INSERT INTO session VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                (_hash(token), b64url(secrets.token_bytes(ID_BYTES)), account, verifier, agent, now, now),
            )
        return token

    def find(self, token: str) -> Session | None:
        """The session of this token, if it is in force."""
        return next(iter(self._select("hash = ?4", _hash(token))), None)

    def use(self, token: str) -> Session | None:
        """Find it, and keep it from expiring for another while."""
        now = self._clock()
        found = self.find(token)
        if found is None or now - found.used < SLIDE_MS:
            return found
        # A disk that is full or fails must not log out whoever is in, and reads.
        with self._lock, suppress(sqlite3.OperationalError):
            self._db.execute("UPDATE session SET used = ? WHERE hash = ?", (now, _hash(token)))
        return self.find(token)

    def named(self, session_id: str) -> Session | None:
        """The session of this id, if it is in force."""
        return next(iter(self._select("id = ?4", session_id)), None)

    def of(self, account: str) -> list[Session]:
        """Those of one account that are in force, in the order in which they were begun."""
        return self._select("account = ?4", account)

    def after(self, number: int) -> list[Session]:
        """Everybody's that are in force, from the one after `number` on."""
        return self._select("number > ?4", number)

    def count(self) -> int:
        """How many are in force."""
        return len(self._select("number > ?4", 0))

    def end(self, token: str) -> None:
        """Log this browser out; others of the same account stay."""
        with self._lock:
            self._db.execute("DELETE FROM session WHERE hash = ?", (_hash(token),))

    def end_named(self, session_id: str) -> None:
        """Log the browser out that has this session."""
        with self._lock:
            self._db.execute("DELETE FROM session WHERE id = ?", (session_id,))

    def salt_for(self, handle: str) -> str:
        """What a handle that has no login is told: made up, and the same every time."""
        return b64url(hmac.digest(self._salts, handle.encode(), "sha256")[:16])

    def _select(self, which: str, value: bytes | str | int) -> list[Session]:
        with self._lock:
            rows = self._db.execute(
                f"{IN_FORCE} AND {which} ORDER BY number", (self._idle, LONGEST_MS, self._clock(), value)
            ).fetchall()
        return [Session(*row) for row in rows]


def _drop_other_form(db: sqlite3.Connection) -> None:
    """
    Forget the sessions of a file that another version made: people log in again.

    The made-up salts stay. If they changed with an update, they would show whose are made up.
    """
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(SCHEMA)
        wanted = _columns(fresh)
    if _columns(db) not in ([], wanted):
        db.execute("DROP TABLE session")


def _columns(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    return db.execute("PRAGMA table_info(session)").fetchall()


def _hash(token: str) -> bytes:
    return digest(token.encode())

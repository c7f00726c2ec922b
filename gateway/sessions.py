"""Browser sessions: who is logged in, kept over a restart, without keeping what would log anybody in."""

import hmac
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable
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

SCHEMA = """
CREATE TABLE IF NOT EXISTS session (hash BLOB PRIMARY KEY, account TEXT NOT NULL, verifier TEXT NOT NULL,
    begun INTEGER NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secret (one INTEGER PRIMARY KEY CHECK (one = 1), salts BLOB NOT NULL) STRICT;
"""

Clock = Callable[[], int]
"""Milliseconds since 1970."""


class Session(Struct, frozen=True):
    """One browser of `account`. `verifier` is the login it was begun with, `expires` is in ms."""

    account: str
    verifier: str
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
        db.executescript(SCHEMA)
        return cls(db, clock=clock, idle_ms=idle_ms)

    def close(self) -> None:
        self._db.close()

    def begin(self, account: str, verifier: str) -> str:
        """Log a browser in; return the token that only it will know."""
        token = b64url(secrets.token_bytes(TOKEN_BYTES))
        now = self._clock()
        with self._lock:
            self._db.execute(
                "DELETE FROM session WHERE used <= ? OR begun <= ?", (now - self._idle, now - LONGEST_MS)
            )
            self._db.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?, ?)", (_hash(token), account, verifier, now, now)
            )
        return token

    def find(self, token: str) -> Session | None:
        """The session of this token, if it is in force."""
        found = self._find(token, self._clock())
        return None if found is None else found[0]

    def use(self, token: str) -> Session | None:
        """Find it, and keep it from expiring for another while."""
        now = self._clock()
        found = self._find(token, now)
        if found is None or now - found[1] < SLIDE_MS:
            return None if found is None else found[0]
        with self._lock:
            self._db.execute("UPDATE session SET used = ? WHERE hash = ?", (now, _hash(token)))
        return self.find(token)

    def end(self, token: str) -> None:
        """Log this browser out; others of the same account stay."""
        with self._lock:
            self._db.execute("DELETE FROM session WHERE hash = ?", (_hash(token),))

    def salt_for(self, handle: str) -> str:
        """What a handle that has no login is told: made up, and the same every time."""
        return b64url(hmac.digest(self._salts, handle.encode(), "sha256")[:16])

    def _find(self, token: str, now: int) -> tuple[Session, int] | None:
        """The session, and when it was last written down as used."""
        with self._lock:
            row = self._db.execute(
                "SELECT account, verifier, begun, used FROM session WHERE hash = ?", (_hash(token),)
            ).fetchone()
        if row is None:
            return None
        account, verifier, begun, used = row
        expires = min(used + self._idle, begun + LONGEST_MS)
        return None if expires <= now else (Session(account, verifier, expires), used)


def _hash(token: str) -> bytes:
    return digest(token.encode())

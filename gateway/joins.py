"""
Join codes in use: how often each was tried in vain, and who waits until an admin has compared six digits.

It is the web server's, beside the chain, and only whoever has a code's secret causes anything to be written here. A code
that was tried too often is dead: its invite stands on the chain, and lets nobody in.
"""

import hmac
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from msgspec import Struct, structs

from chain.encoding import digest
from chain.errors import Missing, Refused
from chain.joincode import NONCE_BYTES, digits
from gateway.sessions import Clock

MOST_TRIES = 5
"""In vain, for one code: whoever guesses six digits has five chances in a million."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS code (invite TEXT PRIMARY KEY, tries INTEGER NOT NULL, stopped INTEGER NOT NULL,
    entry BLOB, nonce BLOB, digits TEXT, since INTEGER, confirmed INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

SELECT = "SELECT invite, tries, stopped, entry, nonce, digits, since, confirmed FROM code"


class Waiting(Struct, frozen=True, kw_only=True):
    """
    An account that is to be let in: the SHA-256 of its `entry`, the `nonce` that was chosen when that came, and the
    `digits` that both give. `since` is in ms.
    """

    entry: bytes
    nonce: bytes
    digits: str
    since: int
    confirmed: bool = False


class Code(Struct, frozen=True, kw_only=True):
    """The join code of an invite: `tries` in vain, and whether an admin `stopped` it."""

    invite: str
    tries: int = 0
    stopped: bool = False
    waiting: Waiting | None = None

    @property
    def dead(self) -> bool:
        return self.stopped or self.tries >= MOST_TRIES

    def check(self) -> None:
        """Raise `Refused` if it is dead."""
        if self.stopped:
            raise Refused("invite", "an admin stopped this join code: ask for a new one")
        if self.dead:
            raise Refused("invite", "this join code was tried too often: ask for a new one")

    def failed(self) -> "Code":
        """After a try in vain. Whoever waited does so no more."""
        return structs.replace(self, tries=self.tries + 1, waiting=None)


class Joins:
    """Any number of threads and processes may share the file."""

    def __init__(self, db: sqlite3.Connection, *, clock: Clock, random: Callable[[int], bytes]) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._clock = clock
        self._random = random

    @classmethod
    def open(cls, path: Path, *, clock: Clock, random: Callable[[int], bytes] = os.urandom) -> Self:
        """Open the file, or make it, readable by nobody else."""
        # SQLite gives its journals the mode of the file they belong to.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        # A try that a power cut takes back would be one more for whoever guesses.
        db.execute("PRAGMA synchronous = FULL")
        db.executescript(SCHEMA)
        return cls(db, clock=clock, random=random)

    def close(self) -> None:
        self._db.close()

    def of(self, invite: str) -> Code:
        """What is known of the code of this invite; of one that nobody tried, nothing."""
        with self._lock:
            return self._read(invite)

    def known(self) -> dict[str, Code]:
        """All codes of which something is known, by their invites."""
        with self._lock:
            rows = self._db.execute(SELECT).fetchall()
        return {code.invite: code for code in map(_code, rows)}

    def take(self, invite: str) -> None:
        """
        Count a try; raise `Refused` if the code is dead.

        It is taken before it is known to be in vain: many at once get no more than one by one.
        """
        with self._changing(invite) as code:
            code.check()
            self._write(structs.replace(code, tries=code.tries + 1))

    def give_back(self, invite: str) -> None:
        """What was taken was not in vain, or it is not known to be."""
        with self._changing(invite) as code:
            self._write(structs.replace(code, tries=max(code.tries - 1, 0)))

    def fail(self, invite: str) -> None:
        """Count a try that was in vain; raise `Refused` if the code is dead already."""
        with self._changing(invite) as code:
            code.check()
            self._write(code.failed())

    def forget(self, invite: str) -> None:
        """The code was used: the chain says so from now on."""
        with self._changing(invite):
            self._db.execute("DELETE FROM code WHERE invite = ?", (invite,))

    def match(self, invite: str, leaf: bytes) -> bytes | None:
        """
        The nonce with which the newcomer makes its six digits, or none if an admin has confirmed them.

        The `leaf` is the newcomer's `account` entry. Another one than that which waits is a try in vain, and waits in
        its place: then the digits that an admin was told no longer fit. Raises `Refused` if the code is dead.
        """
        with self._changing(invite) as code:
            code.check()
            entry = digest(leaf)
            if code.waiting is not None and code.waiting.entry == entry:
                return None if code.waiting.confirmed else code.waiting.nonce
            after = code if code.waiting is None else code.failed()
            nonce = self._random(NONCE_BYTES)
            if not after.dead:
                waiting = Waiting(entry=entry, nonce=nonce, digits=digits(nonce, leaf), since=self._clock())
                after = structs.replace(after, waiting=waiting)
            self._write(after)
        after.check()
        return nonce

    def confirm(self, invite: str, shown: str) -> None:
        """
        Let in whoever waits, if `shown` are the digits of its entry.

        Raises `Missing` if nobody waits, and `Refused` if the digits are others: then nobody waits any more.
        """
        with self._changing(invite) as code:
            if code.waiting is None:
                raise Missing("join: nobody waits with this code just now")
            fits = hmac.compare_digest(code.waiting.digits, shown)
            after = (
                structs.replace(code, waiting=structs.replace(code.waiting, confirmed=True))
                if fits
                else code.failed()
            )
            self._write(after)
        if not fits:
            raise Refused("invite", f"these are not the six digits that it shows; {_left(after)}")

    def stop(self, invite: str) -> None:
        """Make a code dead that was not used."""
        with self._changing(invite) as code:
            self._write(structs.replace(code, stopped=True, waiting=None))

    @contextmanager
    def _changing(self, invite: str) -> Iterator[Code]:
        """The code as it is, in a transaction in which nobody else writes."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._read(invite)

    def _read(self, invite: str) -> Code:
        row = self._db.execute(f"{SELECT} WHERE invite = ?", (invite,)).fetchone()
        return Code(invite=invite) if row is None else _code(row)

    def _write(self, code: Code) -> None:
        who = code.waiting
        waiting = (
            (None, None, None, None, False)
            if who is None
            else (who.entry, who.nonce, who.digits, who.since, who.confirmed)
        )
        self._db.execute(
            "INSERT OR REPLACE INTO code VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (code.invite, code.tries, code.stopped, *waiting),
        )


def _code(row: tuple[Any, ...]) -> Code:
    """The row of a `SELECT`: whoever waits has all of its columns, and nobody has none of them."""
    invite, tries, stopped, entry, nonce, shown, since, confirmed = row
    waiting = Waiting(entry=entry, nonce=nonce, digits=shown, since=since, confirmed=bool(confirmed))
    return Code(invite=invite, tries=tries, stopped=bool(stopped), waiting=None if entry is None else waiting)


def _left(code: Code) -> str:
    left = MOST_TRIES - code.tries
    if left <= 0:
        return "the join code was tried too often: make a new one"
    return f"look again, it shows new ones now; the join code is good for {left} more wrong tries"

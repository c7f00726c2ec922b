"""Duty: who of a group is on, and until when. Where nobody is, everybody is."""

import sqlite3
from collections.abc import Iterable

from msgspec import Struct

SCHEMA = """\
CREATE TABLE shift (party TEXT NOT NULL, account TEXT NOT NULL, begins INTEGER NOT NULL, ends INTEGER NOT NULL,
    idx INTEGER NOT NULL, PRIMARY KEY (party, account, begins)) STRICT, WITHOUT ROWID;
"""

TABLES = ("shift",)

MAX_SHIFT_MS = 31 * 86_400_000


class Shift(Struct, frozen=True):
    """`account` is on from `begins` to `ends` (ms since 1970), by the entry at `idx`."""

    account: str
    begins: int
    ends: int
    idx: int


def without(shifts: Iterable[Shift], begins: int, ends: int) -> list[Shift]:
    """What is left of shifts when a time is cut out of them."""
    left = []
    for shift in shifts:
        if shift.begins < min(shift.ends, begins):
            left.append(Shift(shift.account, shift.begins, min(shift.ends, begins), shift.idx))
        if shift.ends > max(shift.begins, ends):
            left.append(Shift(shift.account, max(shift.begins, ends), shift.ends, shift.idx))
    return left


class Shifts:
    """The shifts of a chain, in their table. Those of one person in one group do not overlap."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def of(self, party: str, *, since: int) -> list[Shift]:
        """Those of the group that end after `since`, in the order in which they begin."""
        rows = self._db.execute(
            "SELECT account, begins, ends, idx FROM shift WHERE party = ? AND ends > ? ORDER BY begins, account",
            (party, since),
        )
        return [Shift(*row) for row in rows]

    def on(self, party: str, now: int) -> set[str]:
        """Whose shift it is; perhaps nobody's."""
        rows = self._db.execute(
            "SELECT account FROM shift WHERE party = ?1 AND begins <= ?2 AND ends > ?2", (party, now)
        )
        return {account for (account,) in rows}

    def cut(self, party: str, account: str, begins: int, ends: int) -> bool:
        """Take a time out of somebody's shifts; return whether there was anything to take."""
        rows = self._db.execute(
            "SELECT account, begins, ends, idx FROM shift WHERE party = ? AND account = ? AND ends > ? AND begins < ?",
            (party, account, begins, ends),
        )
        cut = [Shift(*row) for row in rows]
        for shift in cut:
            self._db.execute(
                "DELETE FROM shift WHERE party = ? AND account = ? AND begins = ?",
                (party, account, shift.begins),
            )
        for shift in without(cut, begins, ends):
            self._put(party, shift)
        return bool(cut)

    def add(self, party: str, shift: Shift) -> None:
        """Put somebody on; what they had of that time before gives way."""
        self.cut(party, shift.account, shift.begins, shift.ends)
        self._put(party, shift)

    def end(self, party: str) -> None:
        """The group is no more."""
        self._db.execute("DELETE FROM shift WHERE party = ?", (party,))

    def _put(self, party: str, shift: Shift) -> None:
        self._db.execute(
            "INSERT INTO shift VALUES (?, ?, ?, ?, ?)",
            (party, shift.account, shift.begins, shift.ends, shift.idx),
        )

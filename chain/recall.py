"""
Answers of the state that hold until somebody is somebody else: every message asks who writes, with which key, to whom.

They are given only while a block is made, when nobody else can write, and kept from one block to the next only if
nothing was written in between, by this connection or by another: SQLite counts both.
"""

import sqlite3
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Of = TypeVarTuple("Of")

KEPT = 16_384
"""Answers, of which a member at work takes about five."""


class Recall:
    """What was asked of one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[Hashable, Any] = {}
        self._is_open = False
        self._others = 0
        self._mark: tuple[int, int] | None = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Recall inside, which is a transaction that has begun; forget all if it raises."""
        ((self._others,),) = self._db.execute("PRAGMA data_version")
        if self._mark != (self._others, self._db.total_changes):
            self._known.clear()
        self._mark = None
        self._is_open = True
        try:
            yield
        except BaseException:
            self._known.clear()
            raise
        finally:
            self._is_open = False

    def keep(self) -> None:
        """The transaction is committed, and so is all that this connection wrote since."""
        self._mark = self._others, self._db.total_changes

    def forget(self) -> None:
        """Somebody is somebody else now."""
        self._known.clear()

    def of(self, what: str, ask: Callable[[*Of], T], *of: *Of) -> T:
        """The answer to `ask(*of)`, perhaps from before; `what` names the question."""
        if not self._is_open:
            return ask(*of)
        key = (what, *of)
        if key in self._known:
            answer: T = self._known[key]
            return answer
        answer = ask(*of)
        self.put(key, answer)
        return answer

    def put(self, key: Hashable, answer: object) -> None:
        """The answer is this from now on."""
        if self._is_open:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[key] = answer

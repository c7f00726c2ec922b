"""The register: which contracts are in force, in the order in which they were installed."""

import sqlite3
from functools import cached_property
from typing import TypeVar

from msgspec import Struct

from chain.block import ContractRun
from chain.contracts import terms
from chain.contracts.guard import Guard, compiled
from chain.contracts.terms import Escalate, Terms
from chain.contracts.variables import variables_of

SCHEMA = """\
CREATE TABLE contract (id TEXT PRIMARY KEY, hash TEXT NOT NULL, terms BLOB NOT NULL, idx INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
"""

TABLES = ("contract",)

MAX_IN_FORCE = 256
"""As many as there is memory for compiled guards."""

T = TypeVar("T")


class Contract(Struct, frozen=True, dict=True):
    """A contract in force: installed by the entry at `idx`."""

    id: str
    hash: str
    terms: Terms
    idx: int

    @cached_property
    def guard(self) -> Guard:
        """Raises `NoEngine` where there is nothing to judge by."""
        return compiled(self.terms.when, variables_of(self.terms))


class Register:
    """
    The contracts of a chain, in their table, and in memory as far as this connection alone changes them.

    `forget` what is in memory after a transaction was rolled back.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._kept: tuple[Contract, ...] | None = None
        self._idle: dict[tuple[str, str], ContractRun] | None = None

    def in_force(self) -> tuple[Contract, ...]:
        if self._kept is None:
            rows = self._db.execute("SELECT id, hash, terms, idx FROM contract ORDER BY idx")
            self._kept = tuple(Contract(row[0], row[1], terms.parse(row[2]), row[3]) for row in rows)
        return self._kept

    def idle(self) -> dict[tuple[str, str], ContractRun]:
        """How a block lists those in force of which none did anything, by id and hash."""
        if self._idle is None:
            self._idle = {
                (each.id, each.hash): ContractRun(each.id, each.hash, []) for each in self.in_force()
            }
        return self._idle

    def get(self, contract: str) -> Contract | None:
        return next((each for each in self.in_force() if each.id == contract), None)

    def escalation(self, contract: str | None) -> terms.EscalateParams | None:
        """By which steps an alert under this contract escalates."""
        found = None if contract is None else self.get(contract)
        return found.terms.params if found is not None and isinstance(found.terms, Escalate) else None

    def install(self, contract: Contract) -> None:
        # The others stay as they are: their guards are compiled.
        others = self._besides(contract.id)
        self._db.execute(
            "INSERT OR REPLACE INTO contract VALUES (?, ?, ?, ?)",
            (contract.id, contract.hash, terms.written(contract.terms), contract.idx),
        )
        self._kept, self._idle = (*others, contract), None

    def remove(self, contract: str) -> None:
        others = self._besides(contract)
        self._db.execute("DELETE FROM contract WHERE id = ?", (contract,))
        self._kept, self._idle = others, None

    def forget(self) -> None:
        self._kept = self._idle = None

    def _besides(self, contract: str) -> tuple[Contract, ...]:
        return tuple(each for each in self.in_force() if each.id != contract)

"""
Rows that wait for the rest of their block: SQLite writes many of one kind in a third of the time.

Whoever asks the tables writes first what waits (`write`). What waits for a block that is rolled back goes with it.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Row = tuple[Any, ...]


class Waiting:
    """Rows for the tables of one connection, by the statement that writes them. Outside `together` none waits."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._newest: dict[str, dict[Row, Row]] = {}
        self._is_open = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is added inside is written at the end, in whatever transaction there is; or never, if it raises."""
        self._is_open = True
        try:
            yield
            self.write()
        finally:
            self._is_open = False
            self._rows.clear()
            self._newest.clear()

    def add(self, statement: str, *row: Any) -> None:
        if self._is_open:
            self._rows[statement].append(row)
        else:
            self._db.execute(statement, row)

    def put(self, statement: str, key: int, *row: Any) -> None:
        """Of the rows with the same first `key` columns, the newest alone is written."""
        if self._is_open:
            self._newest.setdefault(statement, {})[row[:key]] = row
        else:
            self._db.execute(statement, row)

    def write(self) -> None:
        """Write what waits, now."""
        for statement, rows in self._rows.items():
            self._db.executemany(statement, rows)
        self._rows.clear()
        for statement, newest in self._newest.items():
            self._db.executemany(statement, newest.values())
        self._newest.clear()

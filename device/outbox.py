"""
The outbox: entries that were signed and are not receipted yet, in SQLite, fsynced before anything is sent.

Only a verified receipt releases an entry. A refused one is kept apart, for its author to see.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, structs

from chain import entry, wire
from chain.wire import Parcel
from device.content import LimitValues
from device.document import locked
from device.episode import Open
from device.errors import BadDocument
from device.limits import Override

SCHEMA = """
CREATE TABLE IF NOT EXISTS lane (name TEXT PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS queued (id TEXT PRIMARY KEY, lane TEXT NOT NULL, seq INTEGER NOT NULL,
    parcel BLOB NOT NULL, UNIQUE (lane, seq)) STRICT;
CREATE TABLE IF NOT EXISTS refused (id TEXT PRIMARY KEY, rule TEXT NOT NULL, reason TEXT NOT NULL,
    parcel BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS episode (id TEXT PRIMARY KEY, sensor TEXT NOT NULL, channel TEXT NOT NULL,
    kind TEXT NOT NULL, what TEXT NOT NULL, since INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS limits (sensor TEXT PRIMARY KEY, idx INTEGER NOT NULL, request TEXT NOT NULL,
    author TEXT NOT NULL, at INTEGER NOT NULL, instead TEXT NOT NULL, given TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS told (name TEXT PRIMARY KEY, settings TEXT NOT NULL, readers TEXT NOT NULL) STRICT;
"""

Lane = Literal["alert", "message", "command"]
"""Alerts and other messages, which go by MQTT, and what its author waits for over REST: each a stream of its own."""

SENT: tuple[Lane, ...] = ("alert", "message")
"""What goes by MQTT, the more urgent first: no alert waits behind readings."""

LANES: tuple[Lane, ...] = (*SENT, "command")


class Queued(Struct, frozen=True):
    """An entry that waits. `parcel` is what is sent, but for its `after`."""

    id: str
    seq: int
    parcel: Parcel
    lane: Lane


class Told(Struct, frozen=True):
    """What an addressee was told of this device's settings, by the name that the settings have for it."""

    name: str
    settings: str
    readers: frozenset[str] = frozenset()
    """The accounts that could read it."""


class Note(Struct, frozen=True, kw_only=True):
    """What is written down together with an entry that is queued, or not at all."""

    recorded: int | None = None
    """Ms since 1970: what was sensed until then is not lost any more."""

    opens: Open | None = None
    """The entry says that this episode goes on."""

    closes: Open | None = None
    """The entry says that it is over."""

    told: tuple[Told, ...] = ()
    """The entry says what is in force."""

    limits: Override | None = None
    """The entry confirms it."""

    answers: tuple[str, int] | None = None
    """The entry answers what an inbox, by its name, has at this index: it is read."""


class Rejected(Struct, frozen=True):
    """An entry that the gateway refused for good, by one of the chain's rules."""

    id: str
    rule: str
    reason: str


_decoder = msgspec.json.Decoder(Parcel)
_values = msgspec.json.Decoder(LimitValues)


class Outbox:
    """Serialisable across processes; a call that returns has been made durable."""

    def __init__(self, path: Path) -> None:
        """Raise `BadDocument` if the file is damaged."""
        self._path = path
        try:
            self._open(path)
        except sqlite3.OperationalError:
            raise  # busy, or the disk
        except sqlite3.DatabaseError as error:
            raise self.broken(error) from error

    def _open(self, path: Path) -> None:
        # SQLite gives its log the mode of this file: a queued entry may hold a join code.
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        # SQLite does not wait for another process that is changing to the log at the same moment.
        with locked(path.with_name(f".{path.name}.lock")):
            self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(f"BEGIN IMMEDIATE;{SCHEMA}COMMIT;")
        self._parsed: dict[Lane, dict[str, Queued]] = {}

    def close(self) -> None:
        self._db.close()

    def broken(self, error: sqlite3.Error) -> BadDocument:
        """What to say where `error` ends the work with this file."""
        return BadDocument(
            f"{self._path}: {error}; if it stays so, put it aside with its -wal and -shm while nothing runs: what waits in"
            " it is lost, and new entries begin new streams"
        )

    def queue(self, lane: Lane, write: Callable[[str, int], Parcel], note: Note | None = None) -> Queued:
        """
        Give out the lane's next sequence number, and keep what `write(stream, seq)` signs with it.

        If it raises, the number is not used up: there are no holes but those of lost outboxes.
        """
        with self._transaction():
            stream, last = self._lane(lane)
            parcel = write(stream, last + 1)
            entry_id = entry.parse(parcel.entry.encode()).entry.id
            self._db.execute("UPDATE lane SET seq = ? WHERE name = ?", (last + 1, lane))
            self._db.execute(
                "INSERT INTO queued VALUES (?, ?, ?, ?)", (entry_id, lane, last + 1, wire.encode(parcel))
            )
            self._count("queued", 1)
            if note is not None:
                self._note(note)
        return Queued(entry_id, last + 1, parcel, lane)

    def pending(self, lane: Lane, limit: int) -> list[Queued]:
        """The oldest that wait, in order."""
        rows = self._db.execute(
            "SELECT id, seq, parcel FROM queued WHERE lane = ? ORDER BY seq LIMIT ?", (lane, limit)
        )
        parsed = self._parsed.get(lane, {})
        waiting = [
            parsed.get(entry_id) or Queued(entry_id, seq, _decoder.decode(parcel), lane)
            for entry_id, seq, parcel in rows
        ]
        # Asked for at each turn, and mostly the same.
        self._parsed[lane] = {queued.id: queued for queued in waiting}
        return waiting

    def get(self, entry_id: str) -> Queued | None:
        row = self._db.execute(
            "SELECT id, seq, parcel, lane FROM queued WHERE id = ?", (entry_id,)
        ).fetchone()
        return None if row is None else Queued(row[0], row[1], _decoder.decode(row[2]), row[3])

    def episodes(self) -> list[Open]:
        """Those that go on, as far as the entries in here have told it."""
        rows = self._db.execute("SELECT id, sensor, channel, kind, what, since FROM episode ORDER BY id")
        return [
            Open(id=name, sensor=sensor, channel=channel, kind=kind, what=what, since=since)
            for name, sensor, channel, kind, what, since in rows
        ]

    def limits(self) -> dict[str, Override]:
        """What was set by message, by sensor."""
        rows = self._db.execute(
            "SELECT sensor, idx, request, author, at, instead, given FROM limits ORDER BY sensor"
        )
        return {
            sensor: Override(
                sensor=sensor,
                index=index,
                request=request,
                by=author,
                at=at,
                instead=_values.decode(instead),
                given=_values.decode(given),
            )
            for sensor, index, request, author, at, instead, given in rows
        }

    def forget_limits(self, sensor: str) -> bool:
        """Whether anything was set."""
        return self._db.execute("DELETE FROM limits WHERE sensor = ?", (sensor,)).rowcount > 0

    def told(self) -> dict[str, Told]:
        """What each addressee was told last, by its name."""
        rows = self._db.execute("SELECT name, settings, readers FROM told")
        return {name: Told(name, settings, frozenset(readers.split())) for name, settings, readers in rows}

    def release(self, ids: Sequence[str]) -> None:
        """Forget entries whose receipts were verified. Twice is harmless."""
        with self._transaction():
            for entry_id in ids:
                gone = self._db.execute("DELETE FROM queued WHERE id = ?", (entry_id,)).rowcount
                self._count("receipted", gone)

    def reject(self, entry_id: str, rule: str, reason: str) -> None:
        """Set an entry apart that the gateway refused for good."""
        with self._transaction():
            gone = self._db.execute(
                "INSERT OR IGNORE INTO refused SELECT id, ?, ?, parcel FROM queued WHERE id = ?",
                (rule, reason, entry_id),
            ).rowcount
            self._db.execute("DELETE FROM queued WHERE id = ?", (entry_id,))
            self._count("refused", gone)

    def rejected(self) -> list[Rejected]:
        return [
            Rejected(*row) for row in self._db.execute("SELECT id, rule, reason FROM refused ORDER BY id")
        ]

    def waiting(self) -> int:
        ((count,),) = self._db.execute("SELECT count(*) FROM queued")
        return int(count)

    def counter(self, name: str) -> int:
        """
        `queued`, `receipted` and `refused` since the outbox was made; `recorded`, ms; `inbox`, the last index that
        a person has read, and `agent`, that a sensor's agent has; with the id of an alert behind it, what brought that here.
        """
        row = self._db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def set_counter(self, name: str, value: int) -> None:
        self._db.execute(
            "INSERT INTO counter VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2", (name, value)
        )

    def _lane(self, lane: Lane) -> tuple[str, int]:
        row = self._db.execute("SELECT stream, seq FROM lane WHERE name = ?", (lane,)).fetchone()
        if row is None:
            row = (entry.new_stream(secrets.token_bytes), 0)
            self._db.execute("INSERT INTO lane VALUES (?, ?, ?)", (lane, *row))
        return row[0], row[1]

    def _note(self, note: Note) -> None:
        if note.recorded is not None:
            self.set_counter("recorded", note.recorded)
        if note.answers is not None:
            self.set_counter(*note.answers)
        for told in note.told:
            self._db.execute(
                "INSERT OR REPLACE INTO told VALUES (?, ?, ?)",
                (told.name, told.settings, " ".join(sorted(told.readers))),
            )
        if note.limits is not None:
            self._set_limits(note.limits)
        if note.opens is not None:
            self._db.execute(
                "INSERT OR IGNORE INTO episode VALUES (?, ?, ?, ?, ?, ?)", structs.astuple(note.opens)
            )
        if note.closes is not None:
            self._db.execute("DELETE FROM episode WHERE id = ?", (note.closes.id,))

    def _set_limits(self, held: Override) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                held.sensor,
                held.index,
                held.request,
                held.by,
                held.at,
                msgspec.json.encode(held.instead).decode(),
                msgspec.json.encode(held.given).decode(),
            ),
        )

    def _count(self, name: str, more: int) -> None:
        self._db.execute(
            "INSERT INTO counter VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + ?2", (name, more)
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where it must, as when the disk is full.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def preceding(pending: Iterable[Queued]) -> Iterator[tuple[Queued, int | None]]:
    """Each entry with the seq of the one before it that also waits."""
    last: int | None = None
    for queued in pending:
        yield queued, last
        last = queued.seq

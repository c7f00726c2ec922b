"""
Alerts: what the chain knows of each one, by its clear header and the answers alone.

Condition, acknowledgement and escalation are three things. An alert that ends while nobody took it stays open; a
priority that rises clears what was taken, and escalation begins anew.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chain.contracts.terms import EscalateParams
from chain.entry import Alert as Header
from chain.entry import EntryId, Message, Priority, Status

SCHEMA = """\
CREATE TABLE alert (idx INTEGER PRIMARY KEY, entry TEXT NOT NULL, author TEXT NOT NULL, episode TEXT NOT NULL,
    party TEXT NOT NULL, priority TEXT NOT NULL, kind TEXT NOT NULL, active INTEGER NOT NULL, since INTEGER NOT NULL,
    began INTEGER NOT NULL, changed INTEGER NOT NULL, answered INTEGER, taken_by TEXT, taken INTEGER,
    resolved INTEGER NOT NULL, snoozed INTEGER, resume INTEGER, contract TEXT, step INTEGER NOT NULL,
    lap INTEGER NOT NULL, due INTEGER, nobody INTEGER) STRICT;
CREATE UNIQUE INDEX alert_episode ON alert (author, episode);
CREATE INDEX alert_due ON alert (due, idx) WHERE due IS NOT NULL;
CREATE INDEX alert_live ON alert (idx) WHERE active = 1 OR (taken_by IS NULL AND resolved = 0);
CREATE INDEX alert_changed ON alert (changed);
CREATE INDEX alert_began ON alert (began);
CREATE INDEX alert_contract ON alert (contract) WHERE due IS NOT NULL;
CREATE TABLE alarm (idx INTEGER PRIMARY KEY, alert INTEGER NOT NULL) STRICT;
CREATE INDEX alarm_alert ON alarm (alert, idx);
CREATE TABLE concern (alert INTEGER NOT NULL, party TEXT NOT NULL, PRIMARY KEY (alert, party))
    STRICT, WITHOUT ROWID;
CREATE INDEX concern_party ON concern (party, alert);
"""

TABLES = ("alert", "alarm", "concern")

URGENCY: dict[Priority, int] = {"high": 3, "medium": 2, "low": 1, "info": 0}


class Moment(Struct, frozen=True):
    """When something is on the chain: `at` by the wall clock of its block, `clock` in steady time; both in ms."""

    at: int
    clock: int


class Alert(Struct, frozen=True, kw_only=True):
    """
    One episode of one author.

    `idx` and `entry` are of its first message; an answer about a message before `since` does not count any more.
    `began`, `changed`, `answered` (first), `taken`, `snoozed` (until) and `nobody` are wall times; `due` is when
    something happens next and `resume` when it would without the snooze, in steady time. `step` is the one that comes.
    """

    idx: int
    entry: EntryId
    author: str
    episode: str
    party: str
    priority: Priority
    kind: Literal["physiological", "technical"]
    active: bool
    since: int
    began: int
    changed: int
    answered: int | None = None
    taken_by: str | None = None
    taken: int | None = None
    resolved: bool = False
    snoozed: int | None = None
    resume: int | None = None
    contract: str | None = None
    step: int = 0
    lap: int = 0
    due: int | None = None
    nobody: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has answered for it."""
        return self.taken_by is None and not self.resolved

    def escalating(self, params: EscalateParams | None, contract: str | None, clock: int) -> "Alert":
        """From its first step on, by this contract; or by none."""
        due = None if params is None else clock + 1000 * params.steps[0].after
        return replace(
            self, contract=contract, step=0, lap=0, due=due, resume=None, snoozed=None, nobody=None
        )

    def goes_on(self, params: EscalateParams | None, clock: int) -> "Alert":
        """Where it was when somebody took it; from the beginning if nobody had answered even then."""
        if params is None:
            return replace(self.left_alone(), nobody=None)
        if self.nobody is not None:
            return self.escalating(params, self.contract, clock)
        on, after = self, params.wait
        if self.step < len(params.steps):
            after = params.steps[self.step].after
        elif self.lap + 1 < params.laps:
            # What it went by before had more steps, or fewer laps.
            on, after = replace(self, step=0, lap=self.lap + 1), params.wait + params.steps[0].after
        else:
            on = replace(self, step=len(params.steps))
        return replace(on, due=clock + 1000 * after, resume=None, snoozed=None)

    def under(self, params: EscalateParams, clock: int) -> "Alert":
        """By another version of the contract that it waits for: from where it is, and the waiting begins anew."""
        on = self if self.nobody is not None else self.goes_on(params, clock)
        if self.taken_by is not None:
            within = params.resolve_within if self.active else None
            return replace(on, due=None if within is None else clock + 1000 * within)
        return on if self.snoozed is None else replace(on, snoozed=self.snoozed, due=self.due, resume=on.due)

    def left_alone(self) -> "Alert":
        """By no contract any more. What became of it until then stays."""
        return replace(self, contract=None, due=None, resume=None)


def begun(message: Message, header: Header, idx: int, now: Moment) -> Alert:
    """What its first message says."""
    return Alert(
        idx=idx,
        entry=message.id,
        author=message.author,
        episode=header.episode,
        party=message.to,
        priority=header.priority,
        kind=header.kind,
        active=header.state != "end",
        since=idx,
        began=now.at,
        changed=now.at,
    )


def begins_again(alert: Alert, header: Header) -> bool:
    """Whether what was answered so far is answered no more: it rose, or began again after its end."""
    if header.state == "end":
        return False
    rose = URGENCY[header.priority] > URGENCY[alert.priority]
    return rose or (header.state == "start" and not alert.active)


def continued(alert: Alert, header: Header, idx: int, now: Moment) -> Alert:
    """After a further message. Who says that it is over does not say how urgent it was."""
    if header.state == "end":
        # Once it is over, a taken alert needs nothing more.
        due = alert.due if alert.is_open else None
        return replace(alert, active=False, changed=now.at, due=due)
    on = replace(alert, active=True, priority=header.priority, kind=header.kind, changed=now.at)
    if not begins_again(alert, header):
        return on
    return replace(on, since=idx, taken_by=None, taken=None, resolved=False, snoozed=None, resume=None)


def answered(alert: Alert, status: Status, about: int, params: EscalateParams | None, now: Moment) -> Alert:
    """After what somebody said about its message at `about`. The one who took it last has it."""
    # Who took what it was before it rose does not know what it is now.
    if about < alert.since or status.state == "seen":
        return alert
    first = alert.answered if alert.answered is not None else now.at
    still = replace(alert, changed=now.at, snoozed=None, resume=None)
    match status.state:
        case "taken":
            within = None if params is None or not alert.active else params.resolve_within
            due = None if within is None else now.clock + 1000 * within
            due = None if alert.resolved else due
            return replace(still, taken_by=status.author, taken=now.at, answered=first, due=due)
        case "released" if alert.taken_by is not None:
            freed = replace(still, taken_by=None, taken=None)
            return freed if alert.resolved else freed.goes_on(params, now.clock)
        case "resolved":
            return replace(still, resolved=True, answered=first, due=None)
        case "snoozed" if alert.is_open and status.until is not None:
            resume = alert.due if alert.resume is None else alert.resume
            due = None if resume is None else now.clock + status.until - now.at
            return replace(alert, changed=now.at, snoozed=status.until, resume=resume, due=due)
    return alert


_PUT = f"INSERT OR REPLACE INTO alert VALUES ({', '.join('?' * len(Alert.__struct_fields__))})"  # noqa: S608 - our own words


class Alerts:
    """The alerts of a chain, in its tables."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, author: str, episode: str) -> Alert | None:
        return self._one("author = ? AND episode = ?", author, episode)

    def of(self, idx: int) -> Alert | None:
        """The alert that the message or answer at `idx` is of."""
        return self._one("idx = (SELECT alert FROM alarm WHERE idx = ?)", idx)

    def due(self, clock: int, limit: int) -> list[Alert]:
        """Those for which something is to happen, in its order."""
        return self._some("due <= ? ORDER BY due, idx LIMIT ?", clock, limit)

    def by(self, contract: str) -> list[Alert]:
        """Those for which something is to happen by this contract."""
        return self._some("contract = ? AND due IS NOT NULL ORDER BY idx", contract)

    def next_due(self) -> int | None:
        """When something happens next, in steady ms."""
        ((due,),) = self._db.execute("SELECT min(due) FROM alert WHERE due IS NOT NULL")
        return None if due is None else int(due)

    def of_parties(self, parties: Iterable[str], *, since: int, limit: int) -> list[Alert]:
        """What concerns any of them, and is open, goes on, or has changed `since` (wall ms); the newest first."""
        wanted = msgspec.json.encode(sorted(parties)).decode()
        return self._some(
            "idx IN (SELECT idx FROM alert WHERE active = 1 OR (taken_by IS NULL AND resolved = 0)"
            " UNION SELECT idx FROM alert WHERE changed > ?2)"
            " AND EXISTS (SELECT 1 FROM concern WHERE concern.alert = alert.idx"
            " AND party IN (SELECT value FROM json_each(?1))) ORDER BY idx DESC LIMIT ?3",
            wanted,
            since,
            limit,
        )

    def began_since(self, at: int) -> list[Alert]:
        """Those that began at `at` (wall ms) or later."""
        return self._some("began >= ? ORDER BY idx", at)

    def raised(self, parties: Iterable[str] | None, *, since: int, limit: int) -> list[Alert]:
        """Those that began at `since` (wall ms) or later and concern any of the parties, if told; the newest first."""
        wanted = None if parties is None else msgspec.json.encode(sorted(parties)).decode()
        return self._some(
            "began >= ?2 AND (?1 IS NULL OR EXISTS (SELECT 1 FROM concern WHERE concern.alert = alert.idx"
            " AND party IN (SELECT value FROM json_each(?1)))) ORDER BY idx DESC LIMIT ?3",
            wanted,
            since,
            limit,
        )

    def put(self, alert: Alert) -> None:
        self._db.execute(_PUT, msgspec.structs.astuple(alert))

    def add(self, alert: int, idx: int, party: str | None = None) -> None:
        """The message or answer at `idx` is of this alert, and a message is for `party`."""
        self._db.execute("INSERT INTO alarm VALUES (?, ?)", (idx, alert))
        if party is not None:
            self.concern(alert, party)

    def concern(self, alert: int, party: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO concern VALUES (?, ?)", (alert, party))

    def concerned(self, alert: int) -> set[str]:
        """The parties that it was addressed to, and those that its steps named."""
        return {party for (party,) in self._db.execute("SELECT party FROM concern WHERE alert = ?", (alert,))}

    def concerns(self, account: str, idx: int) -> bool:
        """Whether the message or answer at `idx` is of an alert that concerns the account."""
        row = self._db.execute(
            "SELECT 1 FROM alarm JOIN concern USING (alert) LEFT JOIN member ON member.party = concern.party"
            " WHERE alarm.idx = ?1 AND (concern.party = ?2 OR member.account = ?2) LIMIT 1",
            (idx, account),
        ).fetchone()
        return row is not None

    def meet(self, parties: Iterable[str], other: str, others: Iterable[str]) -> bool:
        """Whether an alert that concerns one of the parties is of `other`, or concerns one of `others`, too."""
        row = self._db.execute(
            "WITH mine AS (SELECT alert FROM concern WHERE party IN (SELECT value FROM json_each(?1)))"
            " SELECT 1 FROM alert WHERE author = ?2 AND idx IN mine UNION ALL SELECT 1 FROM concern"
            " WHERE party IN (SELECT value FROM json_each(?3)) AND alert IN mine LIMIT 1",
            (
                msgspec.json.encode(sorted(parties)).decode(),
                other,
                msgspec.json.encode(sorted(others)).decode(),
            ),
        ).fetchone()
        return row is not None

    def entries(self, alert: int, limit: int) -> list[int]:
        """The newest of its messages and answers, rising."""
        rows = self._db.execute(
            "SELECT idx FROM alarm WHERE alert = ? ORDER BY idx DESC LIMIT ?", (alert, limit)
        ).fetchall()
        return [idx for (idx,) in reversed(rows)]

    def _one(self, where: str, *values: object) -> Alert | None:
        found = self._some(where, *values)
        return found[0] if found else None

    def _some(self, where: str, *values: object) -> list[Alert]:
        rows = self._db.execute(f"SELECT * FROM alert WHERE {where}", values)  # noqa: S608 - our own words
        return [_alert(row) for row in rows]


def _alert(row: Sequence[object]) -> Alert:
    fields = dict(zip(Alert.__struct_fields__, row, strict=True))
    fields["active"], fields["resolved"] = bool(fields["active"]), bool(fields["resolved"])
    return Alert(**fields)  # type: ignore[arg-type] # the tables are strict, and an audit folds them anew

"""Alerts: which of them concern the caller, what each follows from, and how many there are in a week."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median_low

from flask import Blueprint, Response

from chain.alerts import Alert
from chain.api import AlertEntries, AlertLine, AlertPage, AlertStep, LoadLine, LoadPage
from chain.contracts.terms import Step
from chain.errors import Missing
from chain.wire import Delivered
from gateway import uptime
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import LARGEST_PAGE, answer
from gateway.rest.parties import alert_of, name_of, stands_for
from gateway.rest.snapshot import BUDGET, Snapshot
from gateway.sessions import Clock

MOST_ALERTS = 1_000
RECENT_MS = 86_400_000
"""So long an alert is listed after it was answered and over."""

WEEK_MS = 7 * 86_400_000
FIRST_MONDAY_MS = 4 * 86_400_000
"""1970 began on a Thursday."""

LOAD_WEEKS = 13
MOST_COUNTED = 20_000


def alerts(desk: Desk, clock: Clock) -> Blueprint:
    views = Blueprint("alerts", __name__, url_prefix="/v1/alerts")

    @views.get("")
    def read() -> Response:
        with desk.caller() as me:
            return answer(_page(me, clock()))

    @views.get("/<entry_id>/entries")
    def follow(entry_id: str) -> Response:
        with desk.caller() as me:
            return answer(_entries(me, entry_id))

    @views.get("/load")
    def load() -> Response:
        with desk.caller() as me:
            since = _week(clock()) - (LOAD_WEEKS - 1) * WEEK_MS
            parties = None if me.is_admin else stands_for(me.now.state, me.id)
            return answer(loads(me.now.state.alerts.raised(parties, since=since, limit=MOST_COUNTED)))

    return views


def _page(me: Caller, at: int) -> AlertPage:
    now = me.now
    found = now.state.alerts.of_parties(
        stands_for(me.now.state, me.id), since=at - RECENT_MS, limit=MOST_ALERTS + 1
    )
    steady = _steady(now, at)
    names: dict[str, str | None] = {}
    lines = [_line(alert, now, steady, names) for alert in found[:MOST_ALERTS]]
    return AlertPage(lines, more=len(found) > MOST_ALERTS)


def _steady(now: Snapshot, at: int) -> int:
    """Steady time, as the committer has it. After the machine was started again the wall clock has to be believed."""
    store = now.chain.store
    if (since := store.steady(uptime.now())) is not None:
        return since
    head = store.head()
    return head.clock + max(0, at - head.timestamp)


def _line(alert: Alert, now: Snapshot, steady: int, names: dict[str, str | None]) -> AlertLine:
    params = now.state.contracts.escalation(alert.contract)
    steps = [] if params is None else params.steps
    step, lap = _fired(alert, steps)
    for each in steps:
        if each.to not in names:
            names[each.to] = name_of(now, each.to)
    return AlertLine(
        id=alert.entry,
        author=alert.author,
        episode=alert.episode,
        to=alert.party,
        priority=alert.priority,
        kind=alert.kind,
        active=alert.active,
        began=alert.began,
        taken_by=alert.taken_by,
        taken_at=alert.taken,
        resolved=alert.resolved,
        snoozed_until=alert.snoozed,
        contract=alert.contract,
        step=step,
        lap=lap,
        steps=[AlertStep(to=each.to, name=names[each.to], after=each.after) for each in steps],
        due_in=None if alert.due is None else max(0, alert.due - steady),
        nobody=alert.nobody is not None,
        concerns=sorted(now.state.alerts.concerned(alert.idx)),
    )


def _fired(alert: Alert, steps: list[Step]) -> tuple[int | None, int | None]:
    """The newest step that fired, and in which lap: the alert itself knows the one that comes."""
    if alert.step > 0:
        return alert.step - 1, alert.lap
    return (len(steps) - 1, alert.lap - 1) if alert.lap > 0 and steps else (None, None)


def _entries(me: Caller, entry_id: str) -> AlertEntries:
    alert = alert_of(me, entry_id)
    if alert is None:
        raise Missing("alert: none with this id that you may have")
    state, now = me.now.state, me.now
    newest = state.alerts.entries(alert.idx, LARGEST_PAGE)
    # What the alert is about stands in its first message.
    wanted = [alert.idx, *(index for index in reversed(newest) if index != alert.idx)]
    readable = [index for index in wanted if index < now.size and state.may_read(me.id, index)]
    found = now.delivered(readable, budget=BUDGET)
    return AlertEntries(
        sorted(found, key=_index), more=len(newest) == LARGEST_PAGE or len(found) < len(readable)
    )


def loads(found: Iterable[Alert]) -> LoadPage:
    """By author and week, the newest week first."""
    groups: dict[tuple[int, str], list[Alert]] = defaultdict(list)
    for alert in found:
        groups[-_week(alert.began), alert.author].append(alert)
    return LoadPage([_load(author, -week, those) for (week, author), those in sorted(groups.items())])


def _load(author: str, week: int, those: list[Alert]) -> LoadLine:
    waited = [each.answered - each.began for each in those if each.answered is not None]
    return LoadLine(
        author=author,
        week=week,
        alerts=len(those),
        technical=sum(each.kind == "technical" for each in those),
        taken=len(waited),
        nobody=sum(each.nobody is not None for each in those),
        median_ms=median_low(waited) if waited else None,
    )


def _week(at: int) -> int:
    """When the week of a moment began: on Monday, 00:00 UTC."""
    return max(0, at - (at - FIRST_MONDAY_MS) % WEEK_MS)


def _index(delivered: Delivered) -> int:
    return delivered.index

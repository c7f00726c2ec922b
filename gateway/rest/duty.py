"""Duty: who of which group is on now, and whose shifts come."""

from flask import Blueprint, Response

from chain.api import DutyGroup, DutyPage, ShiftLine
from gateway.rest.admin import Page, cut
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import answer, read_query
from gateway.rest.snapshot import Snapshot
from gateway.sessions import Clock

MOST_SHIFTS = 500
"""Of one group; those that begin first."""


def duty(desk: Desk, clock: Clock) -> Blueprint:
    views = Blueprint("duty", __name__, url_prefix="/v1/duty")

    @views.get("")
    def read() -> Response:
        wanted, at = read_query(Page), clock()
        with desk.caller() as me:
            rows, following = cut([(index, (group, index)) for group, index in _groups(me)], wanted)
            groups = [_group(me.now, group, index, at) for group, index in rows]
            return answer(DutyPage(groups, at, following))

    return views


def _groups(me: Caller) -> list[tuple[str, int]]:
    """Those that the caller may speak to: who is meant by them is no secret from it."""
    state = me.now.state
    return [row for row in state.groups() if me.is_admin or state.may_speak(me.id, row[0])]


def _group(now: Snapshot, group: str, index: int, at: int) -> DutyGroup:
    return DutyGroup(
        id=group,
        name=now.group_name(index),
        members=sorted(now.state.members(group)),
        on=sorted(now.state.on_duty(group, at)),
        shifts=[
            ShiftLine(shift.account, shift.begins, shift.ends)
            for shift in now.state.shifts.of(group, since=at)[:MOST_SHIFTS]
        ],
    )

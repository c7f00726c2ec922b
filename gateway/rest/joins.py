"""Who waits to be let in, for admins: they compare six digits with the newcomer, or stop the join code."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response

from chain.api import Digits
from chain.errors import Missing, Refused
from chain.lists import JoinLine, JoinPage
from chain.state import InviteRow
from gateway.joins import Code, Joins
from gateway.rest.admin import Page, cut
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import Empty, answer, read_body, read_query
from gateway.rest.invites import is_open
from gateway.sessions import Clock

_digits = msgspec.json.Decoder(Digits)
_empty = msgspec.json.Decoder(Empty)


def joins(desk: Desk, kept: Joins, clock: Clock) -> Blueprint:
    views = Blueprint("joins", __name__, url_prefix="/v1/admin/joins")

    @views.get("")
    def waiting() -> Response:
        wanted = read_query(Page)
        with desk.caller() as me:
            me.need_admin()
            lines = _lines(me, kept.known(), clock())
        page, following = cut([(line.index, line) for line in lines], wanted)
        return answer(JoinPage(page, following))

    @views.post("/<invite>/confirm")
    def confirm(invite: str) -> Response:
        with desk.caller() as me:
            row = _unused(me, invite)
            shown = read_body(_digits).digits
            if not is_open(row, clock()):
                raise Refused("invite", "this join code has expired: make a new one")
        kept.confirm(row.id, shown)
        return Response(status=HTTPStatus.NO_CONTENT)

    @views.post("/<invite>/cancel")
    def cancel(invite: str) -> Response:
        with desk.caller() as me:
            row = _unused(me, invite)
            read_body(_empty)
        kept.stop(row.id)
        return Response(status=HTTPStatus.NO_CONTENT)

    return views


def _unused(me: Caller, invite: str) -> InviteRow:
    me.need_admin()
    row = me.now.state.invite(invite)
    if row is None:
        raise Missing("invite: there is none with this id")
    if row.used_by is not None:
        raise Refused("invite", "this join code was used already")
    return row


def _lines(me: Caller, codes: dict[str, Code], now: int) -> list[JoinLine]:
    """Those whom the chain would still let in, by the index of their invite."""
    return [
        JoinLine(
            invite=row.id,
            handle=row.handle,
            kind=row.kind,
            role=row.role,
            since=who.since,
            tries=codes[row.id].tries,
            confirmed=who.confirmed,
            index=row.idx,
        )
        for row in me.now.state.invites()
        if row.id in codes
        and row.handle is not None
        and is_open(row, now)
        and (who := codes[row.id].waiting) is not None
    ]

"""Invites: what a join code is for, told to whoever has the code."""

import msgspec
from flask import Blueprint, Response

from chain import joincode
from chain.api import Invited, ShowCode
from chain.errors import Missing
from chain.state import InviteRow
from gateway.joins import Joins
from gateway.rest.desk import Desk
from gateway.rest.documents import answer, read_body
from gateway.rest.tries import Count, Source, Tries
from gateway.sessions import Clock

_decoder = msgspec.json.Decoder(ShowCode)


def is_open(row: InviteRow, now: int) -> bool:
    """Whether it may still let somebody in, as far as the chain says. One whose body was erased names nobody."""
    return row.used_by is None and row.expires >= now and row.handle is not None


def invites(desk: Desk, joins: Joins, tries: Tries, clock: Clock) -> Blueprint:
    views = Blueprint("invites", __name__, url_prefix="/v1/invites")

    @views.post("")
    def read() -> Response:
        code = read_body(_decoder).code
        with tries.attempt(Count("invites", (Source.of_request().network,))):
            with desk.visitor() as now:
                row = now.state.invite_by_hash(joincode.code_hash(code))
            if row is None or row.handle is None or not is_open(row, clock()) or joins.of(row.id).dead:
                raise Missing("join code: unknown, used already, or expired")
        return answer(
            Invited(
                id=row.id,
                handle=row.handle,
                kind=row.kind,
                role=row.role,
                expires=row.expires,
            )
        )

    return views

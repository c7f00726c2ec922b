"""Invites: what a join code is for, told to whoever can name its hash, which takes the code."""

from typing import TYPE_CHECKING, cast

from flask import Blueprint, Response

from chain.api import Invited
from chain.errors import Missing
from gateway.rest.desk import Desk
from gateway.rest.documents import answer
from gateway.sessions import Clock

if TYPE_CHECKING:
    from chain.entry import Kind, Role


def invites(desk: Desk, clock: Clock) -> Blueprint:
    views = Blueprint("invites", __name__, url_prefix="/v1/invites")

    @views.get("/<code_hash>")
    def read(code_hash: str) -> Response:
        with desk.visitor() as now:
            row = now.state.invite_by_hash(code_hash)
        if row is None or row.used_by is not None or row.expires < clock() or row.handle is None:
            raise Missing("join code: unknown, used already, or expired")
        return answer(
            Invited(
                id=row.id,
                handle=row.handle,
                kind=cast("Kind", row.kind),
                role=cast("Role", row.role),
                expires=row.expires,
            )
        )

    return views

"""The inbox: what others addressed to the caller, for catching up after a while away."""

from typing import Annotated

from flask import Blueprint, Response
from msgspec import Meta, Struct

from chain.entry import MAX_MS
from chain.wire import Delivered, Delivery
from gateway.rest.desk import Desk
from gateway.rest.documents import LARGEST_PAGE, answer, read_query
from gateway.rest.snapshot import BUDGET, Snapshot


class Since(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after` is the last index the caller has (-1: none); with `all`, its own entries come too."""

    after: Annotated[int, Meta(ge=-1, le=MAX_MS)] = -1
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE)] = 100
    all: bool = False


def inbox(desk: Desk) -> Blueprint:
    views = Blueprint("inbox", __name__, url_prefix="/v1/inbox")

    @views.get("")
    def read() -> Response:
        since = read_query(Since)
        with desk.caller() as me:
            return answer(Delivery(since.after, page(me.now, me.id, since)))

    return views


def page(now: Snapshot, account: str, since: Since) -> list[Delivered]:
    """What `account` may have after what it has, as much as fits one answer."""
    read = now.state.readable if since.all else now.state.received
    indices = read(account, since.after, since.limit)
    return now.delivered((index for index in indices if index < now.size), budget=BUDGET)

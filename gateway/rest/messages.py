"""`POST /messages` of the paper's Table I: a conversation, newest page first, each message with its proof."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response
from msgspec import Meta, Struct

from chain.body import Name
from chain.entry import MAX_MS, Count
from chain.state import thread_of
from chain.wire import Delivered
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import LARGEST_PAGE, answer, read_body
from gateway.rest.parties import addressee
from gateway.rest.snapshot import BUDGET


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """`friend` is an id, a handle or a group; `before` the cursor of the page that came last."""

    friend: Name
    before: Count = MAX_MS
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE)] = 50


class History(Struct, frozen=True):
    """A page, oldest first; `before` is where the next older one begins, if there is one."""

    messages: list[Delivered]
    before: int | None


_wanted = msgspec.json.Decoder(Wanted)


def messages(desk: Desk) -> Blueprint:
    views = Blueprint("messages", __name__)

    @views.post("/messages")
    def read() -> Response:
        wanted = read_body(_wanted)
        with desk.caller() as me:
            return answer(_history(me, addressee(me, wanted.friend), wanted))

    return views


def _history(me: Caller, friend: str, wanted: Wanted) -> History:
    # Of a group's conversation, only what was addressed to the caller: not what was said before it joined.
    indices = me.now.state.conversation(
        me.id, thread_of(me.id, friend), before=min(wanted.before, me.now.size), limit=wanted.limit + 1
    )
    newest = indices[-wanted.limit :]
    page = me.now.delivered(reversed(newest), budget=BUDGET)[::-1]
    return History(page, page[0].index if len(page) < len(indices) else None)

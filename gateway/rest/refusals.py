"""What was refused, for admins: an author that is refused again and again needs somebody to look."""

import sqlite3
from pathlib import Path
from typing import Annotated

from flask import Blueprint, Response
from msgspec import Meta, Struct

from chain.entry import MAX_MS, Count
from chain.lists import RefusalLine, RefusalPage
from gateway import refusals as kept
from gateway.errors import Busy
from gateway.refusals import Kept
from gateway.rest.desk import Desk
from gateway.rest.documents import LARGEST_PAGE, answer, read_query
from gateway.rest.snapshot import Snapshot


class Earlier(Struct, frozen=True, forbid_unknown_fields=True):
    """`before` is that of the page before."""

    before: Count = MAX_MS
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE)] = 100


def refusals(desk: Desk, file: Path) -> Blueprint:
    views = Blueprint("refusals", __name__, url_prefix="/v1/admin/refusals")

    @views.get("")
    def read() -> Response:
        wanted = read_query(Earlier)
        with desk.caller() as me:
            me.need_admin()
            try:
                found = kept.read(file, before=wanted.before, limit=wanted.limit + 1)
            except sqlite3.Error as error:
                raise Busy(f"the list of refusals cannot be read just now: {error}") from error
            page = found[: wanted.limit]
            following = page[-1].number if len(page) < len(found) else None
            return answer(RefusalPage([_line(me.now, each) for each in page], following))

    return views


def _line(now: Snapshot, each: Kept) -> RefusalLine:
    said = each.refusal
    return RefusalLine(
        number=each.number,
        at=said.at,
        account=said.account,
        handle=now.state.handle(said.account) if said.account else None,
        rule=said.rule,
        reason=said.reason,
        entry=said.entry,
    )

"""Links: which accounts and groups are in contact, for the admin who answers for it."""

from flask import Blueprint, Response
from msgspec import Struct

from chain.state import ContactRow
from gateway.rest.admin import Page
from gateway.rest.desk import Desk
from gateway.rest.documents import answer, read_query


class LinkLine(Struct, frozen=True):
    """`asked_by` is who asked, while the other has not accepted; `index` that of the entry that made it so."""

    one: str
    other: str
    asked_by: str | None
    index: int


class LinkPage(Struct, frozen=True):
    links: list[LinkLine]
    next: int | None


def links(desk: Desk) -> Blueprint:
    views = Blueprint("links", __name__, url_prefix="/v1/admin/links")

    @views.get("")
    def read() -> Response:
        wanted = read_query(Page)
        with desk.caller() as me:
            me.need_admin()
            rows = me.now.state.contacts_after(wanted.after, wanted.limit + 1)
        page = [_line(row) for row in rows[: wanted.limit]]
        return answer(LinkPage(page, page[-1].index if len(page) < len(rows) else None))

    return views


def _line(row: ContactRow) -> LinkLine:
    return LinkLine(row.one, row.other, row.asked_by, row.idx)

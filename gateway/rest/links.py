"""Links: which accounts and groups are in contact, for the admin who answers for it."""

from flask import Blueprint, Response

from chain.lists import LinkLine, LinkPage
from chain.state import ContactRow
from gateway.rest.admin import Page
from gateway.rest.desk import Desk
from gateway.rest.documents import answer, read_query


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
    return LinkLine(one=row.one, other=row.other, asked_by=row.asked_by, index=row.idx)

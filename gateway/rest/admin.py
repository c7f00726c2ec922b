"""What only an admin is shown: everybody, every invite, every group. What an admin *does* is an entry like any other."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from flask import Blueprint, Response
from msgspec import Meta, Struct

from chain.api import AccountLine, AccountPage, GroupPage, GroupView
from chain.entry import MAX_MS
from chain.lists import InviteLine, InvitePage
from chain.state import AccountRow, InviteRow
from gateway.joins import Joins
from gateway.presence import Presence
from gateway.rest.desk import Desk
from gateway.rest.documents import LARGEST_PAGE, answer, read_query
from gateway.rest.snapshot import Snapshot
from gateway.sessions import Clock


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """`after` is the `next` of the page before."""

    after: Annotated[int, Meta(ge=-1, le=MAX_MS)] = -1
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE)] = LARGEST_PAGE


def admin(desk: Desk, presence: Presence, joins: Joins, clock: Clock) -> Blueprint:
    views = Blueprint("admin", __name__, url_prefix="/v1/admin")

    @views.get("/accounts")
    def accounts() -> Response:
        wanted = read_query(Page)
        with desk.caller() as me:
            me.need_admin()
            rows, following = cut([(row.idx, row) for row in me.now.state.accounts()], wanted)
            online = presence.online()
            lines = [_account(me.now, row, clock() if row.id in online else None) for row in rows]
            return answer(AccountPage(lines, following))

    @views.get("/invites")
    def invites() -> Response:
        wanted = read_query(Page)
        with desk.caller() as me:
            me.need_admin()
            rows, following = cut([(row.idx, row) for row in me.now.state.invites()], wanted)
            dead = {code.invite for code in joins.known().values() if code.dead}
            return answer(InvitePage([_invite(row, dead) for row in rows], following))

    @views.get("/groups")
    def groups() -> Response:
        wanted = read_query(Page)
        with desk.caller() as me:
            me.need_admin()
            rows, following = cut([(index, (group, index)) for group, index in me.now.state.groups()], wanted)
            return answer(GroupPage([_group(me.now, *row) for row in rows], following))

    return views


T = TypeVar("T")


def cut(rows: Sequence[tuple[int, T]], wanted: Page) -> tuple[list[T], int | None]:
    """The rows after the cursor, by rising index; and the cursor of the next page, if there is one."""
    left = [(index, row) for index, row in rows if index > wanted.after]
    page = left[: wanted.limit]
    return [row for _, row in page], page[-1][0] if len(page) < len(left) else None


def _account(now: Snapshot, row: AccountRow, met: int | None) -> AccountLine:
    """`met` is the time, if the account is here now."""
    card = now.card(row.id)
    online = row.live and met is not None
    return AccountLine(
        account=row.id,
        kind=row.kind,
        role=row.role,
        live=row.live,
        keyed=now.state.current_keys(row.id) is not None,
        index=row.idx,
        handle=card.handle if card else None,
        name=card.name if card else None,
        online=online,
        last_seen=met if online else now.last_wrote(row.id),
    )


def _invite(row: InviteRow, dead: set[str]) -> InviteLine:
    return InviteLine(
        id=row.id,
        kind=row.kind,
        role=row.role,
        expires=row.expires,
        handle=row.handle,
        author=row.author,
        used_by=row.used_by,
        index=row.idx,
        dead=row.id in dead and row.used_by is None,
    )


def _group(now: Snapshot, group: str, index: int) -> GroupView:
    return GroupView(id=group, name=now.group_name(index), members=sorted(now.state.members(group)))

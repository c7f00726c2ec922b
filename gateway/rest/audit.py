"""What was done on the chain, for admins: who was let in, linked, given keys, revoked, and by whom."""

from functools import singledispatch
from typing import Annotated, Any, cast

from flask import Blueprint, Response
from msgspec import Meta, Struct

from chain import entry
from chain.entry import (
    MAX_MS,
    Account,
    Approve,
    Common,
    Contact,
    Contract,
    Count,
    Group,
    Invite,
    Key,
    Redact,
    Revoke,
    Shift,
)
from chain.lists import Act, AuditLine, AuditPage
from gateway.rest.desk import Desk
from gateway.rest.documents import LARGEST_PAGE, answer, read_query
from gateway.rest.snapshot import Snapshot


class Acts(Struct, frozen=True, forbid_unknown_fields=True):
    """`before` is that of the page before; `type` asks for one type only."""

    before: Count = MAX_MS
    type: Act | None = None
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE)] = 100


def audit(desk: Desk) -> Blueprint:
    views = Blueprint("audit", __name__, url_prefix="/v1/admin/audit")

    @views.get("")
    def read() -> Response:
        wanted = read_query(Acts)
        with desk.caller() as me:
            me.need_admin()
            # What the newest checkpoint does not cover yet is for the next time.
            before = min(wanted.before, me.now.size)
            found = me.now.state.acts(wanted.type, before=before, limit=wanted.limit + 1)
            page = found[: wanted.limit]
            lines = [_line(me.now, index) for index in page]
            return answer(AuditPage(lines, page[-1] if len(page) < len(found) else None))

    return views


def _line(now: Snapshot, index: int) -> AuditLine:
    said = entry.parse(now.chain.store.leaf(index)).entry
    return AuditLine(
        index=index,
        at=now.chain.store.time_of(index),
        id=said.id,
        type=cast("Act", entry.type_of(said)),  # the state lists no others
        author=said.author,
        author_handle=now.state.handle(said.author),
        **_says(said, now),
    )


@singledispatch
def _says(said: Common, _now: Snapshot) -> dict[str, Any]:
    raise AssertionError(f"{entry.type_of(said)} is no act")


@_says.register
def _(said: Invite, now: Snapshot) -> dict[str, Any]:
    row = now.state.invite(said.id)
    return {
        "about": row.used_by if row else None,
        "about_handle": row.handle if row else None,
        "kind": said.kind,
        "role": said.role,
    }


@_says.register
def _(said: Account, now: Snapshot) -> dict[str, Any]:
    row = now.state.invite(said.invite) if said.invite else None
    by = row.author if row else None
    return {**_about(by, now), "kind": said.kind, "role": said.role}


@_says.register
def _(said: Key, now: Snapshot) -> dict[str, Any]:
    action = "rotation" if said.account == said.author else "reset"
    return {**_about(said.account, now), "action": action}


@_says.register
def _(said: Revoke, now: Snapshot) -> dict[str, Any]:
    return {**_about(said.account, now), "action": said.reason, "key": said.key}


@_says.register
def _(said: Contact, now: Snapshot) -> dict[str, Any]:
    of = said.of
    of_handle = None if of is None else now.state.handle(of)
    return {**_about(said.peer, now), "action": said.action, "of": of, "of_handle": of_handle}


@_says.register
def _(said: Group, now: Snapshot) -> dict[str, Any]:
    action = "set" if said.members else "end"
    return {**_about(said.group, now), "action": action, "members": len(said.members)}


@_says.register
def _(said: Shift, now: Snapshot) -> dict[str, Any]:
    who = said.account or said.instead
    of_handle = None if who is None else now.state.handle(who)
    return {
        **_about(said.party, now),
        "action": "on" if said.account else "off",
        "of": who,
        "of_handle": of_handle,
    }


@_says.register
def _(said: Contract, _now: Snapshot) -> dict[str, Any]:
    return {"about": said.contract, "action": said.action}


@_says.register
def _(said: Approve, _now: Snapshot) -> dict[str, Any]:
    return {"about": said.deed}


@_says.register
def _(said: Redact, _now: Snapshot) -> dict[str, Any]:
    return {"about": said.about, "action": said.reason}


def _about(party: str | None, now: Snapshot) -> dict[str, str | None]:
    """An account by its handle, a group by its name, as long as the chain still has them."""
    if party is None:
        return {}
    index = now.state.group_index(party)
    return {
        "about": party,
        "about_handle": now.state.handle(party) if index is None else now.group_name(index),
    }

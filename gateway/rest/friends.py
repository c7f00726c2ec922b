"""`POST /friendslist` of the paper's Table I: everybody the caller talks to, or is asked to."""

import msgspec
from flask import Blueprint, Response
from msgspec import Struct

from chain.api import Friend
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import Nothing, answer, read_body

_nothing = msgspec.json.Decoder(Nothing)


class Friends(Struct, frozen=True):
    friends: list[Friend]


def friends(desk: Desk) -> Blueprint:
    views = Blueprint("friends", __name__)

    @views.post("/friendslist")
    def read() -> Response:
        read_body(_nothing)
        with desk.caller() as me:
            found = _states(me)
            return answer(Friends([_friend(me, party, found[party]) for party in sorted(found)]))

    return views


def _states(me: Caller) -> dict[str, str]:
    """Accounts and groups, and how the caller stands to each. What was said of one directly counts most."""
    state = me.now.state
    groups = state.groups_of(me.id)
    contacts = {row.other if row.one == me.id else row.one: row.asked_by for row in state.contacts(me.id)}
    found: dict[str, str] = {}
    for group in groups:
        found |= {row.other if row.one == group else row.one: "contact" for row in state.contacts(group)}
    for party in contacts:
        found |= dict.fromkeys(state.members(party), "contact")
    found |= {
        party: "contact" if asked_by is None else "asking" if asked_by == me.id else "asked"
        for party, asked_by in contacts.items()
    }
    found |= dict.fromkeys(groups, "member")
    found.pop(me.id, None)
    return found


def _friend(me: Caller, party: str, state: str) -> Friend:
    now = me.now
    row = now.state.account(party)
    if row is None:
        index = now.state.group_index(party)
        name = None if index is None else now.group_name(index)
        return Friend(id=party, kind="group", state=state, live=index is not None, name=name)
    card = now.card(party)
    handle, name = (card.handle, card.name) if card else (None, None)
    return Friend(id=party, kind=row.kind, state=state, live=row.live, handle=handle, name=name)

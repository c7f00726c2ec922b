"""`POST /friendslist` of the paper's Table I: everybody the caller talks to, or is asked to."""

import msgspec
from flask import Blueprint, Response
from msgspec import Struct

from chain.api import Friend
from chain.state import State
from gateway.presence import Presence
from gateway.rest.desk import Desk
from gateway.rest.documents import Empty, answer, read_body
from gateway.rest.snapshot import Snapshot
from gateway.sessions import Clock

_empty = msgspec.json.Decoder(Empty)


class Friends(Struct, frozen=True):
    friends: list[Friend]


def friends(desk: Desk, presence: Presence, clock: Clock) -> Blueprint:
    views = Blueprint("friends", __name__)

    @views.post("/friendslist")
    def read() -> Response:
        read_body(_empty)
        with desk.caller() as me:
            online = presence.online()
            found = [
                _friend(me.now, party, state, clock() if party in online else None)
                for party, state in sorted(states(me.now.state, me.id).items())
            ]
            return answer(Friends(found))

    return views


def states(state: State, me: str) -> dict[str, str]:
    """Accounts and groups, and how `me` stands to each. What was said of one directly counts most."""
    groups = state.groups_of(me)
    contacts = {row.other if row.one == me else row.one: row.asked_by for row in state.contacts(me)}
    found: dict[str, str] = {}
    for group in groups:
        found |= {row.other if row.one == group else row.one: "contact" for row in state.contacts(group)}
    for party in contacts:
        if party.startswith("g-"):
            found |= dict.fromkeys(state.members(party), "contact")
    found |= {
        party: "contact" if asked_by is None else "asking" if asked_by == me else "asked"
        for party, asked_by in contacts.items()
    }
    found |= dict.fromkeys(groups, "member")
    found.pop(me, None)
    return found


def contacts_of(state: State, me: str) -> set[str]:
    """Whom `me` is told the presence of: who only asked, or was asked, has not agreed to be seen."""
    return {party for party, how in states(state, me).items() if how == "contact"}


def _friend(now: Snapshot, party: str, state: str, met: int | None) -> Friend:
    """`met` is the time, if the party is here now."""
    row = now.state.account(party)
    if row is None:
        index = now.state.group_index(party)
        name = None if index is None else now.group_name(index)
        return Friend(id=party, kind="group", state=state, live=index is not None, name=name)
    card = now.card(party)
    handle, name = (card.handle, card.name) if card else (None, None)
    known = Friend(id=party, kind=row.kind, state=state, live=row.live, handle=handle, name=name)
    if state != "contact":
        return known
    online = row.live and met is not None
    return msgspec.structs.replace(known, online=online, last_seen=met if online else now.last_wrote(party))

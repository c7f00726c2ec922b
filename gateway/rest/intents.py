"""Intents: somebody wants to write to a name, and is told whom that means and under which keys."""

import msgspec
from flask import Blueprint, Response

from chain import entry
from chain.api import Intent, IntentAnswer
from chain.errors import Refused
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import answer, read_body
from gateway.rest.parties import addressee

_intents = msgspec.json.Decoder(Intent)


def intents(desk: Desk) -> Blueprint:
    views = Blueprint("intents", __name__, url_prefix="/v1/intents")

    @views.post("")
    def ask() -> Response:
        intent = read_body(_intents)
        with desk.caller() as me:
            return answer(_answer(me, addressee(me, intent.to)))

    return views


def _answer(me: Caller, to: str) -> IntentAnswer:
    now, group = me.now, me.now.state.group_index(to)
    accounts = {to} if group is None else now.state.members(to) - {me.id}
    # Whose key was revoked has, until an admin gives a new one, nothing to receive with.
    keyed = sorted(account for account in accounts if now.state.current_keys(account))
    rows = [row for account in keyed if (row := now.state.account(account)) is not None and row.live]
    if not rows:
        raise Refused("contact", "nobody there has a key to receive with")
    recipients = [now.party(row) for row in rows]
    if group is None:
        return IntentAnswer(to=to, recipients=recipients)
    (delivered,) = now.delivered([group])
    admin = now.state.account(entry.parse(delivered.entry.encode()).entry.author)
    assert admin is not None  # it wrote an entry
    return IntentAnswer(to=to, recipients=recipients, group=delivered, admin=now.party(admin))

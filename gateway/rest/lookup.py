"""Looking somebody up by handle: how a person finds whom to ask to be a contact."""

import msgspec
from flask import Blueprint, Response
from msgspec import Struct

from chain.errors import Missing
from gateway.rest.desk import Desk
from gateway.rest.documents import answer, read_body
from gateway.rest.login import Typed
from gateway.rest.snapshot import Snapshot
from gateway.rest.tries import Count, Tries


class LookUp(Struct, frozen=True, forbid_unknown_fields=True):
    """`handle` is what somebody typed: exactly this one is meant, nothing is searched for."""

    handle: Typed


class Found(Struct, frozen=True):
    """Whom the handle stands for. It is the gateway's word: keys are proven once the two are in contact."""

    account: str
    kind: str
    handle: str
    name: str | None


_look_up = msgspec.json.Decoder(LookUp)


def lookup(desk: Desk, tries: Tries) -> Blueprint:
    views = Blueprint("lookup", __name__, url_prefix="/v1/lookup")

    @views.post("")
    def find() -> Response:
        handle = read_body(_look_up).handle
        with desk.caller() as me:
            tries.take(Count("lookups", (me.id,)))
            return answer(_found(me.now, handle))

    return views


def _found(now: Snapshot, handle: str) -> Found:
    account = now.state.by_handle(handle)
    row = None if account is None else now.state.account(account)
    if row is None or row.id == now.gateway:
        raise Missing("lookup: nobody has this handle")
    card = now.card(row.id)
    return Found(row.id, row.kind, handle, card.name if card else None)

"""Entries: handing one in, and reading one back with its proof."""

import msgspec
from flask import Blueprint, Response, request

from chain import wire
from chain.entry import EntryId
from chain.errors import Missing, Refused
from chain.wire import Delivered
from gateway.rest.desk import Caller, Desk
from gateway.rest.documents import answer
from gateway.rest.submission import Submissions


def entries(desk: Desk, submissions: Submissions) -> Blueprint:
    views = Blueprint("entries", __name__, url_prefix="/v1/entries")

    @views.post("")
    def hand_in() -> Response:
        data = request.get_data()
        with desk.caller() as me:
            author = me.id
        signed = wire.read_parcel(data).load().signed
        if signed.entry.author != author:
            raise Refused("permission", f"want an entry of {author}, got one of {signed.entry.author}")
        return submissions.submit(data, signed)

    @views.get("/<entry_id>")
    def read(entry_id: str) -> Response:
        with desk.caller() as me:
            return answer(_readable(me, entry_id))

    @views.get("/<entry_id>/receipt")
    def receipt(entry_id: str) -> Response:
        with desk.caller() as me:
            text = _readable(me, entry_id).receipt
        return Response(text, content_type="text/plain; charset=utf-8")

    return views


def _readable(me: Caller, entry_id: str) -> Delivered:
    try:
        found = me.now.chain.store.find(msgspec.convert(entry_id, EntryId))
    except msgspec.ValidationError:
        found = None
    if found is None or not me.now.state.may_read(me.id, found[0]):
        raise Missing("entry: none with this id that you may have")
    (delivered,) = me.now.delivered([found[0]])
    return delivered

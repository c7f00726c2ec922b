"""The chain itself: its blocks, and the proof that one checkpoint continues another."""

import re

from flask import Blueprint, Response
from msgspec import Struct

from chain import entry
from chain.api import BlockView
from chain.encoding import b64url
from chain.entry import Count
from chain.errors import Malformed, Missing
from chain.wire import Consistency
from gateway.rest.desk import Desk
from gateway.rest.documents import answer, read_query
from gateway.rest.snapshot import Snapshot

_HEIGHT = re.compile(r"0|[1-9][0-9]{0,15}")


class Sizes(Struct, frozen=True, forbid_unknown_fields=True, rename={"old": "from", "new": "to"}):
    """From the log of `old` entries to the log of `new`."""

    old: Count
    new: Count


def ledger(desk: Desk) -> Blueprint:
    views = Blueprint("ledger", __name__, url_prefix="/v1/chain")

    @views.get("/consistency")
    def consistency() -> Response:
        sizes = read_query(Sizes)
        with desk.caller() as me:
            if sizes.new > me.now.size:
                raise Malformed(f"consistency: want sizes of at most {me.now.size}, got {sizes.new}")
            path = me.now.chain.consistency(sizes.old, sizes.new)
        return answer(Consistency(sizes.old, [b64url(value) for value in path]))

    @views.get("/blocks/<height>")
    def block(height: str) -> Response:
        with desk.caller() as me:
            if not _HEIGHT.fullmatch(height):
                raise Missing("block: want its height")
            return answer(_block(me.now, int(height)))

    return views


def _block(now: Snapshot, height: int) -> BlockView:
    block = now.chain.store.block(height)
    if block.header.size > now.size:
        raise Missing(f"block {height}: the chain is not that high")
    ids = [entry.parse(leaf).entry.id for leaf in block.entries]
    return BlockView(block.header, b64url(block.hash), len(ids), ids)

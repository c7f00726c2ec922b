"""The log as tiles (C2SP tlog-tiles): hashes and entries in pieces that never change, for whoever audits it."""

import re

from flask import Blueprint, Response

from chain.errors import Missing
from chain.merkle import Tree
from gateway.rest.desk import Desk
from gateway.rest.snapshot import Snapshot

WIDTH = 256
"""Hashes, or entries, in a full tile."""

LEVEL_BITS = 8
"""A tile of level L holds roots of subtrees of 256**L leaves."""

_TILE = re.compile(
    r"(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)


def tiles(desk: Desk) -> Blueprint:
    views = Blueprint("tiles", __name__)

    @views.get("/checkpoint")
    def checkpoint() -> Response:
        with desk.caller() as me:
            return Response(me.now.note, content_type="text/plain; charset=utf-8")

    @views.get("/tile/<path:name>")
    def tile(name: str) -> Response:
        with desk.caller() as me:
            content = _tile(me.now, name)
        response = Response(content, content_type="application/octet-stream")
        # It never changes, but is for accounts of this chain only: no shared cache keeps it.
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        return response

    return views


def _tile(now: Snapshot, name: str) -> bytes:
    match = _TILE.fullmatch(name)
    number = None if match is None else _number(match["number"])
    if match is None or number is None:
        raise Missing("tile: want <level or 'entries'>/<number>[.p/<width>] as C2SP tlog-tiles spells it")
    width = int(match["width"] or WIDTH)
    first, end = number * WIDTH, number * WIDTH + width
    level = 0 if match["level"] == "entries" else LEVEL_BITS * int(match["level"])
    if end > now.size >> level:
        raise Missing(f"tile: the checkpoint of {now.size} entries does not cover it")
    if match["level"] == "entries":
        return b"".join(_bundled(now.chain.store.leaf(index)) for index in range(first, end))
    tree = Tree(now.size, now.chain.store.node)
    return b"".join(tree.complete(level, index) for index in range(first, end))


def _bundled(leaf: bytes) -> bytes:
    return len(leaf).to_bytes(2, "big") + leaf


def path_of(number: int) -> str:
    """`1234067` is written `x001/x234/067`."""
    path = f"{number % 1000:03}"
    while number := number // 1000:
        path = f"x{number % 1000:03}/{path}"
    return path


def _number(path: str) -> int | None:
    number = int(path.replace("x", "").replace("/", ""))
    return number if path_of(number) == path else None

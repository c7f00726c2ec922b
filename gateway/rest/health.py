"""How the chain is, for admins: its size, its newest checkpoint, whether it holds, and all of it to take away."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import msgspec
from flask import Blueprint, Response, request

from chain import export
from chain.errors import ChainError
from chain.health import Health
from gateway.auditor import Auditor
from gateway.rest.desk import Credential, Desk
from gateway.rest.documents import Empty, answer, read_body
from gateway.rest.problems import Crowded, Unauthenticated
from gateway.rest.snapshot import Chains

FILE_NAME = "blockpost-chain.jsonl"

MOST_DOWNLOADS = 2
"""At one time: each keeps a thread of the server busy for as long as its reader likes."""

CHUNK_BYTES = 262_144
"""What is read from one moment of the chain: a download must not hold on to any, or the log beside it grows."""

_empty = msgspec.json.Decoder(Empty)


def health(desk: Desk, chains: Chains, auditor: Auditor) -> Blueprint:
    views = Blueprint("health", __name__, url_prefix="/v1/admin/chain")
    places = threading.BoundedSemaphore(MOST_DOWNLOADS)

    @views.get("")
    def read() -> Response:
        with desk.caller() as me:
            me.need_admin()
            now, store = me.now, me.now.chain.store
            return answer(
                Health(
                    height=store.height_of(now.size - 1),
                    size=now.size,
                    timestamp=store.time_of(now.size - 1),
                    checkpoint=now.note,
                    bytes=size_on_disk(chains.file),
                    free=shutil.disk_usage(chains.file.parent).free,
                    verify=auditor.state,
                )
            )

    @views.post("/verify")
    def verify() -> Response:
        read_body(_empty)
        with desk.caller() as me:
            me.need_admin()
        auditor.begin()
        return answer(auditor.state, HTTPStatus.ACCEPTED)

    @views.get("/download")
    def download() -> Response:
        with desk.caller() as me:
            me.need_admin()
            height, credential = me.now.chain.store.height_of(me.now.size - 1), me.credential
        if request.method == "HEAD":
            return _attachment(iter(()))
        if not places.acquire(blocking=False):
            raise Crowded(f"want at most {MOST_DOWNLOADS} downloads of the chain at a time")
        response = _attachment(_lines(chains, credential, height))
        response.call_on_close(places.release)
        return response

    return views


def _attachment(lines: Iterator[bytes]) -> Response:
    response = Response(lines, content_type="application/jsonl")
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response


def _lines(chains: Chains, credential: Credential, height: int) -> Iterator[bytes]:
    """
    The log up to the block at `height`, without bodies: they hold names and what people's keys are wrapped in.

    Once the credential no longer holds, or the disk, nothing more comes, and the missing last line shows it: granian
    ends an answer the same way whether all of it came or not.
    """
    next_block = 0
    while next_block <= height:
        chunk = bytearray()
        try:
            with chains.snapshot() as now:
                credential.check(now)
                while next_block <= height and len(chunk) < CHUNK_BYTES:
                    chunk += b"".join(export.lines(now.chain.store, next_block, bodies=False))
                    next_block += 1
                if next_block > height:
                    chunk += export.last_line(now.chain.store, height)
        except (Unauthenticated, ChainError, sqlite3.Error):
            return
        yield bytes(chunk)


def size_on_disk(file: Path) -> int:
    """Bytes of the chain with what was written and is not in its file yet."""
    total = 0
    for part in (file, file.with_name(f"{file.name}-wal")):
        with suppress(FileNotFoundError):
            total += part.stat().st_size
    return total

"""`GET /healthz`: whether entries are committed. It costs next to nothing, so anybody may ask as often as they like."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from flask import Blueprint, Response
from msgspec import Struct

from gateway.errors import BadConfig
from gateway.expiry import crl_end, in_words
from gateway.pulse import FRESH_SECONDS, Pulses
from gateway.rest.documents import answer
from gateway.rest.problems import Unwell
from gateway.sessions import Clock
from gateway.tls import Files

LEAST_FREE = 33_554_432
"""Bytes. With less room on its disk the chain is about to stand still."""


class Alive(Struct, frozen=True):
    ok: bool


def alive(pulses: Pulses, chain_file: Path, files: Files | None, clock: Clock) -> Blueprint:
    """`files` are those of a gateway that serves a LAN."""
    views = Blueprint("alive", __name__)

    @views.get("/healthz")
    def check() -> Response:
        if pulses.newest() is None:
            raise Unwell(
                f"the committer was not heard of for {FRESH_SECONDS:g} s: it, or the broker, stands still"
            )
        if (reason := pulses.halted()) is not None:
            raise Unwell(reason)
        free = shutil.disk_usage(chain_file.parent).free
        if free < LEAST_FREE:
            raise Unwell(f"the disk of the chain is full: want {LEAST_FREE} bytes, {free} are left")
        if files is not None:
            _check_crl(files, datetime.fromtimestamp(clock() / 1000, UTC))
        return answer(Alive(ok=True))

    return views


def _check_crl(files: Files, now: datetime) -> None:
    """Without a list that is in force, the broker lets nobody in."""
    try:
        end = crl_end(files)
    except BadConfig as error:
        raise Unwell(str(error)) from error
    if end.at <= now:
        raise Unwell(f"{in_words(end, now)}: the authority, which signs it anew each day, stands still")

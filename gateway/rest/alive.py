"""`GET /healthz`: whether entries are committed. It costs next to nothing, so anybody may ask as often as they like."""

import shutil
from pathlib import Path

from flask import Blueprint, Response
from msgspec import Struct

from gateway.pulse import FRESH_SECONDS, Pulses
from gateway.rest.documents import answer
from gateway.rest.problems import Unwell

LEAST_FREE = 33_554_432
"""Bytes. With less room on its disk the chain is about to stand still."""


class Alive(Struct, frozen=True):
    ok: bool


def alive(pulses: Pulses, chain_file: Path) -> Blueprint:
    views = Blueprint("alive", __name__)

    @views.get("/healthz")
    def check() -> Response:
        if pulses.newest() is None:
            raise Unwell(
                f"the committer was not heard of for {FRESH_SECONDS:g} s: it, or the broker, stands still"
            )
        free = shutil.disk_usage(chain_file.parent).free
        if free < LEAST_FREE:
            raise Unwell(f"the disk of the chain is full: want {LEAST_FREE} bytes, {free} are left")
        return answer(Alive(ok=True))

    return views

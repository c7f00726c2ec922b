"""
The inventory: which join codes an admin gave out, for whom, and until when. A TinyDB document in the
admin's own folder; of a code it has the hash that the chain has, never the code.
"""

from pathlib import Path

import msgspec
from msgspec import Struct
from tinydb import where

from chain.entry import Kind, Role
from device.document import opened
from device.errors import BadDocument


class Issued(Struct, frozen=True, kw_only=True):
    """A join code that was given out. `expires` is in ms; `invite` is its entry on the chain."""

    code_hash: str
    invite: str
    handle: str
    kind: Kind
    role: Role
    expires: int


class Inventory:
    """Each call reads, and replaces, the whole document; a call that returns has been made durable."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, issued: Issued) -> None:
        with opened(self._path) as document:
            document.table("issued").upsert(msgspec.to_builtins(issued), where("invite") == issued.invite)

    def issued(self) -> list[Issued]:
        with opened(self._path) as document:
            rows = document.table("issued").all()
        try:
            return [msgspec.convert(dict(row), Issued) for row in rows]
        except msgspec.ValidationError as error:
            raise BadDocument(f"{self._path}: {error}") from error

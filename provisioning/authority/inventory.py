"""
The authority's inventory: who has which certificates. A TinyDB document with one row for each account, in `tls/`.

Only the authority writes it; it is read once, and then kept in memory. Each change is on disk before the call returns,
and the generation before it is beside it.
"""

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from tinydb import TinyDB, where

from chain import durable
from device.document import DurableStorage
from device.errors import BadDocument

log = logging.getLogger(__name__)

TABLE = "holders"


class Leaf(Struct, frozen=True, kw_only=True):
    """A certificate that was issued. `serial` in hex; all times in ms; `revoked` since when it holds no more."""

    serial: str
    issued: int
    until: int
    revoked: int | None = None

    def is_in_force(self, now: int) -> bool:
        return self.revoked is None and now < self.until


class Holder(Struct, frozen=True, kw_only=True):
    """
    An account, and its certificates, the newest last. `permit` (ms) is until when an admin lets it have one although
    none is in force; `kick`, that it was revoked and may still be connected to the broker.
    """

    account: str
    leaves: tuple[Leaf, ...] = ()
    permit: int | None = None
    kick: bool = False


class TwoGenerations(DurableStorage):
    """Keeps what the file held before the last write as `<name>.1`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        if self._path.exists():
            before = previous(self._path)
            scratch = before.with_name(f".{before.name}.new")
            scratch.unlink(missing_ok=True)
            # The write below gives the path another file; this one goes on under its new name.
            os.link(self._path, scratch)
            scratch.replace(before)
        super().write(data)


class Inventory:
    """Raises `BadDocument` if the file and the generation before it are damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mend()
        self._holders = {holder.account: holder for holder in read(path)}

    def of(self, account: str) -> Holder:
        """The account's row; one without certificates if there is none."""
        return self._holders.get(account) or Holder(account=account)

    def holders(self) -> list[Holder]:
        """All of them, by their account's id."""
        return [self._holders[account] for account in sorted(self._holders)]

    def put(self, changed: Iterable[Holder]) -> None:
        """Replace or add rows, in one write."""
        rows = {holder.account: holder for holder in changed}
        new = [msgspec.to_builtins(row) for account, row in rows.items() if account not in self._holders]
        old = [
            (msgspec.to_builtins(row), where("account") == account)
            for account, row in rows.items()
            if account in self._holders
        ]
        with TinyDB(self._path, storage=TwoGenerations) as document:
            table = document.table(TABLE)
            if old:
                table.update_multiple(old)
            if new:
                table.insert_multiple(new)
        self._holders |= rows

    def drop(self, accounts: Sequence[str]) -> None:
        with TinyDB(self._path, storage=TwoGenerations) as document:
            document.table(TABLE).remove(where("account").one_of(list(accounts)))
        for account in accounts:
            self._holders.pop(account, None)

    def _mend(self) -> None:
        """Go back to the generation before, where the newest one is damaged or gone."""
        before = previous(self._path)
        try:
            read(self._path)
            if self._path.exists() or not before.exists():
                return
        except BadDocument as error:
            if not before.exists():
                raise
            log.error("inventory damaged reason=%s", error)  # noqa: TRY400 - what it is about is in the message
        read(before)
        log.warning("inventory restored from=%s: what was issued last is not in it", before)
        durable.write(self._path, before.read_bytes())


def previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def read(path: Path) -> list[Holder]:
    """What a file holds, which may be replaced meanwhile; nothing if there is none. Raises `BadDocument`."""
    tables = DurableStorage(path).read() or {}
    try:
        return [msgspec.convert(row, Holder) for row in tables.get(TABLE, {}).values()]
    except msgspec.ValidationError as error:
        raise BadDocument(f"{path}: {error}") from error

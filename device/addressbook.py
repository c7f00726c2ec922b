"""
The address book: the gateway this device joined, the last checkpoint it verified, and the keys of those
it writes to, pinned. A TinyDB document that a person may read; no secret is in it.
"""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from tinydb import where
from tinydb.queries import QueryLike
from tinydb.table import Table

from chain.api import AlertHeader
from chain.identity import SealingKey, SigningKey
from chain.joincode import names_root
from device.document import Version, opened, version
from device.errors import BadDocument, NotJoined

T = TypeVar("T", bound=Struct)


class Membership(Struct, frozen=True, kw_only=True):
    """
    Where this account lives. `gateway_key` signs the chain's checkpoints, receipts and refusals; `pin` is what join
    codes name the gateway by.

    `joined` is false until the account's own entry was receipted.
    """

    origin: str
    gateway_key: SigningKey
    http_host: str
    http_port: int
    mqtt_host: str
    mqtt_port: int
    pin: str
    account: str
    handle: str
    kind: str
    role: str
    joined: bool = False

    @property
    def is_lan(self) -> bool:
        """Whether the gateway has certificates."""
        return names_root(self.pin)


class Certificate(Struct, frozen=True, kw_only=True):
    """The account's TLS certificate: when it was `issued`, and `until` when it is in force, in ms."""

    issued: int
    until: int


class Pin(Struct, frozen=True, kw_only=True):
    """
    The keys that this device uses for an account. `waiting` says why newer ones were not taken.

    `notice` is a change that was taken: the old key signed for the new one.
    """

    account: str
    handle: str | None
    kind: str
    sign: SigningKey
    seal: SealingKey | None
    waiting: str | None = None
    notice: str | None = None


class Route(Struct, frozen=True, kw_only=True):
    """
    Whom a name led to when the gateway was last asked: an account or a group, and its addressees.

    With `alert`, such an alert's: those are among them to whom it may escalate.
    """

    name: str
    to: str
    accounts: list[str]
    alert: AlertHeader | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """A gateway showed two histories: what this device held, what it was shown, when (ms), and why they disagree."""

    held: str
    shown: str
    reason: str
    at: int


class _Held(Struct, frozen=True):
    note: str


class AddressBook:
    """Each call reads, and replaces, the whole document; a call that returns has been made durable."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def version(self) -> Version:
        """Another one after each change, whichever process made it."""
        return version(self._path)

    def membership(self) -> Membership:
        """Raise `NotJoined` if there is none, or joining was begun and not finished."""
        membership = self.joining()
        if membership is None or not membership.joined:
            raise NotJoined(f"{self._path.parent}: not joined yet: blockpost device join CODE")
        return membership

    def joining(self) -> Membership | None:
        """The membership, even one that is not complete."""
        # A folder that was never joined is left as it is, without even a lock.
        return self._get("membership", Membership) if self._path.exists() else None

    def set_membership(self, membership: Membership) -> None:
        with opened(self._path) as document:
            _replace(document.table("membership"), membership)

    def certificate(self) -> Certificate | None:
        """What is known of the certificate in `tls.pem`; on loopback there is none."""
        return self._get("certificate", Certificate)

    def set_certificate(self, certificate: Certificate) -> None:
        with opened(self._path) as document:
            _replace(document.table("certificate"), certificate)

    def checkpoint(self) -> str | None:
        """The signed note of the last checkpoint that was verified."""
        held = self._get("checkpoint", _Held)
        return None if held is None else held.note

    def replace_checkpoint(self, old: str | None, new: str) -> Version | None:
        """
        Put `new` in the place of `old`, and return the version of the book that says so.

        None if another process was faster, and holds yet another one, or caught the gateway.
        """
        with opened(self._path) as document:
            rows = document.table("checkpoint")
            held = [row["note"] for row in rows.all()]
            if held != ([] if old is None else [old]) or document.table("evidence").all():
                return None
            _replace(rows, _Held(note=new))
            return self.version()

    def evidence(self) -> Evidence | None:
        return self._get("evidence", Evidence)

    def set_evidence(self, evidence: Evidence) -> None:
        """The first piece of evidence is kept: what comes after it is the same gateway."""
        with opened(self._path) as document:
            if not document.table("evidence").all():
                _replace(document.table("evidence"), evidence)

    def pin(self, account: str) -> Pin | None:
        with opened(self._path) as document:
            found = document.table("pins").get(where("account") == account)
        return None if found is None else self._convert(found, Pin)

    def pins(self) -> list[Pin]:
        with opened(self._path) as document:
            return [self._convert(row, Pin) for row in document.table("pins").all()]

    def set_pin(self, pin: Pin) -> None:
        with opened(self._path) as document:
            document.table("pins").upsert(msgspec.to_builtins(pin), where("account") == pin.account)

    def route(self, name: str, alert: AlertHeader | None = None) -> Route | None:
        with opened(self._path) as document:
            found = document.table("routes").get(_leads(name, alert))
        return None if found is None else self._convert(found, Route)

    def set_route(self, route: Route) -> None:
        with opened(self._path) as document:
            document.table("routes").upsert(msgspec.to_builtins(route), _leads(route.name, route.alert))

    def _get(self, table: str, kind: type[T]) -> T | None:
        with opened(self._path) as document:
            rows = document.table(table).all()
        return self._convert(rows[0], kind) if rows else None

    def _convert(self, row: Any, kind: type[T]) -> T:
        try:
            return msgspec.convert(dict(row), kind)
        except msgspec.ValidationError as error:
            raise BadDocument(f"{self._path}: {error}") from error


def _leads(name: str, alert: AlertHeader | None) -> QueryLike:
    """Whether a row is that of a name, for such an alert or for what is none."""
    # Rows that an older program wrote do not speak of alerts.
    header = ~where("alert").test(bool) if alert is None else where("alert") == msgspec.to_builtins(alert)
    found: QueryLike = (where("name") == name) & header
    return found


def _replace(table: Table, value: Struct) -> None:
    """Make `value` the table's only row."""
    row = msgspec.to_builtins(value)
    if table.all():
        table.update(row)
    else:
        table.insert(row)

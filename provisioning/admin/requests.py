"""What only an admin asks the gateway, over an account's own REST interface: lists, page by page, and a few deeds."""

from collections.abc import Callable, Iterator
from typing import Literal, TypeVar

from msgspec import Struct

from chain.api import AccountLine, Digits, GroupView
from chain.block import Header
from device.rest import Gateway

T = TypeVar("T")
P = TypeVar("P", bound=Struct)

MOST_LINES = 200
"""Asked for at a time."""

Act = Literal["account", "contact", "group", "invite", "key", "redact", "revoke"]


class InviteLine(Struct, frozen=True, kw_only=True):
    """An invite. `dead`: its join code was tried too often, or an admin stopped it. Times are in ms."""

    id: str
    kind: str
    role: str
    expires: int
    handle: str | None
    author: str
    used_by: str | None
    index: int
    dead: bool


class JoinLine(Struct, frozen=True, kw_only=True):
    """Somebody who waits to be let in since `since` (ms), and how often the code was tried in vain."""

    invite: str
    handle: str
    kind: str
    role: str
    since: int
    tries: int
    confirmed: bool
    index: int


class LinkLine(Struct, frozen=True, kw_only=True):
    """Two who are in contact; `asked_by` is who asked, while the other has not accepted."""

    one: str
    other: str
    asked_by: str | None
    index: int


class CertificateLine(Struct, frozen=True, kw_only=True):
    """
    The newest certificate of an account. One that is `expired` needs an admin; `renewable` says until when (ms) one has
    allowed it.
    """

    account: str
    handle: str | None
    live: bool
    serial: str
    issued: int
    until: int
    revoked: bool
    expired: bool
    renewable: int | None


class SessionLine(Struct, frozen=True, kw_only=True):
    """Where somebody is logged in: `agent` is the browser in words. Times are in ms."""

    id: str
    account: str
    handle: str | None
    begun: int
    used: int
    expires: int
    agent: str


class AuditLine(Struct, frozen=True, kw_only=True):
    """What was done: `author` did it, and it concerns `about`. What a type does not have is null."""

    index: int
    at: int
    id: str
    type: str
    author: str
    author_handle: str | None
    about: str | None
    about_handle: str | None
    action: str | None
    of: str | None
    of_handle: str | None
    key: str | None
    kind: str | None
    role: str | None
    members: int | None


class RefusalLine(Struct, frozen=True, kw_only=True):
    """What was refused, by the chain's `rule`."""

    number: int
    at: int
    account: str | None
    handle: str | None
    rule: str
    reason: str
    entry: str | None


class Verify(Struct, frozen=True, kw_only=True):
    """The gateway's check of its chain: `state` is `idle`, `running` or `done`; the rest is of what is done."""

    state: str
    ok: bool | None = None
    height: int | None = None
    size: int | None = None
    ms: int | None = None
    detail: str = ""


class Health(Struct, frozen=True, kw_only=True):
    """How the chain is: `timestamp` (ms) of its newest block, its `bytes`, and those that are `free` on its disk."""

    height: int
    size: int
    timestamp: int
    checkpoint: str
    bytes: int
    free: int
    verify: Verify


class BlockView(Struct, frozen=True):
    header: Header
    hash: str


class _AccountPage(Struct, frozen=True):
    accounts: list[AccountLine]
    next: int | None


class _InvitePage(Struct, frozen=True):
    invites: list[InviteLine]
    next: int | None


class _JoinPage(Struct, frozen=True):
    joins: list[JoinLine]
    next: int | None


class _GroupPage(Struct, frozen=True):
    groups: list[GroupView]
    next: int | None


class _LinkPage(Struct, frozen=True):
    links: list[LinkLine]
    next: int | None


class _SessionPage(Struct, frozen=True):
    sessions: list[SessionLine]
    next: int | None


class _CertificatePage(Struct, frozen=True):
    certificates: list[CertificateLine]
    next: str | None


class _AuditPage(Struct, frozen=True):
    lines: list[AuditLine]
    before: int | None


class _RefusalPage(Struct, frozen=True):
    lines: list[RefusalLine]
    before: int | None


class _Renewable(Struct, frozen=True):
    until: int


class Requests:
    """
    The admin's part of one gateway.

    Lists are asked for as they are read. Every call raises `Unreachable` if there is no answer now, `Problem` if the
    answer is no, `Malformed` if it is none.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def accounts(self) -> Iterator[AccountLine]:
        return self._lines("accounts", _AccountPage, lambda page: page.accounts, lambda page: page.next)

    def invites(self) -> Iterator[InviteLine]:
        return self._lines("invites", _InvitePage, lambda page: page.invites, lambda page: page.next)

    def joins(self) -> Iterator[JoinLine]:
        return self._lines("joins", _JoinPage, lambda page: page.joins, lambda page: page.next)

    def groups(self) -> Iterator[GroupView]:
        return self._lines("groups", _GroupPage, lambda page: page.groups, lambda page: page.next)

    def links(self) -> Iterator[LinkLine]:
        return self._lines("links", _LinkPage, lambda page: page.links, lambda page: page.next)

    def sessions(self) -> Iterator[SessionLine]:
        return self._lines("sessions", _SessionPage, lambda page: page.sessions, lambda page: page.next)

    def certificates(self) -> Iterator[CertificateLine]:
        return self._lines(
            "certificates", _CertificatePage, lambda page: page.certificates, lambda page: page.next
        )

    def audit(self, *, type_: Act | None = None) -> Iterator[AuditLine]:
        """Newest first."""
        only = "" if type_ is None else f"&type={type_}"
        return self._lines(
            "audit", _AuditPage, lambda page: page.lines, lambda page: page.before, cursor="before", only=only
        )

    def refusals(self) -> Iterator[RefusalLine]:
        """Newest first."""
        return self._lines(
            "refusals", _RefusalPage, lambda page: page.lines, lambda page: page.before, cursor="before"
        )

    def confirm(self, invite: str, digits: str) -> None:
        self._gateway.tell(f"/v1/admin/joins/{invite}/confirm", Digits(digits))

    def cancel(self, invite: str) -> None:
        self._gateway.tell(f"/v1/admin/joins/{invite}/cancel", {})

    def renew(self, account: str) -> int:
        """Let an account have a certificate although its newest has expired; until when (ms) it may ask."""
        return self._gateway.ask("POST", f"/v1/admin/certificates/{account}/renew", _Renewable, {}).until

    def end_session(self, session: str) -> None:
        self._gateway.tell(f"/v1/admin/sessions/{session}/end", {})

    def health(self) -> Health:
        return self._gateway.ask("GET", "/v1/admin/chain", Health)

    def verify(self) -> None:
        """Have the gateway begin to check its chain; one that is running is not begun again."""
        self._gateway.tell("/v1/admin/chain/verify", {})

    def block(self, height: int) -> BlockView:
        return self._gateway.ask("GET", f"/v1/chain/blocks/{height}", BlockView)

    def log(self) -> Iterator[bytes]:
        """The whole log as lines of JSON, without bodies, in pieces as they come."""
        return self._gateway.pieces("/v1/admin/chain/download")

    def _lines(
        self,
        noun: str,
        kind: type[P],
        lines: Callable[[P], list[T]],
        following: Callable[[P], int | str | None],
        *,
        cursor: str = "after",
        only: str = "",
    ) -> Iterator[T]:
        at: int | str | None = None
        while True:
            where = "" if at is None else f"&{cursor}={at}"
            page = self._gateway.ask("GET", f"/v1/admin/{noun}?limit={MOST_LINES}{where}{only}", kind)
            yield from lines(page)
            at = following(page)
            if at is None:
                return

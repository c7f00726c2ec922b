"""What only an admin asks the gateway, over an account's own REST interface: lists, page by page, and a few deeds."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from msgspec import Struct

from chain import lists
from chain.api import (
    AccountLine,
    AccountPage,
    BlockView,
    ContractLine,
    ContractPage,
    Digits,
    DutyGroup,
    DutyPage,
    Explained,
    GroupPage,
    GroupView,
    Proposal,
)
from chain.contracts.terms import Terms
from chain.health import Health
from chain.lists import Act
from device.rest import Gateway

T = TypeVar("T")
P = TypeVar("P", bound=Struct)

MOST_LINES = 200
"""Asked for at a time."""


class Requests:
    """
    The admin's part of one gateway.

    Lists are asked for as they are read. Every call raises `Unreachable` if there is no answer now, `Problem` if the
    answer is no, `Malformed` if it is none.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def accounts(self) -> Iterator[AccountLine]:
        return self._lines("accounts", AccountPage, lambda page: page.accounts, lambda page: page.next)

    def invites(self) -> Iterator[lists.InviteLine]:
        return self._lines("invites", lists.InvitePage, lambda page: page.invites, lambda page: page.next)

    def joins(self) -> Iterator[lists.JoinLine]:
        return self._lines("joins", lists.JoinPage, lambda page: page.joins, lambda page: page.next)

    def groups(self) -> Iterator[GroupView]:
        return self._lines("groups", GroupPage, lambda page: page.groups, lambda page: page.next)

    def links(self) -> Iterator[lists.LinkLine]:
        return self._lines("links", lists.LinkPage, lambda page: page.links, lambda page: page.next)

    def sessions(self) -> Iterator[lists.SessionLine]:
        return self._lines("sessions", lists.SessionPage, lambda page: page.sessions, lambda page: page.next)

    def certificates(self) -> Iterator[lists.CertificateLine]:
        return self._lines(
            "certificates", lists.CertificatePage, lambda page: page.certificates, lambda page: page.next
        )

    def audit(self, *, type_: Act | None = None) -> Iterator[lists.AuditLine]:
        """Newest first."""
        only = "" if type_ is None else f"&type={type_}"
        return self._lines(
            "audit",
            lists.AuditPage,
            lambda page: page.lines,
            lambda page: page.before,
            cursor="before",
            only=only,
        )

    def refusals(self) -> Iterator[lists.RefusalLine]:
        """Newest first."""
        return self._lines(
            "refusals", lists.RefusalPage, lambda page: page.lines, lambda page: page.before, cursor="before"
        )

    def contracts(self) -> list[ContractLine]:
        """Those in force, the oldest first."""
        return self._gateway.ask("GET", "/v1/contracts", ContractPage).contracts

    def explained(self, contract: str, terms: Terms) -> Explained:
        """What a contract would do; raises `Problem` where it could not be put in force."""
        return self._gateway.ask("POST", "/v1/admin/contracts/check", Explained, Proposal(contract, terms))

    def duty(self) -> Iterator[DutyGroup]:
        """Who is on, group by group."""
        return self._lines("duty", DutyPage, lambda page: page.groups, lambda page: page.next, under="/v1")

    def confirm(self, invite: str, digits: str) -> None:
        self._gateway.tell(f"/v1/admin/joins/{invite}/confirm", Digits(digits))

    def cancel(self, invite: str) -> None:
        self._gateway.tell(f"/v1/admin/joins/{invite}/cancel", {})

    def renew(self, account: str) -> int:
        """Let an account have a certificate although its newest has expired; until when (ms) it may ask."""
        return self._gateway.ask("POST", f"/v1/admin/certificates/{account}/renew", lists.Renewed, {}).until

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
        under: str = "/v1/admin",
    ) -> Iterator[T]:
        at: int | str | None = None
        while True:
            where = "" if at is None else f"&{cursor}={at}"
            page = self._gateway.ask("GET", f"{under}/{noun}?limit={MOST_LINES}{where}{only}", kind)
            yield from lines(page)
            at = following(page)
            if at is None:
                return

"""
The lists that a gateway shows an admin, page by page: documents that it makes, and that the admin's commands read.

Accounts and groups are in `chain.api`, for a device's client reads them too. Like all answers, these may gain members.
"""

from typing import Literal

from msgspec import Struct

from chain.body import Handle
from chain.entry import Count, EntryId, Kind, Milliseconds, Role
from chain.errors import Rule
from chain.identity import AccountId, PartyId, Thumbprint

Act = Literal[
    "invite", "account", "key", "revoke", "contact", "group", "shift", "redact", "contract", "approve"
]
"""The types of entries that do something, rather than say something."""


class InviteLine(Struct, frozen=True, kw_only=True):
    """
    An invite without what its join code hashes to. `expires` is in ms, `used_by` the account it let in.

    `handle` is forgotten with the invite's body. `dead`: its code was tried too often, or an admin stopped it.
    """

    id: EntryId
    kind: Kind
    role: Role
    expires: Milliseconds
    handle: Handle | None
    author: AccountId
    used_by: AccountId | None
    index: Count
    dead: bool


class InvitePage(Struct, frozen=True):
    """`GET /v1/admin/invites`: `next` is the `after` of the next page, if there is one."""

    invites: list[InviteLine]
    next: Count | None


class JoinLine(Struct, frozen=True, kw_only=True):
    """
    Somebody who waits since `since` (ms), with the join code of `invite`, that was tried `tries` times in vain.
    `index` is that of the invite's entry; `confirmed` whether it only has to ask once more.
    """

    invite: EntryId
    handle: Handle
    kind: Kind
    role: Role
    since: Milliseconds
    tries: Count
    confirmed: bool
    index: Count


class JoinPage(Struct, frozen=True):
    """`GET /v1/admin/joins`."""

    joins: list[JoinLine]
    next: Count | None


class LinkLine(Struct, frozen=True, kw_only=True):
    """
    Two that are in contact. `asked_by` is who asked, while the other has not accepted; `index` that of the entry that
    made it so.
    """

    one: PartyId
    other: PartyId
    asked_by: AccountId | None
    index: Count


class LinkPage(Struct, frozen=True):
    """`GET /v1/admin/links`."""

    links: list[LinkLine]
    next: Count | None


class CertificateLine(Struct, frozen=True, kw_only=True):
    """
    The newest certificate of an account. `serial` in hex; `issued` and `until` in ms; `revoked` whether it is on the
    list of revoked ones; `expired` whether its account needs an admin to renew it; `renewable` until when (ms) an
    admin allowed that.
    """

    account: AccountId
    handle: Handle | None
    live: bool
    serial: str
    issued: Milliseconds
    until: Milliseconds
    revoked: bool
    expired: bool
    renewable: Milliseconds | None


class CertificatePage(Struct, frozen=True):
    """`GET /v1/admin/certificates`."""

    certificates: list[CertificateLine]
    next: AccountId | None


class Renewed(Struct, frozen=True):
    """`POST /v1/admin/certificates/<account>/renew`: the account may ask for a certificate until then, in ms."""

    until: Milliseconds


class SessionLine(Struct, frozen=True, kw_only=True):
    """
    Where somebody is logged in: `agent` is the browser in words, `current` whether it is the one that asks. Times are
    in ms.
    """

    id: str
    account: AccountId
    handle: Handle | None
    begun: Milliseconds
    used: Milliseconds
    expires: Milliseconds
    agent: str
    current: bool


class SessionPage(Struct, frozen=True):
    """`GET /v1/admin/sessions`."""

    sessions: list[SessionLine]
    next: Count | None


class AuditLine(Struct, frozen=True, kw_only=True):
    """
    An entry that did something: `author` signed it, and it concerns `about`, an account, a group or an entry.

    `at` (ms) is its block's time. The handles are today's; a group's is its name. What a type does not have is null:
    docs/protocol.md says which has what.
    """

    index: Count
    at: Milliseconds
    id: EntryId
    type: Act
    author: AccountId
    author_handle: Handle | None
    about: str | None = None
    about_handle: str | None = None
    action: str | None = None
    of: AccountId | None = None
    of_handle: Handle | None = None
    key: Thumbprint | None = None
    kind: Kind | None = None
    role: Role | None = None
    members: Count | None = None


class AuditPage(Struct, frozen=True):
    """`GET /v1/admin/audit`, newest first; `before` is where the next page begins, if there is one."""

    lines: list[AuditLine]
    before: Count | None


class RefusalLine(Struct, frozen=True, kw_only=True):
    """
    A refusal, `at` in ms. Numbers that are passed over were counted and not kept.

    `account` is whose connection it came over, or the entry's author where a browser handed it in; `entry` its id.
    """

    number: Count
    at: Milliseconds
    account: AccountId | None
    handle: Handle | None
    rule: Rule
    reason: str
    entry: EntryId | None


class RefusalPage(Struct, frozen=True):
    """`GET /v1/admin/refusals`, newest first; `before` as in `AuditPage`."""

    lines: list[RefusalLine]
    before: Count | None

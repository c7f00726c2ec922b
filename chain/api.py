"""The REST documents that both a gateway and a device must read the same way."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chain.block import Header
from chain.body import Handle, Name
from chain.contracts.terms import ContractId, Terms
from chain.entry import Code, Count, EntryId, Hash, Kind, Milliseconds, Priority, Role, Stream
from chain.identity import AccountId, GroupId, PartyId
from chain.wire import Delivered


class Site(Struct, frozen=True, kw_only=True):
    """
    `GET /v1/site`: what a newcomer needs to know, and may check.

    `gateway` is the genesis entry, the gateway's own account: its author is the id in the join code.
    `now` is the gateway's clock in ms; `mqtt_host` and `mqtt_port` say where its broker listens. `pin` is what join
    codes name it by.
    """

    origin: str
    gateway: Delivered
    now: Milliseconds
    mqtt_host: str
    mqtt_port: int
    version: str
    pin: str


class ShowCode(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/invites`: the secret of a join code; in the body, for a URL is written down in many places."""

    code: Code

    def __repr__(self) -> str:
        return "ShowCode(...)"


class Invited(Struct, frozen=True, kw_only=True):
    """
    `POST /v1/invites`: what an unused join code is for, told to whoever knows the code.

    `id` is the invite's entry, which the new account's entry names.
    """

    id: EntryId
    handle: Handle
    kind: Kind
    role: Role
    expires: Milliseconds


class Match(Struct, frozen=True):
    """`POST /v1/accounts` where an admin is to compare six digits (`joincode.digits`): ask again, with the same parcel."""

    nonce: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{21}[AQgw]\Z")]


class Digits(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/admin/joins/<invite>/confirm`: what the newcomer's side shows."""

    digits: Annotated[str, Meta(pattern=r"\A[0-9]{6}\Z")]


class CertificateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/certificates`: a PKCS#10 request (RFC 2986) in DER, as base64url. Its subject's CN is the account."""

    csr: Annotated[str, Meta(max_length=4096)]


class Certified(Struct, frozen=True, kw_only=True):
    """
    A certificate for the caller, and what it needs besides. PEM throughout.

    `certificate` is followed by those above it, without the root; `crl` is in force until `crl_until`; `issued` and
    `until` say when the certificate was made and when it ends. All times are in ms, `now` is the gateway's clock.
    """

    certificate: str
    root: str
    crl: str
    issued: Milliseconds
    until: Milliseconds
    crl_until: Milliseconds
    now: Milliseconds


class Party(Struct, frozen=True, kw_only=True):
    """
    An account and the proof of its keys.

    `entries`: its `account` entry and every `key` entry since, oldest first, each with its receipt.
    `handle` and `name` are what its profile says, and only the gateway's word.
    """

    account: AccountId
    kind: Kind
    role: Role
    live: bool
    entries: list[Delivered]
    handle: Handle | None = None
    name: Name | None = None


class AlertHeader(Struct, frozen=True, forbid_unknown_fields=True):
    """Of an alert that somebody is about to raise, what contracts go by."""

    kind: Literal["physiological", "technical"]
    priority: Priority


class Intent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    `POST /v1/intents`: the caller wants to write to `to`, a handle, a group's name, or an id.

    With `alert`, it is to be sealed for those, too, to whom it may escalate. With `re`, a message of an alert that the
    caller may read, it is about that one.
    """

    to: Annotated[str, Meta(min_length=1, max_length=80)]
    alert: AlertHeader | None = None
    re: EntryId | None = None


class EscalationParty(Struct, frozen=True, kw_only=True):
    """One that a contract's steps name, and its accounts that have a key, as in `IntentAnswer`."""

    to: PartyId
    recipients: list[Party]
    on_duty: list[AccountId]
    group: Delivered | None = None
    admin: Party | None = None


class Escalation(Struct, frozen=True, kw_only=True):
    """
    The contract that an alert escalates by: `contract` is the entry that installed it, `admin` whoever signed that.

    A party whom its steps do not name is the gateway's invention.
    """

    contract: Delivered
    admin: Party
    parties: list[EscalationParty]


class IntentAnswer(Struct, frozen=True, kw_only=True):
    """
    Both sides exist and may talk: the addressees, each with proven keys; those of them who are `on_duty` come first.

    For a group, `group` is the admin's entry that names its members, and `admin` whoever signed it: an
    addressee that is not among those members is the gateway's invention. `escalation` is told of alerts only.
    """

    to: PartyId
    recipients: list[Party]
    group: Delivered | None = None
    admin: Party | None = None
    on_duty: list[AccountId] = []
    escalation: Escalation | None = None


class Friend(Struct, frozen=True, kw_only=True):
    """
    One line of `POST /friendslist`. `id` is an account or a group.

    `state`: `contact`, `asked` (they wait for me), `asking` (I wait for them), or `member` of the group.
    `online` and `last_seen` (ms) are the gateway's word, and told of contacts only.
    """

    id: PartyId
    kind: str
    state: str
    live: bool
    handle: str | None = None
    name: str | None = None
    online: bool = False
    last_seen: int | None = None


class AlertStep(Struct, frozen=True, kw_only=True):
    """A step of an alert's escalation: whom it names, as people call them, and how many seconds after the one before."""

    to: PartyId
    name: Name | None
    after: Count


class AlertLine(Struct, frozen=True, kw_only=True):
    """
    What became of an alert that concerns the caller. `id` is its first message, `to` whom that was addressed to.

    `active`: the condition goes on. `began`, `taken_at` and `snoozed_until` are in ms, by the wall clock. `contract` is
    the one that escalates it, with its `steps`: `step` is the newest that fired, in lap `lap`, and `due_in` are the ms
    until the next. `nobody`: the last one passed. `concerns` are all parties that it reached.
    """

    id: EntryId
    author: AccountId
    episode: Stream
    to: PartyId
    priority: Priority
    kind: Literal["physiological", "technical"]
    active: bool
    began: Milliseconds
    taken_by: AccountId | None
    taken_at: Milliseconds | None
    resolved: bool
    snoozed_until: Milliseconds | None
    contract: ContractId | None
    step: int | None
    lap: int | None
    steps: list[AlertStep]
    due_in: Count | None
    nobody: bool
    concerns: list[PartyId]


class AlertPage(Struct, frozen=True):
    """`GET /v1/alerts`: those that are open, or were until lately, the newest first; `more`: older ones were left out."""

    alerts: list[AlertLine]
    more: bool = False


class AlertEntries(Struct, frozen=True):
    """
    `GET /v1/alerts/<id>/entries`: the messages of an alert and what was answered, by rising index.

    `more`: there are older ones besides its first message.
    """

    entries: list[Delivered]
    more: bool = False


class LoadLine(Struct, frozen=True, kw_only=True):
    """
    What one author raised in the week that began at `week` (ms; a Monday, 00:00 UTC).

    Of `alerts`, so many were `technical`, were `taken`, and came to `nobody`. Half of those that were answered had waited
    `median_ms` or less.
    """

    author: AccountId
    week: Milliseconds
    alerts: Count
    technical: Count
    taken: Count
    nobody: Count
    median_ms: Count | None


class LoadPage(Struct, frozen=True):
    """`GET /v1/alerts/load`: the newest week first."""

    weeks: list[LoadLine]


class ShiftLine(Struct, frozen=True):
    """Somebody is on from `begins` to `ends`, in ms."""

    account: AccountId
    begins: Milliseconds
    ends: Milliseconds


class DutyGroup(Struct, frozen=True, kw_only=True):
    """Who is on now in a group (everybody, where it is nobody's shift), and the shifts that have not ended."""

    id: GroupId
    name: Name | None
    members: list[AccountId]
    on: list[AccountId]
    shifts: list[ShiftLine]


class DutyPage(Struct, frozen=True):
    """`GET /v1/duty`: the groups that the caller may speak to. `now` is the gateway's clock in ms."""

    groups: list[DutyGroup]
    now: Milliseconds
    next: Count | None


class ContractLine(Struct, frozen=True, kw_only=True):
    """A contract in force: since when (ms), its `terms`, and what they say in `words`."""

    id: ContractId
    hash: Hash
    kind: Literal["access", "rate", "quorum", "escalate", "retain"]
    installed: Milliseconds
    terms: Terms
    words: list[str]


class ContractPage(Struct, frozen=True):
    """`GET /v1/contracts`: those in force, the oldest first."""

    contracts: list[ContractLine]


class Proposal(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /v1/admin/contracts/check`: a contract that an admin might install."""

    contract: ContractId
    terms: Terms


class Explained(Struct, frozen=True):
    """What a proposed contract says in `words`, and what it `would` have done to the history that there is."""

    words: list[str]
    would: list[str]


class AccountLine(Struct, frozen=True, kw_only=True):
    """
    One line of the admin's list of accounts. `index` is that of its account entry, `keyed` whether it has a key
    in force, `last_seen` (ms) is when it last wrote, or now if it is online.
    """

    account: AccountId
    kind: Kind
    role: Role
    live: bool
    keyed: bool
    index: Count
    handle: Handle | None
    name: Name | None
    online: bool
    last_seen: Milliseconds | None


class AccountPage(Struct, frozen=True):
    """`GET /v1/admin/accounts`: `next` is the `after` of the next page, if there is one."""

    accounts: list[AccountLine]
    next: Count | None


class GroupView(Struct, frozen=True, kw_only=True):
    """One line of the admin's list of groups."""

    id: GroupId
    name: Name | None
    members: list[AccountId]


class GroupPage(Struct, frozen=True):
    """`GET /v1/admin/groups`."""

    groups: list[GroupView]
    next: Count | None


class BlockView(Struct, frozen=True):
    """
    `GET /v1/chain/blocks/<height>`: `hash` is the SHA-256 of the header in canonical form, `entries` the ids of what the
    block holds.
    """

    header: Header
    hash: Hash
    count: Count
    entries: list[EntryId]


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    An RFC 9457 problem document. `rule` names the chain's rule, `refusal` is the gateway's signed word for it,
    and `now` its clock (ms) where the caller's may be the problem.
    """

    type: str
    title: str
    status: int
    detail: str
    rule: str | None = None
    refusal: str | None = None
    now: int | None = None

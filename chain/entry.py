"""
Entries: the signed statements that the chain is made of.

An entry is a compact JWS whose payload is canonical JSON; its exact bytes are the Merkle leaf, and
nothing is ever re-serialised. What an entry *may* do is not decided here but in `chain.rules`.
"""

import base64
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from chain import jws
from chain.contracts.terms import MAX_STEPS, ContractId, Terms
from chain.ed25519 import Signer
from chain.encoding import b64url, canonical, read_canonical
from chain.errors import Malformed, Oversized
from chain.identity import AccountId, GroupId, PartyId, SealingKey, SigningKey, Thumbprint

TYP = "blockpost-entry"
MAX_LEAF_BYTES = 65_535
"""tlog-tiles gives an entry a 16-bit length."""

MAX_MEMBERS = 64
"""A sealed message has at most this many addressee keys."""

MAX_DEEDS = 128
"""A tick says no more at once; what is left, the next one says."""

MAX_MS = 2**53 - 1
"""The largest integer that JSON readers agree on (RFC 8785)."""

EntryId = Annotated[
    str, Meta(pattern=r"\A[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
]
"""A UUIDv7 (RFC 9562) in lower case."""

Origin = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9.-]*/[a-z0-9]{1,64}\Z", max_length=200)]
Hash = Thumbprint
"""32 bytes in base64url."""

Stream = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{22}\Z")]
Code = Annotated[str, Meta(pattern=r"\A[a-z2-7]{16}\Z")]
Milliseconds = Annotated[int, Meta(ge=0, le=MAX_MS)]
Count = Annotated[int, Meta(ge=0, le=MAX_MS)]

Kind = Literal["person", "device", "service"]
Role = Literal["admin", "member", "gateway"]
Priority = Literal["high", "medium", "low", "info"]
SnoozeReason = Literal["care", "transport", "repair", "known", "test", "other"]


class Seen(Struct, frozen=True, forbid_unknown_fields=True):
    """The last checkpoint its author verified: evidence against a gateway that forks."""

    root: Hash
    size: Count


class BodyRef(Struct, frozen=True, forbid_unknown_fields=True):
    """`digest` is HMAC-SHA256(salt, body); `size` the body's length in bytes."""

    digest: Hash
    size: Annotated[int, Meta(ge=0, le=262_144)]


class Alert(Struct, frozen=True, forbid_unknown_fields=True):
    """The clear header of an alert: all that the gateway ever learns of it."""

    episode: Stream
    kind: Literal["physiological", "technical"]
    priority: Priority
    state: Literal["start", "continue", "end"]


class Common(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"
):
    """
    What every entry says.

    `chain`: the origin of the one chain it is for. `stream` is random, one per installation and outbox
    lane; `seq` rises strictly in it. `at`: the author's clock in ms since 1970, and in `clock` whether
    that clock was synchronised.
    """

    v: Literal[1]
    chain: Origin
    id: EntryId
    author: AccountId
    stream: Stream
    seq: Annotated[int, Meta(ge=1, le=MAX_MS)]
    at: Milliseconds
    clock: Literal["synced", "free"]
    seen: Seen


class Invite(Common, frozen=True, kw_only=True, tag="invite"):
    """An admin lets one new account in. The body (`chain.body.Invitation`) names its handle."""

    code_hash: Hash
    kind: Kind
    role: Role
    expires: Milliseconds
    body: BodyRef


class Account(Common, frozen=True, kw_only=True, tag="account"):
    """A new account speaks for the first time. `code` is what the invite's hash commits to."""

    kind: Kind
    role: Role
    sign: SigningKey
    seal: SealingKey | None = None
    invite: EntryId | None = None
    code: Code | None = None


class Profile(Common, frozen=True, kw_only=True, tag="profile"):
    """Handle, display name, login and key backups, all in the body (`chain.body.Card`)."""

    body: BodyRef


class Key(Common, frozen=True, kw_only=True, tag="key"):
    """New keys for `account`: by its old key (a rotation) or by an admin (a reset)."""

    account: AccountId
    sign: SigningKey
    seal: SealingKey


class Revoke(Common, frozen=True, kw_only=True, tag="revoke"):
    """An account ends; or, with `key`, one of its signing keys."""

    account: AccountId
    reason: Literal["left", "lost", "compromised", "retired"]
    key: Thumbprint | None = None


class Contact(Common, frozen=True, kw_only=True, tag="contact"):
    """The friend list. `of` is the account an admin links or unlinks; else it is the author's own list."""

    action: Literal["request", "accept", "remove", "link", "unlink"]
    peer: PartyId
    of: AccountId | None = None


class Group(Common, frozen=True, kw_only=True, tag="group"):
    """A named set of accounts, sorted; no members ends it. The body (`chain.body.GroupName`) names it."""

    group: GroupId
    members: Annotated[list[AccountId], Meta(max_length=MAX_MEMBERS)]
    body: BodyRef | None = None


class Message(Common, frozen=True, kw_only=True, tag="message"):
    """A sealed message: the body is a JWE, `commitment` binds what it says (design of `docs/protocol.md`)."""

    to: PartyId
    commitment: Hash
    body: BodyRef
    re: EntryId | None = None
    alert: Alert | None = None


class Status(Common, frozen=True, kw_only=True, tag="status"):
    """
    A recipient says what became of a message.

    `until` (ms since 1970) and `reason` go with `snoozed`, and with nothing else: silence always ends, and says why.
    """

    about: EntryId
    state: Literal["seen", "taken", "released", "resolved", "snoozed"]
    until: Milliseconds | None = None
    reason: SnoozeReason | None = None


class Redact(Common, frozen=True, kw_only=True, tag="redact"):
    """The body of `about` is erased everywhere."""

    about: EntryId
    reason: Literal["mistake", "privacy", "retention", "legal"]


class Contract(Common, frozen=True, kw_only=True, tag="contract"):
    """Install a smart contract, or another version of one; without `terms`, remove it."""

    action: Literal["install", "remove"]
    contract: ContractId
    terms: Terms | None = None


class Approve(Common, frozen=True, kw_only=True, tag="approve"):
    """An admin agrees to what another may then do (`chain.contracts.quorum`)."""

    deed: Hash


class Shift(Common, frozen=True, kw_only=True, tag="shift"):
    """
    Who of `party` is on duty from `begins` to `ends` (ms since 1970), and `instead` of whom.

    Without `account`, `instead` is off, and nobody in their place.
    """

    party: GroupId
    begins: Milliseconds
    ends: Milliseconds
    account: AccountId | None = None
    instead: AccountId | None = None


class Deed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    What `contract` did because time passed.

    `about` is the first message of an alert, or the message whose body was `erased`. With `step` go which one
    it was, from 0, and in `to` whom it names.
    """

    contract: ContractId
    did: Literal["step", "nobody", "overdue", "woken", "erased"]
    about: EntryId
    step: Annotated[int, Meta(ge=0, le=MAX_STEPS - 1)] | None = None
    to: PartyId | None = None


class Tick(Common, frozen=True, kw_only=True, tag="tick"):
    """Time passed, and what contracts did because of it; `now` is the time of its block."""

    now: Milliseconds
    did: Annotated[list[Deed], Meta(min_length=1, max_length=MAX_DEEDS)]


Entry = (
    Invite
    | Account
    | Profile
    | Key
    | Revoke
    | Contact
    | Group
    | Shift
    | Message
    | Status
    | Redact
    | Contract
    | Approve
    | Tick
)

_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


class SignedEntry(Struct, frozen=True):
    """An entry as it came: `leaf` is what is hashed, stored and served; `verified` is up to the reader."""

    leaf: bytes
    entry: Entry
    signed: jws.Jws

    @property
    def kid(self) -> str:
        return self.signed.header.kid

    @property
    def body(self) -> BodyRef | None:
        return getattr(self.entry, "body", None)

    def verify(self, key: SigningKey) -> None:
        """Raise `Unverified` unless `key` signed these bytes."""
        self.signed.verify(key)


def sign(entry: Common, *, kid: str, signer: Signer) -> bytes:
    """Return the leaf: the compact JWS of `entry`; raise `Oversized` if it would be too long."""
    leaf = jws.sign(canonical(entry), typ=TYP, kid=kid, signer=signer)
    if len(leaf) > MAX_LEAF_BYTES:
        raise Oversized(f"entry: at most {MAX_LEAF_BYTES} bytes, got {len(leaf)}")
    return leaf


def parse(leaf: bytes) -> SignedEntry:
    """Read a leaf; raise `Malformed`. Neither signature nor permission is checked here."""
    if len(leaf) > MAX_LEAF_BYTES:
        raise Oversized(f"entry: at most {MAX_LEAF_BYTES} bytes, got {len(leaf)}")
    signed = jws.parse(leaf, typ=TYP)
    entry = read_canonical(_decoder, signed.payload, what="entry")
    if isinstance(entry, Group) and entry.members != sorted(set(entry.members)):
        raise Malformed("entry: group members want to be sorted and without repeats")
    return SignedEntry(leaf=leaf, entry=entry, signed=signed)


def recall(leaf: bytes) -> Entry:
    """What a leaf of one's own chain says: its form was checked when it came, and is not again, as in `parse`."""
    payload = leaf.split(b".", 2)[1]
    return _decoder.decode(base64.urlsafe_b64decode(payload + b"=="))


def new_id(now_ms: int, random: Callable[[int], bytes]) -> str:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of `now_ms`, 74 random bits."""
    noise = int.from_bytes(random(10), "big")
    value = (now_ms & (2**48 - 1)) << 80 | 0x7 << 76 | (noise >> 68) << 64 | 0b10 << 62 | noise & (2**62 - 1)
    return str(uuid.UUID(int=value))


def new_stream(random: Callable[[int], bytes]) -> str:
    """128 random bits in base64url: an outbox lane or an alert's episode."""
    return b64url(random(16))


def id_bytes(entry_id: str) -> bytes:
    """The 16 bytes of an entry's id, as the store keeps it."""
    return bytes.fromhex(entry_id.replace("-", ""))


def type_of(entry: Common) -> str:
    """The entry's type as it is on the wire: `message`, `account`, ..."""
    config: Any = entry.__struct_config__
    return str(config.tag)

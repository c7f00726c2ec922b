"""What travels: MQTT topics, the parcel that brings an entry in, and the messages that come back."""

import re
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chain import body, entry, jws
from chain.body import Body
from chain.ed25519 import Signer
from chain.encoding import Bytes32, b64url, canonical, read, read_canonical
from chain.entry import Count, EntryId, Hash, Milliseconds, SignedEntry
from chain.errors import Malformed, Oversized, Rule, Unverified
from chain.identity import SigningKey

PREFIX = "blockpost/v1"
HEAD_TOPIC = f"{PREFIX}/gateway/head"
"""The newest signed checkpoint, retained."""

UP_ENTRIES = f"{PREFIX}/up/+/entry"
"""What the committer subscribes to."""

MAX_PARCEL_BYTES = 655_360
"""An entry of 64 KiB and a body of 256 KiB, with room for JSON's escapes."""

UP_STATUSES = f"{PREFIX}/up/+/status"
"""What the web server subscribes to."""

_UP = re.compile(rf"{PREFIX}/up/([a-z2-7]{{26}})/entry")
_STATUS = re.compile(rf"{PREFIX}/up/([a-z2-7]{{26}})/status")

Lane = Literal["entry", "receipt", "refusal"]


def up_topic(account: str, lane: Literal["entry", "status"]) -> str:
    return f"{PREFIX}/up/{account}/{lane}"


def down_topic(account: str, lane: Lane) -> str:
    return f"{PREFIX}/down/{account}/{lane}"


@lru_cache(maxsize=4096)
def account_of(topic: str) -> str:
    """The account on whose topic an entry came; raise `Malformed` for any other topic."""
    match = _UP.fullmatch(topic)
    if not match:
        raise Malformed("topic: want an account's own entry topic")
    return match[1]


def status_account_of(topic: str) -> str | None:
    """The account whose status topic this is; none if it is another topic."""
    match = _STATUS.fullmatch(topic)
    return match[1] if match else None


class Online(Struct, frozen=True, forbid_unknown_fields=True):
    """On `up/<account>/status`: whether the account is connected. Its last will says that it is not."""

    online: bool


class Parcel(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    An entry and the body that travels beside it.

    `after` is not signed: it is the seq of the entry that its author sent before this one in the same
    stream and still waits for. The committer takes the two in that order or not yet (rule `gap`), which is
    what lets a device keep many entries under way and never lose one out of the middle.
    """

    entry: str
    salt: Bytes32 | None = None
    body: str | None = None
    after: Count | None = None

    def load(self) -> "Submission":
        """Parse all of it; raise `Malformed`, or `Unverified` for a body that is not the entry's."""
        signed = entry.parse(self.entry.encode())
        if (self.body is None) != (self.salt is None) or (self.body is None) != (signed.body is None):
            raise Malformed("parcel: want body and salt exactly where the entry binds a body")
        if self.body is None or self.salt is None or signed.body is None:
            return Submission(signed, None, self.after)
        beside = body.salted(self.salt, self.body)
        beside.check(signed.body)
        return Submission(signed, beside, self.after)


class Submission(Struct, frozen=True):
    """A parcel that parsed: its body is the one the entry binds; its signature is not checked yet."""

    signed: SignedEntry
    body: Body | None
    after: int | None = None


def parcel(leaf: bytes, beside: Body | None, *, after: int | None = None) -> Parcel:
    text = leaf.decode("ascii")
    if beside is None:
        return Parcel(text, after=after)
    return Parcel(text, salt=b64url(beside.salt), body=beside.content, after=after)


class Consistency(Struct, frozen=True, forbid_unknown_fields=True):
    """Proof that the checkpoint of this message continues the one of `size` entries."""

    size: Count
    path: Annotated[list[Hash], Meta(max_length=64)]


class ReceiptOf(Struct, frozen=True, forbid_unknown_fields=True):
    """The receipt (C2SP tlog-proof text) of the entry with this id."""

    id: EntryId
    receipt: str


class Receipts(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    On `down/<account>/receipt`: one message per block and author.

    `busy`: more waits for the committer than it can take for the next blocks: have less under way.
    """

    receipts: list[ReceiptOf]
    consistency: Consistency | None = None
    busy: bool = False


class Delivered(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    A committed entry with its body, for somebody who may have it. An erased body is left out.

    `committed` is when its block was made, in ms by the gateway's clock; over MQTT it is left out, for it is now.
    """

    index: Count
    entry: str
    receipt: str
    committed: Milliseconds | None = None
    salt: Hash | None = None
    body: str | None = None


class Delivery(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    On `down/<account>/entry`, and the answer to a catch-up.

    `previous` is the index of the last entry delivered before these (-1: none): a gap shows at once.
    """

    previous: Annotated[int, Meta(ge=-1)]
    entries: list[Delivered]
    consistency: Consistency | None = None


class Refusal(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    Why an entry was not committed; signed by the gateway (a compact JWS).

    `digest` is the SHA-256 of the parcel's bytes as they came; `id` is there if they parsed that far.
    """

    chain: str
    rule: Rule
    reason: Annotated[str, Meta(max_length=400)]
    digest: Hash
    at: Count
    id: EntryId | None = None
    stream: str | None = None
    seq: Count | None = None


REFUSAL_TYP = "blockpost-refusal"

_parcels = msgspec.json.Decoder(Parcel)
_receipts = msgspec.json.Decoder(Receipts)
_deliveries = msgspec.json.Decoder(Delivery)
_refusals = msgspec.json.Decoder(Refusal)
_onlines = msgspec.json.Decoder(Online)

encode = msgspec.json.Encoder().encode


def read_parcel(data: bytes) -> Parcel:
    if len(data) > MAX_PARCEL_BYTES:
        raise Oversized(f"parcel: at most {MAX_PARCEL_BYTES} bytes, got {len(data)}")
    return read(_parcels, data, what="parcel")


def read_receipts(data: bytes) -> Receipts:
    return read(_receipts, data, what="receipts")


def read_delivery(data: bytes) -> Delivery:
    return read(_deliveries, data, what="delivery")


def read_online(data: bytes) -> Online:
    return read(_onlines, data, what="status")


def sign_refusal(refusal: Refusal, *, kid: str, signer: Signer) -> bytes:
    return jws.sign(canonical(refusal), typ=REFUSAL_TYP, kid=kid, signer=signer)


def read_refusal(data: bytes, *, key: SigningKey, origin: str) -> Refusal:
    """Return the refusal that `key` signed for the chain `origin`; raise `Malformed` or `Unverified`."""
    signed = jws.parse(data, typ=REFUSAL_TYP)
    signed.verify(key)
    refusal = read_canonical(_refusals, signed.payload, what="refusal")
    if refusal.chain != origin:
        raise Unverified(f"refusal: want one of {origin!r}, got {refusal.chain[:80]!r}")
    return refusal

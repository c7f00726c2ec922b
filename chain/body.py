"""
Bodies: what travels beside an entry, is bound to it by a salted digest, and can be erased.

A message's body is sealed and opaque here; the others are small clear documents.
"""

import hmac
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from chain.encoding import HASH_BYTES, b64url, canonical, read_canonical, unb64url_hash
from chain.entry import BodyRef, Hash
from chain.errors import Malformed, Oversized, Unverified

MAX_BODY_BYTES = 262_144

ERASED = bytes(HASH_BYTES)
"""What stands in the place of an erased body's salt; no body that comes in may have it."""

Handle = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,31}\Z")]
"""The name people type: `dr.lee`, `fridge-2`. Unique among live accounts."""

Name = Annotated[str, Meta(min_length=1, max_length=80)]


class Login(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    `verifier` is SHA-256 of what a password derives to under `salt`; it can check and not impersonate.

    `recovery` is the same of the recovery code, for whoever has forgotten the password.
    """

    salt: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{22}\Z")]
    verifier: Hash
    recovery: Hash | None = None


class Card(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body of a `profile`. `backups` are private keys wrapped for their owner alone (compact JWE)."""

    handle: Handle
    name: Name
    login: Login | None = None
    backups: Annotated[list[Annotated[str, Meta(max_length=16_384)]], Meta(max_length=4)] = []


class Invitation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    The body of an `invite`: the handle that the new account will have. With `match`, the gateway lets it in once an
    admin has compared six digits with the newcomer (`chain.joincode.digits`).
    """

    handle: Handle
    match: bool = False


class GroupName(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a `group`."""

    name: Name


T = TypeVar("T", Card, Invitation, GroupName)


class Body(Struct, frozen=True):
    """A body and the 32-byte salt that binds it: erase both, and the digest tells nothing."""

    salt: bytes
    content: str

    @property
    def ref(self) -> BodyRef:
        data = self.content.encode()
        return BodyRef(digest=b64url(hmac.digest(self.salt, data, "sha256")), size=len(data))

    def check(self, ref: BodyRef) -> None:
        """Raise `Unverified` unless this is the body that `ref` binds."""
        if self.ref != ref:
            raise Unverified("body: its digest or size is not the entry's")

    def read(self, kind: type[T]) -> T:
        """The clear document it holds; raise `Malformed`."""
        decoder = msgspec.json.Decoder(kind)
        return read_canonical(decoder, self.content.encode(), what=kind.__name__.lower())


def make(content: str, random: Callable[[int], bytes]) -> Body:
    """Salt a body; raise `Oversized` if it is too long."""
    if (size := len(content.encode())) > MAX_BODY_BYTES:
        raise Oversized(f"body: at most {MAX_BODY_BYTES} bytes, got {size}")
    return Body(salt=random(HASH_BYTES), content=content)


def document(value: Card | Invitation | GroupName, random: Callable[[int], bytes]) -> Body:
    """Salt one of the clear documents."""
    return make(canonical(value).decode(), random)


def salted(salt: str, content: str) -> Body:
    """A body as it came over the wire; raise `Malformed`."""
    raw = unb64url_hash(salt, what="body salt")
    if raw == ERASED:
        raise Malformed("body salt: nothing but zeros stands for an erased body")
    return Body(salt=raw, content=content)

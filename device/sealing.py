"""
Sealed bodies: what only its addressees can read (JWE General JSON, RFC 7516 section 7.2.1).

One content key, A256GCM, wrapped for each reader with RSA-OAEP-256. Who wrote it, in which entry, and for
which readers is bound inside; what it says is bound to the entry by `commitment`, which every reader
recomputes: AES-GCM alone lets a cheat make one body that two readers open to two texts.
"""

import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chain.body import MAX_BODY_BYTES
from chain.encoding import HASH_BYTES, b64url, canonical, digest, read_canonical, unb64url, unb64url_hash
from chain.entry import MAX_MEMBERS, EntryId, Hash
from chain.errors import ChainError, Malformed
from chain.identity import AccountId, SealingKey, Thumbprint
from device import gcm, oaep
from device.errors import CannotOpen, CannotSeal
from device.keys import SealingSecret

MAX_READERS = MAX_MEMBERS + 1
"""The addressees' keys, and the sender's own."""

ContentType = Annotated[str, Meta(pattern=r"\A[!-~]{1,127}\Z")]


class _Protected(Struct, frozen=True, forbid_unknown_fields=True):
    cty: ContentType
    iss: AccountId
    mid: EntryId
    rcp: Hash
    skid: Thumbprint
    enc: Literal["A256GCM"] = "A256GCM"
    typ: Literal["blockpost-message"] = "blockpost-message"


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    kid: Thumbprint
    alg: Literal["RSA-OAEP-256"] = "RSA-OAEP-256"


class _Recipient(Struct, frozen=True, forbid_unknown_fields=True):
    encrypted_key: str
    header: _Header


class _Jwe(Struct, frozen=True, forbid_unknown_fields=True):
    ciphertext: str
    iv: str
    protected: str
    recipients: Annotated[list[_Recipient], Meta(min_length=1, max_length=MAX_READERS)]
    tag: str


class _Plaintext(Struct, frozen=True, forbid_unknown_fields=True):
    content: str
    fk: Hash


_read_protected = msgspec.json.Decoder(_Protected)
_read_jwe = msgspec.json.Decoder(_Jwe)
_read_plaintext = msgspec.json.Decoder(_Plaintext)


@dataclass(frozen=True, slots=True)
class Sealed:
    """`body` goes with the entry, the 32-byte `commitment` goes into it."""

    body: str
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """
    What was said, and `cty`, which says what kind of string it is.

    `fk` is what an auditor needs, together with `content`, to check this one message against its entry.
    """

    content: str = field(repr=False)
    cty: str
    fk: bytes = field(repr=False)


def commit(fk: bytes, content: str) -> bytes:
    """Return the 32 bytes that bind `content`: HMAC-SHA256(fk, UTF-8 of content), `fk` being 32 random bytes."""
    return hmac.digest(fk, content.encode(), "sha256")


def seal(
    content: str,
    *,
    cty: str,
    iss: str,
    skid: str,
    mid: str,
    recipients: Iterable[SealingKey],
    random: Callable[[int], bytes] = os.urandom,
) -> Sealed:
    """
    Seal `content` for `recipients`: the addressees' keys (at most 64) and the sender's own.

    `iss` and `skid` are the author's account and signing-key thumbprint, `mid` is the id of the entry.
    Raise `CannotSeal` if these, the content or the number of keys are not what a reader would accept.
    """
    keys = sorted(set(recipients), key=lambda key: key.thumbprint)
    if not 1 <= len(keys) <= MAX_READERS:
        raise CannotSeal(f"want 1 to {MAX_READERS} readers' keys, got {len(keys)}")
    fk, content_key, iv = random(HASH_BYTES), random(gcm.KEY_BYTES), random(gcm.IV_BYTES)
    rcp = _readers_hash(key.thumbprint for key in keys)
    try:
        plaintext = canonical(_Plaintext(content, b64url(fk)))
        header = canonical(_Protected(cty=cty, iss=iss, mid=mid, rcp=rcp, skid=skid))
        read_canonical(_read_protected, header, what="header")
    except (Malformed, UnicodeEncodeError) as error:
        raise CannotSeal(f"no reader would accept it: {error}") from error
    protected = b64url(header)
    ciphertext, tag = gcm.encrypt(content_key, iv, plaintext, protected.encode())
    blocks = [
        _Recipient(b64url(oaep.wrap(content_key, key, random)), _Header(key.thumbprint)) for key in keys
    ]
    body = canonical(_Jwe(b64url(ciphertext), b64url(iv), protected, blocks, b64url(tag))).decode()
    if len(body) > MAX_BODY_BYTES:
        raise CannotSeal(f"sealed it would be {len(body)} bytes, and {MAX_BODY_BYTES} is the most")
    return Sealed(body, commit(fk, content))


def open_sealed(
    body: str,
    *,
    keys: Mapping[str, SealingSecret],
    signer: str,
    author: str,
    mid: str,
    commitment: bytes,
) -> Opened:
    """
    Open a body with one of the reader's own `keys` (by `kid`), for the entry that it came with.

    `signer` is the `kid` that verified the entry's JWS; `author`, `mid` and `commitment` are what the entry says.
    Raise `CannotOpen`, and nothing else, unless all of it holds.
    """
    # A lone surrogate becomes bytes that are not UTF-8, so that it, too, fails as malformed.
    data = body.encode(errors="surrogatepass")
    try:
        protected, plaintext = _decrypted(data, keys)
        fk = unb64url_hash(plaintext.fk, what="fk")
    except ChainError:
        raise CannotOpen from None
    if (protected.skid, protected.iss, protected.mid) != (signer, author, mid):
        raise CannotOpen
    if not hmac.compare_digest(commit(fk, plaintext.content), commitment):
        raise CannotOpen
    return Opened(plaintext.content, protected.cty, fk)


def _decrypted(body: bytes, keys: Mapping[str, SealingSecret]) -> tuple[_Protected, _Plaintext]:
    """Raise `ChainError` unless `body` is in the one permitted form, for one of `keys`, and unaltered."""
    if len(body) > MAX_BODY_BYTES:
        raise Malformed(f"body: at most {MAX_BODY_BYTES} bytes, got {len(body)}")
    jwe = read_canonical(_read_jwe, body, what="body")
    protected = read_canonical(_read_protected, unb64url(jwe.protected), what="header")
    encrypted_keys = {block.header.kid: block.encrypted_key for block in jwe.recipients}
    mine = next((kid for kid in encrypted_keys if kid in keys), None)
    if mine is None or len(encrypted_keys) != len(jwe.recipients):
        raise Malformed("body: not for this reader, or twice for one")
    if _readers_hash(encrypted_keys) != protected.rcp:
        raise Malformed("body: these are not the readers that its author sealed it for")
    plaintext = gcm.decrypt(
        keys[mine].unwrap(unb64url(encrypted_keys[mine])),
        unb64url(jwe.iv),
        unb64url(jwe.ciphertext),
        unb64url(jwe.tag),
        jwe.protected.encode(),
    )
    return protected, read_canonical(_read_plaintext, plaintext, what="plaintext")


def _readers_hash(kids: Iterable[str]) -> str:
    return b64url(digest(".".join(sorted(kids)).encode()))

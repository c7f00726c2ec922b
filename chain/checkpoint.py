"""
The chain's signed statement of its own size and root.

C2SP tlog-checkpoint v1 over C2SP signed-note, with one Ed25519 (0x01) signature whose key name is
the origin. Further signature lines (a witness's) are carried and ignored.
"""

import base64
import binascii
import re
from functools import lru_cache
from typing import Self

from msgspec import Struct

from chain import ed25519
from chain.ed25519 import Signer
from chain.encoding import HASH_BYTES, b64url, digest
from chain.entry import Seen
from chain.errors import Malformed, Unverified
from chain.identity import SigningKey

ED25519 = b"\x01"
KEY_ID_BYTES = 4
TEXT_LINES = 3
SIGNATURE_MARK = "\u2014 "

_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""What a signed note must not contain: control characters other than newline, and what is not UTF-8."""

_KEY_NAME = re.compile(r"[^\s+]+")


class Checkpoint(Struct, frozen=True):
    """`size` entries, with the Merkle root `root` (32 bytes), of the log named `origin`."""

    origin: str
    size: int
    root: bytes

    @property
    def seen(self) -> Seen:
        """What an author says it has seen."""
        return Seen(size=self.size, root=b64url(self.root))

    def to_text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        lines = text.split("\n")
        if len(lines) != TEXT_LINES + 1 or lines[-1]:
            raise Malformed("checkpoint: want three lines: origin, size, root")
        origin, size, root, _ = lines
        if not size.isascii() or not size.isdigit() or len(size) > len(str(2**63)):
            raise Malformed("checkpoint: want a decimal size")
        parsed = cls(origin, int(size), unb64(root, what="checkpoint root"))
        if not origin or len(parsed.root) != HASH_BYTES or parsed.to_text() != text:
            raise Malformed("checkpoint: not in canonical form")
        return parsed


def sign(checkpoint: Checkpoint, *, key: SigningKey, signer: Signer) -> str:
    """Return the signed note. Call it only when what it speaks of is on disk."""
    text = checkpoint.to_text()
    signature = signer(text.encode())
    return f"{text}\n{SIGNATURE_MARK}{checkpoint.origin} {b64(key_id(checkpoint.origin, key) + signature)}\n"


def verify(note: str, *, origin: str, key: SigningKey) -> Checkpoint:
    """
    Return the checkpoint that `key` signed for `origin`.

    Raises `Malformed` for what is no signed note, `Unverified` for another origin, or a signature
    that is missing or does not hold.
    """
    return _verify(note, origin, key.raw)


@lru_cache(maxsize=256)
def _verify(note: str, origin: str, key: bytes) -> Checkpoint:
    # All receipts of a block carry the same note: its signature is worth checking once.
    if _FORBIDDEN.search(note):
        raise Malformed("checkpoint: control characters, or text that is not Unicode")
    text, mark, block = note.rpartition(f"\n\n{SIGNATURE_MARK}")
    if not mark:
        raise Malformed("checkpoint: want a text, an empty line and signature lines")
    text += "\n"
    checkpoint = Checkpoint.from_text(text)
    if checkpoint.origin != origin:
        raise Unverified(f"checkpoint: want origin {origin!r}, got {checkpoint.origin!r}")
    signature = _signature(f"{SIGNATURE_MARK}{block}", origin, _key_id(origin, key))
    ed25519.verify(key, signature, text.encode(), what="checkpoint")
    return checkpoint


def _signature(block: str, name: str, wanted: bytes) -> bytes:
    """Find the first signature by `name` and key id; every line has to be a signature's, whoever's it is."""
    if not block.endswith("\n"):
        raise Malformed("checkpoint: the last line does not end")
    found = None
    for line in block[:-1].split("\n"):
        signer, _, encoded = line.removeprefix(SIGNATURE_MARK).rpartition(" ")
        if not line.startswith(SIGNATURE_MARK) or not _KEY_NAME.fullmatch(signer):
            raise Malformed("checkpoint: want only signature lines after the empty line")
        raw = unb64(encoded, what="checkpoint signature")
        if found is None and signer == name and raw[:KEY_ID_BYTES] == wanted:
            found = raw[KEY_ID_BYTES:]
    if found is None:
        raise Unverified(f"checkpoint: not signed by the gateway's key for {name!r}")
    if len(found) != ed25519.SIGNATURE_BYTES:
        raise Malformed("checkpoint: the signature has a wrong length")
    return found


def key_id(name: str, key: SigningKey) -> bytes:
    """The 4 bytes by which a note's signature names its key."""
    return _key_id(name, key.raw)


def _key_id(name: str, key: bytes) -> bytes:
    return digest(name.encode() + b"\n" + ED25519 + key)[:KEY_ID_BYTES]


def verifier_key(name: str, key: SigningKey) -> str:
    """The `vkey` text that other tools of the C2SP family take."""
    return f"{name}+{key_id(name, key).hex()}+{b64(ED25519 + key.raw)}"


def read_verifier_key(text: str) -> tuple[str, SigningKey]:
    """Return name and key of a `vkey`; raise `Malformed`."""
    name, _, rest = text.partition("+")
    _, _, encoded = rest.partition("+")
    raw = unb64(encoded, what="verifier key")
    if _FORBIDDEN.search(name) or not _KEY_NAME.fullmatch(name):
        raise Malformed("verifier key: want a name without spaces")
    if len(raw) != len(ED25519) + ed25519.KEY_BYTES or raw[:1] != ED25519:
        raise Malformed("verifier key: want NAME+ID+KEY with an Ed25519 key")
    key = SigningKey(b64url(raw[1:]))
    if verifier_key(name, key) != text:
        raise Malformed("verifier key: its id is not that of its name and key")
    return name, key


def b64(data: bytes) -> str:
    """RFC 4648 section 4, which the C2SP formats use."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str, *, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"{what}: not base64") from error
    if b64(data) != text:
        raise Malformed(f"{what}: not base64 in its one permitted spelling")
    return data

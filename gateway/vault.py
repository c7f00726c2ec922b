"""
Bytes under a passphrase: scrypt makes the keys, AES-256-GCM seals chunk after chunk.

The chunks' nonces count, and the last one's says that it is the last (the STREAM construction of Hoang et al., as
age has it): no chunk can be altered, left out, repeated, moved or cut off. Memory is bounded, however long the file.

    MAGIC            20 bytes
    salt             16 bytes
    tag of the two   32 bytes: HMAC-SHA256 under the second key, so that a wrong passphrase is known as one
    chunks           65,536 bytes each but the last, and 16 more for the tag of each
"""

import hmac
import secrets
import unicodedata
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.errors import BadBackup

MAGIC = b"blockpost sealed v1\n"
SALT_BYTES = 16
HEADER_TAG_BYTES = 32
CHUNK_BYTES = 65_536
TAG_BYTES = 16
COUNTER_BYTES = 11
KEY_BYTES = 32

SCRYPT_N = 131_072
"""With `SCRYPT_R` 8 it takes 128 MiB, and a large part of a second: once for whoever knows, each time for who guesses."""

SCRYPT_R = 8


class Sink(Protocol):
    """Where bytes go, one after the other."""

    def write(self, data: bytes, /) -> object: ...


class Source(Protocol):
    """Where bytes come from: as many as asked for, and fewer only at the end."""

    def read(self, size: int, /) -> bytes: ...


class Sealer:
    """Writes sealed what is written to it; without `finish` it cannot be opened."""

    def __init__(self, sink: Sink, passphrase: str) -> None:
        salt = secrets.token_bytes(SALT_BYTES)
        self._sink = sink
        self._keys = _Keys.derive(passphrase, salt)
        self._pending = bytearray()
        self._count = 0
        sink.write(MAGIC + salt + self._keys.tag(salt))

    def write(self, data: bytes, /) -> None:
        self._pending += data
        # One chunk is kept back: which one is the last shows only at the end.
        while len(self._pending) > CHUNK_BYTES:
            self._seal(last=False)

    def finish(self) -> None:
        self._seal(last=True)

    def _seal(self, *, last: bool) -> None:
        chunk = bytes(self._pending[:CHUNK_BYTES])
        del self._pending[:CHUNK_BYTES]
        self._sink.write(self._keys.aead.encrypt(_nonce(self._count, last=last), chunk, None))
        self._count += 1


class Opener:
    """Reads what a `Sealer` wrote, after its `MAGIC`. Raises `BadBackup` rather than give out an altered byte."""

    def __init__(self, source: Source, passphrase: str) -> None:
        salt, tag = source.read(SALT_BYTES), source.read(HEADER_TAG_BYTES)
        self._source = source
        self._keys = _Keys.derive(passphrase, salt)
        if not hmac.compare_digest(tag, self._keys.tag(salt)):
            raise BadBackup(
                "the passphrase is not the one that it was sealed with, or its first bytes are altered"
            )
        self._ahead = source.read(CHUNK_BYTES + TAG_BYTES)
        self._opened = bytearray()
        self._count = 0
        self._ended = False

    def read(self, size: int, /) -> bytes:
        while len(self._opened) < size and not self._ended:
            self._open()
        data = bytes(self._opened[:size])
        del self._opened[:size]
        return data

    def _open(self) -> None:
        sealed, self._ahead = self._ahead, self._source.read(CHUNK_BYTES + TAG_BYTES)
        self._ended = not self._ahead
        try:
            self._opened += self._keys.aead.decrypt(_nonce(self._count, last=self._ended), sealed, None)
        except InvalidTag as error:
            raise BadBackup(f"it is altered or cut short, in chunk {self._count} of 64 KiB") from error
        self._count += 1


class _Keys:
    """What a passphrase and a salt become."""

    def __init__(self, sealing: bytes, proving: bytes) -> None:
        self.aead = AESGCM(sealing)
        self._proving = proving

    @classmethod
    def derive(cls, passphrase: str, salt: bytes) -> Self:
        # Keyboards differ in how they spell one character: `device password` has it the same way.
        text = unicodedata.normalize("NFKC", passphrase).encode()
        derived = Scrypt(salt=salt, length=2 * KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=1).derive(text)
        return cls(derived[:KEY_BYTES], derived[KEY_BYTES:])

    def tag(self, salt: bytes) -> bytes:
        return hmac.digest(self._proving, MAGIC + salt, "sha256")


def _nonce(count: int, *, last: bool) -> bytes:
    """Of one chunk. The key is the file's own, so that counting never comes to the same twice."""
    return count.to_bytes(COUNTER_BYTES, "big") + bytes([last])

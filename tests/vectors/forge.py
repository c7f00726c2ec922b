"""A sealed body built part by part, so that exactly one part of it can be wrong and all else holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from Crypto.Cipher import AES

from chain.encoding import b64url, canonical, digest
from device import gcm, oaep
from device.sealing import commit
from tests.vectors.people import ENTRY, person

CONTENT = "Fridge 2 is at 9.4 \u00b0C"
CONTENT_KEY = sha256(b"content key").digest()
FK = sha256(b"fk").digest()
IV = sha256(b"iv").digest()[: gcm.IV_BYTES]

Json = dict[str, Any]


@dataclass
class Drawn:
    """The same bytes in the same order on every run: SHA-256 of a label and a counter."""

    label: str
    drawn: int = 0

    def __call__(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += sha256(f"{self.label} {self.drawn}".encode()).digest()
            self.drawn += 1
        return data[:size]


def kid(name: str) -> str:
    return person(name).sealing.public.thumbprint


def rcp(readers: Sequence[str]) -> str:
    return b64url(digest(".".join(sorted(kid(name) for name in readers)).encode()))


def header(readers: Sequence[str] = ("alice", "bob"), author: str = "alice") -> Json:
    return {
        "cty": "text/plain",
        "enc": "A256GCM",
        "iss": person(author).account_id,
        "mid": ENTRY,
        "rcp": rcp(readers),
        "skid": person(author).signing.public.thumbprint,
        "typ": "blockpost-message",
    }


def plaintext(content: str = CONTENT, fk: bytes = FK) -> Json:
    return {"content": content, "fk": b64url(fk)}


def block(name: str, content_key: bytes = CONTENT_KEY) -> Json:
    wrapped = oaep.wrap(content_key, person(name).sealing.public, Drawn(f"{name} {content_key.hex()}"))
    return {"encrypted_key": b64url(wrapped), "header": {"alg": "RSA-OAEP-256", "kid": kid(name)}}


def jwe(
    head: bytes,
    clear: bytes,
    readers: Sequence[str] = ("alice", "bob"),
    *,
    content_key: bytes = CONTENT_KEY,
    iv: bytes = IV,
    tag_bytes: int = gcm.TAG_BYTES,
) -> Json:
    """Seal any bytes whatever under any header whatever; with AES itself, which takes other sizes as well."""
    protected = b64url(head)
    cipher = AES.new(content_key, AES.MODE_GCM, nonce=iv, mac_len=tag_bytes).update(protected.encode())
    ciphertext, tag = cipher.encrypt_and_digest(clear)
    return {
        "ciphertext": b64url(ciphertext),
        "iv": b64url(iv),
        "protected": protected,
        "recipients": [block(name, content_key) for name in readers],
        "tag": b64url(tag),
    }


def honest() -> Json:
    return jwe(canonical(header()), canonical(plaintext()))


def case(name: str, body: str, **claims: str) -> Json:
    """What a reader is given: a body, and what the entry says of it. `bob` reads unless told otherwise."""
    alice = person("alice")
    return {
        "author": alice.account_id,
        "body": body,
        "commitment": b64url(commit(FK, CONTENT)),
        "mid": ENTRY,
        "name": name,
        "reader": "bob",
        "signer": alice.signing.public.thumbprint,
    } | claims


def text(value: Json) -> str:
    return canonical(value).decode()


Edit = Callable[[Json], Json]
"""Takes a good document and returns the bad one."""


def without(member: str) -> Edit:
    return lambda good: {name: value for name, value in good.items() if name != member}


def having(**members: Any) -> Edit:
    return lambda good: good | members

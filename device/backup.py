"""A person's private keys, wrapped for storage where others can see them: compact JWE, `dir` and A256GCM."""

import os
from collections.abc import Callable

from chain.encoding import b64url, canonical, unb64url
from chain.errors import ChainError, Malformed
from device import gcm
from device.errors import CannotOpen

HEADER = b64url(canonical({"alg": "dir", "enc": "A256GCM", "typ": "blockpost-backup"}))


def wrap_backup(secret: bytes, wrap_key: bytes, random: Callable[[int], bytes] = os.urandom) -> str:
    """Encrypt `secret` under a 32-byte key, such as `password.derive(...).wrap` (RFC 7516 section 7.1)."""
    iv = random(gcm.IV_BYTES)
    ciphertext, tag = gcm.encrypt(wrap_key, iv, secret, HEADER.encode())
    return ".".join([HEADER, "", b64url(iv), b64url(ciphertext), b64url(tag)])


def unwrap_backup(text: str, wrap_key: bytes) -> bytes:
    """Return the secret; raise `CannotOpen` for a wrong password as for anything else."""
    try:
        return _unwrapped(text, wrap_key)
    except ChainError:
        raise CannotOpen from None


def _unwrapped(text: str, wrap_key: bytes) -> bytes:
    header, _, rest = text.partition("..")
    parts = [unb64url(part) for part in rest.split(".")]
    if header != HEADER or len(parts) != len(("iv", "ciphertext", "tag")):
        raise Malformed("backup: not one of ours")
    iv, ciphertext, tag = parts
    return gcm.decrypt(wrap_key, iv, ciphertext, tag, HEADER.encode())

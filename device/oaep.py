"""RSA-OAEP-256: a message's content key, wrapped for one reader (RFC 7518 section 4.3)."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from Crypto.Cipher import PKCS1_OAEP
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey

from chain.encoding import HASH_BYTES, unb64url
from chain.identity import SealingKey
from device import gcm

EXPONENT = 65537


def wrap(content_key: bytes, reader: SealingKey, random: Callable[[int], bytes]) -> bytes:
    """Encrypt a content key to its reader; the result is as long as the reader's modulus."""
    return PKCS1_OAEP.new(_public(reader), SHA256, _mask, randfunc=random).encrypt(content_key)


def unwrap(encrypted_key: bytes, secret: RsaKey, random: Callable[[int], bytes]) -> bytes:
    """
    Decrypt a content key, or return a random one when there is none.

    RFC 7516 section 11.5: what goes wrong here shows only as a tag that does not hold, the same as
    for any other wrong key, so that nobody learns anything about the padding.
    """
    instead = random(gcm.KEY_BYTES)
    try:
        content_key = PKCS1_OAEP.new(secret, SHA256, _mask).decrypt(encrypted_key)
    except ValueError:
        return instead
    return content_key if len(content_key) == gcm.KEY_BYTES else instead


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 with SHA-256 (RFC 8017 appendix B.2.1). pycryptodome's own takes longer than the RSA that it is for."""
    blocks = range(-(-length // HASH_BYTES))
    return b"".join(sha256(seed + block.to_bytes(4, "big")).digest() for block in blocks)[:length]


@lru_cache(maxsize=1024)
def _public(key: SealingKey) -> RsaKey:
    return RSA.construct((int.from_bytes(unb64url(key.n, what="sealing key"), "big"), EXPONENT))

"""RSA-OAEP-256: a message's content key, wrapped for one reader (RFC 7518 section 4.3)."""

from collections.abc import Callable
from functools import lru_cache

from Crypto.Cipher import PKCS1_OAEP
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.PublicKey.RSA import RsaKey

from chain.encoding import unb64url
from chain.identity import SealingKey
from device import gcm

EXPONENT = 65537


def wrap(content_key: bytes, reader: SealingKey, random: Callable[[int], bytes]) -> bytes:
    """Encrypt a content key to its reader; the result is as long as the reader's modulus."""
    return PKCS1_OAEP.new(_public(reader), SHA256, randfunc=random).encrypt(content_key)


def unwrap(encrypted_key: bytes, secret: RsaKey, random: Callable[[int], bytes]) -> bytes:
    """
    Decrypt a content key, or return a random one when there is none.

    RFC 7516 section 11.5: what goes wrong here shows only as a tag that does not hold, the same as
    for any other wrong key, so that nobody learns anything about the padding.
    """
    instead = random(gcm.KEY_BYTES)
    try:
        content_key = PKCS1_OAEP.new(secret, SHA256).decrypt(encrypted_key)
    except ValueError:
        return instead
    return content_key if len(content_key) == gcm.KEY_BYTES else instead


@lru_cache(maxsize=1024)
def _public(key: SealingKey) -> RsaKey:
    return RSA.construct((int.from_bytes(unb64url(key.n, what="sealing key"), "big"), EXPONENT))

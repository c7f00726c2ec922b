"""A256GCM, the one content encryption there is here (RFC 7518 section 5.3)."""

from Crypto.Cipher import AES
from Crypto.Cipher._mode_gcm import GcmMode

from chain.errors import Unverified

KEY_BYTES = 32
IV_BYTES = 12
TAG_BYTES = 16


def encrypt(key: bytes, iv: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
    """Return ciphertext and tag. One key never meets one IV twice: callers make a key for each message."""
    return _cipher(key, iv, aad).encrypt_and_digest(plaintext)


def decrypt(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    """Return the plaintext; raise `Unverified` for another key, IV, tag or AAD, or for a shortened one."""
    if len(iv) != IV_BYTES or len(tag) != TAG_BYTES:
        raise Unverified(f"A256GCM: want {IV_BYTES} bytes of IV and {TAG_BYTES} of tag")
    try:
        return _cipher(key, iv, aad).decrypt_and_verify(ciphertext, tag)
    except ValueError as error:
        raise Unverified("A256GCM: the tag does not hold") from error


def _cipher(key: bytes, iv: bytes, aad: bytes) -> GcmMode:
    if len(key) != KEY_BYTES:
        raise ValueError(f"A256GCM: want a key of {KEY_BYTES} bytes, got {len(key)}")
    return AES.new(key, AES.MODE_GCM, nonce=iv, mac_len=TAG_BYTES).update(aad)

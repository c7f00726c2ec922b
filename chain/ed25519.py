"""
Ed25519 verification (RFC 8032) by whichever library this installation brings.

A gateway has `cryptography`, 2.6 times faster; a device has only pycryptodome. Where the system has libsodium, that
is asked first (`chain.sodium`). Signing is never here: a signer is a callable that its owner hands in.
"""

from collections.abc import Callable
from functools import lru_cache

from chain import sodium
from chain.errors import Malformed, Unverified

KEY_BYTES = 32
SIGNATURE_BYTES = 64

Signer = Callable[[bytes], bytes]
"""Makes the 64-byte Ed25519 signature of a message."""

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    @lru_cache(maxsize=4096)
    def _verifier(public: bytes) -> Callable[[bytes, bytes], None]:
        return Ed25519PublicKey.from_public_bytes(public).verify

    _Invalid: type[Exception] = InvalidSignature

except ImportError:
    from Crypto.Signature import eddsa

    @lru_cache(maxsize=4096)
    def _verifier(public: bytes) -> Callable[[bytes, bytes], None]:
        scheme = eddsa.new(eddsa.import_public_key(public), "rfc8032")

        def verify(signature: bytes, message: bytes) -> None:
            scheme.verify(message, signature)

        return verify

    _Invalid = ValueError


SIGN_BIT = 1 << 255
FIELD = 2**255 - 19
_ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
SMALL_ORDER = frozenset({0, 1, FIELD - 1, FIELD, FIELD + 1, _ORDER_8, FIELD - _ORDER_8})
"""The y of the points of order 1, 2, 4 and 8, in every spelling: with such a key anybody's signature may hold."""

_holds = sodium.load()


def verify(public: bytes, signature: bytes, message: bytes, *, what: str) -> None:
    """Return if `signature` holds; raise `Unverified`, or `Malformed` for a key that is no point."""
    if int.from_bytes(public, "little") & ~SIGN_BIT in SMALL_ORDER:
        raise Malformed(f"{what}: an Ed25519 key of small order, which is nobody's")
    if _holds is not None and _holds(public, signature, message):
        return
    try:
        check = _verifier(public)
    except ValueError as error:
        raise Malformed(f"{what}: not an Ed25519 public key") from error
    try:
        check(signature, message)
    except _Invalid as error:
        raise Unverified(f"{what}: the Ed25519 signature does not hold") from error

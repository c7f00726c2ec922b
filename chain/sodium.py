"""
Ed25519 by the system's own libsodium, where it has one: that takes half the time.

It is believed when it says yes, and only then: what it refuses is decided by the library that this installation
brings. And nothing holds by it that does not hold without it: it checks the stronger of the two equations that
RFC 8032 (section 5.1.7) permits, the one without cofactor. A libsodium that checks the other one is not used.
"""

import ctypes
from collections.abc import Callable
from contextlib import suppress

NAMES = ("libsodium.so.23", "libsodium.so.26")
"""Its two binary interfaces so far; what is used of them is the same."""

KEY_BYTES = 32
SIGNATURE_BYTES = 64

Holds = Callable[[bytes, bytes, bytes], bool]
"""Whether a public key made a signature (64 bytes) of a message. No may mean: not as this library sees it."""

_KEY = bytes.fromhex("b685d415d57ebab8942e669879c7fb8a1801a7e801e2f5341bf424f3cdb9e201")
_HOLDS = bytes.fromhex(
    "b3461fee159914de747b2467c11b7bb3529c533dc0ddc0dc34b277f145aa2d24"
    "56fd8bb7b54030d0f075fa9f031a73a28c91ca28ac496b8dc921651a6e14ff00"
)
"""A signature of nothing by that key."""

_WEAKLY = bytes.fromhex(
    "9eace36dbcd8a1e10520f197fd5c182f5a52f93e4df98c84b56db3eb43598c1d"
    "f8df924b2bfa56a4cf62acaa1556b85936f2b844d25389773fd08cbe8fe4c30f"
)
"""The same with a point of order 8 added to R: it holds with the cofactor, and not without."""


def load() -> Holds | None:
    """The check, or none: where there is no libsodium, or one that does not check what the others do."""
    for name in NAMES:
        with suppress(OSError, AttributeError):
            holds = _loaded(name)
            if holds(_KEY, _HOLDS, b"") and not holds(_KEY, _WEAKLY, b""):
                return holds
    return None


def _loaded(name: str) -> Holds:
    library = ctypes.CDLL(name)
    if library.sodium_init() < 0:
        raise OSError(f"{name}: does not start")
    check = library.crypto_sign_ed25519_verify_detached
    check.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulonglong, ctypes.c_char_p)
    check.restype = ctypes.c_int

    def holds(public: bytes, signature: bytes, message: bytes) -> bool:
        # It reads as many bytes as these have, whatever it is given.
        if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
            return False
        return bool(check(signature, message, len(message), public) == 0)

    return holds

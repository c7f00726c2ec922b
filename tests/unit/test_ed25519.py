"""Signatures: RFC 8032's own, and the keys that are nobody's."""

import secrets
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chain import ed25519, sodium
from chain.errors import ChainError, Malformed, Unverified

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def square_root(value: int) -> int | None:
    """RFC 8032 section 5.1.3, step 3."""
    root = pow(value, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == value % P:
            return candidate
    return None


def doubled(point: tuple[int, int]) -> tuple[int, int]:
    """RFC 8032 section 5.1: x and y of twice the point."""
    x, y = point
    product = D * x * x * y * y
    return (
        2 * x * y * pow(1 + product, -1, P) % P,
        (y * y + x * x) * pow(1 - product, -1, P) % P,
    )


@pytest.mark.parametrize("y", sorted(ed25519.SMALL_ORDER))
def test_each_listed_key_is_a_point_that_eight_times_itself_is_nothing(y: int) -> None:
    x = square_root((y * y - 1) * pow(D * y * y + 1, -1, P))
    assert x is not None

    point = (x, y % P)
    for _ in range(3):
        point = doubled(point)

    assert point == (0, 1)


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", sorted(ed25519.SMALL_ORDER))
def test_a_key_of_small_order_is_refused_before_any_signature(y: int, sign: int) -> None:
    with pytest.raises(Malformed, match="small order"):
        ed25519.verify((y | sign).to_bytes(32, "little"), bytes(64), b"anything", what="entry")


def test_a_key_that_is_no_point_or_no_key_is_malformed() -> None:
    for key in (b"\x02" + bytes(31), b"\x02" * 31):
        with pytest.raises(ChainError):
            ed25519.verify(key, bytes(64), b"", what="entry")


# libsodium, where the system has it


@pytest.fixture(params=["the system's", "none"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ed25519, "_holds", None if request.param == "none" else sodium.load())


@pytest.mark.usefixtures("library")
def test_a_signature_holds_for_its_key_and_message_and_no_other() -> None:
    key, message = Ed25519PrivateKey.generate(), secrets.token_bytes(800)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    spoiled = bytes([signature[0] ^ 1]) + signature[1:]

    ed25519.verify(public, signature, message, what="entry")
    for wrong in (spoiled, signature[:-1], signature + b"\0", b""):
        with pytest.raises(Unverified):
            ed25519.verify(public, wrong, message, what="entry")
    with pytest.raises(Unverified):
        ed25519.verify(public, signature, message + b"x", what="entry")


@pytest.mark.usefixtures("library")
def test_what_holds_with_the_cofactor_only_does_not_hold() -> None:
    ed25519.verify(sodium._KEY, sodium._HOLDS, b"", what="entry")

    with pytest.raises(Unverified):
        ed25519.verify(sodium._KEY, sodium._WEAKLY, b"", what="entry")


def test_what_libsodium_refuses_is_decided_by_the_library_of_this_installation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ed25519, "_holds", lambda *_: False)

    ed25519.verify(sodium._KEY, sodium._HOLDS, b"", what="entry")


class Library:
    """A libsodium that takes every signature, or has not what is looked for."""

    def sodium_init(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name != "crypto_sign_ed25519_verify_detached":
            raise AttributeError(name)
        return taking_all


def taking_all(*_given: object) -> int:
    return 0


def missing(name: str) -> Library:
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.parametrize("opened", [missing, lambda _name: Library(), lambda _name: object()])
def test_a_library_that_is_missing_or_checks_something_weaker_is_not_used(
    monkeypatch: pytest.MonkeyPatch, opened: Callable[[str], object]
) -> None:
    monkeypatch.setattr("ctypes.CDLL", opened)

    assert sodium.load() is None

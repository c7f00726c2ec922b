"""Signatures: RFC 8032's own, and the keys that are nobody's."""

import pytest

from chain import ed25519
from chain.errors import ChainError, Malformed

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

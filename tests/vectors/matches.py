"""The six digits of `matches.json`, which a newcomer and the gateway make of the same two things."""

from itertools import count

from chain.encoding import b64url
from chain.joincode import digits
from tests.vectors.forge import Drawn, Json


def cases() -> list[Json]:
    drawn = Drawn("match")
    plain = [_case(f"nonce {number}", drawn(16), f"entry {number}") for number in range(4)]
    same = _case("another entry under the same nonce", Drawn("match")(16), "entry of another")
    padded = next(
        case
        for number in count()
        if (case := _case("a zero in front", drawn(16), f"entry {number}"))["digits"].startswith("0")
    )
    return [*plain, same, padded]


def _case(name: str, nonce: bytes, leaf: str) -> Json:
    return {"digits": digits(nonce, leaf.encode()), "leaf": leaf, "name": name, "nonce": b64url(nonce)}

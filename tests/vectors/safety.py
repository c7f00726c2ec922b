"""The safety codes of `safety.json`. Only the page shows them, so they are worked out here a second time."""

from hashlib import sha256

from chain.encoding import b64url
from tests.vectors.forge import Json
from tests.vectors.people import person

PAIRS = (("alice", "bob"), ("bob", "alice"), ("alice", "mallory"), ("dave", "dave"))


def cases() -> list[Json]:
    known = [_case(f"{one} and {other}", _party(one), _party(other)) for one, other in PAIRS]
    alice, bob = _party("alice"), _party("bob")
    return [*known, _case("bob has a new key", alice, bob | {"kid": _party("carol")["kid"]})]


def _case(name: str, one: Json, other: Json) -> Json:
    lines = sorted(f"{party['account']} {party['kid']}\n" for party in (one, other))
    digest = sha256("".join(["blockpost/safety/v1\n", *lines]).encode()).digest()[:16]
    return {"digest": b64url(digest), "name": name, "one": one, "other": other}


def _party(name: str) -> Json:
    keys = person(name)
    return {"account": keys.account_id, "kid": keys.signing.public.thumbprint}

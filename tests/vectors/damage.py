"""Small damage to texts, for the faults in `refused`."""

import base64
import json

from chain.encoding import b64url, unb64url


def reordered(good: bytes) -> bytes:
    members = json.loads(good)
    return json.dumps(dict(reversed(members.items())), separators=(",", ":"), ensure_ascii=False).encode()


def flipped(good: str) -> str:
    data = unb64url(good)
    return b64url(bytes([data[0] ^ 1]) + data[1:])


def respelled(good: str) -> str:
    """The same bytes to a careless decoder: the unused bits of the last letter are not zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bad = good[:-1] + alphabet[alphabet.index(good[-1]) + 1]
    padding = "=" * (-len(good) % 4)
    assert base64.urlsafe_b64decode(bad + padding) == unb64url(good)
    return bad


def plain_base64(good: str) -> str:
    plain = base64.b64encode(unb64url(good)).decode()
    assert plain != good
    return plain.rstrip("=")

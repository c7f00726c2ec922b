"""What a guard may speak of, and what kind of value each is."""

from chain.contracts.guard import Type
from chain.contracts.terms import Quorum, Terms

_AUTHOR: dict[str, Type] = {
    "author": "string",
    "author_groups": "strings",
    "author_kind": "string",
    "author_role": "string",
    "time": "int",
    "to": "string",
}

MESSAGE: dict[str, Type] = _AUTHOR | {
    "is_alert": "bool",
    "is_group": "bool",
    "is_reply": "bool",
    "kind": "string",
    "priority": "string",
    "size": "int",
    "state": "string",
}
"""Of a message. What its sender sealed is in none of them."""

ADMIN: dict[str, Type] = _AUTHOR | {
    "action": "string",
    "role": "string",
    "target": "string",
    "type": "string",
}
"""Of what an admin does."""

OF_THIS_ONE = frozenset({"is_reply", "size", "time"})
"""What differs from one message to the next of the same author to the same party."""


def variables_of(terms: Terms) -> dict[str, Type]:
    """What the guard of such terms may speak of."""
    return ADMIN if isinstance(terms, Quorum) else MESSAGE

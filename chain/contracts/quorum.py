"""Quorum: what one admin alone may not do."""

import msgspec

from chain.encoding import b64url, canonical, digest
from chain.entry import Common, Contact, Contract, Group, Invite, Key, Redact, Revoke, type_of

COVERED = (Contact, Contract, Group, Invite, Key, Redact, Revoke)
"""What a quorum can be asked for."""

_OF_THE_ENTRY = frozenset(Common.__struct_fields__) | {"body", "code_hash", "expires"}
"""What is another each time that somebody does the same; and what only its author can know beforehand."""


def deed_of(entry: Common) -> str:
    """The hash of what is to be done, whoever does it, and when."""
    said = msgspec.structs.asdict(entry)
    doing = {name: value for name, value in said.items() if name not in _OF_THE_ENTRY and value is not None}
    return b64url(digest(b"blockpost/deed/v1\n" + canonical({"type": type_of(entry), **doing})))

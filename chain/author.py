"""Whoever writes entries: fills in what every entry says, binds the body, signs."""

import secrets
from typing import Any, Literal

from msgspec import Struct

from chain import entry, wire
from chain.body import Body
from chain.ed25519 import Signer
from chain.entry import Common, Seen
from chain.wire import Parcel


class Author(Struct, frozen=True, kw_only=True):
    """One account writing in one stream of one chain. `sign` signs with the key that `kid` names."""

    origin: str
    account: str
    stream: str
    kid: str
    sign: Signer

    def parcel(
        self,
        type_: type[Common],
        /,
        *,
        seq: int,
        at: int,
        seen: Seen,
        clock: Literal["synced", "free"] = "synced",
        entry_id: str | None = None,
        beside: Body | None = None,
        after: int | None = None,
        **says: Any,
    ) -> Parcel:
        """Write and sign one entry; `says` is what its type says. `at` is in ms. Raises `Oversized`."""
        if beside is not None:
            says["body"] = beside.ref
        made = type_(
            v=1,
            chain=self.origin,
            id=entry_id or entry.new_id(at, secrets.token_bytes),
            author=self.account,
            stream=self.stream,
            seq=seq,
            at=at,
            clock=clock,
            seen=seen,
            **says,
        )
        return wire.parcel(entry.sign(made, kid=self.kid, signer=self.sign), beside, after=after)

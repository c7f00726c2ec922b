"""
A certificate revocation list (RFC 5280 section 5): from when until when it is in force.

Whether its signature holds is for OpenSSL to say, which knows the authority's certificate when it uses the list.
"""

from datetime import UTC, datetime
from typing import Self

from Crypto.IO import PEM
from Crypto.Util.asn1 import DerObject, DerSequence
from msgspec import Struct

from chain.errors import Malformed

UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
FORMS = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
"""What RFC 5280 section 4.1.2.5 lets a time look like, by its tag."""


class Crl(Struct, frozen=True):
    """In force from `since` until `until`, in seconds since 1970."""

    since: float
    until: float

    def is_in_force(self, now: float) -> bool:
        return self.since <= now < self.until

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Raise `Malformed` for what is no list, or has no end."""
        try:
            der, kind, _ = PEM.decode(text)
            listed = DerSequence().decode(DerSequence().decode(der)[0])
            # Before the two times there are a version, an algorithm and a name.
            since, until, *_ = [_seconds(field) for field in listed[:] if _is_time(field)]
        except (ValueError, IndexError, TypeError) as error:
            raise Malformed("revocation list: want one in PEM, with the time of its end") from error
        if kind != "X509 CRL":
            raise Malformed(f"revocation list: want X509 CRL, got {kind[:40]!r}")
        return cls(since, until)


def _is_time(field: int | bytes) -> bool:
    return isinstance(field, bytes) and field[0] in FORMS


def _seconds(field: bytes) -> float:
    text = DerObject(field[0]).decode(field).payload.decode("ascii")
    return datetime.strptime(text, FORMS[field[0]]).replace(tzinfo=UTC).timestamp()

"""
The short-lived JWT by which an account proves itself to REST and to the embedded broker (RFC 7523).

It is signed by the account's own Ed25519 key, so the gateway stores nothing that could be stolen.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chain import jws
from chain.ed25519 import Signer
from chain.encoding import canonical, read_canonical
from chain.errors import Malformed, Unverified
from chain.identity import AccountId, SigningKey

TYP = "blockpost-token+jwt"
LIFETIME = 120
"""Seconds from `iat` to `exp`."""

LEEWAY = 60
"""Seconds by which the clocks of a device and the gateway may differ."""

REST = "rest"
MQTT = "mqtt"


class Claims(Struct, frozen=True, forbid_unknown_fields=True):
    """`iat` and `exp` are seconds since 1970; `aud` is the chain's origin and a service, joined by a slash."""

    aud: str
    exp: Annotated[int, Meta(ge=0)]
    iat: Annotated[int, Meta(ge=0)]
    iss: AccountId
    sub: AccountId


class Token(Struct, frozen=True):
    """A parsed token; its signature is not checked until `verify`."""

    claims: Claims
    signed: jws.Jws

    @property
    def account(self) -> str:
        return self.claims.iss

    @property
    def kid(self) -> str:
        return self.signed.header.kid

    def verify(self, key: SigningKey, *, audience: str, now: float) -> None:
        """Raise `Unverified` unless `key` signed it, for `audience`, and it is in force at `now` (seconds)."""
        claims = self.claims
        if claims.aud != audience or claims.sub != claims.iss:
            raise Unverified(f"token: want audience {audience!r} and sub = iss")
        if not claims.iat - LEEWAY <= now <= claims.exp + LEEWAY or claims.exp - claims.iat > LIFETIME:
            raise Unverified(
                f"token: expired or not yet valid: in force {claims.iat} to {claims.exp}, it is {int(now)} here"
            )
        self.signed.verify(key)


_decoder = msgspec.json.Decoder(Claims)


def make(account: str, *, audience: str, now: float, kid: str, signer: Signer) -> str:
    """Return a token in force from `now` (seconds) for `LIFETIME` seconds."""
    claims = Claims(iss=account, sub=account, aud=audience, iat=int(now), exp=int(now) + LIFETIME)
    return jws.sign(canonical(claims), typ=TYP, kid=kid, signer=signer).decode("ascii")


def parse(text: str) -> Token:
    """Read a token; raise `Malformed`."""
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise Malformed("token: not ASCII") from error
    signed = jws.parse(data, typ=TYP)
    return Token(claims=read_canonical(_decoder, signed.payload, what="token"), signed=signed)


def audience(origin: str, service: str) -> str:
    return f"{origin}/{service}"

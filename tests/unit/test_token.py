"""Tokens: an account proves itself for two minutes, to one service of one chain."""

import json
from typing import Any

import pytest

from chain import jws, token
from chain.encoding import canonical, unb64url
from chain.errors import Malformed, Unverified
from chain.identity import account_id
from tests.world import ORIGIN, Keys, Source

KEYS = Keys(Source("token"))
ACCOUNT = account_id(KEYS.public)
REST = token.audience(ORIGIN, token.REST)
NOW = 1_763_000_000


def made(now: float = NOW) -> str:
    return token.make(ACCOUNT, audience=REST, now=now, kid=KEYS.kid, signer=KEYS.sign)


def claiming(**claims: Any) -> str:
    """A token with other claims, and a signature that holds."""
    given = {"aud": REST, "exp": NOW + 120, "iat": NOW, "iss": ACCOUNT, "sub": ACCOUNT} | claims
    return jws.sign(canonical(given), typ=token.TYP, kid=KEYS.kid, signer=KEYS.sign).decode()


def verify(text: str, *, audience: str = REST, now: float = NOW) -> None:
    token.parse(text).verify(KEYS.public, audience=audience, now=now)


def test_a_token_says_who_signed_it_and_with_which_key() -> None:
    parsed = token.parse(made())

    assert (parsed.account, parsed.kid) == (ACCOUNT, KEYS.kid)
    verify(made())


def test_a_token_is_a_jwt_that_names_its_kind() -> None:
    header, claims, _ = made().split(".")

    assert json.loads(unb64url(header))["typ"] == "blockpost-token+jwt"
    assert json.loads(unb64url(claims)) == {
        "aud": f"{ORIGIN}/rest",
        "exp": NOW + 120,
        "iat": NOW,
        "iss": ACCOUNT,
        "sub": ACCOUNT,
    }


@pytest.mark.parametrize("now", [NOW - 60, NOW, NOW + 0.5, NOW + 120, NOW + 180])
def test_a_token_holds_from_its_making_to_its_end_and_a_minute_around(now: float) -> None:
    verify(made(), now=now)


@pytest.mark.parametrize("now", [0, NOW - 61, NOW + 180.5, NOW + 181])
def test_a_token_does_not_hold_at_any_other_time(now: float) -> None:
    with pytest.raises(Unverified, match="expired or not yet valid"):
        verify(made(), now=now)


def test_a_token_of_another_service_does_not_hold() -> None:
    with pytest.raises(Unverified, match="audience"):
        verify(made(), audience=token.audience(ORIGIN, token.MQTT))


def test_a_token_of_another_chain_does_not_hold() -> None:
    with pytest.raises(Unverified, match="audience"):
        verify(made(), audience=token.audience("ward8.example/abc123", token.REST))


def test_a_token_of_another_key_does_not_hold() -> None:
    other = Keys(Source("mallory"))

    with pytest.raises(Unverified, match="not with"):
        token.parse(made()).verify(other.public, audience=REST, now=NOW)


def test_a_token_that_only_names_the_key_does_not_hold() -> None:
    other = Keys(Source("mallory"))
    forged = token.make(ACCOUNT, audience=REST, now=NOW, kid=KEYS.kid, signer=other.sign)

    with pytest.raises(Unverified, match="signature"):
        verify(forged)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW + 121},
        {"exp": 2**60},
        {"exp": 10**30},
        {"iat": NOW + 61, "exp": NOW + 181},
        {"iat": NOW - 200, "exp": NOW - 80},
        {"exp": NOW - 61},
        {"iat": NOW + 120, "exp": NOW},
        {"sub": "a" * 26},
        {"aud": ORIGIN},
        {"aud": ""},
    ],
)
def test_no_token_is_for_longer_for_later_or_for_somebody_else(claims: dict[str, Any]) -> None:
    with pytest.raises(Unverified):
        verify(claiming(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": ACCOUNT + "\n"},
        {"iss": "admin"},
        {"iat": -1},
        {"iat": "now"},
        {"iat": True},
        {"aud": [REST]},
        {"aud": None},
        {"nbf": 0},
    ],
)
def test_claims_of_another_form_are_malformed(claims: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        token.parse(claiming(**claims))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "\ud800", "\u00e9.a.b", "\0", "Bearer " + made(), made() + "\n"]
)
def test_any_other_text_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        token.parse(text)


def test_an_entry_is_no_token() -> None:
    claims = unb64url(made().split(".")[1])
    disguised = jws.sign(claims, typ="blockpost-entry", kid=KEYS.kid, signer=KEYS.sign).decode()

    with pytest.raises(Malformed, match="typ"):
        token.parse(disguised)

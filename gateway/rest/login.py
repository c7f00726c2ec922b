"""Logging in and out, and `GET /check`: the sessions of the paper's Table I."""

import hmac
from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta, Struct

from chain.body import Body, Card, Login
from chain.encoding import Bytes32, b64url, canonical, digest, unb64url_hash
from gateway.agents import describe
from gateway.rest.desk import COOKIE, Desk
from gateway.rest.documents import Empty, answer, read_body
from gateway.rest.problems import Unauthenticated
from gateway.rest.snapshot import Snapshot
from gateway.rest.tries import Count, Guesses, Source, Tries
from gateway.sessions import LONGEST_MS, Session, Sessions

Typed = Annotated[str, Meta(min_length=1, max_length=80)]
"""A handle as somebody typed it."""


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """
    `key` is what the browser derived from the password under the salt, or from the recovery code: 32 bytes in
    base64url.
    """

    handle: Typed
    key: Bytes32

    def __repr__(self) -> str:
        return f"Credentials({self.handle!r}, ...)"


class SaltOf(Struct, frozen=True, forbid_unknown_fields=True):
    handle: Typed


class Salt(Struct, frozen=True):
    salt: str


class Me(Struct, frozen=True):
    """Who is logged in, and until when (ms) if nothing more is asked."""

    account: str
    handle: str | None
    name: str | None
    role: str
    expires: int


_credentials = msgspec.json.Decoder(Credentials)
_salt_of = msgspec.json.Decoder(SaltOf)
_empty = msgspec.json.Decoder(Empty)

# Nobody knows what hashes to this; it is compared with where there is no login, or no recovery code.
_NOBODYS = b64url(bytes(32))
_NO_LOGIN = Login(salt="A" * 22, verifier=_NOBODYS, recovery=_NOBODYS)
_NO_CARD = Body(bytes(32), canonical(Card("nobody", "Nobody", _NO_LOGIN, ["A" * 2048] * 2)).decode())


def login(desk: Desk, sessions: Sessions, tries: Tries) -> Blueprint:
    views = Blueprint("login", __name__)
    guesses = Guesses(tries)

    @views.get("/check")
    def check() -> Response:
        with desk.caller() as me:
            return answer(_me(me.now, me.id, me.credential.expires))

    @views.post("/login")
    def log_in() -> Response:
        shown = read_body(_credentials)
        key = unb64url_hash(shown.key, what="key")
        with desk.visitor() as now:
            account, wanted = _login_of(now, shown.handle)
            with guesses.guess(Source.of_request(), shown.handle, _held(sessions, account)):
                verifier = _fitting(wanted, key)
                if account is None or verifier is None:
                    raise Unauthenticated("login: handle, password or recovery code is wrong")
            if earlier := request.cookies.get(COOKIE):
                sessions.end(earlier)
            token = sessions.begin(account, verifier, describe(request.user_agent.string))
            session = sessions.find(token)
            response = answer(_me(now, account, session.expires if session else 0))
        _set_cookie(response, token)
        return response

    @views.post("/logout")
    def log_out() -> Response:
        read_body(_empty)
        with desk.caller():
            if token := request.cookies.get(COOKIE):
                sessions.end(token)
        response = Response(status=HTTPStatus.NO_CONTENT)
        _clear_cookie(response)
        return response

    @views.post("/v1/login/salt")
    def salt() -> Response:
        handle, source = read_body(_salt_of).handle, Source.of_request()
        if not guesses.knows(source, handle):
            tries.take(Count("salts", (source.network,)))
        with desk.visitor() as now:
            account, found = _login_of(now, handle)
        made_up = sessions.salt_for(handle)
        return answer(Salt(made_up if account is None else found.salt))

    return views


def _login_of(now: Snapshot, handle: str) -> tuple[str | None, Login]:
    """The live account and its login; for all others nobody and a stand-in, at the same cost."""
    account = now.state.by_handle(handle)
    card = None if account is None else now.card(account)
    if card is None or card.login is None:
        _NO_CARD.read(Card)
        return None, _NO_LOGIN
    return account, card.login


def _held(sessions: Sessions, account: str | None) -> Session | None:
    """The session that the browser holds, if it is one of this account."""
    token = request.cookies.get(COOKIE)
    session = sessions.find(token) if token else None
    return session if session is not None and session.account == account else None


def _fitting(wanted: Login, key: bytes) -> str | None:
    """The verifier that the key fits, of password or recovery code. Both are looked at, whichever it is."""
    shown = b64url(digest(key))
    verifiers = (wanted.verifier, wanted.recovery or _NOBODYS)
    fits = [hmac.compare_digest(shown, verifier) for verifier in verifiers]
    return next((verifier for verifier, fit in zip(verifiers, fits, strict=True) if fit), None)


def _me(now: Snapshot, account: str, expires: int) -> Me:
    card, row = now.card(account), now.state.account(account)
    assert row is not None  # it is logged in
    return Me(account, card.handle if card else None, card.name if card else None, row.role, expires)


def _set_cookie(response: Response, token: str) -> None:
    # `__Host-` would say more, but a browser does not take it over plain HTTP, not even from localhost.
    response.set_cookie(
        COOKIE,
        token,
        max_age=LONGEST_MS // 1000,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def _clear_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=request.is_secure, httponly=True, samesite="Strict")

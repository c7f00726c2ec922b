"""Who is calling: a browser by its session, anything else by a token of its own key. The chain has the last word."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from flask import request
from msgspec import Struct

from chain import token
from chain.errors import Malformed, Refused, Unverified
from chain.state import AccountRow
from gateway.rest.problems import Unauthenticated
from gateway.rest.snapshot import Chains, Snapshot
from gateway.sessions import Clock, Session, Sessions

COOKIE = "blockpost_session"
BEARER = "Bearer "


class Credential(Protocol):
    """What a caller showed. It can be held against the chain again later, while a stream is open."""

    def check(self, now: Snapshot) -> AccountRow:
        """Return the live account that this speaks for; raise `Unauthenticated`."""
        ...

    @property
    def expires(self) -> int:
        """In ms."""
        ...


class TokenCredential(Struct, frozen=True):
    """A token that held when it was shown, signed by the key that `kid` names."""

    account: str
    kid: str
    expires: int

    def check(self, now: Snapshot) -> AccountRow:
        keys = now.state.current_keys(self.account)
        row = now.state.account(self.account)
        if row is None or not row.live or keys is None or keys.sign.thumbprint != self.kid:
            raise Unauthenticated("token: want one signed by the current key of a live account")
        return row


class SessionCredential(Struct, frozen=True):
    """A browser's session. It ends with its account, and with the password or recovery code it was begun with."""

    sessions: Sessions
    token: str
    id: str
    expires: int

    def __repr__(self) -> str:
        return "SessionCredential(...)"

    def check(self, now: Snapshot) -> AccountRow:
        session = self.sessions.find(self.token)
        if session is None:
            raise Unauthenticated("session: it has ended; log in again")
        row = now.state.account(session.account)
        if row is None or not row.live:
            raise Unauthenticated("account: it was ended by an administrator")
        if not still_fits(now, session):
            raise Unauthenticated("session: the login it was begun with was changed since; log in again")
        return row


def still_fits(now: Snapshot, session: Session) -> bool:
    """Whether the account's login still is the one that the session was begun with."""
    card = now.card(session.account)
    login = None if card is None else card.login
    return login is not None and session.verifier in (login.verifier, login.recovery)


class Caller(Struct, frozen=True):
    """An account that may ask, and the moment of the chain at which it may."""

    row: AccountRow
    now: Snapshot
    credential: Credential

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def is_admin(self) -> bool:
        return self.row.role == "admin"

    def need_admin(self) -> None:
        if not self.is_admin:
            raise Refused("permission", f"that takes the role admin, yours is {self.row.role}")


class Desk:
    """Where every view asks who is calling."""

    def __init__(self, chains: Chains, sessions: Sessions, clock: Clock) -> None:
        self._chains = chains
        self._sessions = sessions
        self._clock = clock

    @contextmanager
    def visitor(self) -> Iterator[Snapshot]:
        """For the few views that are for everybody."""
        with self._chains.snapshot() as now:
            yield now

    @contextmanager
    def caller(self) -> Iterator[Caller]:
        """For all others. Raises `Unauthenticated`."""
        with self._chains.snapshot() as now:
            credential = self._credential(now)
            yield Caller(credential.check(now), now, credential)

    def _credential(self, now: Snapshot) -> Credential:
        header = request.headers.get("Authorization")
        if header is not None:
            return self._of_token(header, now)
        cookie = request.cookies.get(COOKIE)
        session = self._sessions.use(cookie) if cookie else None
        if cookie is None or session is None:
            raise Unauthenticated("want a session in force, or a token: log in first")
        return SessionCredential(self._sessions, cookie, session.id, session.expires)

    def _of_token(self, header: str, now: Snapshot) -> Credential:
        if not header.startswith(BEARER):
            raise Unauthenticated("Authorization: want 'Bearer' and a token")
        try:
            shown = token.parse(header.removeprefix(BEARER))
        except Malformed as error:
            raise Unauthenticated(f"token: {error}") from error
        credential = TokenCredential(shown.account, shown.kid, shown.claims.exp * 1000)
        credential.check(now)
        keys = now.state.current_keys(shown.account)
        assert keys is not None  # or the check had raised
        audience = token.audience(now.chain.origin, token.REST)
        try:
            shown.verify(keys.sign, audience=audience, now=self._clock() / 1000)
        except Unverified as error:
            raise Unauthenticated(str(error), now=self._clock()) from error
        return credential

"""The gateway over REST, as a device asks it: every answer parsed, every failure one of our errors."""

import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import urllib3
from msgspec import Struct

from chain import api, token, wire
from chain.ed25519 import Signer
from chain.encoding import read, unb64url_hash
from chain.errors import Malformed
from chain.wire import Consistency, Delivered, Delivery, Parcel
from device.errors import Problem, UnfitList, Unreachable
from device.tls import Tls

T = TypeVar("T", bound=Struct)

SECONDS = 10.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024
PIECE_BYTES = 65_536
ACCEPTED = 202
UNAUTHORISED = 401
FIRST_ERROR = 400
BUSY = 503


class Receipted(Struct, frozen=True):
    """The answer to a submitted entry."""

    id: str
    receipt: str


class Caller(Struct, frozen=True):
    """Who asks: an account of the chain `origin`, and what signs its tokens."""

    account: str
    origin: str
    kid: str
    sign: Signer


class Gateway:
    """
    One gateway's REST interface: over HTTPS with `tls`, which a LAN has; without, on loopback.

    Every call raises `Unreachable` if there is no answer now, `Insecure` if who answers is not shown to be the gateway,
    `Problem` if the answer is no. `clock` gives seconds since 1970; a gateway whose clock differs is believed about that, in tokens only.
    """

    def __init__(
        self,
        host: str,
        port: int,
        caller: Caller | None = None,
        clock: Callable[[], float] = time.time,
        *,
        tls: Tls | None = None,
    ) -> None:
        self._place = (host, port)
        self._base = f"{'https' if tls else 'http'}://{host}:{port}"
        self._tls = tls
        self._trusts: object = None
        self._caller = caller
        self._clock = clock
        self._offset = 0.0
        self._pool = _pool(None)

    @property
    def now(self) -> int:
        """The time in ms: by this machine's clock, unless the gateway was asked and says otherwise."""
        return round((self._clock() + self._offset) * 1000)

    def site(self) -> api.Site:
        return self._ask("GET", "/v1/site", api.Site)

    def set_clock(self) -> None:
        """Take the gateway's clock for the tokens, where this machine's is too far off for them."""
        self._believe(self.site().now)

    def checkpoint(self) -> str:
        return self._text("/checkpoint")

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the log of `new` entries continues the one of `old`."""
        proof = self._ask("GET", f"/v1/chain/consistency?from={old}&to={new}", Consistency)
        return [unb64url_hash(value, what="consistency path") for value in proof.path]

    def invited(self, code: str) -> api.Invited:
        """What an unused join code is for."""
        return self._ask("POST", "/v1/invites", api.Invited, api.ShowCode(code))

    def account(self, account: str) -> api.Party:
        return self._ask("GET", f"/v1/accounts/{account}", api.Party)

    def profile(self) -> Delivered:
        """The caller's own newest profile."""
        return self._ask("GET", "/v1/profile", Delivered)

    def intent(
        self, to: str, alert: api.AlertHeader | None = None, re: str | None = None
    ) -> api.IntentAnswer:
        """Whom `to` means; with the header of an `alert`, also those to whom it may escalate."""
        return self._ask("POST", "/v1/intents", api.IntentAnswer, api.Intent(to, alert, re))

    def friends(self) -> list[api.Friend]:
        return self._ask("POST", "/friendslist", _Friends, {}).friends

    def register(self, parcel: Parcel) -> Receipted | api.Match:
        """`Match` where an admin has to compare six digits first: then the same is to be asked again."""
        status, answer = self._answered("POST", "/v1/accounts", parcel)
        if status == ACCEPTED:
            return _read(api.Match, answer, "POST", "/v1/accounts")
        return _read(Receipted, answer, "POST", "/v1/accounts")

    def certify(self, request: api.CertificateRequest) -> api.Certified:
        return self._ask("POST", "/v1/certificates", api.Certified, request)

    def revoked(self) -> str:
        """The newest certificate revocation list, in PEM."""
        return self._text("/v1/crl")

    def submit(self, parcel: Parcel) -> Receipted:
        return self._ask("POST", "/v1/entries", Receipted, parcel)

    def inbox(self, after: int, limit: int = 100) -> Delivery:
        return self._ask("GET", f"/v1/inbox?after={after}&limit={limit}", Delivery)

    def entry(self, entry_id: str) -> Delivered:
        """One that the caller may read, though it need not be for them."""
        return self._ask("GET", f"/v1/entries/{quote(entry_id, safe='')}", Delivered)

    def alerts(self) -> list[api.AlertLine]:
        """The alerts that concern the caller: those that are open, or were until lately."""
        return self._ask("GET", "/v1/alerts", api.AlertPage).alerts

    def alert(self, entry_id: str) -> list[Delivered]:
        """What the alert follows from whose first message has this id."""
        return self._ask("GET", f"/v1/alerts/{entry_id}/entries", api.AlertEntries).entries

    def alive(self) -> None:
        """Raise `Unreachable` unless the gateway commits what it is sent."""
        self._request("GET", "/healthz")

    def accounts(self) -> Iterator[api.AccountLine]:
        """Everybody; for an admin."""
        after: int | None = -1
        while after is not None:
            page = self._ask("GET", f"/v1/admin/accounts?after={after}", api.AccountPage)
            yield from page.accounts
            after = page.next

    def groups(self) -> Iterator[api.GroupView]:
        """Every group; for an admin."""
        after: int | None = -1
        while after is not None:
            page = self._ask("GET", f"/v1/admin/groups?after={after}", api.GroupPage)
            yield from page.groups
            after = page.next

    def token(self, service: str) -> str:
        """A fresh token for one of the gateway's services."""
        if self._caller is None:
            raise Problem(UNAUTHORISED, "not joined: there is no account to ask as")
        return token.make(
            self._caller.account,
            audience=token.audience(self._caller.origin, service),
            now=self._clock() + self._offset,
            kid=self._caller.kid,
            signer=self._caller.sign,
        )

    def _ask(self, method: str, path: str, kind: type[T], body: Any = None) -> T:
        return _read(kind, self._request(method, path, body), method, path)

    def _text(self, path: str) -> str:
        try:
            return self._request("GET", path).decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"answer to GET {path}: not UTF-8") from error

    def _request(self, method: str, path: str, body: Any = None) -> bytes:
        _, answer = self._answered(method, path, body)
        return answer

    def _answered(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """The status and the answer; once more, if this machine's clock was why the token was refused."""
        try:
            return self._once(method, path, body)
        except Problem as problem:
            if problem.status != UNAUTHORISED or problem.now is None:
                raise
            self._believe(problem.now)
            return self._once(method, path, body)

    def _believe(self, now: int) -> None:
        # A Raspberry Pi has no clock battery: it may be years off until the network tells it.
        offset = now / 1000 - self._clock()
        self._offset = offset if abs(offset) > token.LEEWAY / 2 else 0.0

    def _once(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        response = self._asked(method, path, body)
        try:
            answer = response.read(MAX_ANSWER_BYTES, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self._base}: {_reason(error)}") from error
        finally:
            response.release_conn()
        if response.status >= FIRST_ERROR:
            raise _problem(response.status, answer)
        return response.status, answer

    def _asked(self, method: str, path: str, body: Any) -> urllib3.BaseHTTPResponse:
        """The answer's head; what follows it is left to be read."""
        headers = {"Accept": "application/json"}
        if self._caller is not None:
            headers["Authorization"] = f"Bearer {self.token(token.REST)}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else wire.encode(body)
        try:
            return self._opened(method, path, data, headers)
        except UnfitList:
            return self._opened(method, path, data, headers)

    def _opened(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._connections().request(
                method, self._base + path, body=data, headers=headers, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._failed(error) from error

    def _connections(self) -> urllib3.PoolManager:
        """Those that trust what the home's files say now: a revocation list is replaced daily, and ends."""
        if self._tls is not None and self._trusts != (trusts := self._tls.trusts()):
            self._pool.clear()
            self._pool, self._trusts = _pool(self._tls.context()), trusts
        return self._pool

    def _failed(self, error: Exception) -> Unreachable:
        refusal = error.args[0] if error.args and isinstance(error, urllib3.exceptions.SSLError) else error
        if self._tls is not None and isinstance(refusal, ssl.SSLError):
            return self._tls.refused(refusal, *self._place)
        return Unreachable(f"{self._base}: {_reason(error)}")

    # For what only an admin asks (`provisioning.admin.requests`)

    def ask(self, method: str, path: str, kind: type[T], body: Any = None) -> T:
        """Any request, its answer parsed."""
        return self._ask(method, path, kind, body)

    def tell(self, path: str, body: Any) -> None:
        """A request whose answer says no more than yes."""
        self._request("POST", path, body)

    def pieces(self, path: str) -> Iterator[bytes]:
        """An answer as it comes, however long it is. It may break off, with `Unreachable` or without."""
        response = self._asked("GET", path, None)
        try:
            if response.status >= FIRST_ERROR:
                raise _problem(response.status, response.read(MAX_ANSWER_BYTES))
            yield from response.stream(PIECE_BYTES)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self._base}: {_reason(error)}") from error
        finally:
            response.close()


def _pool(context: ssl.SSLContext | None) -> urllib3.PoolManager:
    timeout = urllib3.Timeout(total=SECONDS)
    return urllib3.PoolManager(num_pools=1, timeout=timeout, retries=False, ssl_context=context)


def _read(kind: type[T], answer: bytes, method: str, path: str) -> T:
    return read(msgspec.json.Decoder(kind), answer, what=f"answer to {method} {path.partition('?')[0]}")


class _Friends(Struct, frozen=True):
    friends: list[api.Friend]


_problems = msgspec.json.Decoder(api.Problem)


def _problem(status: int, answer: bytes) -> Problem | Unreachable:
    try:
        problem = _problems.decode(answer)
    except (msgspec.DecodeError, UnicodeError):
        problem = api.Problem(type="about:blank", title="", status=status, detail=f"HTTP status {status}")
    if status >= BUSY:
        return Unreachable(problem.detail)
    return Problem(
        status,
        problem.detail,
        type=problem.type,
        rule=problem.rule,
        refusal=problem.refusal,
        now=problem.now,
    )


def _reason(error: Exception) -> str:
    return str(error).rpartition(": ")[2] or type(error).__name__

"""Server-sent events: what a browser's open page is told as it happens."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from flask import Blueprint, Response, request
from msgspec import Struct

from chain import wire
from chain.errors import ChainError, Malformed
from chain.wire import Delivered
from gateway.relay import Relay
from gateway.rest.desk import Credential, Desk
from gateway.rest.documents import read_query
from gateway.rest.friends import contacts_of
from gateway.rest.inbox import Since, page
from gateway.rest.problems import Crowded, Unauthenticated
from gateway.rest.snapshot import Chains, Snapshot
from gateway.sessions import Clock

LOOK_SECONDS = 2.0
"""How often the chain and the session are looked at when nobody tells of a new checkpoint."""

HEARTBEAT_MS = 15_000
HEAD_MS = 1_000
"""A checkpoint is told of at most this often."""

PRESENCE_MS = 1_000
"""Who came or went is told of at most this often: who did both in between did neither."""

MOST_STREAMS = 200
MOST_OF_ONE = 20


class Head(Struct, frozen=True):
    """The data of a `head` event."""

    checkpoint: str


class PresenceOf(Struct, frozen=True):
    """The data of a `presence` event: a contact of the caller came, or went."""

    id: str
    online: bool


class Halted(Struct, frozen=True):
    """The data of a `halted` event: why nothing is committed; no reason, once it is again."""

    reason: str | None


class End(Struct, frozen=True):
    """The data of an `end` event, after which nothing more comes: the page logs in again, or says so loudly."""

    detail: str


class Seats:
    """Counts the open streams: each keeps a thread of the server busy, and one account must not take them all."""

    def __init__(self, most: int = MOST_STREAMS, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._taken.total()

    def take(self, account: str) -> None:
        """Raise `Crowded` if there is none left."""
        with self._lock:
            if self._taken.total() >= self._most or self._taken[account] >= self._most_of_one:
                raise Crowded(f"want at most {self._most} event streams, {self._most_of_one} of one account")
            self._taken[account] += 1

    def leave(self, account: str) -> None:
        with self._lock:
            self._taken[account] -= 1
            if not self._taken[account]:
                del self._taken[account]


def events(desk: Desk, chains: Chains, relay: Relay, seats: Seats, clock: Clock) -> Blueprint:
    views = Blueprint("events", __name__, url_prefix="/v1/events")

    @views.get("")
    def stream() -> Response:
        since = _since()
        with desk.caller() as me:
            account, credential = me.id, me.credential
        if request.method == "HEAD":
            return Response(content_type="text/event-stream")
        seats.take(account)
        relay.presence.open_page(account)
        told = Stream(chains, relay, clock, account=account, credential=credential, since=since)
        response = Response(told.events(), content_type="text/event-stream")

        @response.call_on_close
        def leave() -> None:
            relay.presence.close_page(account)
            seats.leave(account)

        return response

    return views


def _since() -> Since:
    """Where a browser that reconnects had come to counts more than where its page once began."""
    since = read_query(Since)
    last = request.headers.get("Last-Event-ID")
    if not last:
        return since
    try:
        return msgspec.convert({"after": last, "limit": since.limit, "all": since.all}, Since, strict=False)
    except msgspec.ValidationError as error:
        raise Malformed(f"Last-Event-ID: {error}") from error


class Stream:
    """What one page is told. It asks the chain again each time, so nothing is lost or told twice."""

    def __init__(
        self,
        chains: Chains,
        relay: Relay,
        clock: Clock,
        *,
        account: str,
        credential: Credential,
        since: Since,
    ) -> None:
        self._chains = chains
        self._heads = relay.heads
        self._presence = relay.presence
        self._pulses = relay.pulses
        self._halted: str | None = None
        self._clock = clock
        self._account = account
        self._credential = credential
        self._since = since
        self._size = -1
        self._note = self._told = ""
        self._told_at = 0
        # The page asks who is there when it begins; from then on it is told what changes.
        self._online = self._presence.online()
        self._met_at = 0
        self._spoke = 0

    def events(self) -> Iterator[bytes]:
        yield b"retry: 2000\n\n"
        self._spoke = self._clock()
        while not self._heads.closed:
            try:
                entries, changes = self._look()
            except Unauthenticated as error:
                yield _event("end", End(str(error)))
                return
            except (sqlite3.Error, ChainError):
                # The page begins anew, and is answered with the problem.
                return
            present = (_event("presence", change) for change in changes)
            for told in (*map(_entry, entries), *present, *self._trouble(), *self._head()):
                self._spoke = self._clock()
                yield told
            if self._clock() - self._spoke >= HEARTBEAT_MS:
                self._spoke = self._clock()
                yield b":\n\n"
            if not entries:
                self._heads.wait(self._size, LOOK_SECONDS)

    def _look(self) -> tuple[list[Delivered], list[PresenceOf]]:
        """The next entries, and who came or went, if the credential still holds."""
        with self._chains.snapshot() as now:
            self._credential.check(now)
            self._size, self._note = now.size, now.note
            entries = page(now, self._account, self._since)
            changes = self._changes(now)
        if entries:
            self._since = msgspec.structs.replace(self._since, after=entries[-1].index)
        return entries, changes

    def _changes(self, now: Snapshot) -> list[PresenceOf]:
        """Which contacts came or went since it was last told, if that was not just now."""
        online, before = self._presence.online(), self._online
        if online is before or self._clock() - self._met_at < PRESENCE_MS:
            return []
        self._online, self._met_at = online, self._clock()
        changed = (online ^ before) & contacts_of(now.state, self._account)
        return [
            PresenceOf(account, account in online and now.state.is_live(account))
            for account in sorted(changed)
        ]

    def _trouble(self) -> Iterator[bytes]:
        """Whether anything is committed, if that has changed."""
        reason = self._pulses.halted()
        if reason != self._halted:
            self._halted = reason
            yield _event("halted", Halted(reason))

    def _head(self) -> Iterator[bytes]:
        """The newest checkpoint, if it was not told of, and no other one just now."""
        now = self._clock()
        if self._note != self._told and now - self._told_at >= HEAD_MS:
            self._told, self._told_at = self._note, now
            yield _event("head", Head(self._note))


def _entry(delivered: Delivered) -> bytes:
    return b"id: %d\n%b" % (delivered.index, _event("entry", delivered))


def _event(name: str, data: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), wire.encode(data))

"""
How often somebody may try, until there is a pause: counted in memory, for as long as the web server runs.

What counts is told by `ALLOWED`. Several windows one beside the other make pauses that grow. Nothing is counted by a
handle alone, or whoever guesses at it would lock its owner out.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address, ip_network

from flask import request
from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from msgspec import Struct

from chain.encoding import b64url, digest
from chain.errors import Missing, Refused
from gateway.rest.problems import Declined, TooMany, Unauthenticated
from gateway.sessions import Clock, Session

ALLOWED = {
    "login": "5/minute; 10/10 minutes; 20/hour",
    "logins": "30/minute; 300/hour",
    "salts": "120/minute; 1200/hour",
    "invites": "20/minute; 100/hour",
    "accounts": "20/minute; 100/hour",
    "lookups": "30/minute; 300/hour",
    "certificates": "5/minute; 120/hour",
}
"""How many tries of each kind. A window begins with its first one."""

MOST_WINDOWS = 20_000
"""Of more than these the oldest are forgotten: a crowd of sources costs a few megabytes and no more."""

MOST_KNOWN = 10_000
"""Who logged in from where: pairs of an address and a handle that are remembered."""

FAILURES = (Declined, Missing, Refused, Unauthenticated)
"""What makes a try a wrong one. Anything else was not the caller's guess."""

_LIMITS = {kind: parse_many(text) for kind, text in ALLOWED.items()}
_LOOPBACK = ip_network("127.0.0.0/8")


class Source(Struct, frozen=True):
    """Where a request comes from. In IPv6, and on its loopback, one machine may have all of `network`."""

    address: str
    network: str

    @classmethod
    def of_request(cls) -> "Source":
        return cls.of(request.remote_addr or "")

    @classmethod
    def of(cls, text: str) -> "Source":
        try:
            address = ip_address(text)
        except ValueError:
            return cls(text, text)  # no address that we know: it is what it is
        if isinstance(address, IPv4Address):
            return cls(text, str(_LOOPBACK) if address in _LOOPBACK else text)
        if address.ipv4_mapped is not None:
            return cls.of(str(address.ipv4_mapped))
        return cls(text, str(ip_network((int(address), 64), strict=False)))


class Count(Struct, frozen=True):
    """What is counted together: the tries of one kind by `who`, of which only a hash is kept."""

    kind: str
    who: tuple[str, ...]

    @property
    def limits(self) -> list[RateLimitItem]:
        return _LIMITS[self.kind]

    @property
    def key(self) -> str:
        parts = (self.kind, *self.who)
        return b64url(digest(b"".join(digest(part.encode("utf-8", "surrogatepass")) for part in parts)))


class Windows(Storage):
    """
    The counts of the library's fixed windows, by a clock that is handed in.

    The library's own storage in memory has no bound, and starts a thread to tidy up.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, most: int = MOST_WINDOWS) -> None:
        super().__init__()
        self._clock = clock
        self._most = most
        self._windows: OrderedDict[str, tuple[int, float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    @property
    def base_exceptions(self) -> type[Exception]:
        return KeyError  # it raises none

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """`expiry` is how long the window is open, in seconds. What is given back to a closed one is gone."""
        count, begun, seconds = self._open(key) or (0, self._now(), expiry)
        if count + amount > 0:
            self._windows[key] = (count + amount, begun, seconds)
        else:
            self._windows.pop(key, None)
        while len(self._windows) > self._most:
            self._windows.popitem(last=False)
        return count + amount

    def get(self, key: str) -> int:
        window = self._open(key)
        return window[0] if window else 0

    def get_expiry(self, key: str) -> float:
        window = self._open(key)
        return window[1] + window[2] if window else self._now()

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)

    def _open(self, key: str) -> tuple[int, float, int] | None:
        window = self._windows.get(key)
        # A clock that was set back must not keep anybody waiting until it is there again.
        if window is not None and not window[1] <= self._now() < window[1] + window[2]:
            del self._windows[key]
            return None
        return window

    def _now(self) -> float:
        return self._clock() / 1000


class Tries:
    """Any number of threads may ask."""

    def __init__(self, clock: Clock, most: int = MOST_WINDOWS) -> None:
        self._clock = clock
        self.windows = Windows(clock, most)
        self._limiter = FixedWindowRateLimiter(self.windows)
        self._lock = threading.Lock()

    def take(self, *counts: Count) -> None:
        """Count a try in all of these; raise `TooMany`, and count nothing, if one is used up."""
        with self._lock:
            until = [
                self._limiter.get_window_stats(limit, count.key).reset_time
                for count in counts
                for limit in count.limits
                if not self._limiter.test(limit, count.key)
            ]
            if until:
                raise TooMany(max(until) - self._clock() / 1000)
            self._hit(counts, 1)

    def give_back(self, *counts: Count) -> None:
        with self._lock:
            self._hit(counts, -1)

    def forget(self, count: Count) -> None:
        """Count from the beginning."""
        with self._lock:
            for limit in count.limits:
                self._limiter.clear(limit, count.key)

    @contextmanager
    def attempt(self, *counts: Count) -> Iterator[None]:
        """A try that counts if it is a wrong one. It is taken first: many at once get no more than one by one."""
        self.take(*counts)
        wrong = False
        try:
            yield
        except FAILURES:
            wrong = True
            raise
        finally:
            if not wrong:
                self.give_back(*counts)

    def _hit(self, counts: tuple[Count, ...], cost: int) -> None:
        for count in counts:
            for limit in count.limits:
                self._limiter.hit(limit, count.key, cost=cost)


class Guesses:
    """
    Wrong logins: counted for an address and a handle together, and for all handles from one network.

    Who logged in from this address before waits for nobody's guesses at other handles; and a browser that holds a
    session of the account, for nobody's but its own.
    """

    def __init__(self, tries: Tries, most: int = MOST_KNOWN) -> None:
        self._tries = tries
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[str, None] = OrderedDict()

    @contextmanager
    def guess(self, source: Source, handle: str, session: Session | None) -> Iterator[None]:
        """`session` is the one that the browser holds, if it is one of this handle's account."""
        pair = Count("login", (source.address, handle))
        if session is not None:
            pair = Count("login", ("session", session.id))
            counts = [pair]
        elif self.knows(source, handle):
            counts = [pair]
        else:
            counts = [pair, Count("logins", (source.network,))]
        with self._tries.attempt(*counts):
            yield
        self._tries.forget(pair)
        self._remember(source, handle)

    def knows(self, source: Source, handle: str) -> bool:
        """Whether this handle logged in from this address."""
        return Count("known", (source.address, handle)).key in self._known

    def _remember(self, source: Source, handle: str) -> None:
        key = Count("known", (source.address, handle)).key
        with self._lock:
            self._known[key] = None
            self._known.move_to_end(key)
            if len(self._known) > self._most:
                self._known.popitem(last=False)

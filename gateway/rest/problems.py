"""
What can go wrong with a request, and the one table from errors to statuses.

* RestError
  + Unauthenticated   nobody is logged in, or no longer; `now` where the caller's clock may be why
  + CrossSite         another site's page sent it
  + WrongMedia        the body is not JSON
  + Crowded           too many streams are open, or bodies on their way in
  + TooMany           the caller tried too often, and waits `seconds`
  + Expired           a certificate that an admin has to renew first
  + Unwell            entries are not committed just now
  + DiskFault         the gateway's disk does not let it read or write what it takes
  + NotBuilt          the page is not there
  + Declined          the committer refused the entry, and signed for it
"""

import logging
import math
import sqlite3
import time
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from chain.api import Problem
from chain.contracts.guard import BadGuard, GuardFailed, NoEngine
from chain.errors import ChainError, Damaged, Malformed, Missing, Oversized, Refused, Rule, Unverified
from gateway import halt
from gateway.authority import NoAuthority
from gateway.errors import BadConfig, Busy, GatewayError, Halted, Undecided
from gateway.relay import SignedRefusal

log = logging.getLogger(__name__)

MEDIA = "application/problem+json"
RETRY_SECONDS = 2

COMPLAINT_SECONDS = 60.0
"""Between two lines of the log about the disk."""

SECONDS_AS_SUCH = 90
"""A longer pause is told in minutes."""


class RestError(Exception):
    """A request that is answered with a problem."""


class Unauthenticated(RestError):
    """Nobody is logged in, or no longer."""

    def __init__(self, detail: str, *, now: int | None = None) -> None:
        super().__init__(detail)
        self.now = now


class CrossSite(RestError):
    """Another site's page sent it."""


class WrongMedia(RestError):
    """The body is not JSON."""


class Crowded(RestError):
    """Too many event streams are open, or bodies on their way in."""


class TooMany(RestError):
    """The caller tried too often. Its words are for a person: the page shows them."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(f"too many tries from here: wait {_in_words(self.seconds)}, then try again")


class Expired(RestError):
    """A certificate that an admin has to renew first, or that is not granted at all; the message says why."""


class Unwell(RestError):
    """Entries are not committed just now."""


class DiskFault(RestError):
    """The gateway's disk does not let it read or write what it takes to answer."""


class NotBuilt(RestError):
    """The page is not there: a checkout has it only once it was built."""


class Declined(RestError):
    """The committer refused the entry, and signed for it."""

    def __init__(self, refusal: SignedRefusal) -> None:
        super().__init__(refusal.says.reason)
        self.rule = refusal.says.rule
        self.jws = refusal.jws


STATUS: dict[type[Exception] | Rule, HTTPStatus] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    BadGuard: HTTPStatus.BAD_REQUEST,
    Oversized: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unverified: HTTPStatus.FORBIDDEN,
    Missing: HTTPStatus.NOT_FOUND,
    Damaged: HTTPStatus.INTERNAL_SERVER_ERROR,
    GuardFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    BadConfig: HTTPStatus.INTERNAL_SERVER_ERROR,
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    NoAuthority: HTTPStatus.SERVICE_UNAVAILABLE,
    NoEngine: HTTPStatus.SERVICE_UNAVAILABLE,
    Undecided: HTTPStatus.SERVICE_UNAVAILABLE,
    Halted: HTTPStatus.SERVICE_UNAVAILABLE,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    CrossSite: HTTPStatus.FORBIDDEN,
    WrongMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Crowded: HTTPStatus.SERVICE_UNAVAILABLE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Expired: HTTPStatus.FORBIDDEN,
    Unwell: HTTPStatus.SERVICE_UNAVAILABLE,
    DiskFault: HTTPStatus.SERVICE_UNAVAILABLE,
    NotBuilt: HTTPStatus.SERVICE_UNAVAILABLE,
    # `Refused` and `Declined` go by the rule that they name.
    "contact": HTTPStatus.FORBIDDEN,
    "contract": HTTPStatus.FORBIDDEN,
    "gap": HTTPStatus.CONFLICT,
    "handle": HTTPStatus.CONFLICT,
    "history": HTTPStatus.CONFLICT,
    "invite": HTTPStatus.FORBIDDEN,
    "key": HTTPStatus.FORBIDDEN,
    "malformed": HTTPStatus.BAD_REQUEST,
    "origin": HTTPStatus.CONFLICT,
    "oversized": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "permission": HTTPStatus.FORBIDDEN,
    "quorum": HTTPStatus.FORBIDDEN,
    "rate": HTTPStatus.TOO_MANY_REQUESTS,
    "replay": HTTPStatus.CONFLICT,
    "revoked": HTTPStatus.FORBIDDEN,
    "sequence": HTTPStatus.CONFLICT,
    "signature": HTTPStatus.FORBIDDEN,
    "stranger": HTTPStatus.FORBIDDEN,
    "topic": HTTPStatus.FORBIDDEN,
    "unknown": HTTPStatus.CONFLICT,
    "unsupported": HTTPStatus.CONFLICT,
}


def register(app: Flask) -> None:
    """Let every error, the framework's own too, be answered with a problem document."""

    @app.errorhandler(ChainError)
    @app.errorhandler(GatewayError)
    @app.errorhandler(RestError)
    def ours(error: Exception) -> Response:
        response = _response(problem_of(error))
        if isinstance(error, TooMany):
            response.headers["Retry-After"] = str(error.seconds)
        return response

    complaint = Complaint()

    @app.errorhandler(sqlite3.Error)
    def of_the_disk(error: sqlite3.Error) -> Response:
        if isinstance(error, sqlite3.ProgrammingError):
            raise error  # a defect of ours, and not of the disk
        complaint.make(error)
        words = "is full" if halt.is_full(error) else f"failed: {error}"
        return _response(problem_of(DiskFault(f"the gateway's disk {words}")))

    @app.errorhandler(HTTPException)
    def theirs(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        detail = f"{request.method} here: {status.description or status.phrase}"
        response = _response(Problem(type="about:blank", title=status.phrase, status=status, detail=detail))
        for name, value in error.get_headers():
            if name not in ("Content-Type", "Content-Length"):
                response.headers[name] = value
        return response


class Complaint:
    """Says in the log that the disk fails, but not for each request that meets it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = float("-inf")

    def make(self, error: Exception) -> None:
        now = self._clock()
        if now >= self._next:
            self._next = now + COMPLAINT_SECONDS
            log.error("request not answered reason=%s", error)


def problem_of(error: Exception) -> Problem:
    rule = error.rule if isinstance(error, Refused | Declined) else None
    status = STATUS[rule or type(error)]
    return Problem(
        type=f"urn:blockpost:problem:{'refused' if rule else type(error).__name__.lower()}",
        title=status.phrase,
        status=status,
        detail=error.reason if isinstance(error, Refused) else str(error),
        rule=rule,
        refusal=error.jws if isinstance(error, Declined) else None,
        now=error.now if isinstance(error, Unauthenticated) else None,
    )


def _response(problem: Problem) -> Response:
    response = Response(msgspec.json.encode(problem), status=problem.status, content_type=MEDIA)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _in_words(seconds: int) -> str:
    if seconds <= SECONDS_AS_SUCH:
        return f"{seconds} second{'s' if seconds > 1 else ''}"
    return f"{math.ceil(seconds / 60)} minutes"

"""JSON as it comes and goes: bodies and queries read strictly, values written."""

import threading
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from flask import Response, request
from msgspec import Struct

from chain import wire
from chain.encoding import read
from chain.errors import Malformed
from gateway.rest.problems import CrossSite, Crowded, WrongMedia

T = TypeVar("T")

LARGEST_PAGE = 200

MOST_BODIES = 24
PATIENCE = 1.0
"""Seconds that a request waits for its turn to be read."""


class Empty(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request that says nothing: `{}`."""


class Intake:
    """
    Takes in the bodies of requests, so many at a time: a thread that waits for the rest of one waits as long as
    its sender likes, and those who only read or listen must not run out of threads for it.
    """

    def __init__(self, most: int = MOST_BODIES) -> None:
        self._places = threading.BoundedSemaphore(most)

    def take(self) -> None:
        """Check the form of a request before its view is asked. One without a route is left to its 404."""
        if request.method != "POST" or request.routing_exception is not None:
            return
        _check_form()
        if not self._places.acquire(timeout=PATIENCE):
            raise Crowded("too many bodies are on their way in at once")
        try:
            request.get_data()  # kept with the request, for the view
        finally:
            self._places.release()


def _check_form() -> None:
    """
    Refuse what a page of another site could send with a browser's cookie: such a page can neither set this
    media type without asking first, nor hide its origin.
    """
    if request.mimetype != "application/json":
        raise WrongMedia(f"want a body of application/json, got {request.mimetype[:80] or 'no media type'!r}")
    origin = request.headers.get("Origin")
    # With its scheme: what a plain page of the same name says, anybody on the way may have written.
    own = f"{request.scheme}://{request.host}"
    if origin is not None and origin != own:
        raise CrossSite(f"want no origin but {own!r}, got {origin[:200]!r}")


def read_body(decoder: msgspec.json.Decoder[T]) -> T:
    """Raise `Malformed` unless the body is what `decoder` knows and nothing more."""
    return read(decoder, request.get_data(), what="body")


def read_query(kind: type[T]) -> T:
    """Raise `Malformed` unless the query is what `kind` knows and nothing more."""
    try:
        return msgspec.convert(request.args.to_dict(), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Malformed(f"query: {error}") from error


def answer(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(wire.encode(value), status=status, content_type="application/json")

"""JSON as it comes and goes: bodies and queries read strictly, values written."""

from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from flask import Response, request
from msgspec import Struct

from chain import wire
from chain.encoding import read
from chain.errors import Malformed
from gateway.rest.problems import CrossSite, WrongMedia

T = TypeVar("T")

LARGEST_PAGE = 200


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request that says nothing: `{}`."""


def check_form() -> None:
    """
    Refuse what a page of another site could send with a browser's cookie: such a page can neither set this
    media type without asking first, nor hide its origin. Requests without a route are left to their 404.
    """
    if request.method != "POST" or request.routing_exception is not None:
        return
    if request.mimetype != "application/json":
        raise WrongMedia(f"want a body of application/json, got {request.mimetype[:80] or 'no media type'!r}")
    origin = request.headers.get("Origin")
    if origin is not None and _host_of(origin) != request.host:
        raise CrossSite(f"want no origin but {request.host!r}, got {origin[:200]!r}")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


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

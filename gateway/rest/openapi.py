"""
What every route reads and answers, as an OpenAPI 3.1 document made from the very structs that the views use.

`GET /openapi.json` is for programs, `GET /docs` (`reference.py`) for people; docs/protocol.md says more than either.
"""

import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Blueprint, Response
from msgspec import Struct

from chain.api import Problem
from gateway.rest import reference
from gateway.rest.desk import COOKIE
from gateway.rest.documents import answer
from gateway.rest.problems import MEDIA
from gateway.rest.routes import ANY, BYTES, IN_PATH, IN_STREAM, JSON, ROUTES, STREAM, Route

OF_EVERY_POST = (400, 403, 413, 415, 503)
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "all": [],
    "here": [{}, {"session": []}, {"token": []}],
    "account": [{"session": []}, {"token": []}],
    "admin": [{"session": []}, {"token": []}],
}
SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A browser's session."},
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Signed by the account's key.",
    },
}

EVENT = {
    "title": "Event",
    "description": "One of a stream's. `id` is the entry's index, or the last one's: what a browser asks on from.",
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"enum": list(IN_STREAM)},
        "data": {"type": "string"},
    },
    "required": ["event", "data"],
    "oneOf": [
        {
            "properties": {
                "event": {"const": name},
                "data": {
                    "contentMediaType": JSON,
                    "contentSchema": {"$ref": f"#/components/schemas/{kind.__name__}"},
                },
            }
        }
        for name, kind in IN_STREAM.items()
    ],
}

_PARAMETER = re.compile(r"<(?:path:)?(\w+)>")


def openapi(version: str) -> Blueprint:
    views = Blueprint("openapi", __name__)

    @views.get("/openapi.json")
    def read() -> Response:
        return answer(document(version))

    @views.get("/docs")
    def look() -> Response:
        return Response(_page(version), content_type="text/html; charset=utf-8", headers=reference.HEADERS)

    return views


@cache
def _page(version: str) -> str:
    return reference.render(document(version))


@cache
def document(version: str) -> dict[str, Any]:
    """The whole of it. Nobody may change it."""
    told = [
        kind
        for route in ROUTES.values()
        for kind in (route.body, route.answer, route.meanwhile)
        if isinstance(kind, type)
    ]
    _, schemas = _components([*told, *IN_STREAM.values(), Problem])
    paths: dict[str, Any] = {}
    for name, route in ROUTES.items():
        method, path = name.split(" ")
        paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})[method.lower()] = _operation(name, route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Blockpost",
            "version": version,
            "description": "The gateway's REST interface. docs/protocol.md says what the members mean, to the byte.",
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in ROUTES.values())],
        "paths": paths,
        "components": {"schemas": {**schemas, "Event": EVENT}, "securitySchemes": SCHEMES},
    }


def _components(kinds: list[Any]) -> tuple[Any, dict[str, Any]]:
    made = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    # Python's anchors are not those of JSON Schema, whose expressions are ECMAScript's.
    text = msgspec.json.encode(made).replace(rb'"\\A', b'"^').replace(rb'\\Z"', b'$"')
    inline, components = msgspec.json.decode(text)
    return inline, components


def _operation(name: str, route: Route) -> dict[str, Any]:
    parameters = [*map(_in_path, _PARAMETER.findall(name))]
    if route.query is not None:
        parameters += _in_query(route.query)
    made: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", name).strip("_").lower(),
        "summary": route.does,
        "tags": [route.tag],
        "security": SECURITY[route.who],
        "responses": _responses(name, route),
    }
    if route.who == "admin":
        made["description"] = "For admins."
    if parameters:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = {"required": True, "content": _content(route.body)}
    return made


def _in_path(name: str) -> dict[str, Any]:
    (schema,), _ = _components([IN_PATH[name]])
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(kind: type[Struct]) -> Iterator[dict[str, Any]]:
    _, schemas = _components([kind])
    schema = schemas[kind.__name__]
    for name, member in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in schema["required"], "schema": member}


def _responses(name: str, route: Route) -> dict[str, Any]:
    good: dict[str, Any] = {"description": route.status.phrase}
    if route.answer is not None:
        good["content"] = _content(route.answer)
    problems = set(route.problems)
    if route.who != "all":
        problems.add(401)
    if route.who in ("admin", "here"):
        problems.add(403)
    if route.query is not None:
        problems.add(400)
    if name.startswith("POST"):
        problems.update(OF_EVERY_POST)
    return {
        str(int(route.status)): good,
        **(
            {"202": {"description": "Not yet", "content": _content(route.meanwhile)}}
            if route.meanwhile
            else {}
        ),
        **{str(status): _problem(status) for status in sorted(problems)},
    }


def _problem(status: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        seconds = {"schema": {"type": "integer"}, "description": "Seconds until it is worth another try."}
        made["headers"] = {"Retry-After": seconds}
    return made


def _content(kind: type[Struct] | str) -> dict[str, Any]:
    if kind == STREAM:
        # Before OpenAPI 3.2 there is no word for the parts of a stream: a reader takes the schema for each one's.
        return {kind: {"schema": {"$ref": "#/components/schemas/Event"}}}
    if isinstance(kind, str):
        return {kind: {} if kind in (ANY, BYTES, JSON) else {"schema": {"type": "string"}}}
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}

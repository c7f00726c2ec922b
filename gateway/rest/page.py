"""
The page that people use, as Vite built it from `gateway/web`.

Its few files are read once, when the application is made: no request names a file on the disk.
"""

import gzip
from pathlib import Path

from flask import Blueprint, Response, request
from msgspec import Struct

from chain.encoding import b64url, digest
from chain.errors import Missing
from gateway.rest.problems import NotBuilt

MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""The machine's own table of media types is not asked: a script under another type than its own does not run."""

PACKED = {".png", ".woff2"}
"""What is compressed already."""

FOREVER = "public, max-age=31536000, immutable"
"""For what has its hash in its name."""

ASK_AGAIN = "no-cache"
"""For what keeps its name: a browser may keep it, and asks each time whether it is still the same."""

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "media-src": "'self'",
    "manifest-src": "'self'",
    # Trusted Types would forbid them in any case, since a worker's address is a script's.
    "worker-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    # No text becomes markup or script, not even by way of a policy that a script makes for itself.
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}

UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "serial",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
"""What a browser can do, and the page never asks for."""

DOCUMENT = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Referrer-Policy": "no-referrer",
}
"""What is said with the document that all else hangs on."""


class File(Struct, frozen=True):
    """A file as it is sent: `packed` is its gzip form, where that is smaller."""

    content: bytes
    packed: bytes | None
    media: str
    etag: str


def page(folder: Path) -> Blueprint:
    """Serve what was built into `folder`; there may be nothing yet."""
    views = Blueprint("page", __name__)
    assets, public = _files(folder / "assets"), _files(folder)
    document = public.pop("index.html", None)

    @views.get("/")
    def home() -> Response:
        if document is None:
            raise NotBuilt("the page was not built: run `make page`, then start the gateway again")
        response = _response(document, ASK_AGAIN)
        response.headers.update(DOCUMENT)
        return response

    @views.get("/assets/<name>")
    def asset(name: str) -> Response:
        if name not in assets:
            raise Missing("page: it has no such file")
        return _response(assets[name], FOREVER)

    def beside() -> Response:
        return _response(public[request.path.removeprefix("/")], ASK_AGAIN)

    # A rule for each, and none for all: what is not there is unknown, like any other path.
    for name in public:
        views.add_url_rule(f"/{name}", view_func=beside)
    return views


def _files(folder: Path) -> dict[str, File]:
    return {path.name: _read(path) for path in folder.glob("*") if path.is_file()}


def _read(path: Path) -> File:
    content = path.read_bytes()
    packed = None if path.suffix in PACKED else gzip.compress(content, mtime=0)
    return File(
        content=content,
        packed=packed if packed is not None and len(packed) < len(content) else None,
        media=MEDIA.get(path.suffix, "application/octet-stream"),
        etag=b64url(digest(content)),
    )


def _response(file: File, caching: str) -> Response:
    packed = file.packed if request.accept_encodings.quality("gzip") > 0 else None
    response = Response(file.content if packed is None else packed, content_type=file.media)
    # Weak, since it stands for both forms.
    response.set_etag(file.etag, weak=True)
    response.headers["Cache-Control"] = caching
    if file.packed is not None:
        response.vary.add("Accept-Encoding")
    if packed is not None:
        response.content_encoding = "gzip"
    response.make_conditional(request)
    return response

"""
When what a LAN relies on ends: the certificates and the list of revoked ones (CRL).

Both renew themselves long before. That less time than `SHORT` is left means that nobody renews them: the authority does
not run, or cannot write.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography.x509 import (
    Certificate,
    load_pem_x509_certificates,
    load_pem_x509_crl,
)
from msgspec import Struct

from gateway.errors import BadConfig
from gateway.tls import Files

SHORT = {
    "server": timedelta(days=14),
    "committer": timedelta(days=14),
    "web": timedelta(days=14),
    "crl": timedelta(days=10),
    "issuing": timedelta(days=60),
    "root": timedelta(days=180),
}
"""With less time than this left, somebody is told. They come in the order in which an operator wants to hear of them."""

WATCHED = ("server", "issuing", "root")
"""The certificates that metrics tell of; those of the gateway's own processes are renewed together with the server's."""

_CRL = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


class End(Struct, frozen=True):
    """`what` ends at `at`."""

    what: str
    at: datetime

    def left(self, now: datetime) -> timedelta:
        return self.at - now

    def is_near(self, now: datetime) -> bool:
        return self.left(now) < SHORT[self.what]


def certificate_end(files: Files, what: str) -> End:
    """Raise `BadConfig` if it cannot be read."""
    return End(what, certificates(_path(files, what))[0].not_valid_after_utc)


def crl_end(files: Files) -> End:
    """Raise `BadConfig` if there is none. Anybody may ask for it at any time, so it is parsed once."""
    try:
        status = files.crl.stat()
    except OSError as error:
        raise BadConfig(f"{files.crl}: {error.strerror}") from error
    return End("crl", _next_update(files.crl, (status.st_ino, status.st_mtime_ns)))


def certificates(path: Path) -> list[Certificate]:
    """All in a PEM file, whatever else is in it; at least one. Raises `BadConfig`."""
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path}: want certificates: {error}") from error


def near_ends(files: Files, now: datetime) -> Iterator[str]:
    """What an operator must hear of, in words; nothing while all is well."""
    for what in SHORT:
        try:
            end = crl_end(files) if what == "crl" else certificate_end(files, what)
        except BadConfig as error:
            yield str(error)
            continue
        if end.is_near(now):
            yield in_words(end, now)


def in_words(end: End, now: datetime) -> str:
    name = "the list of revoked certificates" if end.what == "crl" else f"the {end.what} certificate"
    days = end.left(now).days
    if days < 0:
        return f"{name} expired on {end.at:%Y-%m-%d}"
    return f"{name} expires in {days} days, on {end.at:%Y-%m-%d}"


def utc_now() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=4)
def _next_update(path: Path, _version: tuple[int, int]) -> datetime:
    """Of the lists in it, one for each authority, the first that expires counts: the broker wants them all."""
    try:
        lists = [load_pem_x509_crl(each) for each in _CRL.findall(path.read_bytes())]
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path}: want lists of revoked certificates: {error}") from error
    ends = [each.next_update_utc for each in lists]
    if not ends or None in ends:
        raise BadConfig(f"{path}: want lists of revoked certificates that say until when they hold")
    return min(end for end in ends if end is not None)


def _path(files: Files, what: str) -> Path:
    paths: dict[str, Path] = {
        "server": files.server,
        "committer": files.committer,
        "web": files.web,
        "issuing": files.issuing,
        "root": files.root,
    }
    return paths[what]

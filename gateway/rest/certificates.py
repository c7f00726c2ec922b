"""
Certificates, where a LAN is served: asked for with a token, listed for admins; the root and the list of revoked ones
for everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_csr, load_pem_x509_certificate
from flask import Blueprint, Response
from msgspec import Meta, Struct

from chain.api import CertificateRequest, Certified
from chain.encoding import unb64url
from chain.errors import Malformed, Missing, Refused
from chain.lists import CertificateLine, CertificatePage, Renewed
from gateway.authority import Denied, Line
from gateway.errors import BadConfig
from gateway.rest.desk import Desk, TokenCredential
from gateway.rest.documents import LARGEST_PAGE, Empty, answer, read_body, read_query
from gateway.rest.problems import Expired
from gateway.rest.snapshot import Snapshot
from gateway.rest.tries import Count, Tries
from gateway.sessions import Clock
from gateway.tls import Files

CERTIFICATE = "application/x-x509-ca-cert"
"""What browsers and phones offer to install."""

PEM = "application/x-pem-file"
END_OF_CRL = b"-----END X509 CRL-----\n"

_request = msgspec.json.Decoder(CertificateRequest)
_empty = msgspec.json.Decoder(Empty)


class Issuer(Protocol):
    """What this asks `gateway.authority.Authority`; each call raises its errors."""

    def certify(self, account: str, csr: str) -> Certified: ...

    def renew(self, account: str) -> int: ...

    def list(self, after: str, limit: int) -> tuple[Sequence[Line], str | None]: ...


@dataclass(frozen=True)
class Lan:
    """What a gateway that serves a LAN has besides."""

    issuer: Issuer
    files: Files


class After(Struct, frozen=True, forbid_unknown_fields=True):
    """`after` is the `next` of the page before."""

    after: Annotated[str, Meta(max_length=26)] = ""
    limit: Annotated[int, Meta(ge=1, le=LARGEST_PAGE)] = LARGEST_PAGE


def certificates(desk: Desk, lan: Lan | None, tries: Tries, clock: Clock) -> Blueprint:
    """Without `lan`, each of them is missing."""
    views = Blueprint("certificates", __name__)

    def here() -> Lan:
        if lan is None:
            raise Missing("this gateway has no certificates: it serves its own machine only")
        return lan

    @views.post("/v1/certificates")
    def certify() -> Response:
        wanted = read_body(_request)
        with desk.caller() as me:
            account, credential = me.id, me.credential
        if not isinstance(credential, TokenCredential):
            # Whoever sits at an open page has not shown that the account's key is theirs.
            raise Refused("permission", "that takes a token, not a session")
        issuer = here().issuer
        _check(wanted.csr)
        tries.take(Count("certificates", (account,)))
        return answer(_granted(issuer, account, wanted.csr), HTTPStatus.CREATED)

    @views.get("/v1/crl")
    def crl() -> Response:
        # Behind it are those of authorities that the newest one followed.
        listed, end, _ = _bytes(here().files.crl).partition(END_OF_CRL)
        return Response(listed + end, content_type=PEM)

    @views.get("/root.crt")
    def root() -> Response:
        certificate = load_pem_x509_certificate(_bytes(here().files.root))
        # In DER, so that the hash of the file is the fingerprint that systems show.
        return Response(certificate.public_bytes(Encoding.DER), content_type=CERTIFICATE)

    @views.get("/v1/admin/certificates")
    def lines() -> Response:
        wanted = read_query(After)
        with desk.caller() as me:
            me.need_admin()
        found, following = here().issuer.list(wanted.after, wanted.limit)
        with desk.visitor() as now:
            told = [_told(now, line, clock()) for line in found]
        return answer(CertificatePage(told, following))

    @views.post("/v1/admin/certificates/<account>/renew")
    def renew(account: str) -> Response:
        read_body(_empty)
        with desk.caller() as me:
            me.need_admin()
            if not me.now.state.is_live(account):
                raise Missing("account: there is none with this id, or it was ended")
        return answer(Renewed(_renewed(here().issuer, account)))

    return views


def _check(text: str) -> None:
    """Raise `Malformed` unless it is a request at all. Whether it is granted is the authority's to say."""
    try:
        load_der_x509_csr(unb64url(text, what="csr"))
    except ValueError as error:
        raise Malformed(f"csr: want a PKCS#10 request in DER: {error}") from error


def _granted(issuer: Issuer, account: str, csr: str) -> Certified:
    try:
        return issuer.certify(account, csr)
    except Denied as error:
        raise Expired(str(error)) from error


def _renewed(issuer: Issuer, account: str) -> int:
    try:
        return issuer.renew(account)
    except Denied as error:
        raise Missing(str(error)) from error


def _bytes(path: Path) -> bytes:
    """It may be missing while a site is being made, or put right."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConfig(f"{path.name}: {error.strerror}") from error


def _told(now: Snapshot, line: Line, clock: int) -> CertificateLine:
    card = now.card(line.account)
    live = now.state.is_live(line.account)
    return CertificateLine(
        account=line.account,
        handle=card.handle if card else None,
        live=live,
        serial=line.serial,
        issued=line.issued,
        until=line.until,
        revoked=line.revoked,
        expired=live and line.until <= clock,
        renewable=line.renewable,
    )

"""
What Mosquitto believes and shows: the authorities, the list of revoked certificates (CRL), and its own certificate.

It is looked at before Mosquitto is told of it: 2.0.11 takes a list that it cannot read for no list at all.
"""

import re
import ssl
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509 import Certificate, load_pem_x509_certificates, load_pem_x509_crl

from gateway.errors import BadConfig
from gateway.tls import Files

_LIST = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----\s*", re.DOTALL)


class Step(Enum):
    """What Mosquitto needs so that it goes by other files than before."""

    NOTHING = auto()
    RELOAD = auto()
    RESTART = auto()


@dataclass(frozen=True)
class Material:
    """All of it as PEM."""

    authorities: bytes
    revoked: bytes
    server: bytes

    @classmethod
    def read(cls, files: Files) -> Self:
        """Raise `BadConfig` unless Mosquitto can work with all of it, `OSError` if a file is not there."""
        root, issuing, revoked = (path.read_bytes() for path in (files.root, files.issuing, files.crl))
        server = files.server.read_bytes()
        try:
            _fits(files.server)
        except ssl.SSLError as error:
            raise BadConfig(f"{files.server}: want a key and its certificates: {error.reason}") from error
        try:
            _check_lists(revoked, load_pem_x509_certificates(root) + load_pem_x509_certificates(issuing))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadConfig(
                f"{files.directory}: want certificates and a list of revoked ones: {error}"
            ) from error
        return cls(root + issuing, revoked, server)

    def step_from(self, before: Self) -> Step:
        if self.authorities != before.authorities:
            return Step.RESTART
        return Step.NOTHING if self == before else Step.RELOAD


def _fits(server: Path) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(server)


def _check_lists(pem: bytes, authorities: list[Certificate]) -> None:
    """Raise `ValueError` unless `pem` is lists that these authorities signed, and nothing else."""
    if not pem.strip() or _LIST.sub(b"", pem).strip():
        raise ValueError("crl.pem holds something else")
    keys = [each.public_key() for each in authorities]
    for text in _LIST.findall(pem):
        found = load_pem_x509_crl(text)
        if not any(isinstance(key, EllipticCurvePublicKey) and found.is_signature_valid(key) for key in keys):
            raise ValueError("crl.pem is not signed by an authority of this site")

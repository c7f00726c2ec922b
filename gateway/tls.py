"""
The certificates of a gateway that serves a LAN: where they lie, and how its own processes use them.

`provisioning.authority` makes and renews them. A certificate lies in one file with its key and the certificates above
it, so that a renewal replaces all of it at once. Not every process that knows the files reads certificates, and they
are 10 MB of library: it is imported where it is used.
"""

# ruff: noqa: PLC0415

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chain.encoding import digest
from chain.joincode import pin_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True)
class Files:
    """The directory `tls/` of a site, mode 0700."""

    directory: Path

    @property
    def root(self) -> Path:
        """The root's certificate; its key is elsewhere."""
        return self.directory / "root.crt"

    @property
    def issuing(self) -> Path:
        """The certificates of the authority that signs all others, the one in force first."""
        return self.directory / "issuing.crt"

    @property
    def issuing_key(self) -> Path:
        return self.directory / "issuing.key"

    @property
    def server(self) -> Path:
        """Of the web server and the broker: key, certificate, issuing authority, root."""
        return self.directory / "server.pem"

    @property
    def committer(self) -> Path:
        """The committer's, as a client of the broker."""
        return self.directory / "committer.pem"

    @property
    def web(self) -> Path:
        """The web server's, as a client of the broker."""
        return self.directory / "web.pem"

    @property
    def crl(self) -> Path:
        return self.directory / "crl.pem"

    @property
    def inventory(self) -> Path:
        """The authority's list of what it issued."""
        return self.directory / "authority.json"

    @property
    def socket(self) -> Path:
        """Where the authority listens."""
        return self.directory / "authority.sock"


def client_context(files: Files, own: Path | None = None) -> ssl.SSLContext:
    """Believe this site's root and nobody else; show the certificate in `own`, if there is one."""
    context = ssl.create_default_context(cafile=str(files.root))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if own is not None:
        context.load_cert_chain(own)
    return context


def pin(root: "Certificate") -> str:
    """What join codes name a root by."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return pin_of(digest(key))


def fingerprint(root: "Certificate") -> str:
    """What browsers and systems show of a certificate: SHA-256, in pairs with colons in between."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return digest(root.public_bytes(Encoding.DER)).hex(":").upper()

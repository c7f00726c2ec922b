"""
TLS towards the gateway of a LAN: only what is under its root is believed, whatever the machine's own store says.

The root is found when an account joins (`device.root`).
"""

import logging
import ssl
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chain.errors import Malformed
from device.crl import Crl
from device.document import Version, version
from device.errors import BadDocument, BadKeys, Insecure, UnfitList, Unreachable
from device.root import connected

log = logging.getLogger(__name__)

# By OpenSSL's x509_vfy.h.
REASONS = {
    9: "its certificate is not valid yet by this machine's clock, which says {clock}: is it right?",
    10: "its certificate has expired by this machine's clock, which says {clock}: is it right?",
    23: "its certificate was revoked: this is not the gateway any more",
    62: "its certificate is for other names: {names}",
    64: "its certificate is for other names: {names}",
}
ALERT = "ALERT"
"""In the reason of an error that the other side announced: it is not content with us, as when our certificate expired."""

LIST_USELESS = frozenset({3, 8, 11, 12, 33, 44})
"""
The stored revocation list does not speak of this server's certificate: it is another authority's, or this machine's clock
says that it is not in force. That proves nothing against the server, whose certificate is checked without it then.
"""


class Tls:
    """
    What a home has for connections to its gateway: `root.crt`, its own certificate in `tls.pem`, and `crl.pem`.

    Nothing is kept in memory, so that what another process renews is used from the next connection on. `clock` gives
    seconds since 1970, and is the one that OpenSSL reads.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.root = directory / "root.crt"
        self.own = directory / "tls.pem"
        self.crl = directory / "crl.pem"
        self._clock = clock
        self._useless: Version | None = None

    def trusts(self) -> tuple[Version, ...]:
        """Which files a context is made of; a context that was made of others is to be made anew."""
        listed = version(self.crl)
        return (version(self.root), listed if listed != self._useless and self._is_in_force() else ())

    def context(self, *, own: bool = False) -> ssl.SSLContext:
        """
        Believe the root alone; with `own`, show this account's certificate.

        Raises `BadDocument` for a file that is not what was written there, `BadKeys` for a key that others may read.
        """
        _, listed = self.trusts()
        try:
            context = trusting(self.root.read_text("ascii"))
            if listed:
                context.load_verify_locations(self.crl)
                context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
            if own:
                _check_mode(self.own)
                context.load_cert_chain(self.own)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise BadDocument(f"{self.root.parent}: its certificates cannot be used: {error}") from error
        return context

    def refused(self, error: ssl.SSLError, host: str, port: int) -> Unreachable:
        """
        What to raise when a connection was refused by `error`.

        If it was for the stored revocation list alone (`UnfitList`), the next one goes without it.
        """
        if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in LIST_USELESS:
            log.warning("revocation list not used reason=%s", error.verify_message)
            self._useless = version(self.crl)
            return UnfitList(f"{host}:{port}: the stored revocation list does not fit; trying without it")
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Unreachable(f"{host}:{port}: the connection was closed")
        if ALERT in (getattr(error, "reason", None) or ""):
            return Unreachable(f"{host}:{port}: it turns this device away ({error.reason})")
        return Insecure(f"{host}:{port}: {self._reason(error, host, port)}")

    def _is_in_force(self) -> bool:
        try:
            return Crl.from_pem(self.crl.read_text("ascii")).is_in_force(self._clock())
        except (OSError, UnicodeDecodeError, Malformed):
            return False

    def _reason(self, error: ssl.SSLError, host: str, port: int) -> str:
        if not isinstance(error, ssl.SSLCertVerificationError):
            return f"it does not speak TLS as this device does ({error.reason})"
        told = REASONS.get(
            error.verify_code, f"it is not the gateway that was joined: {error.verify_message}"
        )
        clock = f"{datetime.fromtimestamp(self._clock(), UTC):%Y-%m-%d %H:%M} UTC"
        names = ", ".join(self._names(host, port)) if "{names}" in told else ""
        return told.format(clock=clock, names=names or "none")

    def _names(self, host: str, port: int) -> list[str]:
        """The names in the certificate of a server that is ours by the root, and not by its name."""
        context = self.context()
        context.check_hostname = False
        try:
            with connected(context, host, port) as connection:
                certificate: dict[str, Any] = connection.getpeercert() or {}
        except OSError:
            return []
        return [name for _, name in certificate.get("subjectAltName", ())]


def trusting(root: str) -> ssl.SSLContext:
    """Believe the certificates under this root (PEM), if they have the host's name, and no others."""
    # Not `create_default_context`, which believes the machine's own store where the root is empty.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=root)
    return context


def _check_mode(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadKeys(f"{path}: a private key that others can reach (mode {mode:04o}): want 0600")

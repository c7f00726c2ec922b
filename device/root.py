"""
The root of a LAN's certificates, known by the hash of its public key that a join code carries.

A newcomer believes no certificate yet. It lets the server show its own, sends nothing, and takes the root that the code
names from among them; only a connection that is verified with that root is spoken on.
"""

import socket
import ssl
from pathlib import Path
from typing import Any

from Crypto.PublicKey import ECC

from chain import durable
from chain.encoding import digest
from chain.errors import Unverified
from chain.joincode import pin_of
from device.csr import public_info
from device.errors import Insecure, Unreachable

SECONDS = 10.0


def find(path: Path, host: str, port: int, pin: str) -> None:
    """
    See that the file is the root that `pin` names; if not, take it from what the server shows.

    Raises `Unverified` if that is another gateway, and `Unreachable`.
    """
    if path.exists() and is_named(path.read_bytes(), pin):
        return
    for certificate in shown(host, port):
        if is_named(certificate, pin):
            durable.write(path, ssl.DER_cert_to_PEM_cert(certificate).encode("ascii"))
            return
    raise Unverified("this is not the gateway that the join code is for")


def shown(host: str, port: int) -> list[bytes]:
    """
    The certificates (DER) that whoever listens there shows, none of them verified; raise `Unreachable`.

    After the handshake nothing is sent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with connected(context, host, port) as connection:
            return _unverified_chain(connection)
    except ssl.SSLError as error:
        raise Insecure(
            f"{host}:{port}: it does not speak TLS as this device does ({error.reason})"
        ) from error
    except OSError as error:
        raise Unreachable(f"{host}:{port}: {error.strerror or error}") from error


def is_named(certificate: bytes, pin: str) -> bool:
    """Whether this certificate, DER or PEM, has the public key that a join code names."""
    try:
        key = ECC.import_key(certificate)
    except (ValueError, IndexError, TypeError):  # pycryptodome's, for what is no certificate of such a key
        return False
    return pin_of(digest(public_info(key))) == pin


def connected(context: ssl.SSLContext, host: str, port: int) -> ssl.SSLSocket:
    """Raise `OSError`, as `ssl.SSLError` is."""
    name = host.strip("[]")
    connection = socket.create_connection((name, port), timeout=SECONDS)
    try:
        return context.wrap_socket(connection, server_hostname=name)
    except BaseException:
        connection.close()
        raise


def _unverified_chain(connection: ssl.SSLSocket) -> list[bytes]:
    # Python 3.13 made public what 3.10 had brought, and gives bytes for what were objects before.
    whole = getattr(connection, "get_unverified_chain", None)
    if whole is not None:
        return list(whole())
    inner: Any = connection._sslobj  # type: ignore[attr-defined] # noqa: SLF001
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain() or ()]

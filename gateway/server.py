"""
The web server: granian runs the REST application in one worker process (`gateway.web_worker`) with many threads.

docs/decisions/0004 says why granian, and what it takes so that nothing of it outlives it.
"""

import errno
import socket
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.server import Server

from gateway.errors import Busy
from gateway.site import Site

Version = tuple[int, int] | None

THREADS = 256
"""Each open event stream keeps one busy; `gateway.rest.events` leaves some for everything else."""

STOP_SECONDS = 6
"""A little more than an entry that is handed in may take."""


def serve(site: Site) -> None:
    """
    Serve until SIGTERM or SIGINT. Raises `Busy` if the port is taken.

    The chain must be there already: this process opens it for reading only.
    """
    address = _address(site.settings.http_host, site.settings.http_port)
    _check_free(*address)
    host, port = address
    shown = version_of(site.certificates.server)
    server = Server(
        "blockpost",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=THREADS,
        workers_kill_timeout=STOP_SECONDS,
        log_enabled=False,
        # No Strict-Transport-Security: it would hold for all ports of the name, and so hide the page on port 80 where
        # browsers that do not know the root yet get it.
        ssl_cert=site.certificates.server if site.settings.is_lan else None,
        ssl_key=site.certificates.server if site.settings.is_lan else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    server.serve(target_loader=partial(_load, site, shown), wrap_loader=False)


def _address(host: str, port: int) -> tuple[str, int]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return str(found[0][4][0]), port


def _check_free(host: str, port: int) -> None:
    """Raise `Busy` if somebody listens there: granian would share the port, and each get half of the requests."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # What a server that just ended left in TIME_WAIT does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Busy(f"{host}:{port}: another process listens there") from error


def version_of(path: Path) -> Version:
    """Which file it is, if there is one: certificates are replaced whole, never written over."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _load(site: Site, shown: Version) -> Any:
    # Only the process that answers needs what answers: this one would be 20 MB larger with it.
    from gateway.web_worker import load  # noqa: PLC0415

    return load(site, shown)

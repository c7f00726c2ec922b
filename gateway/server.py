"""
The web server: granian runs the REST application in one worker process with many threads.

docs/decisions/0004 says why granian, and what it takes so that nothing of it outlives it.
"""

import ctypes
import errno
import http.client
import importlib.metadata
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from chain import notify
from gateway.errors import Busy
from gateway.joins import Joins
from gateway.presence import Presence
from gateway.relay import Heads, MqttRelay
from gateway.rest.app import create_app
from gateway.rest.snapshot import Chains
from gateway.sessions import HOUR_MS, Sessions
from gateway.site import Site

log = logging.getLogger(__name__)

THREADS = 256
"""Each open event stream keeps one busy; `gateway.rest.events` leaves some for everything else."""

PAGE = Path(__file__).with_name("static")
"""Where the page is built, and lies in an installed gateway."""

STOP_SECONDS = 6
"""A little more than an entry that is handed in may take."""

READY_TRIES = 200
READY_PAUSE = 0.05

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def serve(site: Site) -> None:
    """
    Serve until SIGTERM or SIGINT. Raises `Busy` if the port is taken.

    The chain must be there already: this process opens it for reading only.
    """
    address = _address(site.settings.http_host, site.settings.http_port)
    _check_free(*address)
    host, port = address
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
    )
    server.serve(target_loader=partial(_load, site, address), wrap_loader=False)


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


def _load(site: Site, address: tuple[str, int]) -> Flask:
    """Make the application, in the worker process."""
    _die_with_parent()
    chains, key = Chains(site.chain_file), site.key()
    with chains.snapshot() as now:
        origin = now.chain.origin

    def knows(account: str) -> bool:
        with chains.snapshot() as now:
            return now.state.is_live(account)

    relay = MqttRelay(site.settings, key, Presence(knows), origin=origin)
    _close_on_signal(relay.heads)
    relay.start()
    threading.Thread(target=_tell_ready, args=address, name="ready", daemon=True).start()
    return create_app(
        chains=chains,
        sessions=Sessions.open(
            site.sessions_file, clock=_clock, idle_ms=site.settings.session_hours * HOUR_MS
        ),
        joins=Joins.open(site.joins_file, clock=_clock),
        relay=relay,
        settings=site.settings,
        pin=site.pin(),
        static=PAGE,
        refused=site.refusals_file,
        version=_version(),
        clock=_clock,
    )


def _die_with_parent() -> None:
    # A killed server must not leave a worker behind that goes on answering on the same port.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)


def _close_on_signal(heads: Heads) -> None:
    """
    End the event streams once this process is told to stop: granian waits for them.

    The handlers are granian's own; Python tells of every signal that has one through this descriptor.
    """
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        theirs.recv(1)
        ours.detach()
        heads.close()

    threading.Thread(target=wait, name="signals", daemon=True).start()


def _tell_ready(host: str, port: int) -> None:
    for _ in range(READY_TRIES):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(READY_PAUSE)
            continue
        log.info("web ready address=%s port=%d", host, port)
        notify.ready()
        if notify.is_asked():
            _beat(host, port)
        return


def _beat(host: str, port: int) -> None:
    """Go on asking this server itself, as anybody would: an answer is progress, whatever it says."""
    heart = notify.Heart()
    while True:
        connection = http.client.HTTPConnection(host, port, timeout=notify.EVERY_SECONDS)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            heart.beat()
        time.sleep(notify.EVERY_SECONDS)


def _clock() -> int:
    return time.time_ns() // 1_000_000


def _version() -> str:
    try:
        return importlib.metadata.version("blockpost")
    except importlib.metadata.PackageNotFoundError:
        return "0"  # run from a checkout

"""The web server's worker: the REST application, and what it takes beside it in its process."""

import http.client
import importlib.metadata
import logging
import multiprocessing
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from flask import Flask

from chain import notify
from chain.errors import ChainError
from gateway import arenas
from gateway.authority import Authority
from gateway.expiry import near_ends, utc_now
from gateway.joins import Joins
from gateway.lifeline import end_with_parent
from gateway.link import web_servers
from gateway.presence import Presence
from gateway.relay import Heads, MqttRelay
from gateway.rest.app import create_app
from gateway.rest.certificates import Lan
from gateway.rest.snapshot import Chains
from gateway.server import Version, version_of
from gateway.sessions import HOUR_MS, Sessions
from gateway.site import Site
from gateway.tls import Files
from gateway.web_client import connection_to

log = logging.getLogger(__name__)

PAGE = Path(__file__).with_name("static")
"""Where the page is built, and lies in an installed gateway."""

NEWS_SECONDS = 0.25
"""How often the chain is looked at for what nobody told of over MQTT."""

RENEWAL_SECONDS = 0.5
"""How often it is looked whether there is a new certificate."""

WARN_SECONDS = 86_400.0
"""How often it is said that a certificate is about to expire."""

READY_TRIES = 200
READY_PAUSE = 0.05


def load(site: Site, shown: Version) -> Flask:
    """Make the application, in the worker process, which shows the certificate `shown`; or end the process."""
    try:
        return _made(site, shown)
    except (sqlite3.Error, ChainError, OSError, UnicodeDecodeError) as error:
        log.critical("web cannot begin reason=%s: see docs/operations.md, The disk failed", error)
        # granian would tell of it with all its steps; it is the disk's doing, and not theirs.
        os._exit(1)


def _made(site: Site, shown: Version) -> Flask:
    _die_with_parent()
    arenas.keep_few()
    chains, key = Chains(site.chain_file), site.key()
    with chains.snapshot() as now:
        origin = now.chain.origin

    def knows(account: str) -> bool:
        with chains.snapshot() as now:
            return now.state.is_live(account)

    relay = MqttRelay(web_servers(site, key, origin), key, Presence(knows), origin=origin)
    _close_on_signal(relay.heads)
    relay.start()
    _in_background(_follow, chains, relay.heads)
    _in_background(_tell_ready, site)
    if site.settings.is_lan:
        _in_background(_end_when_renewed, site.certificates, shown)
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
        lan=Lan(Authority(site.certificates.socket), site.certificates) if site.settings.is_lan else None,
    )


def _in_background(work: Callable[..., None], *given: Any) -> None:
    threading.Thread(target=work, args=given, name=work.__name__, daemon=True).start()


def _die_with_parent() -> None:
    # A killed server must not leave a worker behind that goes on answering on the same port.
    end_with_parent(signal.SIGKILL)
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


def _follow(chains: Chains, heads: Heads) -> None:
    """
    Tell the event streams of new checkpoints that nobody tells of over MQTT, as while the broker starts anew: whoever
    was revoked must not go on listening.
    """
    while not heads.closed:
        with suppress(sqlite3.Error, ChainError), chains.snapshot() as now:
            heads.announce(now.size)
        time.sleep(NEWS_SECONDS)


def _end_when_renewed(files: Files, shown: Version) -> None:
    """
    Have this server ended once there is a new certificate, so that it is started again with that one: granian reads it
    only when it begins. Open pages come back by themselves.
    """
    told = 0.0
    while version_of(files.server) in (shown, None):
        if time.monotonic() >= told:
            told = time.monotonic() + WARN_SECONDS
            for words in near_ends(files, utc_now()):
                log.warning("%s: nobody renews it; ask: blockpost gateway doctor", words)
        time.sleep(RENEWAL_SECONDS)
    log.info("there is a new certificate: ending, to be started again with it")
    os.kill(os.getppid(), signal.SIGTERM)


def _tell_ready(site: Site) -> None:
    settings = site.settings
    for _ in range(READY_TRIES):
        try:
            _ask(site)
        except (OSError, http.client.HTTPException):
            time.sleep(READY_PAUSE)
            continue
        log.info("web ready address=%s port=%d", settings.http_host, settings.http_port)
        notify.ready()
        if notify.is_asked():
            _beat(site)
        return


def _beat(site: Site) -> None:
    """Go on asking this server itself, as anybody would: an answer is progress, whatever it says."""
    heart = notify.Heart()
    while True:
        with suppress(OSError, http.client.HTTPException):
            _ask(site)
            heart.beat()
        time.sleep(notify.EVERY_SECONDS)


def _ask(site: Site) -> None:
    with closing(connection_to(site, notify.EVERY_SECONDS)) as connection:
        connection.request("GET", "/healthz")
        connection.getresponse().read()


def _clock() -> int:
    return time.time_ns() // 1_000_000


def _version() -> str:
    try:
        return importlib.metadata.version("blockpost")
    except importlib.metadata.PackageNotFoundError:
        return "0"  # run from a checkout

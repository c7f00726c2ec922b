"""The authority's process: it listens, follows the chain, and looks after everything that ends."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from msgspec import Struct

from chain import notify
from gateway import expiry
from gateway.lock import exclusive
from gateway.site import Site, near
from provisioning.authority.inventory import Inventory
from provisioning.authority.kick import Broker, Kicker
from provisioning.authority.listener import Listener
from provisioning.authority.office import Clock, Office
from provisioning.authority.stock import Owner, Stock

log = logging.getLogger(__name__)


class Pace(Struct, frozen=True, kw_only=True):
    """Seconds between two looks: `tick` at the chain, `tend` at what may have to be renewed."""

    tick: float = 0.1
    tend: float = 10.0


PACE = Pace()


def utc_now() -> datetime:
    return datetime.now(UTC)


def run(site: Site, stop: threading.Event, *, clock: Clock = utc_now, pace: Pace = PACE) -> None:
    """Be the authority until told to stop; raise `Busy` if another process is."""
    stock = Stock(site.certificates, Owner.of(site.settings, site.key().account))
    with exclusive(site.directory / "authority.lock"), closing(site.read_chain()) as chain:
        office = Office(stock, Inventory(site.certificates.inventory), chain, clock)
        settings = site.settings
        broker = Broker(near(settings.mqtt_host), settings.mqtt_port, site.certificates)
        kicker = Kicker(broker, office.pass_for, office.kicked)
        listener = Listener(site.certificates.socket, office.answer)
        warner = Warner(lambda: list(expiry.near_ends(site.certificates, clock())))
        # What a crash left half-done is whole before anybody asks.
        office.tend()
        office.follow()
        listener.start()
        log.info("authority ready account=%s", site.key().account)
        notify.ready()
        try:
            _loop(office, kicker, warner, stop, pace)
        finally:
            listener.stop()
            kicker.stop()


def _loop(office: Office, kicker: Kicker, warner: "Warner", stop: threading.Event, pace: Pace) -> None:
    heart = notify.Heart()
    due = time.monotonic()
    while not stop.wait(pace.tick):
        office.follow()
        kicker.tend(office.to_kick())
        if time.monotonic() >= due:
            due = time.monotonic() + pace.tend
            office.tend()
            warner.look()
        heart.beat()


class Warner:
    """Says what ends soon, when that changes: each has its days in it, so it is said daily."""

    def __init__(self, find: Callable[[], list[str]]) -> None:
        self._find = find
        self._said: list[str] = []

    def look(self) -> None:
        found = self._find()
        for words in found:
            if words not in self._said:
                log.warning("ends soon: %s", words)
        self._said = found

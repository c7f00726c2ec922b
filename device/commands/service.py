"""What comes before an account's work, when it is a service that nobody watches: it waits for the gateway, and joins."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from device import joinfile, joining, rotation
from device.client import Client, Home
from device.commands.printing import aside
from device.document import locked
from device.errors import DeviceError, Unreachable
from device.joinfile import JoinFile

RETRY_SECONDS = 5.0


@contextmanager
def at_work(home: Home, stop: threading.Event) -> Iterator[Client | None]:
    """The account of this home, joined and with its keys in order, to itself; None if it was stopped before."""
    with alone(home):
        if home.join_file.exists():
            _join_by_file(home, stop)
        if rotation.is_begun(home):
            _sooner_or_later(lambda: rotation.resume(home), stop)
        if stop.is_set():
            yield None
            return
        with closing(Client(home)) as client:
            yield client


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Only one agent may run an account: the broker knows one client of each."""
    with locked(home.lock_file, wait=False) as mine:
        if not mine:
            raise DeviceError(f"{home.directory}: another agent is running on this account")
        yield


def _join_by_file(home: Home, stop: threading.Event) -> None:
    """What an SD card brings along is used once, and destroyed."""
    begun = home.book.joining()
    if begun is None or not begun.joined:
        wanted = JoinFile.load(home.join_file)
        _sooner_or_later(lambda: joining.join(home, wanted.code, name=wanted.name, tell=aside), stop)
    if not stop.is_set():
        joinfile.destroy(home.join_file)


def _sooner_or_later(do: Callable[[], object], stop: threading.Event) -> None:
    """Do it, once the gateway can be reached; or until stopped."""
    while not stop.is_set():
        try:
            do()
        except Unreachable as error:
            logging.getLogger(__name__).warning("gateway not reached reason=%s", error)
            stop.wait(RETRY_SECONDS)
        else:
            return

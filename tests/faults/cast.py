"""Accounts at work while things go wrong: each a real process, which tells what it does."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psutil

from device.addressbook import AddressBook
from device.client import Home
from device.outbox import Outbox
from provisioning.site import Process, Site

UNEXPECTED = frozenset({"refused", "unopened", "unproven"})


class Member:
    """An account whose command `words` keeps running; started again when it was killed."""

    def __init__(
        self, site: Site, handle: str, words: tuple[str, ...], environment: Mapping[str, str]
    ) -> None:
        self.handle = handle
        self.home = Home(site.home(handle))
        self.account = self.home.book.membership().account
        self.queued: list[str] = []
        self.receipted: dict[str, int] = {}
        """Where on the chain each entry is, as its verified receipt says."""
        self.opened: Counter[str] = Counter()
        self.unexpected: list[dict[str, Any]] = []
        self.deaths = 0
        self._site = site
        self._words = words
        self._environment = environment
        self._process: Process | None = None

    def start(self) -> None:
        self._process = self._site.device(
            self.handle, *self._words, hear=self._hear, environment=self._environment
        )

    def revive(self) -> None:
        """Start it again, if it has ended, as its service manager would."""
        assert self._process is not None
        if not self._process.is_running:
            self._process.wait()
            self.deaths += 1
            self.start()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def stop(self) -> int:
        """End it cleanly; return its exit code."""
        if self._process is None:
            return 0
        code, self._process = self._process.stop(), None
        return code

    def _hear(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "queued", "id": entry_id}:
                self.queued.append(entry_id)
            case {"event": "receipted", "id": entry_id, "index": index}:
                self.receipted[entry_id] = index
            case {"event": "opened", "id": entry_id}:
                self.opened[entry_id] += 1
            case {"event": kind} if kind in UNEXPECTED:
                self.unexpected.append(event)

    # What it keeps

    @property
    def book(self) -> AddressBook:
        return self.home.book

    def waiting(self) -> list[str]:
        """What is in its outbox."""
        with closing(Outbox(self.home.outbox_file)) as outbox:
            return [
                each.id
                for lane in ("alert", "message", "command")
                for each in outbox.pending(lane, 1_000_000)
            ]

    def counted(self) -> dict[str, int]:
        """How many entries it has queued, how many were receipted, and how many refused, ever."""
        with closing(Outbox(self.home.outbox_file)) as outbox:
            return {name: outbox.counter(name) for name in ("queued", "receipted", "refused")}

"""A fridge's real agent, and the thermometer in it, for tests through a real broker."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from device import cli
from device.content import SETTINGS
from provisioning.site import Process, Site
from tests.sites import client_of, ran

FRIDGE = "fridge-2"
PATIENCE = 30.0


class Fridge:
    """Its agent, and the thermometer in it: a file, whose number it prints."""

    def __init__(self, site: Site, folder: Path, to: list[str], settings: str) -> None:
        self._site, self._to = site, to
        self._thermometer = folder / "thermometer"
        with client_of(site, FRIDGE) as client:
            client.check_gateway()
            self._begun = client.trust.held.size
        self.shows("5")
        self.says(settings)
        self._changed = threading.Condition()
        self._heard: list[dict[str, Any]] = []

    def says(self, settings: str, above: str = "") -> None:
        """What its settings file says of the sensor, and before that."""
        command = json.dumps(["cat", str(self._thermometer)])
        (self._site.home(FRIDGE) / "agent.toml").write_text(
            f"to = {json.dumps(self._to)}\n{above}\n[sensors.fridge]\n"
            f'mode = "poll"\nevery = 0.2\ntimeout = 10\ncommand = {command}\n{settings}',
            "utf-8",
        )

    def shows(self, text: str) -> None:
        written = self._thermometer.with_name("written")
        written.write_text(text, "ascii")
        written.rename(self._thermometer)

    @contextmanager
    def running(self) -> Iterator[Process]:
        self._heard.clear()
        process = self._site.device(FRIDGE, "run", "--json", hear=self._hear)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def told(self, count: int) -> None:
        """Wait until so many messages of this run have their receipt, without what it says of its settings."""
        self._wait_for(lambda: len(self._receipted(lambda event: event["cty"] != SETTINGS)) >= count)

    def queued(self, cty: str) -> set[str]:
        """The ids of what this run has put into the outbox of that type."""
        with self._changed:
            return {each["id"] for each in self._heard if each["event"] == "queued" and each["cty"] == cty}

    def arrived(self, ids: set[str]) -> None:
        """Wait until they have their receipts."""
        self._wait_for(lambda: ids <= self._receipted(lambda _: True))

    def answered(self, request: str) -> None:
        """Wait until the answer to a request has its receipt."""
        self._wait_for(lambda: bool(self._receipted(lambda event: event.get("re") == request)))

    def inbox(self, handle: str) -> list[Any]:
        """What has come there since this test began."""
        done = ran(cli.main, "--home", self._site.home(handle), "inbox", "--all", "--json")
        assert (done.code, done.err) == (0, "")
        return [event for event in map(json.loads, done.out.splitlines()) if event["index"] >= self._begun]

    def _wait_for(self, done: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(done, PATIENCE), self._heard

    def _receipted(self, meant: Callable[[dict[str, Any]], bool]) -> set[str]:
        """What an agent left behind that was killed is receipted again, and is not meant."""
        queued = {each["id"] for each in self._heard if each["event"] == "queued" and meant(each)}
        return queued & {each["id"] for each in self._heard if each["event"] == "receipted"}

    def _hear(self, event: dict[str, Any]) -> None:
        with self._changed:
            self._heard.append(event)
            self._changed.notify_all()

"""The whole gateway, as an operator runs it: a supervisor and its parts, which are named, weighed and killed."""

import http.client
import os
import signal
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Self

from bench import usage
from bench.errors import BenchError
from bench.site import Ward
from bench.usage import Memory
from provisioning.site import Process

START_SECONDS = 180.0
END_SECONDS = 30.0
PAUSE = 0.02

SUPERVISOR, BROKER, COMMITTER = "supervisor", "broker", "committer"
PARTS = {"broker": BROKER, "commit": COMMITTER, "web": "web"}
"""By the word of their command."""


class Gateway:
    """Runs while inside. What it says goes to a log in its directory."""

    def __init__(self, ward: Ward) -> None:
        self.site = ward.site
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.stop()

    def start(self) -> None:
        """Start it, and do not wait."""
        directory = self.site.directory
        self._process = Process(("gateway", "run", str(directory)), directory / "gateway.log")

    def wait_ready(self) -> None:
        """Return when entries are committed and requests answered."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_well():
            if time.monotonic() > deadline or self._process is None or not self._process.is_running:
                said = (self.site.directory / "gateway.log").read_text("utf-8", errors="replace")
                raise BenchError(f"gateway: it did not start: {said[-1000:].strip()}")
            time.sleep(PAUSE)

    def parts(self) -> dict[str, int]:
        """The process ids, by name. What a part has started itself is named after it."""
        assert self._process is not None
        names = {self._process.pid: SUPERVISOR}
        for pid, child in usage.descendants(self._process.pid).items():
            names[pid] = _name(child.words, names[child.parent])
        return {name: pid for pid, name in names.items()}

    def memory(self) -> dict[str, Memory]:
        """What each of its processes holds."""
        return {name: Memory.of(pid) for name, pid in self.parts().items()}

    def kill_committer(self) -> None:
        os.kill(self.parts()[COMMITTER], signal.SIGKILL)

    def kill(self) -> None:
        """End all of its processes at one moment, as a power cut would; return when they have ended."""
        pids = self.parts().values()
        for pid in pids:
            # The first one's end is that of others.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        deadline = time.monotonic() + END_SECONDS
        while not all(usage.has_ended(pid) for pid in pids):
            if time.monotonic() > deadline:
                raise BenchError("gateway: its processes outlive SIGKILL")
            time.sleep(PAUSE / 10)

    def _is_well(self) -> bool:
        settings = self.site.settings
        connection = http.client.HTTPConnection(settings.http_host, settings.http_port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _name(words: list[str], parent: str) -> str:
    if parent == SUPERVISOR:
        return next(PARTS[word] for word in words if word in PARTS)
    return "checker" if "gateway.checking" in words else f"{parent}'s worker"

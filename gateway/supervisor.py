"""Keeps the gateway's processes running. In production systemd does this."""

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

from gateway.lifeline import end_with_parent
from gateway.site import Site

log = logging.getLogger(__name__)

PARTS = ("broker", "commit", "web")
"""In the order in which they start; they stop in the reverse one."""

LAN_PARTS = ("authority", *PARTS, "welcome")
"""The same where a LAN is served."""

FIRST_DELAY = 0.05
LONGEST_DELAY = 5.0
LONG_ENOUGH = 10.0
"""Seconds after which a part counts as running, and its next restart is prompt again."""

STOP_SECONDS = 10
TICK = 0.05


def command(part: str, directory: Path) -> list[str]:
    """What runs one process. The authority's code is above this package, which knows of it by name only."""
    words = ["provisioning", "authority", "run"] if part == "authority" else ["gateway.cli", part]
    return [sys.executable, "-m", *words, str(directory)]


class Part:
    """One process, started again whenever it ends."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self._command = command(name, directory)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = FIRST_DELAY
        self._due = 0.0

    def tend(self, now: float) -> None:
        """Start it if it is due, notice if it ended. `now` is monotonic seconds."""
        if self._process is None:
            if now >= self._due:
                self._process = subprocess.Popen(self._command, preexec_fn=end_with_parent)  # noqa: PLW1509 - one call, no lock
                self._started = now
                log.info("part started name=%s pid=%d", self.name, self._process.pid)
        elif (code := self._process.poll()) is not None:
            self._delay = FIRST_DELAY if now - self._started > LONG_ENOUGH else self._delay * 2
            self._delay = min(self._delay, LONGEST_DELAY)
            self._due = now + self._delay
            self._process = None
            log.warning("part ended name=%s code=%d again_in=%.1fs", self.name, code, self._delay)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("part killed name=%s", self.name)
            self._process.kill()
            self._process.wait()


def run(site: Site, stop: threading.Event) -> None:
    """Run all parts until told to stop."""
    names = LAN_PARTS if site.settings.is_lan else PARTS
    parts = [Part(name, site.directory) for name in names]
    try:
        while not stop.wait(TICK):
            for part in parts:
                part.tend(time.monotonic())
    finally:
        for part in reversed(parts):
            part.stop()

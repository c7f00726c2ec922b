"""The gateway's processes without their supervisor: what a test kills is started again when the test says so."""

import os
import subprocess
from contextlib import suppress

import psutil

from gateway.lifeline import end_with_parent
from gateway.supervisor import LAN_PARTS, PARTS, command
from provisioning.site import Site
from tests.lan import until

PATIENCE = 30.0


class Parts:
    """Those of `site`, which is not running by itself. They are started with `environment` besides our own."""

    def __init__(self, site: Site) -> None:
        self.environment: dict[str, str] = {}
        self._site = site
        self.names = LAN_PARTS if site.lan else PARTS
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def missing(self) -> list[str]:
        """Those that are not running."""
        return [name for name in self.names if name not in self._running]

    def start(self, *names: str) -> None:
        """Start these, and return when the gateway is well."""
        for name in names:
            with (self._site.directory / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    command(name, self._site.directory / "gateway"),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env={**os.environ, **self.environment},
                    preexec_fn=end_with_parent,  # noqa: PLW1509 - no lock is held
                )
        until(self._site._is_well, "the gateway does not commit")

    def kill(self, *names: str) -> None:
        """End these as a power cut would, and with them what they started: Mosquitto, and the committer's checker."""
        ended = [psutil.Process(self._running[name].pid) for name in names]
        for process in [*ended, *(child for each in ended for child in each.children(recursive=True))]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for name in names:
            self._running.pop(name).wait()

    def close(self) -> None:
        """End all of them cleanly."""
        for name in reversed(self.names):
            if (process := self._running.pop(name, None)) is not None:
                process.terminate()
                process.wait(PATIENCE)

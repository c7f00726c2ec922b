"""A gateway for faults: real processes under their supervisor, known by what they do, with a proxy before the broker."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress

import psutil

from gateway.lifeline import end_with_parent
from gateway.site import Site as Directory
from provisioning.site import Site, free_ports
from tests.faults.proxy import Papers, Proxy

STOP_SECONDS = 60.0
SHARED = ("chain.db", "gateway.key", "tls")
"""What the broker reads of the gateway's directory, besides its settings."""


class Gateway:
    """
    That of `site`, which is made and not running. `environment` comes to that of all its processes.

    It is started and ended here: the site's own methods for that are not used.
    """

    def __init__(self, site: Site, environment: Mapping[str, str]) -> None:
        self.site = site
        self.log = site.directory / "gateway.log"
        self.directory = site.directory / "gateway"
        self._view = site.directory / "broker"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        (port,) = free_ports(1)
        self._make_view(port)
        papers = Papers(self.directory / "tls") if site.lan else None
        self.proxy = Proxy(site.mqtt_port, port, papers)

    def _make_view(self, port: int) -> None:
        self._view.mkdir(mode=0o700)
        settings = (self.directory / "gateway.toml").read_text("utf-8")
        ours, theirs = f"mqtt_port = {self.site.mqtt_port}\n", f"mqtt_port = {port}\n"
        assert ours in settings
        (self._view / "gateway.toml").write_text(settings.replace(ours, theirs), "utf-8")
        for name in SHARED:
            (self._view / name).symlink_to(self.directory / name)

    def start(self) -> None:
        """Return as soon as the supervisor is there."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.supervisor", str(self.directory), str(self._view)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
                preexec_fn=end_with_parent,  # noqa: PLW1509 - no lock is held
            )

    def revive(self) -> None:
        """Start it, if it is not there."""
        if not self.is_running:
            self.start()

    @property
    def account(self) -> str:
        return Directory.load(self.directory).key().account

    @property
    def is_running(self) -> bool:
        """Whether its supervisor is there."""
        return self._process is not None and self._process.poll() is None

    def is_well(self) -> bool:
        return self.site._is_well()

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Those that run now, by their roles."""
        found: dict[str, list[psutil.Process]] = {}
        if self._process is None or self._process.poll() is not None:
            return found
        supervisor = psutil.Process(self._process.pid)
        found["supervisor"] = [supervisor]
        with suppress(psutil.NoSuchProcess):
            for process in supervisor.children(recursive=True):
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    found.setdefault(role_of(process, supervisor), []).append(process)
        return found

    def stop(self) -> None:
        """End it in order, and whoever takes no orders any more at once."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.crash()

    def crash(self) -> None:
        """End all of its processes at once, as a power cut does."""
        processes = [process for found in self.processes().values() for process in found]
        processes += self._orphans()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        psutil.wait_procs(processes, STOP_SECONDS)

    def _orphans(self) -> list[psutil.Process]:
        """Those whose supervisor was killed while they could not notice."""
        ours = {str(self.directory), str(self._view), str(self._view / "broker" / "mosquitto.conf")}
        found = psutil.process_iter(["cmdline"])
        return [each for each in found if ours.intersection(each.info["cmdline"] or ())]

    def close(self) -> None:
        self.stop()
        self.proxy.close()


def role_of(process: psutil.Process, supervisor: psutil.Process) -> str:
    words = process.cmdline()
    if process.name() == "mosquitto":
        return "mosquitto"
    if "gateway.checking" in words:
        return "checker"
    if process.ppid() != supervisor.pid:
        return "worker"
    if "authority" in words:
        return "authority"
    return {"commit": "committer"}.get(words[-2], words[-2])

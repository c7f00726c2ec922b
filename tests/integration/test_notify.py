"""Every process of a site tells a service manager that it is ready, and that it goes on."""

import os
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from provisioning.site import Site, command
from tests.sites import added, running_site

PATIENCE = 60.0

AGENT = 'to = ["admin"]\n[sensors.load]\ncommand = ["blockpost", "device", "read", "load"]\nmode = "poll"\nevery = 10\n'


class Manager:
    """What systemd is to a service: a socket that hears what it says."""

    def __init__(self, path: Path) -> None:
        self.heard: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while said := self._socket.recv(1024).decode():
            self.heard[said] += 1

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gateway that ran and stopped, and a device."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        added(site, "fridge-2", kind="device")
        (site.home("fridge-2") / "agent.toml").write_text(AGENT, "utf-8")
        site.stop()
        yield site


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.05)


@contextmanager
def service(site: Site, folder: Path, *words: str) -> Iterator[Manager]:
    """A command as a service of a manager."""
    folder.mkdir(exist_ok=True)
    with closing(Manager(folder / "notify")) as manager, (folder / "log").open("wb") as log:
        environment = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        process = subprocess.Popen(
            command(*words), env=environment, stderr=log, stdout=log, start_new_session=True
        )
        try:
            yield manager
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_each_process_says_that_it_is_ready_and_goes_on(site: Site, tmp_path: Path) -> None:
    gateway, home = str(site.directory / "gateway"), str(site.home("fridge-2"))
    with (
        service(site, tmp_path / "broker", "gateway", "broker", gateway) as broker,
        service(site, tmp_path / "commit", "gateway", "commit", gateway) as commit,
        service(site, tmp_path / "web", "gateway", "web", gateway) as web,
        service(site, tmp_path / "agent", "device", "--home", home, "run") as agent,
    ):
        managers = {"broker": broker, "commit": commit, "web": web, "agent": agent}
        for name, manager in managers.items():
            until(lambda heard=manager.heard: heard["WATCHDOG=1"] >= 2, f"{name} beats twice")  # type: ignore[misc]
            assert manager.heard["READY=1"] == 1, name
            assert set(manager.heard) == {"READY=1", "WATCHDOG=1"}, name

"""
A machine of its own: a clean Debian, booted with its own systemd, on the network of a building.

It is a container of systemd-nspawn, which keeps as little from it as it can: what the units ask of the kernel they are
to get. Only commands that install Debian's packages are run with this machine's network, and so with the internet.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.guide.network import Network
from tests.guide.typist import typed

TOOLS = ("debootstrap", "systemd-nspawn", "nsenter", "ip")

RELEASE, PYTHON = "bookworm", "3.11"
"""Debian's, and the Python that it has."""

# What a minimal Debian leaves out of what is on every Raspberry Pi.
BEYOND_MINIMAL = "systemd,systemd-sysv,dbus,ca-certificates,avahi-daemon,libnss-mdns"

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "DEBIAN_FRONTEND": "noninteractive",
}
_BOOTED = ("running", "degraded")
_PATIENCE = 180.0


def is_possible() -> bool:
    """Whether this machine can have such machines."""
    return os.geteuid() == 0 and all(map(shutil.which, TOOLS))


def install(root: Path) -> None:
    """Put a clean Debian into the directory."""
    chosen = ["--variant=minbase", f"--include={BEYOND_MINIMAL}", RELEASE, str(root)]
    done = subprocess.run(["debootstrap", *chosen], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")


class Container:
    """`root` is its disk, `space` the network namespace that it is in."""

    def __init__(self, root: Path, name: str, space: Path) -> None:
        self._root, self._name, self._space = root, name, space
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def run(self, text: str, answers: Mapping[str, str]) -> str:
        """Type a line of shell at its terminal, as root; return what it said."""
        spaces = ["mount", "uts", "ipc", "pid", "cgroup", *([] if text.startswith("apt-get ") else ["net"])]
        entered = ["nsenter", f"--target={self._leader}", *(f"--{space}" for space in spaces)]
        return typed([*entered, "bash", "-ec", f"cd; {text}"], answers, _ENVIRONMENT)

    def put(self, folder: Path, place: str) -> None:
        """Copy a folder to it."""
        shutil.copytree(folder, f"/proc/{self._leader}/root{place}")

    def start(self) -> None:
        """Switch it on."""
        self._process = subprocess.Popen(
            [
                "systemd-nspawn",
                "--boot",
                "--register=no",
                "--keep-unit",
                "--resolv-conf=off",
                "--capability=all",
                # With it systemd enforces which addresses a unit may speak to.
                "--system-call-filter=bpf",
                f"--directory={self._root}",
                f"--machine={self._name}",
                f"--network-namespace-path={self._space}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + _PATIENCE
        while not self._is_up(psutil.Process(self._process.pid)):
            assert time.monotonic() < end, f"{self._name} does not come up"
            time.sleep(0.2)

    def _is_up(self, nspawn: psutil.Process) -> bool:
        for leader in nspawn.children():
            # While it comes up, even the question is refused.
            asked = ["nsenter", f"--target={leader.pid}", "--all", "systemctl", "is-system-running"]
            state = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
            if state in _BOOTED:
                self._leader = leader.pid
                return True
        return False

    def stop(self) -> None:
        """Switch it off."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE)

    def log(self) -> str:
        return self.run("journalctl --no-pager --lines=200 --output=short-monotonic", {})


@contextmanager
def running(root: Path, name: str, network: Network, address: str) -> Iterator[Container]:
    (root / "etc" / "hostname").write_text(f"{name}\n", "utf-8")
    made = Container(root, name, network.join(name, address))
    try:
        made.start()
        yield made
    finally:
        made.stop()

"""
A machine of its own: a clean Debian, booted with its own systemd, on the network of a building.

It is a container of systemd-nspawn, which keeps as little from it as it can: what the units ask of the kernel they are
to get. Only commands that install something are run with this machine's network, and so with the internet.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.guide.network import Network
from tests.guide.typist import typed

NEEDED = ("debootstrap", "systemd-nspawn", "nsenter", "ip")
"""All must be there, and root, to have such machines."""

RELEASE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
# What a minimal Debian leaves out of what is on every Raspberry Pi.
BEYOND_MINIMAL = "systemd,systemd-sysv,dbus,ca-certificates,avahi-daemon,libnss-mdns"

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
_BOOTED = ("running", "degraded")
_PATIENCE = 120.0


def installed(root: Path) -> None:
    """Put a clean Debian into the directory."""
    command = [
        "debootstrap",
        "--variant=minbase",
        f"--include={BEYOND_MINIMAL}",
        RELEASE,
        str(root),
        MIRROR,
    ]
    subprocess.run(command, check=True, capture_output=True)


class Container:
    """A booted machine; `root` is its disk."""

    def __init__(self, root: Path, name: str, leader: int) -> None:
        self.root = root
        self.name = name
        self._leader = leader

    def run(self, text: str, answers: Mapping[str, str] | None = None, *, with_internet: bool = False) -> str:
        """Type a line of shell at its terminal, as root; return what it said."""
        return typed([*self._inside(with_internet=with_internet), f"cd; {text}"], answers or {}, _ENVIRONMENT)

    def _inside(self, *, with_internet: bool) -> Sequence[str]:
        spaces = ["mount", "uts", "ipc", "pid", "cgroup", *([] if with_internet else ["net"])]
        return [
            "nsenter",
            f"--target={self._leader}",
            *(f"--{space}" for space in spaces),
            "bash",
            "-ec",
        ]

    def journal(self) -> str:
        return self.run(
            "journalctl --no-pager --output=short-monotonic --unit='blockpost-*' --unit='*-agent'"
        )


@contextmanager
def booted(root: Path, name: str, network: Network, address: str) -> Iterator[Container]:
    """Boot what lies in `root`, and switch it off in the end."""
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
    (root / "etc" / "hostname").write_text(f"{name}\n", "utf-8")
    command = [
        "systemd-nspawn",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--resolv-conf=off",
        "--capability=all",
        # With it systemd enforces which addresses a unit may speak to.
        "--system-call-filter=bpf",
        f"--directory={root}",
        f"--machine={name}",
        f"--network-namespace-path={network.join(name, address)}",
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield _ready(root, name, process)
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _ready(root: Path, name: str, process: subprocess.Popen[bytes]) -> Container:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        for leader in psutil.Process(process.pid).children():
            # While it comes up, even the question is refused.
            asked = ["nsenter", f"--target={leader.pid}", "--all", "systemctl", "is-system-running"]
            state = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
            if state in _BOOTED:
                return Container(root, name, leader.pid)
        time.sleep(0.2)
    raise AssertionError(f"{name} does not come up")

"""Where the guide is tried: the machines that its commands are typed at, and how a browser finds the gateway."""

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.guide import container, prefix
from tests.guide.document import ROOT, Command
from tests.guide.network import building
from tests.guide.typist import typed

SECRET = "correct horse battery staple"
_ANSWERS = {r"(?i)passphrase|password|once more": SECRET}
_CODE = re.compile(r"\S+:\d+/[a-z2-7]{52}/[a-z2-7]{16}")

GATEWAY, DEVICE, CLINICIAN = "192.168.1.10", "192.168.1.20", "192.168.1.30"
STICK = "/tmp/stick"  # noqa: S108 - as the guide has it
NOT_BUILT_FROM = (".*cache", ".git", ".hypothesis", ".venv", "__pycache__", "build", "node_modules", "tests")


class Machine(Protocol):
    def run(self, text: str, answers: Mapping[str, str]) -> str: ...
    def put(self, folder: Path, place: str) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def log(self) -> str: ...


class Place(NamedTuple):
    """`python` is the machines' version of it, `names` what the guide's words are here, `space` where a browser runs."""

    machines: Mapping[str, Machine]
    python: str
    names: Mapping[str, str]
    space: Path | None

    def here(self, text: str) -> str:
        for name, ours in self.names.items():
            text = text.replace(name, ours)
        return text

    def log(self) -> str:
        return "\n".join(machine.log() for machine in self.machines.values())


class Reader:
    """Somebody who types what the guide says, with the join code that was printed last for `CODE`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.code = "CODE"

    def type(self, command: Command) -> str:
        machine = self._place.machines[command.place]
        said = machine.run(command.text.replace("CODE", self.code), _ANSWERS)
        self.code = ([self.code, *_CODE.findall(said)])[-1]
        return said


def build(commands: list[Command], folder: Path, *, python: str) -> Path:
    """Do what the guide does at a computer, for machines with this Python and this processor; return the stick."""
    checkout = folder / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(*NOT_BUILT_FROM))
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        text = command.text.replace("3.13", python).replace("aarch64", platform.machine())
        typed(["bash", "-ec", f"cd {checkout}; {text}"], {}, {**os.environ, "PATH": own, "TERM": "dumb"})
    return checkout / "stick"


@contextmanager
def clean() -> Iterator[Place]:
    """Two machines with a clean Debian each."""
    with _folder() as folder, ExitStack() as stack:
        disk = folder / "gateway"
        container.install(disk)
        # Its devices are copied as such: what Python would copy of them is what they hold, without an end.
        subprocess.run(["cp", "--archive", disk, folder / "device"], check=True)
        network = stack.enter_context(building(f"bp{os.getpid()}"))
        machines = {
            place: stack.enter_context(container.running(folder / place, name, network, address))
            for place, name, address in (("gateway", "gateway", GATEWAY), ("device", "fridge-2", DEVICE))
        }
        names = {"gateway.local": "gateway.local"}
        yield Place(machines, container.PYTHON, names, network.join("clinician", CLINICIAN))


@contextmanager
def here() -> Iterator[Place]:
    """This machine, in two directories."""
    ports = {port: str(_free_port()) for port in ("http", "mqtt", "welcome")}
    names = {
        "--lan ": f"--lan --listen 127.0.0.1 {' '.join(f'--{what}-port {port}' for what, port in ports.items())} ",
        "gateway.local:8443": f"localhost:{ports['http']}",
        "http://gateway.local/": f"http://localhost:{ports['welcome']}/",
        "gateway.local": "localhost",
        GATEWAY: "127.0.0.1",
    }
    with _folder() as folder, ExitStack() as stack:
        machines = {
            place: stack.enter_context(prefix.running(folder / place, names))
            for place in ("gateway", "device")
        }
        yield Place(machines, f"{sys.version_info.major}.{sys.version_info.minor}", names, None)


@contextmanager
def _folder() -> Iterator[Path]:
    # The path of a Unix socket may have 107 bytes, and a test's own folder has most of them.
    with tempfile.TemporaryDirectory(prefix="bp-") as folder:
        yield Path(folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])

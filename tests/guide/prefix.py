"""
This machine in place of a clean one: every path of the guide lies below a directory, and every host is this one.

What only a machine of its own has is stood in for: Debian's packages are taken to be there, and of systemd there is
what the units need of it, which is to be started, and heard when they are ready.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.guide.typist import typed

READY_SECONDS = 60.0

_PATHS = re.compile(r"(?<![\w.-])/(?=(?:etc|opt|root|tmp|usr|var)/)")
_UNITS = """
import sys
from pathlib import Path
from provisioning import cli, systemd
systemd.STATE = Path(sys.argv.pop(1))
sys.exit(cli.main(sys.argv[1:]))
"""


class Prefix:
    """`names` says what is put in place of each host and of each port."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self._folder, self._names = folder, names
        self._services: dict[str, Service] = {}
        for path in ("etc", "opt", "root", "tmp", "usr/local/bin", "var/lib"):
            (folder / path).mkdir(parents=True)

    def run(self, text: str, answers: Mapping[str, str]) -> str:
        """Type a line of shell, as if it were as root on a machine of its own; return what it said."""
        words = shlex.split(text)
        if words[0] == "apt-get":
            return ""
        if words[0] == "systemctl":
            self._serve([word for word in words[2:] if not word.startswith("--")], words[1])
            return ""
        line = self._here(text)
        if words[1:3] == ["provision", "systemd"]:
            python, state = self._folder / "opt/blockpost/bin/python", self._folder / "var/lib"
            rest = line.partition(" provision ")[2]
            line = f"{shlex.join([str(python), '-c', _UNITS, str(state)])} {rest}"
        return typed(["bash", "-ec", f"cd; {line}"], answers, self._environment())

    def put(self, folder: Path, place: str) -> None:
        shutil.copytree(folder, f"{self._folder}{place}")

    def start(self) -> None:
        for service in self._services.values():
            service.start()

    def stop(self) -> None:
        for service in reversed(self._services.values()):
            service.stop()

    def log(self) -> str:
        return "".join(service.log() for service in self._services.values())

    def _here(self, text: str) -> str:
        for name, ours in self._names.items():
            text = text.replace(name, ours)
        return _PATHS.sub(f"{self._folder}/", text)

    def _serve(self, units: list[str], verb: str) -> None:
        if verb != "enable":
            return
        for unit in units:
            self._services[unit] = Service(
                self._folder / "etc/systemd/system" / f"{unit}.service", self._environment()
            )
            self._services[unit].start()

    def _environment(self) -> dict[str, str]:
        own = (self._folder / "usr/local/bin", Path(sys.executable).parent)
        return {
            "PATH": os.pathsep.join([*map(str, own), os.environ["PATH"]]),
            "HOME": f"{self._folder}/root",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }


class Service:
    """What systemd would make of a unit's ExecStart."""

    def __init__(self, unit: Path, environment: Mapping[str, str]) -> None:
        assert unit.is_file(), f"{unit.name} was not written"
        (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
        self._command = shlex.split(line)
        self._environment = environment
        self._heard = unit.with_suffix(".heard")
        self._log = unit.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it is ready."""
        self._heard.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, self._log.open("ab") as log:
            manager.bind(str(self._heard))
            manager.settimeout(READY_SECONDS)
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                umask=0o077,
                env={**self._environment, "NOTIFY_SOCKET": str(self._heard)},
            )
            while b"READY=1" not in manager.recv(4096).split(b"\n"):
                pass

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(READY_SECONDS)

    def log(self) -> str:
        return self._log.read_text("utf-8")


@contextmanager
def running(folder: Path, names: Mapping[str, str]) -> Iterator[Prefix]:
    made = Prefix(folder, names)
    try:
        yield made
    finally:
        made.stop()

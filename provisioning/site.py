"""A whole site on one machine: a gateway and accounts, each a real process."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import IO, Any

import urllib3

from device.errors import DeviceError

HOST = "localhost"
SEALED_WITH = "on this machine alone"

START_SECONDS = 60.0
STOP_SECONDS = 30.0
PORTS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections, which would take a port in the moment of a restart."""


class SiteFailed(DeviceError):
    """A process of the site did not do its part; the message has what it said."""


def command(*words: str) -> list[str]:
    """The `blockpost` command of this very installation."""
    return [sys.executable, "-m", "provisioning", *words]


def run(*words: str, stdin: str = "") -> str:
    """Run one `blockpost` command to its end; return what it printed, or raise `SiteFailed`."""
    done = subprocess.run(command(*words), input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SiteFailed(f"blockpost {' '.join(words[:4])} ...: {done.stderr.strip()}")
    return done.stdout


class Process:
    """A `blockpost` command that keeps running; `hear` gets each JSON line it prints, `environment` comes to ours."""

    def __init__(
        self,
        words: Sequence[str],
        log: Path,
        hear: Callable[[dict[str, Any]], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._log: IO[bytes] = log.open("ab")
        self._process = subprocess.Popen(
            command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if hear else self._log,
            stderr=self._log,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(hear,), daemon=True) if hear else None
        if self._reader:
            self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """End it cleanly, and return its exit code; what it printed until then was heard."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self.wait()

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.wait()
        if self._reader:
            self._reader.join()
        self._log.close()
        return code

    def _read(self, hear: Callable[[dict[str, Any]], None]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            hear(json.loads(line))
        self._process.stdout.close()


class Site:
    """
    A gateway in `directory`, and the homes of its accounts beside it.

    It is on the embedded defaults, or serves a LAN as far as that goes on one machine: with an authority, over TLS, and
    with Mosquitto as its broker.
    """

    def __init__(self, directory: Path, *, lan: bool = False) -> None:
        self.directory = directory
        self.lan = lan
        self.http_port, self.mqtt_port, self.welcome_port = free_ports(3)
        self._gateway: Process | None = None

    @property
    def chain_file(self) -> Path:
        return self.directory / "gateway" / "chain.db"

    def home(self, handle: str) -> Path:
        return self.directory / handle

    def init(self, *, admin: str) -> str:
        """Make the gateway; return the first admin's join code."""
        words = ["gateway", "init", str(self.directory / "gateway"), "--admin", admin]
        words += ["--http-port", str(self.http_port), "--mqtt-port", str(self.mqtt_port)]
        if not self.lan:
            return run(*words).split()[-1]
        words += ["--lan", "--host", HOST, "--listen", "127.0.0.1", "--welcome-port", str(self.welcome_port)]
        words += ["--root", str(self.root_file), "--sheet", str(self.sheet_file), "--stdin"]
        return run(*words, stdin=f"{SEALED_WITH}\n").split()[-1]

    @property
    def root_file(self) -> Path:
        """The sealed key of a LAN's root. A site like this one has no secret worth a better passphrase."""
        return self.directory / "root.key"

    @property
    def sheet_file(self) -> Path:
        return self.directory / "sheet.txt"

    def start(self) -> None:
        """Run the gateway, and return when it commits: an answer of its web server is not enough."""
        self._gateway = Process(
            ("gateway", "run", str(self.directory / "gateway")), self.directory / "gateway.log"
        )
        self.wait_ready()

    @property
    def url(self) -> str:
        """Of the page. By this name it is a secure context, without which a browser has no cryptography."""
        return f"{'https' if self.lan else 'http'}://{HOST}:{self.http_port}/"

    def has_page(self) -> bool:
        """Whether the gateway that runs was installed with a page."""
        try:
            return self._asked("") == HTTPStatus.OK
        except urllib3.exceptions.HTTPError as error:
            raise SiteFailed(f"the gateway does not answer: {error}") from error

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_well():
            if time.monotonic() > deadline or self._gateway is None or not self._gateway.is_running:
                log = (self.directory / "gateway.log").read_text("utf-8")[-2000:]
                raise SiteFailed(f"the gateway did not start\n{log}")
            time.sleep(0.1)

    def _is_well(self) -> bool:
        """Whether its committer was heard of: the pulse comes the way that receipts do."""
        try:
            return self._asked("healthz") == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False

    def _asked(self, path: str) -> int:
        """The status of an answer."""
        root = str(self.directory / "gateway" / "tls" / "root.crt") if self.lan else None
        with urllib3.PoolManager(ca_certs=root, retries=False) as pool:
            return pool.request("GET", self.url + path).status

    def stop(self) -> None:
        if self._gateway is not None:
            self._gateway.stop()
            self._gateway = None

    def join(self, handle: str, code: str, *, name: str) -> None:
        """Make an account's keys in its home, and join with a code."""
        run("device", "--home", str(self.home(handle)), "join", code, "--name", name)

    def set_password(self, handle: str, secret: str) -> None:
        """Let an account log in to the page."""
        run("device", "--home", str(self.home(handle)), "password", "--stdin", stdin=f"{secret}\n")

    def admin(self, admin: str, *words: str) -> str:
        return run("admin", "--home", str(self.home(admin)), *words)

    def device(
        self,
        handle: str,
        *words: str,
        hear: Callable[[dict[str, Any]], None],
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a `blockpost device` command of an account that keeps running."""
        log = self.directory / f"{handle}.log"
        words = ("device", "--verbose", "--home", str(self.home(handle)), *words)
        return Process(words, log, hear, environment)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now, and that stay free while their server is restarted."""
    candidates = random.sample(PORTS, len(PORTS))
    return list(islice(filter(_is_free, candidates), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

"""
A Matrix Synapse of its own: installed into a virtual environment, run on loopback over SQLite, with clients that send.

It is no dependency of this project: `install` fetches it, where that is possible.
"""

import hmac
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import quote

import msgspec
import urllib3
from msgspec import Struct

from bench import process
from bench.errors import BenchError
from bench.site import SEALED_BYTES, Progress

PACKAGE = "matrix-synapse"
SERVER = "bench.example"
SECRET = "on loopback, and only while it is measured"  # noqa: S105 - of a server that nobody else reaches
PASSWORD = SECRET
START_SECONDS = 60.0
ANSWER_SECONDS = 60.0
SAID_CHARS = 600

CIPHERTEXT = "A" * (-(-SEALED_BYTES // 3) * 4)
"""As long as our sealed bodies are."""

WITHOUT_LIMIT = {"per_second": 1_000_000, "burst_count": 1_000_000}


class Environment:
    """A virtual environment with Synapse in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def python(self) -> str:
        return str(self._folder / "bin" / "python")

    def install(self, progress: Progress) -> None:
        """Make it, unless it is there; raise `BenchError` with what pip said if that is not possible here."""
        if self._has_synapse():
            return
        progress(f"installing {PACKAGE} into {self._folder}: a minute or two")
        if not Path(self.python).exists():
            self.run(sys.executable, "-m", "venv", str(self._folder))
        self.run(self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE)

    @cached_property
    def version(self) -> str:
        return self.run(self.python, "-c", "import synapse; print(synapse.__version__)").strip()

    def _has_synapse(self) -> bool:
        try:
            return bool(self.version)
        except BenchError:
            return False

    def run(self, *command: str) -> str:
        """What a command says; raise `BenchError` with its error if it does not do what it is for."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BenchError(f"{PACKAGE}: {command[0]}: {error.strerror}") from error
        if done.returncode:
            *_, last = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise BenchError(f"{PACKAGE}: does not work here: {last[:SAID_CHARS]}")
        return done.stdout


def settings(directory: Path, port: int) -> dict[str, Any]:
    """
    Its `homeserver.yaml`, of which JSON is a part: SQLite, no limits, no federation, nothing that it need not do.

    What it answers for is on disk, as with us: it has SQLite write ahead, and leaves `synchronous` at FULL.
    """
    none = WITHOUT_LIMIT
    return {
        "server_name": SERVER,
        "pid_file": str(directory / "synapse.pid"),
        "listeners": [
            {
                "port": port,
                "type": "http",
                "tls": False,
                "bind_addresses": ["127.0.0.1"],
                "resources": [{"names": ["client"], "compress": False}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(directory / "homeserver.db")}},
        "log_config": str(directory / "log.yaml"),
        "media_store_path": str(directory / "media"),
        "signing_key_path": str(directory / "signing.key"),
        "registration_shared_secret": SECRET,
        "macaroon_secret_key": SECRET,
        "form_secret": SECRET,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "report_stats": False,
        "presence": {"enabled": False},
        "rc_message": none,
        "rc_registration": none,
        "rc_login": {"address": none, "account": none, "failed_attempts": none},
        "rc_joins": {"local": none, "remote": none},
        "rc_joins_per_room": none,
        "rc_room_creation": none,
        "rc_invites": {"per_room": none, "per_user": none, "per_issuer": none},
    }


@contextmanager
def running(environment: Environment, directory: Path, port: int) -> Iterator["Server"]:
    """Run it in `directory`, from when it answers."""
    directory.mkdir()
    config = directory / "homeserver.yaml"
    config.write_bytes(msgspec.json.encode(settings(directory, port)))
    (directory / "log.yaml").write_text('{"version": 1, "root": {"level": "ERROR"}}', "utf-8")
    command = (environment.python, "-m", "synapse.app.homeserver", "-c", str(config))
    environment.run(*command, "--generate-keys")
    with process.running("synapse", list(command), directory) as started:
        server = Server(port)
        deadline = time.monotonic() + START_SECONDS
        while not server.answers():
            if started.poll() is not None or time.monotonic() > deadline:
                log = (directory / "synapse.log").read_text("utf-8", errors="replace")
                raise BenchError(f"{PACKAGE}: it does not start: {log.strip()[-SAID_CHARS:]}")
            time.sleep(0.2)
        yield server


class Server:
    """What its clients ask of it."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._pool = urllib3.PoolManager(maxsize=64, retries=False, timeout=ANSWER_SECONDS)

    def answers(self) -> bool:
        try:
            return self._pool.request("GET", f"{self._base}/health").status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False

    def register(self, name: str) -> "Account":
        """By the shared secret (Synapse's admin API)."""
        path = "/_synapse/admin/v1/register"
        nonce = self.ask("GET", path)["nonce"]
        told = f"{nonce}\0{name}\0{PASSWORD}\0notadmin".encode()
        mac = hmac.digest(SECRET.encode(), told, "sha1").hex()
        says = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": False, "mac": mac}
        answer = self.ask("POST", path, says)
        return Account(answer["user_id"], answer["access_token"])

    def ask(self, method: str, path: str, says: Any = None, token: str | None = None) -> Any:
        """Raise `BenchError` unless the answer is yes."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = None if says is None else msgspec.json.encode(says)
        try:
            answer = self._pool.request(method, self._base + path, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise BenchError(f"{PACKAGE}: {method} {path}: {error}") from error
        if answer.status != HTTPStatus.OK:
            raise BenchError(f"{PACKAGE}: {method} {path}: {answer.status}: {answer.data[:SAID_CHARS]!r}")
        return msgspec.json.decode(answer.data)


class Account(Struct, frozen=True):
    id: str
    token: str


class Device:
    """An account with an encrypted room of its own, which the clinician is in, too."""

    def __init__(self, server: Server, name: str, clinician: Account) -> None:
        self._server = server
        self._account = server.register(name)
        self._session = f"session of {name}"
        self._sent = 0
        says = {
            "preset": "private_chat",
            "invite": [clinician.id],
            "initial_state": [
                {
                    "type": "m.room.encryption",
                    "state_key": "",
                    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
                }
            ],
        }
        room = server.ask("POST", "/_matrix/client/v3/createRoom", says, self._account.token)["room_id"]
        self._room = quote(room, safe="")
        server.ask("POST", f"/_matrix/client/v3/rooms/{self._room}/join", {}, clinician.token)

    def send(self) -> None:
        """One encrypted event; it returns with Synapse's answer, which has the event's id."""
        self._sent += 1
        path = f"/_matrix/client/v3/rooms/{self._room}/send/m.room.encrypted/{self._sent}"
        answer = self._server.ask("PUT", path, event(self._session), self._account.token)
        if "event_id" not in answer:
            raise BenchError(f"{PACKAGE}: {path}: want an event's id, got {answer}")


def event(session: str) -> dict[str, str]:
    """The content of an encrypted event as a Matrix client sends it, with as much ciphertext as one of our messages has."""
    return {
        "algorithm": "m.megolm.v1.aes-sha2",
        "ciphertext": CIPHERTEXT,
        "device_id": "SENSOR",
        "sender_key": "A" * 43,
        "session_id": session,
    }


def send_together(devices: Sequence[Device], each: int) -> list[float]:
    """Let all devices send so many, each the next one when it has its answer; return when each answer came, in seconds from the start."""
    answered: list[float] = []
    failures: list[BenchError] = []
    begin = Barrier(len(devices) + 1)

    def work(device: Device) -> None:
        begin.wait()
        try:
            for _ in range(each):
                device.send()
                answered.append(time.perf_counter())
        except BenchError as error:
            failures.append(error)

    threads = [Thread(target=work, args=(device,), daemon=True) for device in devices]
    for thread in threads:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sorted(at - began for at in answered)

"""A process of what is measured, as it runs in production: started, watched, ended."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from bench.errors import BenchError
from gateway.site import Site

Broker = Literal["embedded", "mosquitto"]
Stock = Literal["amqtt"]
"""The library that the embedded broker is made of, as it comes: a yardstick, not to be used."""

START_SECONDS = 20
STOP_SECONDS = 10

MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_type error
log_type warning
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
"""
"""Debian's defaults drop silently what is over 1,000 messages, and keep 20 under way."""


AMQTT = """\
listeners: {{default: {{type: tcp, bind: "127.0.0.1:{port}"}}}}
plugins: {{amqtt.plugins.authentication.AnonymousAuthPlugin: {{allow_anonymous: true}}}}
"""


@contextmanager
def broker(kind: Broker | Stock, site: Site, config_text: str | None = None) -> Iterator[int]:
    """
    Run the site's broker, from when it accepts connections; yields its process id. With `config_text`, one that is not
    ours has these settings, instead of none that keep it from anything.
    """
    if kind == "embedded":
        command = [sys.executable, "-m", "gateway.cli", "broker", str(site.directory)]
    else:
        config = site.directory / f"{kind}.conf"
        text, program = (MOSQUITTO, mosquitto()) if kind == "mosquitto" else (AMQTT, _beside_python("amqtt"))
        config.write_text(config_text or text.format(port=site.settings.mqtt_port), "utf-8")
        command = [program, "-c", str(config)]
    with running(kind, command, site.directory) as process:
        if not _listens(site.settings.mqtt_port, process):
            said = _said(site.directory / f"{kind}.log")
            raise BenchError(f"{kind}: does not listen on port {site.settings.mqtt_port}: {said}")
        yield process.pid


@contextmanager
def committer(site: Site) -> Iterator[int]:
    """Run the site's committer; yields its process id. It takes entries once it has said the newest checkpoint."""
    command = [sys.executable, "-m", "gateway.cli", "commit", str(site.directory)]
    with running("committer", command, site.directory) as process:
        yield process.pid


def _beside_python(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def mosquitto() -> str:
    """Where Debian's broker is; /usr/sbin is not on everybody's path. Raise `BenchError` if there is none."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise BenchError("mosquitto: not found; install it with: sudo apt-get install mosquitto")
    return found


@contextmanager
def running(name: str, command: list[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command while inside; what it says goes to a log in `directory`."""
    log = directory / f"{name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield process
        if process.poll() is not None:
            raise BenchError(f"{name}: ended with {process.returncode}: {_said(log)}")
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _said(log: Path) -> str:
    return log.read_text("utf-8", errors="replace")[-1000:].strip()


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until it does, and is still running."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process.poll() is None
        time.sleep(0.05)
    return False

"""
What a device's agent takes up: memory while it rests, and computing time for each message that it sends.

The agent is a joined one at a real gateway, with one of the built-in sensors. The sensor is a process of its own,
and not counted. It runs as where only a device is installed (`bench.bare`); the memory is told beside a gateway, too.
"""

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from bench import bare, part, usage
from bench.errors import BenchError
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress
from bench.usage import Memory
from provisioning.site import STOP_SECONDS, Site
from provisioning.site import command as installed

ADMIN, CLINICIAN, DEVICE = "admin", "dr.lee", "sensor-1"
SELDOM = 3600.0
"""Seconds between two readings of an agent at rest."""

RATE = 20
"""Readings a second that the computing time of a message is told for."""

LONGEST = 30
"""Seconds for one rate: a low one is averaged over fewer messages."""

REST_SECONDS = 3.0
IDLE_SECONDS = 10.0
WAIT_SECONDS = 60.0

Command = Callable[..., list[str]]
"""What makes a command line of the words of a `blockpost` command."""

SETTINGS = """\
to = ["{to}"]

[sensors.memory]
mode = "stream"
command = {command}
timeout = 7200
"""


class Options(Struct, frozen=True, kw_only=True):
    """
    `messages`: how many the computing time is averaged over at most, at each of the `rates`, in readings a second.

    With `lan`, it connects over TLS, and to Mosquitto.
    """

    messages: int
    rates: tuple[int, ...]
    lan: bool
    directory: Path | None


class Result(Struct, frozen=True):
    """
    `rss_mb` and `pss_mb` at rest: joined, connected, one message receipted, none under way. `full_rss_mb`: the same where
    all of Blockpost is installed. `idle_ms_per_s`: what it computes at rest.

    `start_s`: from the start of the process to its first message published; `cpu_ms_per_message`: to take a reading,
    seal, sign, store, publish, verify the receipt and release, once it runs, at 20 readings a second. `cpu_ms`: the
    same by the readings a second; a low rate has more of what is computed at rest in it.
    """

    rss_mb: float
    pss_mb: float
    full_rss_mb: float
    idle_ms_per_s: float
    start_s: float
    cpu_ms_per_message: float
    cpu_ms: dict[int, float]
    messages: int
    lan: bool
    machine: Machine


class _Rest(Struct, frozen=True):
    memory: Memory
    idle_ms_per_s: float
    start_s: float


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if the agent does not do its part, `SiteFailed` if the gateway does not."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        site = Site(Path(name), lan=options.lan)
        try:
            progress("making a site with one device")
            _set_up(site)
            beside, alone = _rest(site, installed), _rest(site, bare.command)
            progress(f"at rest: {alone.memory.rss_mb} MB resident")
            cpu = {}
            for rate in sorted({RATE, *options.rates}):
                cpu[rate] = _burst(site, rate, min(options.messages, LONGEST * rate))
                progress(f"{rate} readings a second: {cpu[rate]} ms a message")
        finally:
            site.stop()
    return Result(
        rss_mb=alone.memory.rss_mb,
        pss_mb=alone.memory.pss_mb,
        full_rss_mb=beside.memory.rss_mb,
        idle_ms_per_s=alone.idle_ms_per_s,
        start_s=alone.start_s,
        cpu_ms_per_message=cpu[RATE],
        cpu_ms=cpu,
        messages=options.messages,
        lan=options.lan,
        machine=machine,
    )


def _set_up(site: Site) -> None:
    """An admin, a clinician, and a device that is linked to the clinician."""
    code = site.init(admin=ADMIN)
    site.start()
    site.join(ADMIN, code, name="Administrator")
    for handle, kind, called in ((CLINICIAN, "person", "Dr. Lee"), (DEVICE, "device", "Sensor 1")):
        site.join(handle, site.admin(ADMIN, "invite", handle, "--kind", kind).strip(), name=called)
    site.admin(ADMIN, "link", DEVICE, CLINICIAN)


def _rest(site: Site, command: Command) -> _Rest:
    """Start the agent with a sensor that speaks once, and look at it after that."""
    _read_every(site, SELDOM)
    with _Agent(site, command) as agent:
        # Python compiles what it imports for the first time: on a device, the installation did.
        agent.wait(lambda: agent.receipted > 0)
    with _Agent(site, command) as agent:
        agent.wait(lambda: agent.receipted > 0)
        time.sleep(REST_SECONDS)
        before = usage.cpu_seconds(agent.pid)
        time.sleep(IDLE_SECONDS)
        idle = (usage.cpu_seconds(agent.pid) - before) / IDLE_SECONDS * 1000
        return _Rest(Memory.of(agent.pid), round(idle, 1), round(agent.first_sent - agent.started, 2))


def _burst(site: Site, rate: int, messages: int) -> float:
    """Run the agent with so many readings a second; return the milliseconds of computing that one message takes."""
    _read_every(site, 1 / rate)
    with _Agent(site, bare.command) as agent:
        agent.wait(lambda: agent.receipted > 0)
        before, count = usage.cpu_seconds(agent.pid), agent.done
        agent.wait(lambda: agent.done >= count + messages, seconds=WAIT_SECONDS + 2 * messages / rate)
        spent, sent = usage.cpu_seconds(agent.pid) - before, agent.done - count
    return round(spent / sent * 1000, 2)


def _read_every(site: Site, seconds: float) -> None:
    command = json.dumps(installed("device", "read", "memory", "--every", str(seconds)))
    settings = SETTINGS.format(to=CLINICIAN, command=command)
    (site.home(DEVICE) / "agent.toml").write_text(settings, "utf-8")


class _Agent:
    """`blockpost device run`, and what it says of itself."""

    def __init__(self, site: Site, command: Command) -> None:
        self.queued = self.receipted = 0
        self.first_sent = 0.0
        self._news = threading.Condition()
        # Else Python would compile everything at each start.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._log = (site.directory / f"{DEVICE}.log").open("ab")
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            command("device", "--verbose", "--home", str(site.home(DEVICE)), "run", "--json"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=kept,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def done(self) -> float:
        """How many messages' work it has done: what is under way is half done."""
        return (self.queued + self.receipted) / 2

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._log.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Raise `BenchError` if it does not come to hold."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not holds():
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise BenchError("agent: it sends nothing that is receipted")
                self._news.wait(0.5)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._hear(json.loads(line))

    def _hear(self, event: dict[str, Any]) -> None:
        with self._news:
            if event["event"] == "sent":
                self.first_sent = self.first_sent or time.monotonic()
            self.queued += event["event"] == "queued"
            self.receipted += event["event"] == "receipted"
            self._news.notify()


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_count(parser, "messages", 200, "messages that the computing time is averaged over")
    part.add_counts(parser, "rates", (1, RATE, 100), "readings a second, each for a run of its own")
    parser.add_argument("--lan", action="store_true", help="over TLS, and to Mosquitto")


def _lines(result: Result) -> Iterator[str]:
    yield f"memory     {result.rss_mb} MB resident at rest, {result.pss_mb} MB with shared pages shared out"
    yield f"           {result.full_rss_mb} MB resident where a gateway is installed, too"
    yield f"start      {result.start_s} s from its start to its first message"
    yield f"at rest    {result.idle_ms_per_s} ms of computing a second"
    for rate, spent in result.cpu_ms.items():
        yield f"computing  {spent} ms a message, at {rate} readings a second"


PART = Part(
    name="agent",
    text="an agent's memory at rest, time to start, and computing time per message",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={
        "agent": "an agent's memory at rest, and its computing time a message",
        "agent --lan": "the same as in a LAN: over TLS, and to Mosquitto",
    },
)

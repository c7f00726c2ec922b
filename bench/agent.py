"""
What a device's agent takes up: memory while it rests, and computing time for each message that it sends.

The agent is a joined one at a real gateway, with one of the built-in sensors. The sensor is a process of its own,
and not counted.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from msgspec import Struct

from bench import part, usage
from bench.errors import BenchError
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress
from bench.usage import Memory
from provisioning.site import Site

ADMIN, CLINICIAN, DEVICE = "admin", "dr.lee", "sensor-1"
SLOW, FAST = 3600.0, 0.05
"""Seconds between two readings."""

REST_SECONDS = 3.0
WAIT_SECONDS = 60.0

SETTINGS = """\
to = ["{to}"]

[sensors.memory]
mode = "stream"
command = {command}
timeout = 7200
"""


class Options(Struct, frozen=True, kw_only=True):
    """`messages`: how many the computing time is averaged over."""

    messages: int
    directory: Path | None


class Result(Struct, frozen=True):
    """
    `rss_mb` and `pss_mb` at rest: joined, connected, one message receipted, none under way.

    `start_s`: from the start of the process to its first message published; `cpu_ms_per_message`: to take a reading,
    seal, sign, store, publish, verify the receipt and release, once it runs.
    """

    rss_mb: float
    pss_mb: float
    start_s: float
    cpu_ms_per_message: float
    messages: int
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if the agent does not do its part, `SiteFailed` if the gateway does not."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        site = Site(Path(name))
        try:
            progress("making a site with one device")
            _set_up(site)
            start, memory = _rest(site)
            progress(f"at rest: {memory.rss_mb} MB resident")
            cpu = _burst(site, options.messages)
        finally:
            site.stop()
    return Result(memory.rss_mb, memory.pss_mb, start, cpu, options.messages, machine)


def _set_up(site: Site) -> None:
    """An admin, a clinician, and a device that is linked to the clinician."""
    code = site.init(admin=ADMIN)
    site.start()
    site.join(ADMIN, code, name="Administrator")
    for handle, kind, called in ((CLINICIAN, "person", "Dr. Lee"), (DEVICE, "device", "Sensor 1")):
        site.join(handle, site.admin(ADMIN, "invite", handle, "--kind", kind).strip(), name=called)
    site.admin(ADMIN, "link", DEVICE, CLINICIAN)


def _rest(site: Site) -> tuple[float, Memory]:
    """Start the agent with a sensor that speaks once; return the seconds to its message, and its memory after it."""
    _read_every(site, SLOW)
    with _Agent(site) as agent:
        agent.wait(lambda: agent.receipted > 0)
        time.sleep(REST_SECONDS)
        return round(agent.first_sent - agent.started, 2), Memory.of(agent.pid)


def _burst(site: Site, messages: int) -> float:
    """Run the agent with a fast sensor; return the milliseconds of computing that one message takes."""
    _read_every(site, FAST)
    with _Agent(site) as agent:
        agent.wait(lambda: agent.receipted > 0)
        before, count = usage.cpu_seconds(agent.pid), agent.receipted
        agent.wait(lambda: agent.receipted >= count + messages, seconds=WAIT_SECONDS + messages)
        spent, sent = usage.cpu_seconds(agent.pid) - before, agent.receipted - count
    return round(spent / sent * 1000, 2)


def _read_every(site: Site, seconds: float) -> None:
    command = json.dumps(["blockpost", "device", "read", "memory", "--every", str(seconds)])
    settings = SETTINGS.format(to=CLINICIAN, command=command)
    (site.home(DEVICE) / "agent.toml").write_text(settings, "utf-8")


class _Agent:
    """`blockpost device run`, and what it says of itself."""

    def __init__(self, site: Site) -> None:
        self.receipted = 0
        self.first_sent = 0.0
        self._news = threading.Condition()
        self.started = time.monotonic()
        self._process = site.device(DEVICE, "run", "--json", hear=self._hear)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Raise `BenchError` if it does not come to hold."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not holds():
                if time.monotonic() > deadline or not self._process.is_running:
                    raise BenchError("agent: it sends nothing that is receipted")
                self._news.wait(0.5)

    def _hear(self, event: dict[str, Any]) -> None:
        with self._news:
            if event["event"] == "sent":
                self.first_sent = self.first_sent or time.monotonic()
            self.receipted += event["event"] == "receipted"
            self._news.notify()


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_count(parser, "messages", 200, "messages that the computing time is averaged over")


def _lines(result: Result) -> Iterator[str]:
    yield f"memory     {result.rss_mb} MB resident at rest, {result.pss_mb} MB with shared pages shared out"
    yield f"start      {result.start_s} s from its start to its first message"
    yield f"computing  {result.cpu_ms_per_message} ms a message, over {result.messages} messages"


PART = Part(
    name="agent",
    text="an agent's memory at rest, time to start, and computing time per message",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={"agent": "an agent's memory at rest, and its computing time a message"},
)

"""
The same job on Matrix Synapse: devices in a building that write encrypted messages to a clinician, side by side with ours.

Of Synapse an encrypted event counts when its sender has the answer, which is all that Synapse acknowledges; of ours an
entry, when its author has verified the receipt. The two take turns. `docs/performance.md` says what is not the same.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from msgspec import Struct

from bench import commit, part, synapse
from bench.commit import Run
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress, Ward
from bench.synapse import Device, Environment
from provisioning.site import free_ports

CLIENTS = (1, 8)
FILLED = 1_000
"""Entries on our chain before a run."""


class Options(Struct, frozen=True, kw_only=True):
    """
    `events` that Synapse gets in one run, `entries` that we get; each `rounds` times, with each number of `clients`.

    `environment` is where Synapse is installed, and stays; without it, somewhere temporary.
    """

    clients: tuple[int, ...]
    events: int
    entries: int
    rounds: int
    environment: Path | None
    directory: Path | None


class With(Struct, frozen=True):
    """Medians of the rounds with so many clients: events, or entries, a second."""

    clients: int
    synapse: float
    ours: float
    ratio: float


class Result(Struct, frozen=True):
    """`ratio`: ours against Synapse, each at the number of clients that is best for it; `by_clients`: at the same one."""

    version: str
    synapse: float
    ours: float
    ratio: float
    by_clients: list[With]
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if Synapse cannot be installed here, or somebody does not get an answer."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        directory = Path(name)
        machine = Machine.at(directory)
        progress(str(machine))
        environment = Environment(options.environment or directory / "synapse")
        environment.install(progress)
        progress(f"{synapse.PACKAGE} {environment.version}")
        by_clients = [
            _with(options, clients, environment, directory / f"clients-{clients}", progress)
            for clients in options.clients
        ]
        version = environment.version
    theirs, ours = max(each.synapse for each in by_clients), max(each.ours for each in by_clients)
    return Result(version, theirs, ours, round(ours / theirs, 1), by_clients, machine)


def _with(
    options: Options, clients: int, environment: Environment, directory: Path, progress: Progress
) -> With:
    directory.mkdir()
    theirs, ours = list[float](), list[float]()
    load = _load(options, clients)
    ward = Ward.make(directory / "ours", clients=clients)
    ward.fill(FILLED, progress)
    with _server(environment, directory / "theirs", clients) as devices:
        for number in range(options.rounds):
            theirs.append(_events(devices, options.events))
            ours.append(_entries(ward, load).rate)
            progress(
                f"{clients} clients, round {number + 1}: Synapse {theirs[-1]:,.1f} events/s, "
                f"ours {ours[-1]:,.0f} entries/s"
            )
    rate, their_rate = round(median(ours), 1), round(median(theirs), 1)
    return With(clients, their_rate, rate, round(rate / their_rate, 1))


def _load(options: Options, clients: int) -> commit.Options:
    return commit.Options(
        broker="mosquitto",
        clients=clients,
        entries=options.entries,
        rounds=options.rounds,
        rate=None,
        growth=False,
        directory=options.directory,
    )


@contextmanager
def _server(environment: Environment, directory: Path, clients: int) -> Iterator[list[Device]]:
    """A server with devices, each of which has sent once: what comes first is slow everywhere."""
    (port,) = free_ports(1)
    with synapse.running(environment, directory, port) as server:
        clinician = server.register("clinician")
        devices = [Device(server, f"device-{number}", clinician) for number in range(clients)]
        synapse.send_together(devices, 1)
        yield devices


def _events(devices: list[Device], count: int) -> float:
    """Events a second."""
    answered = synapse.send_together(devices, -(-count // len(devices)))
    return len(answered) / answered[-1]


def _entries(ward: Ward, load: commit.Options) -> Run:
    return commit.through_chain(ward.at_free_port(), load)


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_counts(parser, "clients", CLIENTS, "clients, each for runs of its own")
    part.add_count(parser, "events", 200, "events of one run of Synapse, of all clients together")
    part.add_count(parser, "entries", 10_000, "entries of one run of ours, of all clients together")
    part.add_count(parser, "rounds", 3, "runs of each kind; the medians count")
    parser.add_argument(
        "--environment",
        type=Path,
        metavar="DIR",
        help=f"a virtual environment with {synapse.PACKAGE}; made where there is none, and kept",
    )


def _lines(result: Result) -> Iterator[str]:
    yield f"synapse    {result.version}, SQLite, on loopback"
    for each in result.by_clients:
        yield (
            f"{each.clients:2} clients {each.synapse:,.1f} events/s on Synapse, {each.ours:,.0f} entries/s here: "
            f"ratio {each.ratio}"
        )
    yield f"best       {result.synapse:,.1f} events/s, {result.ours:,.0f} entries/s: ratio {result.ratio}"


PART = Part(
    name="peers",
    text="the same job on Matrix Synapse, which is installed for it",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={"peers --environment ~/.cache/synapse": "our rate beside that of Matrix Synapse"},
)

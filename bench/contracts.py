"""
What contracts cost: the rate with alerts open and contracts in force, against the rate without.

It is measured as the rate is (`bench.commit`), and runs of both take turns, so that a busy moment of the machine hits
both.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from msgspec import Struct

from bench import commit, part
from bench.commit import Run
from bench.machine import Machine
from bench.part import Part
from bench.process import Broker
from bench.site import Progress, Ward, new_sender
from chain.contracts.terms import (
    DAY,
    Access,
    Escalate,
    EscalateParams,
    Nothing,
    Quorum,
    QuorumParams,
    Rate,
    RateParams,
    Retain,
    RetainParams,
    Step,
    Terms,
)


class Options(Struct, frozen=True, kw_only=True):
    """`alerts` are open, and `contracts` in force, of all kinds; the rest as `bench commit` has it."""

    broker: Broker
    clients: int
    entries: int
    rounds: int
    alerts: int
    contracts: int
    directory: Path | None


class Result(Struct, frozen=True):
    """Medians of all rounds. `ratio` is of `rate`, with contracts, to `without`."""

    broker: Broker
    rate: float
    without: float
    ratio: float
    cpu_us: dict[str, int]
    cpu_without_us: dict[str, int]
    alerts: int
    contracts: int
    entries: int
    receipted: int
    clients: int
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if an entry was not receipted, or a part did not run."""
    load = commit.Options(
        broker=options.broker,
        clients=options.clients,
        entries=options.entries,
        rounds=options.rounds,
        rate=None,
        growth=False,
        directory=options.directory,
    )
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        plain, governed = list[Run](), list[Run]()
        for number in range(options.rounds):
            wards = [("without", plain, _ward(Path(name) / f"plain-{number}", options))]
            ward = _ward(Path(name) / f"governed-{number}", options)
            ward.govern(contracts(ward, options.contracts))
            ward.alarm(options.alerts)
            wards.append(("with", governed, ward))
            # Whoever is first finds the machine as the round before left it.
            for what, runs, where in wards if number % 2 == 0 else wards[::-1]:
                runs.append(commit.through_chain(where.at_free_port(), load))
                progress(f"round {number + 1}: {what} contracts: {runs[-1].rate:,.0f} entries/s")
    return _result(options, machine, plain, governed)


def contracts(ward: Ward, count: int) -> dict[str, Terms]:
    """
    So many, as a large house might have them: one of four names somebody who writes now, the others somebody else.

    One in twenty looks at each message's size or time; the rest at who writes, to whom, and how urgent it is.
    """
    names = [
        each.key.account
        for sender in ward.senders
        for each in (sender, *(new_sender(ward.gateway.origin) for _ in range(3)))
    ]
    to = ward.recipient.key.account
    return {
        # Not always the same people for the same kind.
        f"contract-{number}": _terms(number, names[(number // len(KINDS) + 13 * number) % len(names)], to)
        for number in range(count)
    }


KINDS = (
    *("escalate", "access", "rate", "retain", "escalate", "quorum", "access", "retain", "escalate", "rate"),
    *(
        "escalate",
        "access",
        "each message",
        "escalate",
        "rate",
        "retain",
        "access",
        "escalate",
        "quorum",
        "retain",
    ),
)


def _terms(number: int, author: str, to: str) -> Terms:
    match KINDS[number % len(KINDS)]:
        case "escalate":
            # Some of the alerts that are open take a step while it is measured.
            steps = [Step(to, 5 * (1 + number % 20)), Step(to, 300)]
            params = EscalateParams(steps=steps, wait=1800, laps=3, resolve_within=3600)
            when = f'is_alert && priority == "high" && author == "{author}"'
            return Escalate(version=1, when=when, params=params)
        case "rate":
            when = f'author == "{author}" && !is_alert'
            return Rate(version=1, when=when, params=RateParams(count=1_000_000, seconds=3600, per="author"))
        case "quorum":
            when = f'type == "revoke" && target == "{author}"'
            return Quorum(version=1, when=when, params=QuorumParams(need=2, seconds=3600))
        case "retain":
            when = f'!is_alert && author == "{author}"'
            return Retain(version=1, when=when, params=RetainParams(seconds=365 * DAY))
        case "access":
            when = f'author_kind == "person" && to == "{author}" && !("g-{author}" in author_groups)'
            return Access(version=1, when=when, params=Nothing())
        case _:
            when = f'size > {200_000 + number} && (author_kind == "device" || time < {number})'
            return Access(version=1, when=when, params=Nothing())


def _ward(directory: Path, options: Options) -> Ward:
    ward = Ward.make(directory, clients=options.clients)
    ward.fill(commit.SHORT, lambda _: None)
    return ward


def _result(options: Options, machine: Machine, plain: list[Run], governed: list[Run]) -> Result:
    without, rate = commit.rate_of(plain), commit.rate_of(governed)
    return Result(
        broker=options.broker,
        rate=rate,
        without=without,
        ratio=round(rate / without, 2),
        cpu_us=_cpu(governed),
        cpu_without_us=_cpu(plain),
        alerts=options.alerts,
        contracts=options.contracts,
        entries=len(plain[0].latencies),
        receipted=sum(len(run.latencies) for run in (*plain, *governed)),
        clients=options.clients,
        machine=machine,
    )


def _cpu(runs: list[Run]) -> dict[str, int]:
    return {name: round(median(run.cpu[name] for run in runs)) for name in runs[0].cpu}


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_load(parser)
    part.add_count(parser, "contracts", 200, "contracts in force, of all kinds")
    part.add_count(parser, "alerts", 500, "alerts that nobody has taken")


def _lines(result: Result) -> Iterator[str]:
    yield f"load       {result.clients} clients on the {result.broker} broker"
    yield f"without    {result.without:,.0f} entries/s, each receipted and verified"
    yield (
        f"with       {result.rate:,.0f} entries/s under {result.contracts} contracts, with {result.alerts} alerts open; "
        f"ratio {result.ratio:.2f}"
    )
    computing = ", ".join(
        f"{name} {spent} us (without: {result.cpu_without_us[name]})" for name, spent in result.cpu_us.items()
    )
    yield f"computing  {computing} an entry"


PART = Part(
    name="contracts",
    text="the rate with contracts in force and alerts open, and without",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={"contracts": "the rate under 200 contracts with 500 open alerts, and without"},
)

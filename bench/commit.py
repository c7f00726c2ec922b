"""
The way from a device to its receipt, measured: broker, committer and disk as in production, devices with real keys.

Runs of it and of the floor take turns, so that a busy moment of the machine hits both.
"""

import argparse
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from msgspec import Struct, structs

from bench import load, part, process, subscriber, usage
from bench.connection import Connection, Loop
from bench.load import Measured, Plan
from bench.machine import Machine
from bench.part import Part
from bench.process import Broker, Stock
from bench.site import Progress, Ward
from bench.worker import Worker, run_together
from chain import wire

PROCESSES = 2
SHORT, LONG = 1_000, 100_000
"""Entries on the chain before a run."""

SWEEP = (10, 100, 1_000)
"""Clients."""


class Options(Struct, frozen=True, kw_only=True):
    """
    `entries` of all clients in one run; `rate` offered by all (a second), or as fast as they are answered.

    `sweep` is also with these numbers of clients, one after the other; empty for the usual ones.
    """

    broker: Broker
    clients: int
    entries: int
    rounds: int
    rate: int | None
    growth: bool
    directory: Path | None
    sweep: Sequence[int] | None = None


class Run(Struct, frozen=True):
    """`rate` is entries a second; `latencies` in seconds; `cpu` microseconds an entry, by part."""

    rate: float
    latencies: list[float]
    cpu: dict[str, float]


class With(Struct, frozen=True):
    """What was measured with a number of clients; the fields are those of `Result`."""

    clients: int
    rate: float
    floor: float
    ratio: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    cpu_us: dict[str, int]
    floor_cpu_us: dict[str, int]


class Result(Struct, frozen=True):
    """
    Medians of all rounds; `ratio` is of `rate` to `floor`. The latencies are from publishing to a verified receipt.

    `amqtt_floor` is the floor on the stock library under the embedded broker, and `amqtt_ratio` of `rate` to that.
    `growth` is the ratio of the rates on a long chain and on a short one; `cpu_us` what each
    part computes for one entry, which a busy machine changes less than the rate, and `floor_cpu_us` the same of the
    floor. In `sweep` is the same for each number of clients, where it was asked for.
    """

    broker: Broker
    rate: float
    floor: float
    ratio: float
    amqtt_floor: float | None
    amqtt_ratio: float | None
    p50_ms: float
    p99_ms: float
    p999_ms: float
    rate_1000: float
    rate_100000: float | None
    growth: float | None
    cpu_us: dict[str, int]
    floor_cpu_us: dict[str, int]
    sweep: list[With]
    entries: int
    receipted: int
    clients: int
    offered: int | None
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if an entry was not receipted, or a part did not run."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        directory = Path(name)
        machine = Machine.at(directory)
        progress(str(machine))
        result = _measure(options, directory, machine, progress)
        if options.sweep is None:
            return result
        sweep = []
        for clients in options.sweep or SWEEP:
            progress(f"{clients} clients")
            one = structs.replace(options, clients=clients, growth=False)
            sweep.append(_with(_measure(one, directory / f"with-{clients}", machine, progress)))
        return structs.replace(result, sweep=sweep)


def _measure(options: Options, directory: Path, machine: Machine, progress: Progress) -> Result:
    long = _ward(directory / "long", options, LONG, progress) if options.growth else None
    short = _ward(directory / "short", options, SHORT, progress)
    floors, stocks, shorts, longs = list[Run](), list[Run](), list[Run](), list[Run]()
    for number in range(options.rounds):
        ward = short.at(directory / f"round-{number}")
        shutil.copytree(short.site.directory, ward.site.directory)
        runs = [("floor", floors, through_floor, ward), ("chain", shorts, through_chain, ward)]
        if options.broker == "embedded":
            runs.append(("stock amqtt's floor", stocks, partial(through_floor, stock="amqtt"), ward))
        if long is not None:
            runs.append(("long chain", longs, through_chain, long))
        for what, results, run, where in runs:
            # Just before it is used: on a busy machine somebody's connection may take the port.
            results.append(run(where.at_free_port(), options))
            progress(f"round {number + 1}: {what}: {results[-1].rate:,.0f} entries/s")
    return _result(options, machine, floors=floors, stocks=stocks, shorts=shorts, longs=longs)


def _with(result: Result) -> With:
    return With(**{name: getattr(result, name) for name in With.__struct_fields__})


def _ward(directory: Path, options: Options, size: int, progress: Progress) -> Ward:
    ward = Ward.make(directory, clients=options.clients)
    ward.fill(size, progress)
    return ward


def through_chain(ward: Ward, options: Options) -> Run:
    """One run on the ward as it is."""
    shares = plans(ward, options, options.rate)
    with process.broker(options.broker, ward.site) as broker, process.committer(ward.site) as committer:
        wait_for_committer(ward)
        (checker,) = usage.descendants(committer)
        watch = {"broker": broker, "committer": committer, "checker": checker}
        before = _cpu(watch)
        began, measured = run_together([partial(Worker, load.devices, plan) for plan in shares])
        return _run(began, measured, max(each.ended for each in measured), before, _cpu(watch))


def through_floor(ward: Ward, options: Options, *, stock: Stock | None = None) -> Run:
    """The same messages on the same broker, into a bare subscriber."""
    shares = plans(ward, options, None)
    entries = sum(plan.entries * len(plan.senders) for plan in shares)
    file = ward.site.directory / f"floor-{stock}.db"
    store = partial(Worker, subscriber.store, ward.site.settings.mqtt_port, ward.gateway, file, entries)
    with process.broker(stock or options.broker, ward.site) as broker:
        before = _cpu({"broker": broker})
        began, told = run_together([store, *(partial(Worker, load.publishers, plan) for plan in shares)])
        stored, *measured = told
        run = _run(began, measured, stored.ended, before, _cpu({"broker": broker}))
        cpu = {**run.cpu, "subscriber": stored.cpu / len(run.latencies) * 1e6}
        return structs.replace(run, cpu=cpu)


def _cpu(processes: Mapping[str, int]) -> dict[str, float]:
    return {name: usage.cpu_seconds(pid) for name, pid in processes.items()}


def _run(
    began: float,
    measured: Sequence[Measured],
    ended: float,
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> Run:
    latencies = [latency for each in measured for latency in each.latencies]
    count = len(latencies)
    spent = {name: after[name] - before[name] for name in after}
    spent["clients"] = sum(each.cpu for each in measured)
    cpu = {name: seconds / count * 1e6 for name, seconds in spent.items()}
    return Run(count / (ended - began), latencies, cpu)


def plans(ward: Ward, options: Options, rate: float | None) -> list[Plan]:
    """Share the accounts out among the processes that make the load."""
    seen = ward.head()
    each = -(-options.entries // len(ward.senders))
    shares = [ward.senders[start::PROCESSES] for start in range(PROCESSES)]
    return [
        Plan(
            port=ward.site.settings.mqtt_port,
            senders=share,
            to=ward.recipient.key.account,
            seen=seen,
            gateway=ward.gateway.key.public,
            entries=each,
            rate=rate / len(ward.senders) if rate else None,
            chain=ward.site.chain_file,
        )
        for share in shares
        if share
    ]


def wait_for_committer(ward: Ward) -> None:
    """It has subscribed to entries when it says its newest checkpoint."""
    heads: list[bytes] = []
    recipient = Connection(
        ward.site.settings.mqtt_port,
        ward.recipient,
        topics=[wire.HEAD_TOPIC],
        on_message=lambda _topic, payload: heads.append(payload),
    )
    loop = Loop([recipient])
    loop.until(lambda: bool(heads), "checkpoint of the committer")
    loop.close()


def _result(
    options: Options,
    machine: Machine,
    *,
    floors: list[Run],
    stocks: list[Run],
    shorts: list[Run],
    longs: list[Run],
) -> Result:
    bottom, rate = rate_of(floors), rate_of(shorts)
    stock = rate_of(stocks) if stocks else None
    rate_long = rate_of(longs) if longs else None
    latencies = [latency for run in shorts for latency in run.latencies]
    return Result(
        broker=options.broker,
        rate=rate,
        floor=bottom,
        ratio=round(rate / bottom, 2),
        amqtt_floor=stock,
        amqtt_ratio=round(rate / stock, 2) if stock else None,
        p50_ms=percentile_ms(latencies, 50),
        p99_ms=percentile_ms(latencies, 99),
        p999_ms=percentile_ms(latencies, 99.9),
        rate_1000=rate,
        rate_100000=rate_long,
        growth=round(rate_long / rate, 2) if rate_long else None,
        cpu_us=_cpu_us(shorts),
        floor_cpu_us=_cpu_us(floors),
        sweep=[],
        entries=len(shorts[0].latencies),
        receipted=sum(len(run.latencies) for run in (*shorts, *longs)),
        clients=options.clients,
        offered=options.rate,
        machine=machine,
    )


def _cpu_us(runs: Sequence[Run]) -> dict[str, int]:
    return {name: round(median(run.cpu[name] for run in runs)) for name in runs[0].cpu}


def rate_of(runs: Sequence[Run]) -> float:
    return round(median(run.rate for run in runs), 1)


def percentile_ms(latencies: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile."""
    ranked = sorted(latencies)
    return round(ranked[math.ceil(len(ranked) * percent / 100) - 1] * 1000, 1)


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_load(parser)
    parser.set_defaults(broker="mosquitto")
    parser.add_argument(
        "--sweep",
        nargs="*",
        type=part.count,
        metavar="N",
        help=f"also with these numbers of clients (default {' '.join(map(str, SWEEP))})",
    )
    parser.add_argument(
        "--rate",
        type=part.count,
        metavar="N",
        help="offer so many entries a second; without it, as many as are answered",
    )
    parser.add_argument(
        "--no-growth",
        dest="growth",
        action="store_false",
        help="leave out the runs on a chain of 100,000 entries, which takes a while to make",
    )


def _lines(result: Result) -> Iterator[str]:
    offered = f", {result.offered} entries/s offered" if result.offered else ""
    yield f"load       {result.clients} clients on the {result.broker} broker{offered}"
    yield f"rate       {result.rate:,.0f} entries/s, each receipted and verified"
    yield f"floor      {result.floor:,.0f} entries/s, the same bytes unchecked; ratio {result.ratio:.2f}"
    if result.amqtt_floor and result.amqtt_ratio:
        yield (
            f"amqtt      {result.amqtt_floor:,.0f} entries/s is its floor as it comes, without our hardening; "
            f"ratio {result.amqtt_ratio:.2f}"
        )
    yield f"latency    {_latency(result)}, from publishing to a verified receipt"
    yield f"computing  {_computing(result.cpu_us)} an entry"
    yield f"           {_computing(result.floor_cpu_us)} an entry of the floor"
    for each in result.sweep:
        yield (
            f"{each.clients:<5} clients {each.rate:,.0f} entries/s, floor {each.floor:,.0f}, ratio {each.ratio:.2f}; "
            f"{_latency(each)}; {_computing(each.cpu_us)}"
        )
    if result.rate_100000 is not None:
        yield (
            f"growth     {result.rate_1000:,.0f} entries/s at 1,000 entries on the chain, "
            f"{result.rate_100000:,.0f} at 100,000: ratio {result.growth:.2f}"
        )


def _latency(of: Result | With) -> str:
    return f"p50 {of.p50_ms} ms, p99 {of.p99_ms} ms, p99.9 {of.p999_ms} ms"


def _computing(cpu_us: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {spent} us" for name, spent in cpu_us.items())


PART = Part(
    name="commit",
    text="from publishing an entry to its verified receipt: rate, latency, growth, all against the raw floor",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={
        "commit": "rate, latency, and both against the raw floor; about two minutes",
        "commit --broker embedded": "the same on the embedded broker",
        "commit --sweep --no-growth": "with 10, 100 and 1,000 clients",
        "commit --rate 500 --no-growth": "latency at a steady 500 entries a second, without queues",
    },
)

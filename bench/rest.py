"""
The web server under load, with a long chain behind it: intents, pages of a conversation, and open pages that are told.

It is the whole gateway that runs; the load comes from one other process.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from bench import commit, kept, part, web
from bench.author import Author
from bench.gateway import Gateway
from bench.machine import Machine
from bench.part import Part
from bench.site import Progress, Ward
from bench.web import Asked, Job, Watch
from bench.worker import Worker, run_together
from gateway.rest.events import MOST_OF_ONE, MOST_STREAMS

CLIENTS = 10
PAGE = 50
"""Messages that a page of history asks for."""

VARIETY = 200
"""Different requests of one run, in turn."""

BETWEEN_SECONDS = 0.5
"""Pause between two entries that all pages are told of."""


class Options(Struct, frozen=True, kw_only=True):
    """`requests` of one run, `at_once` under way at any time; `pages` are told of `entries`."""

    size: int
    requests: int
    at_once: Sequence[int]
    rounds: int
    pages: int
    entries: int
    chain: Path | None
    directory: Path | None


class Load(Struct, frozen=True):
    """One kind of request, so many at once: medians of the rounds, and an answer's size in kB."""

    at_once: int
    rate: float
    p50_ms: float
    p99_ms: float
    kb: float


class Result(Struct, frozen=True):
    """
    `told_ms` is the time from an author's verified receipt until the last of all open `pages` has the entry: the
    median over the entries, and `worst_told_ms` the longest. Each page is a stream of server-sent events.
    """

    intents: list[Load]
    history: list[Load]
    pages: int
    told: int
    told_ms: float
    worst_told_ms: float
    size: int
    machine: Machine


def measure(options: Options, progress: Progress) -> Result:
    """Raise `BenchError` if a request is not answered, or a page not told."""
    with tempfile.TemporaryDirectory(prefix="blockpost-bench-", dir=options.directory) as name:
        machine = Machine.at(Path(name))
        progress(str(machine))
        ward = kept.filled(
            options.chain, Path(name), size=options.size, clients=CLIENTS, progress=progress
        ).at_free_port()
        size, group = kept.size_of(ward), ward.gather()
        with Gateway(ward) as gateway:
            gateway.wait_ready()
            asked = _loads("intents", partial(intents, ward), ward, options, progress)
            read = _loads("history", partial(history, ward, size), ward, options, progress)
            told = _told(ward, group, options)
            progress(
                f"{options.pages} open pages: the last one is told {median(told):.0f} ms after the receipt"
            )
    return Result(
        intents=asked,
        history=read,
        pages=options.pages,
        told=len(told) * options.pages,
        told_ms=round(median(told), 1),
        worst_told_ms=round(max(told), 1),
        size=size,
        machine=machine,
    )


def _loads(
    what: str, requests: Callable[[], list[bytes]], ward: Ward, options: Options, progress: Progress
) -> list[Load]:
    found = []
    for at_once in options.at_once:
        # Made for each run anew: a token does not last.
        rounds = [_run(ward, requests(), at_once, options.requests) for _ in range(options.rounds)]
        found.append(_load(at_once, rounds))
        progress(f"{what}: {_line(found[-1])}")
    return found


def _run(ward: Ward, requests: list[bytes], at_once: int, total: int) -> tuple[float, Asked]:
    """How many are answered in a second."""
    job = Job(ward.site.settings, requests, at_once, total)
    began, (asked,) = run_together([partial(Worker, web.ask, job)])
    return total / (asked.ended - began), asked


def _load(at_once: int, rounds: list[tuple[float, Asked]]) -> Load:
    latencies = [latency for _, asked in rounds for latency in asked.latencies]
    return Load(
        at_once=at_once,
        rate=round(median(rate for rate, _ in rounds), 1),
        p50_ms=commit.percentile_ms(latencies, 50),
        p99_ms=commit.percentile_ms(latencies, 99),
        kb=round(sum(asked.bytes for _, asked in rounds) / len(latencies) / 1000, 1),
    )


def intents(ward: Ward) -> list[bytes]:
    """Each device in turn asks for the keys of whom it writes to."""
    body = msgspec.json.encode({"to": ward.recipient.key.account})
    return [web.request("POST", "/v1/intents", each, ward.site.settings, body) for each in ward.senders]


def history(ward: Ward, size: int) -> list[bytes]:
    """Pages from anywhere in a conversation."""
    return [
        web.request(
            "POST",
            "/messages",
            sender,
            ward.site.settings,
            msgspec.json.encode(
                {
                    "friend": ward.recipient.key.account,
                    "before": random.randrange(size // 10, size + 1),  # noqa: S311 - a place, not a secret
                    "limit": PAGE,
                }
            ),
        )
        for sender in (ward.senders[number % len(ward.senders)] for number in range(VARIETY))
    ]


def _told(ward: Ward, group: str, options: Options) -> list[float]:
    """For each entry, the ms from its author's receipt until the last page has it."""
    after = kept.size_of(ward) - 1
    accounts = (ward.senders * options.pages)[: options.pages]
    path = f"/v1/events?after={after}&all=true"
    watch = Watch(
        ward.site.settings,
        [web.request("GET", path, account, ward.site.settings) for account in accounts],
        options.entries,
    )
    worker: Worker[list[list[float]]] = Worker(web.watch, watch)
    try:
        worker.wait_ready()
        worker.begin()
        author = Author(ward, to=group)
        receipted = []
        for _ in range(options.entries):
            time.sleep(BETWEEN_SECONDS)
            receipted.append(author.commit())
        heard = worker.result()
    finally:
        worker.close()
    lasts = (max(page[number] for page in heard) for number in range(options.entries))
    return [max(0.0, last - at) * 1000 for last, at in zip(lasts, receipted, strict=True)]


def _add(parser: argparse.ArgumentParser) -> None:
    part.add_count(parser, "size", 100_000, "entries on the chain, at least")
    part.add_count(parser, "requests", 2_000, "requests of one run")
    part.add_counts(parser, "at-once", (1, 8, 64), "requests under way at any time")
    part.add_count(parser, "rounds", 3, "runs of each kind; the medians count")
    part.add_count(
        parser, "pages", MOST_STREAMS, f"open pages, at most {MOST_STREAMS} and {MOST_OF_ONE} of an account"
    )
    part.add_count(parser, "entries", 10, "entries that all open pages are told of")
    kept.add_chain(parser)


def _line(load: Load) -> str:
    return (
        f"{load.rate:,.0f}/s with {load.at_once} at once, p50 {load.p50_ms} ms, p99 {load.p99_ms} ms, "
        f"{load.kb} kB an answer"
    )


def _lines(result: Result) -> Iterator[str]:
    yield f"chain      {result.size:,} entries"
    yield from (f"intents    {_line(load)}" for load in result.intents)
    yield from (f"history    {_line(load)}" for load in result.history)
    yield (
        f"pages      {result.pages} open: the last one is told {result.told_ms} ms after the author's receipt, "
        f"{result.worst_told_ms} ms at worst"
    )


PART = Part(
    name="rest",
    text="the web server: intents, pages of a conversation, and how soon 200 open pages are told",
    options=Options,
    add=_add,
    measure=measure,
    lines=_lines,
    examples={
        "rest": "with a chain of 100,000 entries; about five minutes",
        "rest --size 1000000 --chain ./million": "with a million, on a chain that is kept for the next run",
    },
)

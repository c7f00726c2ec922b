"""
`GET /metrics`, for Prometheus: what the web server sees, and what the committer's pulse says that it did.

A scrape reads one moment of the chain and counts nothing anew. No label comes from a caller, so there are only so many
series, and none of them names anybody.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from gateway.errors import BadConfig
from gateway.expiry import WATCHED, certificate_end, crl_end
from gateway.presence import Presence
from gateway.pulse import BUCKETS, Pulse, Pulses
from gateway.rest.desk import Desk
from gateway.rest.events import Seats
from gateway.rest.health import size_on_disk
from gateway.rest.snapshot import Chains
from gateway.sessions import Clock, Sessions
from gateway.site import is_loopback
from gateway.tls import Files

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""

METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
OTHER = "other"
"""Stands for whatever else a caller says that the method is, and for a path that is none of ours."""


class Requests:
    """How many requests there were, and how long each took until its answer began."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # When a series began is of no use to anybody here.
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library's own
        self._seconds = Histogram(
            "blockpost_request_seconds",
            "Seconds until a request was answered.",
            ["route", "method", "status"],
            registry=registry,
            buckets=REQUEST_BUCKETS,
        )

    def watch(self, app: Flask) -> None:
        @app.before_request
        def begin() -> None:
            g.begun = time.perf_counter()

        @app.after_request
        def end(response: Response) -> Response:
            self._seconds.labels(
                request.url_rule.rule if request.url_rule else OTHER,
                request.method if request.method in METHODS else OTHER,
                str(response.status_code),
            ).observe(time.perf_counter() - g.begun)
            return response


class Watched(Collector):
    """What is looked up when somebody asks."""

    def __init__(
        self,
        *,
        chains: Chains,
        sessions: Sessions,
        pulses: Pulses,
        presence: Presence,
        seats: Seats,
        clock: Clock,
    ) -> None:
        self._chains = chains
        self._sessions = sessions
        self._pulses = pulses
        self._presence = presence
        self._seats = seats
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        yield from self._of_the_committer()
        yield from self._of_the_chain()
        yield _gauge(
            "accounts_online", "Accounts at the broker or with the page open.", len(self._presence.online())
        )
        yield _gauge("open_streams", "Event streams of open pages.", self._seats.taken)
        yield _gauge("sessions", "Browser sessions in force.", self._sessions.count())

    def _of_the_committer(self) -> Iterator[Metric]:
        """Counted since the committer started; nothing where it is not heard of."""
        pulse = self._pulses.newest()
        yield _gauge("committer_up", "Whether the committer was heard of just now.", int(pulse is not None))
        halted = pulse is not None and pulse.halted is not None
        yield _gauge(
            "committer_halted", "Whether it commits nothing, for its disk failed or is full.", int(halted)
        )
        blocks = CounterMetricFamily("blockpost_blocks", "Blocks cut.")
        entries = CounterMetricFamily("blockpost_entries", "Entries committed.")
        refused = CounterMetricFamily("blockpost_refusals", "Entries refused.", labels=["rule"])
        if pulse is not None:
            blocks.add_metric([], pulse.blocks)
            entries.add_metric([], pulse.entries)
            for rule, count in sorted(pulse.refused.items()):
                refused.add_metric([rule], count)
        yield from (blocks, entries, refused, _latency(pulse))

    def _of_the_chain(self) -> Iterator[Metric]:
        with self._chains.snapshot() as now:
            size, store = now.size, now.chain.store
            height, timestamp = store.height_of(size - 1), store.time_of(size - 1)
        file = self._chains.file
        age = max(0, self._clock() - timestamp) / 1000
        yield _gauge("chain_entries", "Entries under the newest checkpoint.", size)
        yield _gauge("chain_height", "Height of the newest block under it.", height)
        yield _gauge("checkpoint_age_seconds", "Seconds since that block. It grows while nobody writes.", age)
        yield _gauge("chain_bytes", "Bytes of the chain's files.", size_on_disk(file))
        yield _gauge("disk_free_bytes", "Bytes left on their disk.", shutil.disk_usage(file.parent).free)


class Expiring(Collector):
    """How long a LAN's certificates and its list of revoked ones still hold; below zero if they do not."""

    def __init__(self, files: Files, clock: Clock) -> None:
        self._files = files
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        now = self._clock() / 1000
        crl = GaugeMetricFamily(
            "blockpost_crl_seconds", "Seconds until the list of revoked certificates expires."
        )
        certificates = GaugeMetricFamily(
            "blockpost_certificate_seconds", "Seconds until a certificate expires.", labels=["name"]
        )
        # What cannot be read has no value: an alert on `absent()` tells of it, as /healthz and the doctor do.
        with suppress(BadConfig):
            crl.add_metric([], crl_end(self._files).at.timestamp() - now)
        for name in WATCHED:
            with suppress(BadConfig):
                end = certificate_end(self._files, name)
                certificates.add_metric([name], end.at.timestamp() - now)
        yield from (crl, certificates)


def metrics(desk: Desk, registry: CollectorRegistry) -> Blueprint:
    views = Blueprint("metrics", __name__)

    @views.get("/metrics")
    def read() -> Response:
        if not is_loopback(request.remote_addr or ""):
            with desk.caller() as me:
                me.need_admin()
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return views


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"blockpost_{name}", words, value=value)


def _latency(pulse: Pulse | None) -> Metric:
    family = HistogramMetricFamily(
        "blockpost_block_seconds", "Seconds from the first message of a batch to the last answer."
    )
    if pulse is not None:
        bounds = [*map(str, BUCKETS), "+Inf"]
        family.add_metric([], list(zip(bounds, pulse.buckets, strict=True)), pulse.seconds)
    return family

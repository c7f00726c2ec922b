"""Each minute's figures."""

from contextlib import closing, suppress
from pathlib import Path
from statistics import quantiles

import psutil
from msgspec import Struct

from chain.chain import Chain
from tests.faults.scene import Scene
from tests.soak.crowd import Crowd

MB = 1_000_000


class Weight(Struct, frozen=True):
    """One process at one moment. `pid` tells that it is still the same one."""

    pid: int
    rss_mb: float
    fds: int
    threads: int


class Minute(Struct, frozen=True):
    """
    What was measured at the end of a stretch of about a minute. Latencies are from sending to the verified receipt;
    none if nothing was receipted. `calm`: nothing went wrong on purpose.
    """

    at: float
    seconds: float
    entries: int
    rate: float
    p50_ms: float | None
    p99_ms: float | None
    weights: dict[str, Weight]
    chain_mb: float
    wal_mb: float
    disk_mb: float
    errors: int
    calm: bool

    def __str__(self) -> str:
        heaviest = ", ".join(f"{name} {each.rss_mb:.0f}" for name, each in sorted(self.weights.items()))
        fds = sum(each.fds for each in self.weights.values())
        threads = sum(each.threads for each in self.weights.values())
        latency = "none" if self.p50_ms is None else f"p50 {self.p50_ms:.0f} ms p99 {self.p99_ms:.0f} ms"
        return (
            f"{self.at / 60:5.1f} min  {self.rate:6.1f}/s  {latency}  MB: {heaviest}  fds {fds}  threads {threads}  "
            f"chain {self.chain_mb:.1f} MB  wal {self.wal_mb:.1f} MB  disk {self.disk_mb:.1f} MB  errors {self.errors}"
            f"{'' if self.calm else '  (faults)'}"
        )


class Scales:
    """Of one scene; asked about once a minute."""

    def __init__(self, scene: Scene, crowd: Crowd) -> None:
        self._scene, self._crowd = scene, crowd
        self._at = 0.0
        self._entries = _size(scene.site.chain_file)

    def minute(self, at: float, *, errors: int, calm: bool) -> Minute:
        entries, before, seconds = _size(self._scene.site.chain_file), self._entries, at - self._at
        self._entries, self._at = entries, at
        latencies = self._crowd.latencies()
        cuts = quantiles(latencies, n=100, method="inclusive") if len(latencies) > 1 else []
        gateway = self._scene.site.directory / "gateway"
        return Minute(
            at=at,
            seconds=seconds,
            entries=entries,
            rate=(entries - before) / seconds,
            p50_ms=cuts[49] if cuts else None,
            p99_ms=cuts[98] if cuts else None,
            weights=self._weights(),
            chain_mb=_mb(gateway / "chain.db"),
            wal_mb=_mb(gateway / "chain.db-wal"),
            disk_mb=sum(map(_mb, gateway.rglob("*"))),
            errors=errors,
            calm=calm,
        )

    def _weights(self) -> dict[str, Weight]:
        """Of all processes that are there all the time, by their roles."""
        processes = {
            role if number == 0 else f"{role} {number + 1}": process
            for role, found in self._scene.gateway.processes().items()
            for number, process in enumerate(found)
        }
        processes |= {
            name: member.process for name, member in self._scene.members.items() if member.is_running
        }
        weights: dict[str, Weight] = {}
        for name, process in processes.items():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                weights[name] = Weight(
                    process.pid, process.memory_info().rss / MB, process.num_fds(), process.num_threads()
                )
        return weights


def _size(chain_file: Path) -> int:
    with closing(Chain.open(chain_file)) as chain:
        return chain.head.size


def _mb(path: Path) -> float:
    try:
        return path.stat().st_size / MB if path.is_file() else 0.0
    except FileNotFoundError:
        return 0.0

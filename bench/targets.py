"""What has to be reached, and whether the results of a campaign do: the table of `docs/performance.md`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from bench.errors import BenchError

Read = Callable[[dict[str, Any]], float]
Sense = Literal["least", "most"]

HEAD = ("figure", "target", "measured", "command")
UNMEASURED = "not measured"


class Target(Struct, frozen=True):
    """`read` finds the figure in the result `name`.json, which `command` has made; `bound` is what it is held against."""

    figure: str
    sense: Sense
    bound: float
    unit: str
    name: str
    command: str
    read: Read

    @property
    def wanted(self) -> str:
        return f"at {self.sense} {_shown(self.bound, self.unit)}"

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.sense == "least" else value <= self.bound

    def told(self, results: Mapping[str, dict[str, Any]]) -> str:
        """The figure, and whether it is what was wanted."""
        result = results.get(self.name)
        if result is None:
            return UNMEASURED
        try:
            value = self.read(result)
        except (KeyError, IndexError, TypeError) as error:
            raise BenchError(f"{self.name}.json: it has not the figure {self.figure!r}") from error
        return _shown(value, self.unit) + ("" if self.is_met(value) else " (**missed**)")


def _shown(value: float, unit: str) -> str:
    return f"{value:g}{' ' if unit else ''}{unit}"


def _of(*path: str | int) -> Read:
    """Reads what stands at the end of `path` in a result."""

    def read(result: Any) -> float:
        for step in path:
            result = result[step]
        return float(result)

    return read


STEADY = "blockpost bench commit --broker mosquitto --no-growth --rate 500 --entries 10000"
COMMIT = "blockpost bench commit --broker mosquitto --sweep"
EMBEDDED = "blockpost bench commit --broker embedded"
PEERS = "blockpost bench peers"
GROW = "blockpost bench grow --broker mosquitto"
START = "blockpost bench start --size 1000000"
VERIFY = "blockpost bench verify --size 1000000"
AGENT = "blockpost bench agent"

TARGETS = (
    Target(
        "receipted against the floor, Mosquitto", "least", 0.5, "", "commit-mosquitto", COMMIT, _of("ratio")
    ),
    Target("the same on the embedded broker", "least", 0.5, "", "commit-embedded", EMBEDDED, _of("ratio")),
    Target("receipted against what Synapse sends", "least", 50, "", "peers", PEERS, _of("ratio")),
    Target("publish to receipt at 500 entries/s, p50", "most", 30, "ms", "steady-500", STEADY, _of("p50_ms")),
    Target("the same, p99", "most", 100, "ms", "steady-500", STEADY, _of("p99_ms")),
    Target("rate at 1,000,000 entries against 10,000", "least", 0.9, "", "grow", GROW, _of("growth")),
    Target(
        "gateway's memory at 1,000,000 entries, broker aside",
        "most",
        200,
        "MB",
        "grow",
        GROW,
        _of("sizes", -1, "pss_mb"),
    ),
    Target("disk against wire size", "most", 1.4, "", "grow", GROW, _of("sizes", -1, "disk_ratio")),
    Target("kill -9 of the committer to first commit", "most", 2, "s", "start", START, _of("committer_s")),
    Target("kill -9 of the whole gateway to first commit", "most", 2, "s", "start", START, _of("gateway_s")),
    Target("offline verify against one core's Ed25519", "least", 1.5, "", "verify", VERIFY, _of("ratio")),
    Target("agent's memory at rest", "most", 40, "MB", "agent", AGENT, _of("rss_mb")),
    Target("agent's computing for a message", "most", 3, "ms", "agent", AGENT, _of("cpu_ms_per_message")),
)


def table(results: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """The lines of the table in Markdown; `results` are by name."""
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{'---|' * len(HEAD)}"
    for each in TARGETS:
        yield f"| {each.figure} | {each.wanted} | {each.told(results)} | `{each.command}` |"


def machines(results: Mapping[str, dict[str, Any]]) -> list[str]:
    """Those that the results are of: one, unless they were thrown together."""
    given = [result["machine"] for result in results.values() if "machine" in result]
    return sorted({f"{each['cpu']}, {each['cores']} cores, Python {each['python']}" for each in given})

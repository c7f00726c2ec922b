"""All that is measured, one after the other, as `docs/performance.md` has it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

CHAIN = "million"
"""Where the long chain is kept, beside the results."""

STEADY = (100, 250, 500, 1_000)
"""Entries a second."""

STEADY_SECONDS = 20


class Measurement(Struct, frozen=True):
    """`name` is that of its file, without `.json`; `words` are what stands behind `blockpost bench`."""

    name: str
    words: list[str]


def measurements(out: Path, parts: Iterable[str]) -> Iterator[Measurement]:
    """Those of all `parts`, in this order: the chain that `grow` makes is that of those behind it."""
    chain = ["--chain", str(out / CHAIN)]
    long = ["--size", "1000000", *chain]
    mosquitto = ["--broker", "mosquitto"]
    yield Measurement("commit-mosquitto", ["commit", *mosquitto, "--sweep"])
    yield Measurement("commit-embedded", ["commit", "--broker", "embedded"])
    for rate in STEADY:
        steady = ["--no-growth", "--rate", str(rate), "--entries", str(rate * STEADY_SECONDS)]
        yield Measurement(f"steady-{rate}", ["commit", *mosquitto, *steady])
    yield Measurement("grow", ["grow", *mosquitto, *chain])
    for part in ("start", "verify", "rest"):
        yield Measurement(part, [part, *long])
    for part in parts:
        if part not in ("commit", "grow", "start", "verify", "rest"):
            yield Measurement(part, [part])

"""A part of `blockpost bench`: one thing that is measured, with its options, and how its result is told to people."""

import argparse
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from bench.errors import BenchError
from bench.site import Progress

O = TypeVar("O")  # noqa: E741 - options
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Part(Generic[O, R]):
    """
    `options` is a Struct; its fields are named as the arguments that `add` adds, and `directory`, which all have.

    `measure` gives a Struct with `machine`; `lines` says it in a few lines: a word, then the figure. `examples` have
    the arguments behind `blockpost bench`, and what they do.
    """

    name: str
    text: str
    options: type[O]
    add: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[O, Progress], R]
    lines: Callable[[R], Iterable[str]]
    examples: Mapping[str, str]

    def parse(self, args: argparse.Namespace) -> O:
        """The options in parsed arguments."""
        names = self.options.__struct_fields__  # type: ignore[attr-defined]
        return self.options(**{name: getattr(args, name) for name in names})


def add_directory(parser: argparse.ArgumentParser) -> None:
    """What all parts have."""
    parser.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="work on the disk that this directory is on; without it, where temporary files are",
    )


def add_broker(parser: argparse.ArgumentParser) -> None:
    """What parts with a broker have."""
    parser.add_argument(
        "--broker",
        choices=("embedded", "mosquitto"),
        default="embedded",
        help="(default %(default)s)",
    )


def add_load(parser: argparse.ArgumentParser) -> None:
    """What parts with devices that publish have."""
    add_broker(parser)
    add_count(parser, "clients", 10, "accounts that publish")
    add_count(parser, "entries", 10_000, "entries of one run, of all clients together")
    add_count(parser, "rounds", 3, "runs of each kind; the medians count")


def add_count(parser: argparse.ArgumentParser, name: str, default: int, text: str) -> None:
    parser.add_argument(
        f"--{name}", type=count, default=default, metavar="N", help=f"{text} (default %(default)s)"
    )


def add_counts(parser: argparse.ArgumentParser, name: str, default: tuple[int, ...], text: str) -> None:
    shown = " ".join(map(str, default))
    parser.add_argument(
        f"--{name}", type=count, nargs="+", default=default, metavar="N", help=f"{text} (default {shown})"
    )


def count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"want a number above 0, got {text}")
    return number


def needed(module: str, package: str) -> Any:
    """A module that only this measurement needs; raise `BenchError` with how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BenchError(f"want {package}, which is not installed: pip install {package}") from error

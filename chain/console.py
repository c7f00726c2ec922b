"""How every `blockpost` command is built: subcommands that teach, errors as one line, signals as an event."""

import signal
import sys
import threading
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from chain import finding
from chain.finding import Finding

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

INTERRUPTED = 130
"""The exit code of what Ctrl-C ended, as shells have it."""

EVERY_SECONDS = 0.5
"""Between two words of how far something is."""

Action = Callable[..., int | None]


def parser(name: str, about: str | None, closing: str) -> ArgumentParser:
    """The parser of `blockpost <name>`; `closing` is what its help ends with, as it is written."""
    return ArgumentParser(
        prog=f"blockpost {name}",
        description=about,
        epilog=closing,
        formatter_class=RawDescriptionHelpFormatter,
    )


class Console:
    """A command with subcommands. Each one's `action` is called with its parsed arguments."""

    def __init__(self, name: str, about: str | None, closing: str) -> None:
        self.parser = parser(name, about, closing)
        self._subparsers = self.parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(self, name: str, action: Action, about: str) -> ArgumentParser:
        made = self._subparsers.add_parser(name, help=about, description=about)
        made.set_defaults(action=action)
        return made

    def mention(self, name: str, about: str) -> None:
        """List a subcommand that is handed on before anything is parsed."""
        self._subparsers.add_parser(name, help=about, add_help=False)

    def run(self, args: Namespace, errors: tuple[type[Exception], ...], *given: Any) -> int:
        """
        Do what `args` ask for, and return the exit code: 0 unless the action says otherwise.

        One of `errors` becomes a line on stderr and exit 1; any other is a defect, and shows as one. Ctrl-C is none.
        """
        action: Action = args.action
        try:
            return action(args, *given) or 0
        except errors as error:
            print(f"{self.parser.prog} {args.command}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"{self.parser.prog} {args.command}: interrupted", file=sys.stderr)
            return INTERRUPTED


class Progress:
    """Says how many of all the `things` are done, at most twice a second, where a person is looking."""

    def __init__(self, things: str) -> None:
        self._things = things
        self._next = 0.0 if sys.stderr.isatty() else float("inf")

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            print(f"\r{self._said(done, total)}", end="", file=sys.stderr, flush=True)
        if done == total and self._next != float("inf"):
            self._next = float("inf")
            print(file=sys.stderr)

    def _said(self, done: int, total: int) -> str:
        return f"{done} of {total} {self._things}"


class Forecast(Progress):
    """Says how fast it goes, too, and how long the rest takes: for what a machine does at an even pace."""

    def __init__(self, things: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(things)
        self._clock = clock
        self._began = clock()
        self._width = 0

    def _said(self, done: int, total: int) -> str:
        said, seconds = super()._said(done, total), self._clock() - self._began
        if done and seconds > EVERY_SECONDS:
            said += f", {done / seconds:,.0f} a second, {_duration((total - done) * seconds / done)} left"
        # What is left of a longer line before is written over.
        self._width = max(self._width, len(said))
        return f"{said:{self._width}}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def report(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Print what a doctor found, as lines or as an object a line; return the exit code: 1 if there is a problem."""
    lines = [msgspec.json.encode(each).decode() for each in findings] if as_json else finding.told(findings)
    for line in lines:
        print(line)
    return 0 if finding.is_well(findings) else 1


def end_as_interrupted() -> None:
    """Let SIGTERM end this process as Ctrl-C does: what it has started is ended, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def until_signalled() -> threading.Event:
    """An event that SIGTERM or Ctrl-C sets."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def wake_at(stop: threading.Event, wake: Callable[[], None]) -> None:
    """
    Call `wake` once `stop` is set: it is to put something into the queue that the main thread waits at.

    A signal that interrupts `SimpleQueue.get` after its time was up, as in a process that had been stopped, would
    make it wait for ever: CPython reckons the time that is left without looking whether there is any.
    """

    def wait() -> None:
        stop.wait()
        wake()

    threading.Thread(target=wait, name="wake", daemon=True).start()

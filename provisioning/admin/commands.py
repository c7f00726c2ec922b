"""What each noun adds its commands to: an action is called with its arguments and the admin's account, open."""

import argparse
from collections.abc import Callable
from contextlib import closing
from functools import partial
from inspect import cleandoc
from typing import Protocol

from device.client import Client, Home

Action = Callable[[argparse.Namespace, Client], int | None]


class Makes(Protocol):
    """What has subcommands: a console, or one of its commands."""

    def command(
        self, name: str, action: Callable[..., int | None], about: str
    ) -> argparse.ArgumentParser: ...


class Commands:
    """The subcommands of a console, or of one of its commands."""

    def __init__(self, console: Makes) -> None:
        self._console = console

    def add(self, name: str, action: Action, about: str, examples: str) -> argparse.ArgumentParser:
        """A subcommand whose help ends with `examples`."""
        return _teaching(self._console.command(name, partial(_act, action), about), examples)

    def noun(self, name: str, about: str, examples: str) -> "Commands":
        """A subcommand that has subcommands of its own."""
        return Commands(_Nested(_teaching(self._console.command(name, _nothing, about), examples)))


class _Nested:
    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._subparsers = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def command(self, name: str, action: Callable[..., int | None], about: str) -> argparse.ArgumentParser:
        made = self._subparsers.add_parser(name, help=about, description=about)
        made.set_defaults(action=action)
        return made


def _teaching(parser: argparse.ArgumentParser, examples: str) -> argparse.ArgumentParser:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    lines = cleandoc(examples).splitlines()
    parser.epilog = "\n".join(["examples:", *(f"  {line}" for line in lines)])
    return parser


def _nothing(_args: argparse.Namespace) -> None:
    """The subcommands have actions, and one of them is always given."""


def _act(action: Action, args: argparse.Namespace) -> int | None:
    """Do it as the admin whose folder this is."""
    with closing(Client(Home(args.home.expanduser()))) as client:
        return action(args, client)

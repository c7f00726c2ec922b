"""What each noun adds its commands to: an action is called with its arguments and the admin's account, open."""

import argparse
from collections.abc import Callable
from contextlib import closing
from functools import partial
from inspect import cleandoc

from chain.console import Console
from device.client import Client, Home

Action = Callable[[argparse.Namespace, Client], int | None]


class Commands:
    """The subcommands of one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, name: str, action: Action, about: str, examples: str) -> argparse.ArgumentParser:
        """A subcommand whose help ends with `examples`."""
        made = self._console.command(name, partial(_act, action), about)
        made.formatter_class = argparse.RawDescriptionHelpFormatter
        lines = cleandoc(examples).splitlines()
        made.epilog = "\n".join(["examples:", *(f"  {line}" for line in lines)])
        return made


def _act(action: Action, args: argparse.Namespace) -> int | None:
    """Do it as the admin whose folder this is."""
    with closing(Client(Home(args.home.expanduser()))) as client:
        return action(args, client)

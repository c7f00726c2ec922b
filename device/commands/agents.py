"""The agent of a device's sensors, and its settings."""

import argparse
import gc
from contextlib import closing
from pathlib import Path

from chain.console import Console, until_signalled
from device import explaining, limits
from device.agent import Agent
from device.client import Home
from device.commands.limits import line as override_line
from device.commands.printing import say, takes_json
from device.commands.service import at_work
from device.config import EXAMPLE, Config
from device.limits import Override
from device.outbox import Outbox
from device.printing import printer


def add(console: Console) -> None:
    command = console.command
    run = command("run", _run, "run the sensors of agent.toml and send what they say, until stopped")
    check = command("check-config", _check_config, "check agent.toml and say what it does")
    for made in (run, check):
        made.add_argument(
            "--config", type=Path, metavar="FILE", help="instead of agent.toml in the account's folder"
        )
    takes_json(run)
    check.add_argument("--example", action="store_true", help="print a file to begin from")


def _run(args: argparse.Namespace, home: Home) -> int:
    stop = until_signalled()
    config = Config.load(args.config or home.settings_file)
    with at_work(home, stop) as client:
        if client is not None:
            # What there is now stays: looking through it for garbage again and again would be a tenth of the work.
            gc.freeze()
            Agent(client, printer(as_json=args.json), config).run(stop)
    return 0


def _check_config(args: argparse.Namespace, home: Home) -> int:
    if args.example:
        say(EXAMPLE, end="")
        return 0
    file = Config.load(args.config or home.settings_file)
    held = _held(home, file)
    config = limits.in_force(file, held.values())
    for name, sensor in config.sensors.items():
        say(
            f"{name}: {type(sensor).__name__.lower()} {' '.join(sensor.command)} -> {', '.join(config.addressees(name))}"
        )
        for line in explaining.told(sensor):
            say(f"  {line}")
    for each in held.values():
        say(f"not as the file says: {override_line(each, home.book)}")
    return 0


def _held(home: Home, file: Config) -> dict[str, Override]:
    """What people set, as far as it holds. A folder that is not joined yet is left as it is."""
    if not home.outbox_file.exists():
        return {}
    with closing(Outbox(home.outbox_file)) as outbox:
        held = outbox.limits()
    return {name: each for name, each in held.items() if limits.outdated(file, each) is None}

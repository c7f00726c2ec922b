"""The agent of a device's sensors, and its settings."""

import argparse
from pathlib import Path

from chain.console import Console, until_signalled
from device import explaining
from device.agent import Agent
from device.client import Home
from device.commands.printing import say, takes_json
from device.commands.service import at_work
from device.config import EXAMPLE, Config
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
            Agent(client, printer(as_json=args.json), config).run(stop)
    return 0


def _check_config(args: argparse.Namespace, home: Home) -> int:
    if args.example:
        say(EXAMPLE, end="")
        return 0
    config = Config.load(args.config or home.settings_file)
    for name, sensor in config.sensors.items():
        say(
            f"{name}: {type(sensor).__name__.lower()} {' '.join(sensor.command)} -> {', '.join(config.addressees(name))}"
        )
        for line in explaining.told(sensor):
            say(f"  {line}")
    return 0

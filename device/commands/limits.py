"""Limits that people set by message: those of this device, and how to ask another for others."""

import argparse
from collections.abc import Callable
from contextlib import closing
from typing import Any, get_args

import msgspec

from chain.console import Console
from device import content
from device.addressbook import AddressBook
from device.client import Home
from device.commands.messages import sent
from device.commands.printing import say, takes_json
from device.config import Priority
from device.content import LIMITS, LimitsChange
from device.errors import BadConfig
from device.limits import Override
from device.outbox import Outbox
from device.printing import printer, utc

NONE = "none"

AMOUNTS = {
    "low": "an alert below this",
    "high": "an alert above this",
    "clear-by": "how far inside the limit it is over",
    "must-last": "seconds for which all readings cross the limit",
    "stale-after": "seconds without a reading until a technical alert",
}


def add(console: Console) -> None:
    command = console.command
    held = command("limits", _limits, "which limits hold that people set by message, by whom and since when")
    held.add_argument("--forget", metavar="SENSOR", help="let its limits be as the settings file says again")
    ask = command("set-limits", _set_limits, "ask a device for other limits of a sensor; it answers")
    ask.add_argument("device", metavar="DEVICE", help="its handle, or its id")
    ask.add_argument("sensor", metavar="SENSOR", help="the sensor's name there")
    for name, about in AMOUNTS.items():
        ask.add_argument(f"--{name}", type=_or_none(float), metavar="N", help=f"{about}; {NONE}: without it")
    ask.add_argument(
        "--priority",
        type=_or_none(str),
        choices=(*get_args(Priority), None),
        metavar="PRIORITY",
        help="what its alerts are called: high, medium, low or info",
    )
    # What is not said stays as it is: it must not look like what is said to be none.
    ask.set_defaults(**{name.replace("-", "_"): msgspec.UNSET for name in (*AMOUNTS, "priority")})
    for made in (held, ask):
        takes_json(made)


def line(held: Override, book: AddressBook) -> str:
    """What was set of a sensor, by whom and when."""
    pin = book.pin(held.by)
    who = held.by if pin is None else pin.handle or held.by
    values = ", ".join(
        f"{name} = {NONE if value is None else value}" for name, value in held.given.given.items()
    )
    return f"{held.sensor}: {values}, set by {who} on {utc(held.at)}"


def _limits(args: argparse.Namespace, home: Home) -> int:
    home.book.membership()
    with closing(Outbox(home.outbox_file)) as outbox:
        if args.forget is not None:
            if not outbox.forget_limits(args.forget):
                raise BadConfig(f"{args.forget}: nobody has set limits of a sensor of this name")
            say(f"{args.forget}: its limits are those of the settings file; a running agent takes them over")
            return 0
        held = outbox.limits()
    if args.json:
        for each in held.values():
            say(msgspec.json.encode({"event": "limits", **msgspec.to_builtins(each)}).decode())
    elif held:
        for each in held.values():
            say(line(each, home.book))
    else:
        say("all limits are those of the settings file")
    return 0


def _set_limits(args: argparse.Namespace, home: Home) -> int:
    names = [name.replace("-", "_") for name in (*AMOUNTS, "priority")]
    wanted = {name: vars(args)[name] for name in names if vars(args)[name] is not msgspec.UNSET}
    try:
        change = msgspec.convert({"sensor": args.sensor, "set": wanted}, LimitsChange)
    except msgspec.ValidationError as error:
        raise BadConfig(f"limits: {error}") from error
    return sent(home, args.device, content.written(change), LIMITS, printer(as_json=args.json))


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        return None if text == NONE else kind(text)

    read.__name__ = f"{kind.__name__} or {NONE}"
    return read

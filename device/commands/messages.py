"""Messages: written, read, and those that still wait."""

import argparse
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import get_args

import msgspec

from chain import entry
from chain.console import Console, until_signalled
from chain.entry import Alert
from device import attachment
from device.agent import Agent, Show
from device.client import Client, Home
from device.commands.printing import aside, takes_json
from device.commands.service import alone
from device.config import Priority
from device.content import FILE, TEXT
from device.document import locked
from device.errors import BadConfig, Unreachable
from device.inbox import Inbox
from device.outbox import LANES, Outbox, Queued
from device.printing import printer

SEND_SECONDS = 30.0


def add(console: Console) -> None:
    command = console.command
    send = command("send", _send, "seal a message, send it, and wait for its receipt")
    send.add_argument("to", metavar="TO", help="a handle, a group's name, or an id")
    send.add_argument("text", metavar="TEXT", help="what to say; - reads it from standard input")
    send.add_argument("--re", metavar="ID", help="the message this answers")
    send.add_argument(
        "--file",
        type=Path,
        metavar="PATH",
        help=f"attach a file, of {attachment.MAX_FILE_BYTES} bytes at most",
    )
    send.add_argument(
        "--alert",
        choices=get_args(Priority),
        metavar="PRIORITY",
        help="make it an alert: high, medium, low or info; prints the episode that begins with it",
    )
    send.add_argument(
        "--technical", action="store_true", help="the alert is about a device, and not about a person"
    )
    send.add_argument("--episode", metavar="ID", help="go on with this episode, rather than begin one")
    send.add_argument(
        "--state", choices=("continue", "end"), help="whether the episode goes on (as it does unless said)"
    )
    hand_on = command("forward", _forward, "hand a message on to somebody who could not open it")
    hand_on.add_argument("id", metavar="ID", help="the message's, as `inbox --json` shows it")
    hand_on.add_argument("to", metavar="TO", help="a handle, a group's name, or an id")
    inbox = command("inbox", _inbox, "receive, verify and open what is new")
    inbox.add_argument("--follow", action="store_true", help="stay, and print what comes")
    inbox.add_argument("--all", action="store_true", help="begin with the first message ever received")
    outbox = command("outbox", _outbox, "what waits for its receipt, and what was refused")
    for made in (send, hand_on, inbox, outbox):
        takes_json(made)


def _send(args: argparse.Namespace, home: Home) -> int:
    text = sys.stdin.read() if args.text == "-" else args.text
    content, cty = text, TEXT
    if args.file is not None:
        content, cty = attachment.content(attachment.load(args.file, text)), FILE
    return sent(home, args.to, content, cty, printer(as_json=args.json), re=args.re, alert=_alert(args))


def sent(
    home: Home,
    name: str,
    content: str,
    cty: str,
    show: Show,
    *,
    re: str | None = None,
    alert: Alert | None = None,
) -> int:
    """Seal a message, send it, and wait for its receipt: exit 0. Raise `Unreachable` if there is none in time."""
    with closing(Client(home)) as client:
        to = client.directory.addressee(name, alert)
        queued = client.write_message(to, content, cty=cty, re=re, alert=alert)
        if alert is not None:
            show({"event": "alert", "id": queued.id, **msgspec.structs.asdict(alert)})
        return _receipted(client, home, queued, show)


def _forward(args: argparse.Namespace, home: Home) -> int:
    with closing(Client(home)) as client:
        queued = client.hand_on(args.id, client.directory.addressee(args.to, re=args.id))
        return _receipted(client, home, queued, printer(as_json=args.json))


def _receipted(client: Client, home: Home, queued: Queued, show: Show) -> int:
    """Have it sent, and wait for its receipt."""
    deadline = time.monotonic() + SEND_SECONDS

    def gone() -> bool:
        return client.outbox.get(queued.id) is None or time.monotonic() > deadline

    _deliver(client, home, gone, show)
    refused = {rejected.id: rejected for rejected in client.outbox.rejected()}.get(queued.id)
    if refused is not None:
        aside(f"refused: {refused.rule}: {refused.reason}")
        return 1
    if client.outbox.get(queued.id) is not None:
        raise Unreachable("no receipt yet; it stays in the outbox and goes out with the next run")
    return 0


def _alert(args: argparse.Namespace) -> Alert | None:
    """The clear header of a message that begins an episode, or goes on with one."""
    if args.alert is None:
        if args.technical or args.episode or args.state:
            raise BadConfig("want --alert PRIORITY with --technical, --episode and --state")
        return None
    if args.state and not args.episode:
        raise BadConfig("want --episode ID with --state: a new episode starts")
    header = {
        "episode": args.episode or _new_episode(),
        "kind": "technical" if args.technical else "physiological",
        "priority": args.alert,
        "state": (args.state or "continue") if args.episode else "start",
    }
    try:
        return msgspec.convert(header, Alert)
    except msgspec.ValidationError as error:
        raise BadConfig(f"alert: {error}") from error


def _new_episode() -> str:
    """It is typed again to go on with it, and what begins with a dash is an option then."""
    while (episode := entry.new_stream(secrets.token_bytes)).startswith("-"):
        pass
    return episode


def _deliver(client: Client, home: Home, gone: Callable[[], bool], show: Show) -> None:
    """Send what waits, or let the agent that runs on this home do it."""
    stop = until_signalled()
    with locked(home.lock_file, wait=False) as mine:
        if mine:
            Agent(client, show).run(stop, until=gone)
            return
    while not gone() and not stop.wait(0.05):
        pass


def _inbox(args: argparse.Namespace, home: Home) -> int:
    show = printer(as_json=args.json)
    with closing(Client(home)) as client:
        inbox = Inbox(client)
        if args.all:
            inbox.rewind()
        if args.follow:
            with alone(home):
                Agent(client, show).run(until_signalled())
            return 0
        client.check_gateway()
        for event in inbox.catch_up():
            show(event)
    return 0


def _outbox(args: argparse.Namespace, home: Home) -> int:
    show = printer(as_json=args.json)
    home.book.membership()
    # No client: what waits is to be seen also where the gateway is refused.
    with closing(Outbox(home.outbox_file)) as outbox:
        for lane in LANES:
            for queued in outbox.pending(lane, limit=1000):
                show({"event": "waiting", "id": queued.id, "lane": lane, "seq": queued.seq})
        for rejected in outbox.rejected():
            show({"event": "refused", **msgspec.structs.asdict(rejected)})
    return 0

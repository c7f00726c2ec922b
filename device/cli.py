"""`blockpost device`: join a gateway, run a sensor's agent, or be a person at the command line."""

import argparse
import getpass
import logging
import secrets
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, get_args

import msgspec

from chain import checkpoint, entry
from chain.console import LOG_FORMAT, Console, report, until_signalled
from chain.entry import Alert, Contact
from chain.errors import ChainError
from chain.joincode import JoinCode
from device import (
    attachment,
    certificate,
    doctor,
    explaining,
    identity,
    joinfile,
    joining,
    login,
    readers,
    recording,
    renewal,
    replaycheck,
    rotation,
)
from device.addressbook import AddressBook, Membership, Pin
from device.agent import Agent, Show
from device.client import Client, Home
from device.config import EXAMPLE, Config, Priority, read_sensor
from device.content import FILE, TEXT
from device.document import locked
from device.errors import BadConfig, DeviceError, Insecure, NotJoined, Problem, TwoHistories, Unreachable
from device.inbox import Inbox
from device.joinfile import JoinFile
from device.login import Chosen
from device.outbox import LANES, Outbox
from device.preset import PRESETS
from device.printing import printer, utc

DEFAULT_HOME = Path("~/.blockpost")
SEND_SECONDS = 30.0
RETRY_SECONDS = 5.0

CLOSING = """
examples:
  blockpost device join 127.0.0.1:8080/df5l.../k3j4...      become an account, with the code an admin gave you
  blockpost device check-config                             is agent.toml right?
  blockpost device replay-check log.csv --column C --preset vaccine-fridge  how many alerts would that have been?
  blockpost device run                                      sense, seal and send, for ever
  blockpost device send dr.lee "the fridge is open"         a message
  blockpost device send on-call "fall in bed 4" --alert high  an alert; prints its episode
  blockpost device inbox --follow                           read what comes
  blockpost device password                                 for the web page
  blockpost device rotate                                   new keys, if somebody may have seen the old ones
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    if argv and argv[0] == "read":
        return readers.main(argv[1:])
    console = _console()
    args = console.parser.parse_args(argv)
    level = logging.INFO if args.verbose else logging.WARNING
    logging.basicConfig(format=LOG_FORMAT, level=level, stream=sys.stderr)
    home = Home(args.home.expanduser())
    return console.run(args, (DeviceError, ChainError, OSError, sqlite3.Error), home)


def _console() -> Console:
    console = Console("device", __doc__, CLOSING)
    console.parser.add_argument(
        "--home", type=Path, default=DEFAULT_HOME, metavar="DIR", help="the account's folder (%(default)s)"
    )
    console.parser.add_argument("-v", "--verbose", action="store_true", help="log what happens to stderr")
    command = console.command
    join = command("join", _join, "make this folder's account with a join code from an admin")
    join.add_argument(
        "code", nargs="?", metavar="CODE", help="HOST:PORT/PIN/SECRET; - reads it from standard input"
    )
    join.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="read the code from a join file, and destroy that afterwards",
    )
    join.add_argument("--name", help="the name that people see (the handle)")
    join.add_argument(
        "--password", action="store_true", help="also set a password for the web page; it is asked for"
    )

    run = command("run", _run, "run the sensors of agent.toml and send what they say, until stopped")
    run.add_argument(
        "--config", type=Path, metavar="FILE", help="instead of agent.toml in the account's folder"
    )
    check = command("check-config", _check_config, "check agent.toml and say what it does")
    check.add_argument(
        "--config", type=Path, metavar="FILE", help="instead of agent.toml in the account's folder"
    )
    check.add_argument("--example", action="store_true", help="print a file to begin from")
    _add_replay_check(console)

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
    inbox = command("inbox", _inbox, "receive, verify and open what is new")
    inbox.add_argument("--follow", action="store_true", help="stay, and print what comes")
    inbox.add_argument("--all", action="store_true", help="begin with the first message ever received")

    outbox = command("outbox", _outbox, "what waits for its receipt, and what was refused")
    status = command(
        "status",
        _status,
        "the account, the last verified checkpoint, pinned keys, and whether the gateway is trusted",
    )
    status.add_argument(
        "--checkpoint",
        action="store_true",
        help="print nothing but the last verified checkpoint, as it was signed",
    )
    examine = command(
        "doctor", _doctor, "say what may be wrong, and what to do; exit 1 if there is a problem"
    )
    friends = command("friends", _friends, "whom this account may write to, and who asked")
    contact = command("contact", _contact, "ask somebody to be a contact, accept, or remove one")
    contact.add_argument("do", choices=("request", "accept", "remove"))
    contact.add_argument("account", metavar="ACCOUNT", help="the account's id, as `friends` shows it")
    trust = command(
        "trust", _trust, "take the keys that the chain has for somebody now, after checking them with them"
    )
    trust.add_argument("who", metavar="WHO", help="a handle or an id")
    password = command(
        "password", _password, "set the password for the web page, or change it; prints a new recovery code"
    )
    password.add_argument(
        "--stdin", action="store_true", help="read it from standard input, a line, rather than ask for it"
    )
    command("renew", _renew, "get a new certificate now; a running agent does it in good time")
    command("rotate", _rotate, "get new keys, which the old ones sign for; no agent may run meanwhile")
    console.mention("read", "a built-in reader: load, memory, temperature, replay")
    for made in (run, send, inbox, outbox, status, examine, friends, password):
        made.add_argument("--json", action="store_true", help="print JSON, one object a line")
    return console


REPLAYED = {
    "low": "an alert below this",
    "high": "an alert above this",
    "must-last": "seconds for which all readings cross the limit",
    "clear-by": "how far inside the limit it is over",
    "stale-after": "seconds without a reading until a technical alert",
}
"""The settings that replay-check takes instead of the preset's."""


def _add_replay_check(console: Console) -> None:
    replay = console.command(
        "replay-check", _replay_check, "how many alerts a day settings would have raised over a recording"
    )
    replay.add_argument(
        "file", type=Path, metavar="FILE", help="a CSV file; its first line names the columns"
    )
    replay.add_argument("--column", required=True, metavar="C", help="the column with the values")
    replay.add_argument("--preset", choices=PRESETS, help="what kind of sensor it was")
    replay.add_argument(
        "--time", metavar="C", help="a column of seconds or timestamps; without it there is a sample a minute"
    )
    for name, about in REPLAYED.items():
        replay.add_argument(f"--{name}", type=float, metavar="N", help=about)
    replay.add_argument("--json", action="store_true", help="print one JSON object, with no table before it")


def _join(args: argparse.Namespace, home: Home) -> int:
    if (args.code is None) == (args.file is None):
        raise BadConfig("want a join code, or --file FILE")
    if args.file is not None:
        wanted = JoinFile.load(args.file)
    else:
        wanted = JoinFile(JoinCode.from_text(sys.stdin.readline() if args.code == "-" else args.code), None)
    # Asked for and looked at before anything is done.
    chosen = login.choose(_asked_password()) if args.password else None
    membership = joining.join(home, wanted.code, name=args.name or wanted.name, tell=_aside)
    if args.file is not None:
        joinfile.destroy(args.file)
    print(f"joined {membership.origin} as {membership.handle} ({membership.account})")
    if chosen is not None:
        _set_password(home, chosen, printer(as_json=False))
    return 0


def _aside(line: str) -> None:
    """What is for the person who waits, and no part of what was asked for."""
    print(line, file=sys.stderr, flush=True)


def _password(args: argparse.Namespace, home: Home) -> int:
    home.book.membership()
    secret = sys.stdin.readline().rstrip("\r\n") if args.stdin else _asked_password()
    _set_password(home, login.choose(secret), printer(as_json=args.json))
    return 0


def _asked_password() -> str:
    secret = getpass.getpass("password for the web page: ")
    if getpass.getpass("once more: ") != secret:
        raise BadConfig("password: the two that were typed differ")
    return secret


def _set_password(home: Home, chosen: Chosen, show: Show) -> None:
    with closing(Client(home)) as client:
        show({"event": "password", "recovery": login.set_password(client, chosen)})


def _run(args: argparse.Namespace, home: Home) -> int:
    stop = until_signalled()
    config = Config.load(args.config or home.settings_file)
    with _alone(home):
        if home.join_file.exists():
            _join_by_file(home, stop)
        if rotation.is_begun(home):
            _sooner_or_later(lambda: rotation.resume(home), stop)
        if stop.is_set():
            return 0
        with closing(Client(home)) as client:
            Agent(client, printer(as_json=args.json), config).run(stop)
    return 0


def _join_by_file(home: Home, stop: threading.Event) -> None:
    """What an SD card brings along is used once, and destroyed."""
    begun = home.book.joining()
    if begun is None or not begun.joined:
        wanted = JoinFile.load(home.join_file)
        _sooner_or_later(lambda: joining.join(home, wanted.code, name=wanted.name, tell=_aside), stop)
    if not stop.is_set():
        joinfile.destroy(home.join_file)


def _sooner_or_later(do: Callable[[], object], stop: threading.Event) -> None:
    """Do it, once the gateway can be reached; or until stopped."""
    while not stop.is_set():
        try:
            do()
        except Unreachable as error:
            logging.getLogger(__name__).warning("gateway not reached reason=%s", error)
            stop.wait(RETRY_SECONDS)
        else:
            return


def _check_config(args: argparse.Namespace, home: Home) -> int:
    if args.example:
        print(EXAMPLE, end="")
        return 0
    config = Config.load(args.config or home.settings_file)
    for name, sensor in config.sensors.items():
        print(
            f"{name}: {type(sensor).__name__.lower()} {' '.join(sensor.command)} -> {', '.join(config.addressees(name))}"
        )
        for line in explaining.told(sensor):
            print(f"  {line}")
    return 0


def _replay_check(args: argparse.Namespace, _home: Home) -> int:
    given = {key: vars(args)[key] for key in (name.replace("-", "_") for name in REPLAYED)}
    said = {key: value for key, value in {"preset": args.preset, **given}.items() if value is not None}
    sensor = read_sensor({"mode": "stream", "command": ["replay"], **said})
    if not sensor.rules.are_limits:
        raise BadConfig("want --preset, --low or --high")
    cells = recording.values(args.file, args.column)
    if args.time is None:
        samples = replaycheck.minutes(cells)
    else:
        samples = replaycheck.timed(recording.values(args.file, args.time), cells)
    outcome = replaycheck.examine(samples, sensor.rules)
    if args.json:
        print(msgspec.json.encode(replaycheck.figures(outcome)).decode())
    else:
        print("\n".join(replaycheck.table(outcome)))
    return 0


def _send(args: argparse.Namespace, home: Home) -> int:
    text = sys.stdin.read() if args.text == "-" else args.text
    content, cty = text, TEXT
    if args.file is not None:
        content, cty = attachment.content(attachment.load(args.file, text)), FILE
    alert = _alert(args)
    show = printer(as_json=args.json)
    with closing(Client(home)) as client:
        to = client.directory.addressee(args.to)
        queued = client.write_message(to, content, cty=cty, re=args.re, alert=alert)
        if alert is not None:
            show({"event": "alert", "id": queued.id, **msgspec.structs.asdict(alert)})
        deadline = time.monotonic() + SEND_SECONDS

        def gone() -> bool:
            return client.outbox.get(queued.id) is None or time.monotonic() > deadline

        _deliver(client, home, gone, show)
        refused = {rejected.id: rejected for rejected in client.outbox.rejected()}.get(queued.id)
        if refused is not None:
            print(f"refused: {refused.rule}: {refused.reason}", file=sys.stderr)
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
            with _alone(home):
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


def _status(args: argparse.Namespace, home: Home) -> int:
    """Exit 0 if all is well, 1 if the gateway is refused."""
    book = home.book
    membership = book.membership()
    if args.checkpoint:
        return _print_checkpoint(book)
    with closing(Outbox(home.outbox_file)) as outbox:
        waiting = outbox.waiting()
    reachable, reason = _asked(home)
    note = book.checkpoint()
    status: dict[str, Any] = {
        "account": membership.account,
        "handle": membership.handle,
        "key": identity.load(home.directory).signing.thumbprint,
        "origin": membership.origin,
        "gateway": "refused" if reason else "trusted",
        "reason": reason,
        "checkpoint": None if note is None else _size(note, membership),
        "reachable": reachable,
        "waiting": waiting,
        "pins": [_pin_line(pin) for pin in book.pins()],
    }
    if membership.is_lan:
        held = book.certificate()
        status["certificate"] = None if held is None else utc(held.until)
    if args.json:
        print(msgspec.json.encode(status).decode())
    else:
        for name, value in status.items():
            for line in value if isinstance(value, list) else [value]:
                print(f"{name}: {line}")
    return 1 if reason else 0


def _renew(_args: argparse.Namespace, home: Home) -> int:
    membership = home.book.membership()
    if not membership.is_lan:
        raise DeviceError(f"{membership.origin} is on this very machine, and has no certificates")
    with closing(Client(home)) as client:
        try:
            made = certificate.obtain(home, client.gateway, membership)
        except Problem as problem:
            if renewal.is_expired(problem):
                raise DeviceError(renewal.needed(membership.handle, str(problem))) from problem
            raise
    print(f"certificate until {utc(made.until)}")
    return 0


def _rotate(_args: argparse.Namespace, home: Home) -> int:
    with _alone(home):
        if not identity.is_prepared(home.directory):
            _aside(joining.SLOWLY)
        adopted = rotation.rotate(home)
    print(f"new keys: {adopted.signing.thumbprint}")
    with closing(Client(home)) as client:
        if login.own_card(client).login is not None:
            _aside("the web page still has the old keys: set its password anew: blockpost device password")
    return 0


def _doctor(args: argparse.Namespace, home: Home) -> int:
    return report(doctor.examine(home), as_json=args.json)


def _print_checkpoint(book: AddressBook) -> int:
    """Nobody is asked: it is for a day on which there is no gateway."""
    note = book.checkpoint()
    if note is None:
        raise NotJoined("no checkpoint was verified here yet")
    print(note, end="")
    return 0


def _size(note: str, membership: Membership) -> int:
    return checkpoint.verify(note, origin=membership.origin, key=membership.gateway_key).size


def _asked(home: Home) -> tuple[bool, str | None]:
    """
    Whether the gateway answers, and why it is not to be trusted, if so.

    One that was caught is not asked again. One that does not prove, now, that its history continues
    the one held here is not caught by that, and not trusted either.
    """
    evidence = home.book.evidence()
    if evidence is not None:
        return False, evidence.reason
    try:
        with closing(Client(home)) as client:
            client.check_gateway()
    except Insecure as error:
        return False, str(error)
    except Unreachable:
        return False, None
    except TwoHistories as error:
        return True, str(error)
    except (Problem, ChainError) as error:
        return True, f"it does not prove that its history is the one held here: {error}"
    return True, None


def _pin_line(pin: Pin) -> str:
    change = f" ({pin.waiting or pin.notice})" if pin.waiting or pin.notice else ""
    return f"{pin.handle or pin.account} {pin.sign.thumbprint}{change}"


def _friends(args: argparse.Namespace, home: Home) -> int:
    show = printer(as_json=args.json)
    with closing(Client(home)) as client:
        for friend in client.gateway.friends():
            show({"event": "friend", **msgspec.structs.asdict(friend)})
    return 0


def _contact(args: argparse.Namespace, home: Home) -> int:
    with closing(Client(home)) as client:
        index = client.say(Contact, action=args.do, peer=args.account)
    print(f"contact {args.do}: committed as entry {index}")
    return 0


def _trust(args: argparse.Namespace, home: Home) -> int:
    with closing(Client(home)) as client:
        pin = client.directory.take(args.who)
    print(f"{args.who}: pinned {pin.sign.thumbprint}")
    return 0


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Only one agent may run an account: the broker knows one client of each."""
    with locked(home.lock_file, wait=False) as mine:
        if not mine:
            raise DeviceError(f"{home.directory}: another agent is running on this account")
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

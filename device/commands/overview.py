"""How the account is, and what may be wrong."""

import argparse
from contextlib import closing
from typing import Any

import msgspec

from chain import checkpoint
from chain.console import Console, report
from chain.errors import ChainError
from device import doctor, identity
from device.addressbook import AddressBook, Membership, Pin
from device.client import Client, Home
from device.commands.limits import line as override_line
from device.commands.printing import say, takes_json
from device.errors import Insecure, NotJoined, Problem, TwoHistories, Unreachable
from device.outbox import Outbox
from device.printing import utc


def add(console: Console) -> None:
    command = console.command
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
    for made in (status, examine):
        takes_json(made)


def _status(args: argparse.Namespace, home: Home) -> int:
    """Exit 0 if all is well, 1 if the gateway is refused."""
    book = home.book
    membership = book.membership()
    if args.checkpoint:
        return _print_checkpoint(book)
    with closing(Outbox(home.outbox_file)) as outbox:
        waiting, changed = outbox.waiting(), outbox.limits()
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
    if changed:
        status["limits"] = [override_line(each, book) for each in changed.values()]
    if membership.is_lan:
        held = book.certificate()
        status["certificate"] = None if held is None else utc(held.until)
    if args.json:
        say(msgspec.json.encode(status).decode())
    else:
        for name, value in status.items():
            for line in value if isinstance(value, list) else [value]:
                say(f"{name}: {line}")
    return 1 if reason else 0


def _doctor(args: argparse.Namespace, home: Home) -> int:
    return report(doctor.examine(home), as_json=args.json)


def _print_checkpoint(book: AddressBook) -> int:
    """Nobody is asked: it is for a day on which there is no gateway."""
    note = book.checkpoint()
    if note is None:
        raise NotJoined("no checkpoint was verified here yet")
    say(note, end="")
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

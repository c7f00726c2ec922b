"""Contracts: what the chain does by itself, read in words before it is in force, and put in force by an admin."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from chain.api import ContractLine
from chain.contracts.terms import hash_of
from chain.entry import Contract
from device.client import Client
from device.errors import DeviceError
from provisioning.admin import contractfile
from provisioning.admin.accounts import NotFound, names, parties
from provisioning.admin.commands import Commands
from provisioning.admin.contractfile import BadContract, Written
from provisioning.admin.deeds import do
from provisioning.admin.printing import Columns, aside, listed, say, takes_json, when
from provisioning.admin.requests import Requests

BLOCKS = 200
"""Looked through for what a contract did lately."""

COLUMNS: Columns[ContractLine] = {
    "CONTRACT": lambda line: line.id,
    "KIND": lambda line: line.kind,
    "SINCE": lambda line: when(line.installed),
    "WHAT IT DOES": lambda line: line.words[0],
}

FILE_HELP = """
a contract is a file such as night.toml:
  id = "night-escalation"
  kind = "escalate"                  # or access, rate, quorum, retain
  when = 'priority == "high"'        # it acts where this holds
  wait = "10m"                       # after the last step
  laps = 2                           # so often, then nobody answered
  resolve_within = "30m"

  [[steps]]
  to = "on-call"                     # a group or a person
  after = "2m"

"""


def add(commands: Commands) -> None:
    contract = commands.noun(
        "contract",
        "what the chain does by itself: try it, put it in force, end it",
        """
        blockpost admin --home ./admin contract check night.toml       in words, and what it would have done
        blockpost admin --home ./admin contract install night.toml     put it in force
        blockpost admin --home ./admin contract list
        """,
    )
    checking = contract.add(
        "check",
        check,
        "say in words what a contract would do, and what it would have done in the last 30 days",
        "blockpost admin --home ./admin contract check night.toml",
    )
    installing = contract.add(
        "install",
        install,
        "put a contract in force, or another version of one",
        """
        blockpost admin --home ./admin contract install night.toml
        blockpost admin --home ./admin contract install night.toml --yes     without being asked
        """,
    )
    for parser in (checking, installing):
        parser.add_argument("file", type=Path, metavar="FILE", help="the contract, in TOML")
        parser.epilog = FILE_HELP + (parser.epilog or "")
    removing = contract.add(
        "remove",
        remove,
        "end a contract",
        "blockpost admin --home ./admin contract remove night-escalation",
    )
    removing.add_argument("contract", metavar="ID")
    for parser in (installing, removing):
        parser.add_argument("--yes", action="store_true", help="do not ask")
    takes_json(
        contract.add(
            "list", contracts, "list the contracts in force", "blockpost admin --home ./admin contract list"
        )
    )
    showing = takes_json(
        contract.add(
            "show",
            show,
            "say what a contract in force does, and what it did lately",
            "blockpost admin --home ./admin contract show night-escalation",
        )
    )
    showing.add_argument("contract", metavar="ID")


def check(args: argparse.Namespace, client: Client) -> None:
    explain(client, written(args.file, client))


def install(args: argparse.Namespace, client: Client) -> None:
    said = written(args.file, client)
    explain(client, said)
    confirmed(args, f"install {said.contract}?")
    index = do(client, Contract, action="install", contract=said.contract, terms=said.terms)
    say(f"{said.contract} is in force: entry {index}")


def remove(args: argparse.Namespace, client: Client) -> None:
    for sentence in found(client, args.contract).words:
        say(sentence)
    confirmed(args, f"remove {args.contract}?")
    index = do(client, Contract, action="remove", contract=args.contract)
    say(f"{args.contract} is in force no more: entry {index}")


def contracts(args: argparse.Namespace, client: Client) -> None:
    listed(Requests(client.gateway).contracts(), COLUMNS, as_json=args.json, none="no contract is in force")


class Effect(Struct, frozen=True):
    """What a contract did in the block of height `block`, made at `at` (ms)."""

    block: int
    at: int
    did: str


def show(args: argparse.Namespace, client: Client) -> None:
    line = found(client, args.contract)
    called = names(client)
    effects: Columns[Effect] = {
        "WHEN": lambda effect: when(effect.at),
        "BLOCK": lambda effect: effect.block,
        "DID": lambda effect: done(effect.did, called),
    }
    if not args.json:
        say(f"{line.id} ({line.kind}), in force since {when(line.installed)}, {line.hash}")
        for sentence in line.words:
            say(sentence)
        say("")
    lately = effects_of(line.id, Requests(client.gateway))
    listed(lately, effects, as_json=args.json, none=f"it did nothing in the newest {BLOCKS} blocks")


DONE = {
    "began": "began with alert {}",
    "stopped": "stopped: alert {} was answered",
    "nobody": "nobody answered alert {}",
    "overdue": "not resolved in time: alert {}",
    "woken": "its snooze is over: alert {}",
    "erased": "erased what message {} said",
    "failed": "its condition could not be worked out for message {}",
}
"""The effects that a block may tell (docs/protocol.md, "Contracts"), besides a step."""


def done(effect: str, called: Mapping[str, str]) -> str:
    """An effect as a person tells it; steps are counted from 1, as in the words of the contract."""
    match effect.split(" "):
        case ["step", number, party, alert] if number.isdecimal():
            return f"step {int(number) + 1} reached {called.get(party, party)}: alert {alert}"
        case [did, about] if did in DONE:
            return DONE[did].format(about)
        case _:
            return effect


def effects_of(contract: str, requests: Requests) -> list[Effect]:
    """What it did in the newest blocks, the newest first."""
    height = requests.health().height
    effects: list[Effect] = []
    for block in range(height, max(-1, height - BLOCKS), -1):
        header = requests.block(block).header
        effects += [
            Effect(block, header.timestamp, effect)
            for run in header.contracts
            if run.id == contract
            for effect in reversed(run.effects)
        ]
    return effects


def written(path: Path, client: Client) -> Written:
    """The contract in a file; raise `BadContract`, or `NotFound` for somebody whom it names."""
    with path.open("rb") as file:
        data = file.read(contractfile.MAX_BYTES + 1)
    if len(data) > contractfile.MAX_BYTES:
        raise BadContract(f"{path}: want at most {contractfile.MAX_BYTES} bytes")
    known = parties(client)

    def id_of(name: str) -> str:
        if name not in known:
            raise NotFound(f"{path}: {name}: no group and no live account has this name or id")
        return known[name]

    try:
        return contractfile.read(data.decode(), id_of)
    except UnicodeDecodeError as error:
        raise BadContract(f"{path}: want UTF-8, got another encoding at byte {error.start}") from error
    except BadContract as error:
        raise BadContract(f"{path}: {error}") from error


def explain(client: Client, said: Written) -> None:
    """Print what it does and would have done. Raises `Problem` where the chain would refuse it."""
    explained = Requests(client.gateway).explained(said.contract, said.terms)
    for sentence in (*explained.words, "", *explained.would, "", f"hash {hash_of(said.terms)}"):
        say(sentence)


def confirmed(args: argparse.Namespace, question: str) -> None:
    """Ask a person, unless told not to; raise `DeviceError` for a no."""
    if args.yes:
        return
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        aside("")
        raise DeviceError("nobody is there to be asked: with --yes it is done without") from None
    if answer.strip().lower() not in {"y", "yes"}:
        raise DeviceError("not done")


def found(client: Client, contract: str) -> ContractLine:
    """The contract in force with this id; raise `NotFound`."""
    for line in Requests(client.gateway).contracts():
        if line.id == contract:
            return line
    raise NotFound(f"{contract}: no contract in force has this id")

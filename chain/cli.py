"""`blockpost chain`: check a chain, look into it, and prove what is in it, without asking the gateway."""

import argparse
import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from chain import checkpoint, entry, export
from chain.audit import audit
from chain.chain import Chain
from chain.console import Console, Forecast
from chain.errors import ChainError, Damaged, Malformed, Missing, Unverified
from chain.receipt import Receipt

MAX_DIGITS = 16
"""As many as the largest index has."""

CLOSING = """
examples:
  blockpost chain verify site/chain.db            every hash, link, signature, root, and the state
  blockpost chain show site/chain.db 7            block 7 and its entries
  blockpost chain prove site/chain.db 42          a receipt (C2SP tlog-proof) for entry 42
  blockpost chain check 42.tlog-proof 42.entry --key VKEY     does a receipt hold?
"""


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = _console()
    return console.run(console.parser.parse_args(argv), (ChainError, OSError, sqlite3.Error))


def _console() -> Console:
    console = Console("chain", __doc__, CLOSING)
    command = console.command
    verify = command("verify", _verify, "check the whole chain; name the first bad block")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument("--key", metavar="VKEY", help="the gateway it has to be signed by: NAME+ID+KEY")
    verify.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="processes that check, beside the one that folds; with 1, that one does it all (%(default)s)",
    )
    verify.add_argument("--json", action="store_true", help="print one JSON object at the end")
    show = command("show", _show, "print the newest block, or the one at a height")
    show.add_argument("file", type=Path, metavar="FILE")
    show.add_argument("height", type=int, nargs="?", metavar="HEIGHT")
    exported = command(
        "export", _export, "print every block with its signatures, and its entries, one JSON object a line"
    )
    exported.add_argument("file", type=Path, metavar="FILE")
    exported.add_argument(
        "--no-bodies", action="store_true", help="without bodies and salts: what the proofs need, and no more"
    )
    prove = command("prove", _prove, "print the receipt of an entry (C2SP tlog-proof)")
    prove.add_argument("file", type=Path, metavar="FILE")
    prove.add_argument("entry", metavar="ENTRY", help="its index or its id")
    prove.add_argument("--leaf", action="store_true", help="print the entry's exact bytes instead")
    check = command(
        "check", _check, "check a receipt against an entry, with the gateway's key and nothing else"
    )
    check.add_argument("receipt", type=Path, metavar="RECEIPT")
    check.add_argument("leaf", type=Path, metavar="ENTRY", help="a file with the entry's exact bytes")
    check.add_argument("--key", required=True, metavar="VKEY", help="NAME+ID+KEY, as `chain show` prints it")
    return console


def _verify(args: argparse.Namespace) -> None:
    began = time.monotonic()
    try:
        report = audit(args.file, workers=args.workers, progress=Forecast("entries"))
    except Damaged as error:
        if args.json:
            _print({"verified": False, "height": error.height, "reason": error.reason})
        raise
    seconds = time.monotonic() - began
    vkey = checkpoint.verifier_key(report.origin, report.key)
    if args.key not in (None, vkey):
        raise Unverified(f"it holds, but it is the chain of another gateway: {vkey}")
    facts = {
        "verified": True,
        "key": vkey,
        "unsigned": report.height + 1 - report.signed,
        "height": report.height,
        "size": report.size,
        "root": report.checkpoint.root.hex(),
        "seconds": round(seconds, 3),
    }
    if args.json:
        _print(facts)
    else:
        print(f"verified {report.size} entries in {report.height + 1} blocks in {seconds:.1f} s")
        print(f"key    {vkey}")
        if report.signed <= report.height:
            print("       its newest block lacks the gateway's signature, as after a power cut")
        print(f"root   {report.checkpoint.root.hex()}")


def _show(args: argparse.Namespace) -> None:
    with closing(Chain.open(_existing(args.file))) as chain:
        height = chain.head.height if args.height is None else args.height
        if not 0 <= height <= chain.head.height:
            raise Missing(f"block {height}: the chain is not that high")
        block = chain.store.block(height)
        print(f"chain     {checkpoint.verifier_key(chain.origin, chain.key)}")
        print(f"block     {block.id} of {chain.head.height}")
        print(f"hash      {block.hash.hex()}")
        print(f"previous  {block.previous_hash.hex()}")
        print(f"time      {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(block.timestamp / 1000))} UTC")
        print(f"nonce     {block.nonce.hex()}")
        print(f"contracts {len(block.contracts)}")
        print(f"log       {block.header.size} entries, root {block.root.hex()}")
        for index, leaf in enumerate(block.entries, block.header.first):
            said = entry.parse(leaf).entry
            print(f"entry     {index} {entry.type_of(said)} by {said.author} id {said.id}")


def _export(args: argparse.Namespace) -> None:
    with closing(Chain.open(_existing(args.file))) as chain:
        for height in range(chain.head.height + 1):
            for line in export.lines(chain.store, height, bodies=not args.no_bodies):
                print(line.decode(), end="")
        print(export.last_line(chain.store, chain.head.height).decode(), end="")


def _prove(args: argparse.Namespace) -> None:
    with closing(Chain.open(_existing(args.file))) as chain:
        index = _index(chain, args.entry)
        if args.leaf:
            sys.stdout.write(chain.store.leaf(index).decode("ascii"))
        else:
            (receipt,) = chain.receipts([index])
            sys.stdout.write(receipt.to_text())


def _index(chain: Chain, text: str) -> int:
    if text.isascii() and text.isdigit():
        if len(text) > MAX_DIGITS or int(text) >= chain.head.size:
            raise Missing(f"entry {text[:80]}: the chain is not that long")
        return int(text)
    try:
        found = chain.store.find(text)
    except ValueError as error:
        raise Malformed(f"entry: want an index or an id, got {text[:80]!r}") from error
    if found is None:
        raise Missing(f"entry {text}: not on this chain")
    return found[0]


def _check(args: argparse.Namespace) -> None:
    name, key = checkpoint.read_verifier_key(args.key)
    try:
        text = args.receipt.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"{args.receipt}: not a receipt: {error}") from error
    receipt = Receipt.from_text(text)
    head = receipt.verify(args.leaf.read_bytes(), origin=name, key=key)
    print(f"holds: entry {receipt.index} of {head.size} on {head.origin}")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such chain")
    return path


def _print(value: dict[str, Any]) -> None:
    print(msgspec.json.encode(value).decode())

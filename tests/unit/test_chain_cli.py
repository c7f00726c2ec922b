"""`blockpost chain` on a real chain file: what it prints, and how it ends."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chain import checkpoint, ed25519, entry, merkle
from chain.block import Block, signed_bytes
from chain.chain import Chain
from chain.cli import main
from chain.encoding import unb64url
from tests.sites import Done, ran
from tests.world import World, ward


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A chain in which everything has happened; its file lies still."""
    world = ward(tmp_path_factory.mktemp("ward"))
    world.chain.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    world.close()
    return world


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Path:
    """The same chain, for spoiling it."""
    return Path(shutil.copy(world.path, tmp_path / "chain.db"))


def vkey(world: World) -> str:
    return checkpoint.verifier_key(world.origin, world.gateway.keys.public)


def told(done: Done) -> Any:
    return json.loads(done.out)


def test_a_whole_chain_is_verified(world: World) -> None:
    done = ran(main, "verify", world.path, "--workers", "1")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"verified {world.seen.size} entries in ")
    assert vkey(world) in done.out


def test_it_says_so_in_json_too(world: World) -> None:
    done = ran(main, "verify", world.path, "--workers", "1", "--json")

    facts = told(done)
    assert (done.code, facts["verified"], facts["size"], facts["key"]) == (
        0,
        True,
        world.seen.size,
        vkey(world),
    )


def test_several_workers_come_to_the_same(world: World) -> None:
    assert told(ran(main, "verify", world.path, "--workers", "2", "--json"))["verified"] is True


def test_a_chain_of_another_gateway_is_not_the_one_that_was_meant(world: World) -> None:
    other = checkpoint.verifier_key("ward8.example/abc", world.admin.keys.public)

    done = ran(main, "verify", world.path, "--workers", "1", "--key", other)

    assert done.code == 1
    assert "another gateway" in done.err


def test_the_first_bad_block_is_named(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("UPDATE entry SET leaf = CAST(replace(leaf, 'a', 'b') AS BLOB) WHERE idx = 7")
        ((height,),) = db.execute("SELECT height FROM block WHERE size > 7 ORDER BY height LIMIT 1")

    done = ran(main, "verify", copy, "--workers", "1", "--json")

    assert (done.code, told(done)["verified"], told(done)["height"]) == (1, False, height)
    assert done.err.startswith(f"blockpost chain verify: block {height}: ")


def test_a_block_is_shown_with_its_entries(world: World) -> None:
    done = ran(main, "show", world.path, "0")

    assert done.code == 0
    assert done.out.startswith(f"chain     {vkey(world)}\nblock     0 of ")
    assert done.out.count("\nentry     ") == 3
    assert f"entry     0 account by {world.gateway.id} id " in done.out


def test_without_a_height_it_is_the_newest_block(world: World) -> None:
    height = told(ran(main, "verify", world.path, "--workers", "1", "--json"))["height"]

    assert f"block     {height} of {height}\n" in ran(main, "show", world.path).out


@pytest.mark.parametrize("height", ["9999", "9" * 30, "-1"])
def test_a_block_that_is_not_there_is_missing(world: World, height: str) -> None:
    done = ran(main, "show", world.path, height)

    assert (done.code, done.err) == (1, f"blockpost chain show: block {height}: the chain is not that high\n")


def exported(world: World, *options: str) -> tuple[list[Any], list[Any]]:
    """The lines of blocks, and those of entries."""
    done = ran(main, "export", world.path, *options)
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    return [line for line in lines if "header" in line], [line for line in lines if "entry" in line]


def test_an_export_has_every_entry_with_its_body(world: World) -> None:
    _, lines = exported(world)

    assert [line["index"] for line in lines] == list(range(world.seen.size))
    with closing(Chain.open(world.path)) as chain:
        for line in lines:
            body = chain.store.body(line["index"])
            assert line["entry"].encode() == chain.store.leaf(line["index"])
            assert line.get("body") == (None if body is None else body.content)


def test_without_bodies_an_export_still_proves_the_log(world: World) -> None:
    blocks, entries = exported(world, "--no-bodies")

    assert not any({"salt", "body"} & set(line) for line in entries)
    key, previous, tree = world.gateway.keys.public, bytes(32), merkle.Tree(0, lambda _: b"")
    for line in blocks:
        leaves = tuple(each["entry"].encode() for each in entries if each["block"] == line["block"])
        block = Block.read(line["header"].encode(), leaves)
        for leaf in leaves:
            tree.append(merkle.leaf_hash(leaf))
        head = checkpoint.verify(line["checkpoint"], origin=world.origin, key=key)
        ed25519.verify(
            key.raw, unb64url(line["signature"], what="signature"), signed_bytes(block.hash), what="block"
        )
        assert (block.id, block.previous_hash) == (line["block"], previous)
        assert (head.size, head.root) == (tree.size, tree.root()) == (block.header.size, block.root)
        previous = block.hash
    assert tree.size == world.seen.size


def test_the_last_line_of_an_export_says_that_it_is_whole(world: World) -> None:
    last = json.loads(ran(main, "export", world.path).out.splitlines()[-1])

    with closing(Chain.open(world.path)) as chain:
        assert last == {"end": chain.head.height, "size": chain.head.size}


def prove(world: World, tmp_path: Path, which: str) -> tuple[Path, Path]:
    """The receipt of an entry and its exact bytes, as files."""
    receipt, leaf = tmp_path / "receipt", tmp_path / "entry"
    receipt.write_text(ran(main, "prove", world.path, which).out, "utf-8")
    leaf.write_text(ran(main, "prove", world.path, which, "--leaf").out, "utf-8")
    return receipt, leaf


def test_what_was_proven_passes_the_check(world: World, tmp_path: Path) -> None:
    receipt, leaf = prove(world, tmp_path, "5")

    done = ran(main, "check", receipt, leaf, "--key", vkey(world))

    assert (done.code, done.err) == (0, "")
    assert done.out == f"holds: entry 5 of {world.seen.size} on {world.origin}\n"


def test_an_entry_is_found_by_its_id_too(world: World, tmp_path: Path) -> None:
    _, leaf = prove(world, tmp_path, "5")
    entry_id = entry.parse(leaf.read_bytes()).entry.id

    assert ran(main, "prove", world.path, entry_id) == ran(main, "prove", world.path, "5")


@pytest.mark.parametrize(
    ("which", "why"),
    [
        ("9999", "not that long"),
        ("9" * 30, "not that long"),
        ("9" * 5000, "not that long"),
        ("nonsense", "want an index or an id"),
        ("0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071", "not on this chain"),
    ],
)
@pytest.mark.parametrize("extra", [(), ("--leaf",)])
def test_what_is_not_on_the_chain_cannot_be_proven(
    world: World, which: str, why: str, extra: tuple[str, ...]
) -> None:
    done = ran(main, "prove", world.path, which, *extra)

    assert (done.code, done.out) == (1, "")
    assert why in done.err


def test_a_receipt_does_not_hold_for_another_entry(world: World, tmp_path: Path) -> None:
    receipt, _ = prove(world, tmp_path, "5")
    _, leaf = prove(world, tmp_path, "6")
    receipt.write_text(ran(main, "prove", world.path, "5").out, "utf-8")

    done = ran(main, "check", receipt, leaf, "--key", vkey(world))

    assert (done.code, done.out) == (1, "")
    assert "does not lead to the root" in done.err


def test_a_receipt_does_not_hold_under_another_key(world: World, tmp_path: Path) -> None:
    receipt, leaf = prove(world, tmp_path, "5")
    other = checkpoint.verifier_key(world.origin, world.admin.keys.public)

    done = ran(main, "check", receipt, leaf, "--key", other)

    assert done.code == 1
    assert "not signed by the gateway's key" in done.err


@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe", b"c2sp.org/tlog-proof@v1\n"])
def test_what_is_no_receipt_is_told(world: World, tmp_path: Path, garbage: bytes) -> None:
    receipt, leaf = prove(world, tmp_path, "5")
    receipt.write_bytes(garbage)

    done = ran(main, "check", receipt, leaf, "--key", vkey(world))

    assert (done.code, done.out) == (1, "")
    assert "receipt" in done.err


def test_what_is_no_key_is_told(world: World, tmp_path: Path) -> None:
    receipt, leaf = prove(world, tmp_path, "5")

    done = ran(main, "check", receipt, leaf, "--key", "nonsense")

    assert done.code == 1
    assert "verifier key" in done.err


COMMANDS = pytest.mark.parametrize(
    "words", [("verify",), ("show",), ("export",), ("prove", "5")], ids=lambda words: words[0]
)


@COMMANDS
def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = ran(main, words[0], tmp_path / "chain.db", *words[1:])

    assert (done.code, done.out) == (1, "")
    assert "no such chain" in done.err
    assert list(tmp_path.iterdir()) == []


@COMMANDS
@pytest.mark.parametrize("garbage", [b"", b"no database", os.urandom(4096)], ids=["empty", "text", "noise"])
def test_a_file_that_is_no_chain_is_told(tmp_path: Path, words: tuple[str, ...], garbage: bytes) -> None:
    path = tmp_path / "chain.db"
    path.write_bytes(garbage)

    done = ran(main, words[0], path, *words[1:])

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"blockpost chain {words[0]}: ")


@pytest.mark.parametrize("words", [(), ("nonsense",), ("verify",), ("check", "a", "b")])
def test_a_command_that_is_none_is_explained(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        ran(main, *words)

    assert ended.value.code == 2

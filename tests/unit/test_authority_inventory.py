"""The authority's own list: durable, small, and with the generation before beside it."""

from pathlib import Path

import pytest
from msgspec import structs

from device.errors import BadDocument
from provisioning.authority import inventory
from provisioning.authority.inventory import Holder, Inventory, Leaf, previous

LEAF = Leaf(serial="abc", issued=1, until=2)
ONE = Holder(account="a", leaves=(LEAF,))
OTHER = Holder(account="b", permit=7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "authority.json"


def put(path: Path, *holders: Holder) -> None:
    Inventory(path).put(holders)


def test_what_was_put_is_there_after_a_restart(path: Path) -> None:
    put(path, OTHER)
    put(path, ONE)

    assert Inventory(path).holders() == [ONE, OTHER]
    assert Inventory(path).of("a") == ONE


def test_an_account_has_one_row(path: Path) -> None:
    listed = Inventory(path)
    listed.put([ONE])
    listed.put([structs.replace(ONE, kick=True), OTHER])

    assert Inventory(path).holders() == [structs.replace(ONE, kick=True), OTHER] == listed.holders()


def test_an_account_that_is_not_there_has_nothing(path: Path) -> None:
    assert Inventory(path).of("z") == Holder(account="z")
    assert Inventory(path).holders() == []


def test_what_is_dropped_is_gone(path: Path) -> None:
    put(path, ONE, OTHER)

    Inventory(path).drop(["a"])

    assert Inventory(path).holders() == [OTHER]


def test_both_generations_are_their_owners_alone(path: Path) -> None:
    put(path, ONE)
    put(path, OTHER)

    assert path.stat().st_mode & 0o777 == previous(path).stat().st_mode & 0o777 == 0o600


def test_the_generation_before_is_beside_it(path: Path) -> None:
    put(path, ONE)
    put(path, OTHER)

    assert inventory.read(previous(path)) == [ONE]


@pytest.mark.parametrize("garbage", ["", "[]", '{"holders": {"1": {"account": 5}}}', None])
def test_where_the_newest_is_damaged_the_one_before_is_taken(path: Path, garbage: str | None) -> None:
    put(path, ONE)
    put(path, OTHER)
    path.unlink() if garbage is None else path.write_text(garbage, "utf-8")

    assert Inventory(path).holders() == [ONE]
    put(path, OTHER)
    assert Inventory(path).holders() == [ONE, OTHER]


def test_where_both_are_damaged_it_is_told(path: Path) -> None:
    put(path, ONE)
    put(path, OTHER)
    path.write_text("[]", "utf-8")
    previous(path).write_text("[]", "utf-8")

    with pytest.raises(BadDocument, match=r"authority\.json\.1"):
        Inventory(path)


def test_a_damaged_one_without_another_is_told(path: Path) -> None:
    path.write_text("[]", "utf-8")

    with pytest.raises(BadDocument, match=r"authority\.json"):
        Inventory(path)


def test_what_a_crash_left_half_made_is_in_nobodys_way(path: Path) -> None:
    put(path, ONE)
    (path.parent / ".authority.json.1.new").write_text("half", "utf-8")
    (path.parent / ".authority.json.new").write_text("half", "utf-8")

    put(path, OTHER)

    assert Inventory(path).holders() == [ONE, OTHER]

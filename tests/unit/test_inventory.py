"""Which join codes an admin gave out."""

from pathlib import Path

import pytest
from msgspec import structs

from device.errors import BadDocument
from provisioning.inventory import Inventory, Issued

ISSUED = Issued(code_hash="h" * 43, invite="i", handle="dr.lee", kind="person", role="member", expires=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.json"


def test_what_was_given_out_is_there_after_a_restart(path: Path) -> None:
    other = structs.replace(ISSUED, invite="j", handle="fridge-2", kind="device")
    Inventory(path).add(ISSUED)
    Inventory(path).add(other)

    assert Inventory(path).issued() == [ISSUED, other]


def test_one_invite_is_listed_once(path: Path) -> None:
    Inventory(path).add(ISSUED)
    Inventory(path).add(ISSUED)

    assert Inventory(path).issued() == [ISSUED]


def test_nothing_given_out_is_an_empty_list(path: Path) -> None:
    assert Inventory(path).issued() == []


def test_it_is_its_owners_alone(path: Path) -> None:
    Inventory(path).add(ISSUED)

    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("garbage", ["", "[]", '{"issued": {"1": {"handle": 5}}}'])
def test_a_damaged_inventory_is_told(path: Path, garbage: str) -> None:
    path.write_text(garbage, "utf-8")

    with pytest.raises(BadDocument, match=r"inventory\.json"):
        Inventory(path).issued()

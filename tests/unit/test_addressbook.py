"""What a device remembers of its gateway and its friends."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from device.addressbook import AddressBook, Evidence, Membership, Pin, Route
from device.errors import BadDocument, NotJoined
from tests.homes import membership
from tests.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    world.close()
    return world


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "addressbook.json"


@pytest.fixture
def book(path: Path) -> AddressBook:
    return AddressBook(path)


@pytest.fixture
def member(world: World) -> Membership:
    return membership(world, world.admin.id)


def pin(world: World, handle: str = "admin") -> Pin:
    keys = world.admin.keys
    return Pin(account=world.admin.id, handle=handle, kind="person", sign=keys.public, seal=keys.seal)


def test_a_folder_that_was_never_joined_says_so_and_is_left_alone(book: AddressBook, path: Path) -> None:
    with pytest.raises(NotJoined, match="not joined yet: blockpost device join CODE"):
        book.membership()

    assert list(path.parent.iterdir()) == []


def test_a_folder_that_is_not_there_was_not_joined(tmp_path: Path) -> None:
    with pytest.raises(NotJoined):
        AddressBook(tmp_path / "nowhere" / "addressbook.json").membership()


def test_joining_that_was_begun_is_not_a_membership(book: AddressBook, member: Membership) -> None:
    begun = structs.replace(member, joined=False)
    book.set_membership(begun)

    with pytest.raises(NotJoined):
        book.membership()
    assert book.joining() == begun


def test_a_membership_reads_back(book: AddressBook, path: Path, member: Membership) -> None:
    book.set_membership(structs.replace(member, joined=False))
    book.set_membership(member)

    assert AddressBook(path).membership() == member


def test_a_checkpoint_takes_the_place_of_the_one_it_was_held_against(book: AddressBook) -> None:
    assert book.replace_checkpoint(None, "first")
    assert book.replace_checkpoint("first", "second")

    assert book.checkpoint() == "second"


@pytest.mark.parametrize("old", [None, "zeroth"])
def test_a_checkpoint_does_not_take_the_place_of_another(book: AddressBook, old: str | None) -> None:
    book.replace_checkpoint(None, "first")

    assert not book.replace_checkpoint(old, "second")

    assert book.checkpoint() == "first"


def test_a_first_checkpoint_is_nobodys_second(book: AddressBook) -> None:
    assert not book.replace_checkpoint("zeroth", "first")

    assert book.checkpoint() is None


def test_the_first_piece_of_evidence_is_kept(book: AddressBook) -> None:
    first = Evidence(held="a", shown="b", reason="c", at=1)
    book.set_evidence(first)
    book.set_evidence(Evidence(held="d", shown="e", reason="f", at=2))

    assert book.evidence() == first


def test_pins_are_kept_by_account(book: AddressBook, path: Path, world: World) -> None:
    book.set_pin(pin(world))
    book.set_pin(pin(world, "the.admin"))

    assert AddressBook(path).pins() == [pin(world, "the.admin")]
    assert book.pin(world.admin.id) == pin(world, "the.admin")
    assert book.pin(world.gateway.id) is None


def test_routes_are_kept_by_name(book: AddressBook, world: World) -> None:
    book.set_route(Route(name="on-call", to="g-" + "a" * 26, accounts=[]))
    route = Route(name="on-call", to="g-" + "a" * 26, accounts=[world.admin.id])
    book.set_route(route)

    assert book.route("on-call") == route
    assert book.route("nobody") is None


@pytest.mark.parametrize("table", ["membership", "checkpoint", "evidence"])
def test_a_row_of_another_form_is_a_bad_document(book: AddressBook, path: Path, table: str) -> None:
    path.write_text(json.dumps({table: {"1": {"account": 5}}}), "utf-8")

    with pytest.raises(BadDocument, match=r"addressbook\.json"):
        {"membership": book.joining, "checkpoint": book.checkpoint, "evidence": book.evidence}[table]()


def test_a_pin_of_another_form_is_a_bad_document(book: AddressBook, path: Path) -> None:
    path.write_text(json.dumps({"pins": {"1": {"account": "a", "sign": {"x": "short"}}}}), "utf-8")

    with pytest.raises(BadDocument):
        book.pins()

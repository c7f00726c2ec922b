"""Making a gateway: a key, a chain that begins with it, and a code for the first admin."""

from contextlib import closing
from pathlib import Path

import pytest

from chain import entry, joincode
from chain.audit import audit
from chain.chain import Chain
from chain.entry import Account, Invite, Profile
from chain.joincode import JoinCode
from gateway import genesis
from gateway.errors import BadConfig
from gateway.site import Settings, Site


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "gateway"


def made(directory: Path, *, name: str = "ward7.example", admin: str = "admin") -> JoinCode:
    return genesis.init(directory, Settings(http_port=8081), name=name, admin=admin)


def test_what_it_makes_passes_the_audit(directory: Path) -> None:
    made(directory)

    report = audit(directory / "chain.db")

    assert (report.height, report.size, report.signed) == (0, 3, 1)
    assert report.origin == f"ward7.example/{Site.load(directory).key().account}"


def test_the_chain_begins_with_the_gateway_and_an_invite_for_the_admin(directory: Path) -> None:
    code = made(directory, admin="the.boss")

    with closing(Chain.open(directory / "chain.db")) as chain:
        entries = [entry.parse(chain.store.leaf(index)).entry for index in range(3)]
        invite = chain.state.invite_by_hash(joincode.code_hash(code.code))

    assert [type(said) for said in entries] == [Account, Profile, Invite]
    assert {said.author for said in entries} == {code.pin}
    assert invite is not None
    assert (invite.kind, invite.role, invite.handle) == ("person", "admin", "the.boss")


def test_the_code_says_where_the_gateway_is_and_which_one(directory: Path) -> None:
    code = made(directory)

    assert (code.host, code.port, code.pin) == ("127.0.0.1", 8081, Site.load(directory).key().account)


def test_the_secret_of_the_code_is_kept_nowhere(directory: Path) -> None:
    code = made(directory)

    assert not [file for file in directory.iterdir() if code.code.encode() in file.read_bytes()]


def test_the_key_is_its_owners_alone(directory: Path) -> None:
    made(directory)

    assert (directory / "gateway.key").stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700


def test_the_settings_are_written_down(directory: Path) -> None:
    made(directory)

    assert Site.load(directory).settings == Settings(http_port=8081)


def test_a_second_gateway_in_the_same_place_is_refused(directory: Path) -> None:
    made(directory)
    before = {file.name: file.read_bytes() for file in directory.iterdir()}

    with pytest.raises(BadConfig, match="not empty"):
        made(directory)

    assert {file.name: file.read_bytes() for file in directory.iterdir()} == before


def test_a_directory_with_anything_in_it_is_left_alone(directory: Path) -> None:
    directory.mkdir()
    (directory / "photo.jpg").touch()

    with pytest.raises(BadConfig, match="not empty"):
        made(directory)


@pytest.mark.parametrize("name", ["Ward 7", "", "ward/7", "-ward", "ward7.example\n", "w" * 81, "w" * 200])
def test_a_name_that_is_none_leaves_the_place_empty(directory: Path, name: str) -> None:
    with pytest.raises(BadConfig, match="name"):
        made(directory, name=name)

    assert not directory.exists() or not list(directory.iterdir())


@pytest.mark.parametrize("admin", ["The Boss", "", "gateway"])
def test_an_admin_who_cannot_be_named_so_leaves_the_place_empty(directory: Path, admin: str) -> None:
    with pytest.raises(BadConfig, match="admin"):
        made(directory, admin=admin)

    assert not directory.exists() or not list(directory.iterdir())


def test_every_gateway_has_a_key_of_its_own(tmp_path: Path) -> None:
    assert made(tmp_path / "one").pin != made(tmp_path / "two").pin

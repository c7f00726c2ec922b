"""`device.joinfile`: what one device is given to join with, and what is left of it."""

from pathlib import Path

import pytest

from chain.joincode import JoinCode
from device import joinfile
from device.errors import BadConfig
from device.joinfile import JoinFile

CODE = JoinCode("gateway.local", 8443, "a" * 52, "b" * 16)


def test_a_file_has_a_code(tmp_path: Path) -> None:
    path = tmp_path / "join.toml"
    path.write_text(f'code = "{CODE.to_text()}"\n')

    assert JoinFile.load(path) == JoinFile(CODE, None)


def test_a_file_may_have_a_name(tmp_path: Path) -> None:
    path = tmp_path / "join.toml"
    path.write_text(f'# for the kitchen\ncode = "{CODE.to_text()}"\nname = "Fridge, kitchen"\n')

    assert JoinFile.load(path) == JoinFile(CODE, "Fridge, kitchen")


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE.to_text(),
        f'code = "{CODE.to_text()}x"',
        f'code = "{CODE.to_text()}"\nadmin = true',
        f'code = "{CODE.to_text()}"\nname = 7',
        'name = "fridge"',
        "code = 7",
        "\0",
    ],
)
def test_anything_else_is_refused_and_the_secret_is_not_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "join.toml"
    path.write_text(text)

    with pytest.raises(BadConfig, match=r'join\.toml: want code = "HOST:PORT/PIN/SECRET"') as error:
        JoinFile.load(path)

    assert CODE.code not in str(error.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "join.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(BadConfig):
        JoinFile.load(path)


def test_the_secret_is_not_shown_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "join.toml"
    path.write_text(f'code = "{CODE.to_text()}"\n')

    assert CODE.code not in repr(JoinFile.load(path))


def test_what_was_destroyed_is_gone_and_overwritten_where_it_lay(tmp_path: Path) -> None:
    path, beside = tmp_path / "join.toml", tmp_path / "beside"
    path.write_text(f'code = "{CODE.to_text()}"\n')
    beside.hardlink_to(path)
    size = path.stat().st_size

    joinfile.destroy(path)

    assert not path.exists()
    assert beside.read_bytes() == bytes(size)

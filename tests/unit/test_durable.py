"""Files that a power cut cannot halve."""

import os
import stat
from pathlib import Path

import pytest

from chain import durable


class PowerCut(Exception):
    """The power failed."""


def cut_power_at(monkeypatch: pytest.MonkeyPatch, name: str, *, before: int) -> None:
    """Let the call of `os.<name>` fail after `before` that succeed, and every one after it."""
    real, calls = getattr(os, name), iter(range(before))

    def fail(*arguments: object, **named: object) -> object:
        if next(calls, None) is None:
            raise PowerCut
        return real(*arguments, **named)

    monkeypatch.setattr(os, name, fail)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    durable.write(tmp_path / "head", b"one")
    durable.write(tmp_path / "head", b"two")

    assert (tmp_path / "head").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


@pytest.mark.parametrize(
    ("call", "before"), [("open", 0), ("fsync", 0), ("fsync", 1), ("open", 1), ("replace", 0)]
)
def test_a_power_cut_before_the_rename_leaves_the_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, before: int
) -> None:
    durable.write(tmp_path / "head", b"one")
    with monkeypatch.context() as power:
        cut_power_at(power, call, before=before)
        with pytest.raises(PowerCut):
            durable.write(tmp_path / "head", b"two, and longer")

    assert (tmp_path / "head").read_bytes() == b"one"


@pytest.mark.parametrize(("call", "before"), [("fsync", 2), ("open", 2)])
def test_a_power_cut_after_the_rename_leaves_the_new_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, before: int
) -> None:
    durable.write(tmp_path / "head", b"one")
    with monkeypatch.context() as power:
        cut_power_at(power, call, before=before)
        with pytest.raises(PowerCut):
            durable.write(tmp_path / "head", b"two")

    assert (tmp_path / "head").read_bytes() == b"two"


def test_what_a_power_cut_left_lying_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as power:
        cut_power_at(power, "fsync", before=0)
        with pytest.raises(PowerCut):
            durable.write(tmp_path / "head", b"half of what")

    durable.write(tmp_path / "head", b"one")

    assert (tmp_path / "head").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


def test_the_bytes_are_synced_before_the_rename_and_the_directory_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(fd: int) -> None:
        steps.append("directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        real_fsync(fd)

    def replace(*arguments: str) -> None:
        steps.append("rename")
        real_replace(*arguments)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    durable.write(tmp_path / "head", b"one")

    renamed = steps.index("rename")
    assert "file" in steps[:renamed]
    assert steps[renamed + 1 :] == ["directory"]


def test_a_file_that_is_there_is_never_created_over(tmp_path: Path) -> None:
    durable.create(tmp_path / "key", b"secret")

    with pytest.raises(FileExistsError):
        durable.create(tmp_path / "key", b"another")

    assert (tmp_path / "key").read_bytes() == b"secret"


def test_only_the_owner_can_read_what_was_written(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        durable.write(tmp_path / "written", b"secret")
        durable.create(tmp_path / "created", b"secret")
        durable.write(tmp_path / "public", b"not a secret", mode=0o644)
    finally:
        os.umask(old)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"written": 0o600, "created": 0o600, "public": 0o644}


def test_a_secret_is_never_readable_by_others_not_even_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            modes.append(stat.S_IMODE(os.fstat(fd).st_mode))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    durable.write(tmp_path / "secret", b"one")
    durable.write(tmp_path / "secret", b"two")

    assert modes == [0o600, 0o600]


def test_a_directory_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.write(tmp_path / "nowhere" / "head", b"one")

"""Files that a power cut cannot halve."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chain import durable


class PowerCut(Exception):
    """The power failed."""


class Disk:
    """Notes the steps that reach the disk, and fails at one of them and ever after."""

    def __init__(self, fails_at: str | None = None) -> None:
        self.steps: list[str] = []
        self.modes: set[int] = set()
        self._fails_at = fails_at

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name, step in (("open", None), ("fsync", None), ("replace", "rename"), ("link", "rename")):
            patch.setattr(os, name, self._watched(getattr(os, name), step))

    def _watched(self, real: Callable[..., Any], step: str | None) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            done = step or self._step(*arguments)
            if self._fails_at in (done, *self.steps):
                raise PowerCut
            self.steps.append(done)
            return real(*arguments, **named)

        return call

    def _step(self, subject: int | str | Path, flags: int = 0, *_mode: int) -> str:
        if not isinstance(subject, int):
            return "create" if flags & os.O_CREAT else "open"
        status = os.fstat(subject)
        if stat.S_ISDIR(status.st_mode):
            return "sync directory"
        self.modes.add(stat.S_IMODE(status.st_mode))
        return "sync file"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    disk.install(monkeypatch)
    return disk


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    durable.write(tmp_path / "head", b"one")
    durable.write(tmp_path / "head", b"two")

    assert (tmp_path / "head").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


@pytest.mark.parametrize("step", ["create", "sync file", "rename"])
def test_a_power_cut_before_the_rename_leaves_the_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    durable.write(tmp_path / "head", b"one")
    with monkeypatch.context() as power:
        Disk(step).install(power)
        with pytest.raises(PowerCut):
            durable.write(tmp_path / "head", b"two, and longer")

    assert (tmp_path / "head").read_bytes() == b"one"


@pytest.mark.parametrize("step", ["open", "sync directory"])
def test_a_power_cut_after_the_rename_leaves_the_new_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    durable.write(tmp_path / "head", b"one")
    with monkeypatch.context() as power:
        Disk(step).install(power)
        with pytest.raises(PowerCut):
            durable.write(tmp_path / "head", b"two")

    assert (tmp_path / "head").read_bytes() == b"two"


@pytest.mark.parametrize("step", ["create", "sync file", "rename", "open", "sync directory"])
def test_a_power_cut_leaves_a_created_file_whole_or_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as power:
        Disk(step).install(power)
        with pytest.raises(PowerCut):
            durable.create(tmp_path / "key", b"a secret")

    if (tmp_path / "key").exists():
        assert (tmp_path / "key").read_bytes() == b"a secret"
    else:
        durable.create(tmp_path / "key", b"a secret")


@pytest.mark.parametrize("make", [durable.write, durable.create])
def test_what_a_power_cut_left_lying_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path, bytes], None]
) -> None:
    with monkeypatch.context() as power:
        Disk("sync file").install(power)
        with pytest.raises(PowerCut):
            make(tmp_path / "head", b"half of what")

    make(tmp_path / "head", b"one")

    assert (tmp_path / "head").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


@pytest.mark.parametrize("make", [durable.write, durable.create])
def test_the_bytes_are_synced_before_the_rename_and_the_directory_after(
    tmp_path: Path, disk: Disk, make: Callable[[Path, bytes], None]
) -> None:
    make(tmp_path / "head", b"one")

    assert disk.steps == ["create", "sync file", "rename", "open", "sync directory"]


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
    tmp_path: Path, disk: Disk
) -> None:
    durable.write(tmp_path / "secret", b"one")
    durable.write(tmp_path / "secret", b"two")
    durable.create(tmp_path / "another", b"three")

    assert disk.modes == {0o600}


def test_a_directory_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.write(tmp_path / "nowhere" / "head", b"one")


def created_in_pieces(path: Path, data: bytes) -> None:
    with durable.creating(path) as file:
        file.write(data[:4])
        file.write(data[4:])


@pytest.mark.parametrize("step", ["create", "sync file", "open", "sync directory"])
def test_a_power_cut_never_leaves_half_of_what_was_written_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as power:
        Disk(step).install(power)
        with pytest.raises(PowerCut):
            created_in_pieces(tmp_path / "backup", b"one and two")

    if (tmp_path / "backup").exists():
        assert (tmp_path / "backup").read_bytes() == b"one and two"
    else:
        created_in_pieces(tmp_path / "backup", b"one and two")


def test_the_pieces_are_synced_before_the_file_has_its_name(tmp_path: Path, disk: Disk) -> None:
    created_in_pieces(tmp_path / "backup", b"one and two")

    assert disk.steps == ["create", "sync file", "create", "rename", "open", "sync directory"]
    assert disk.modes == {0o600}


def test_a_file_that_came_to_be_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def race() -> None:
        with durable.creating(tmp_path / "backup") as file:
            file.write(b"ours")
            (tmp_path / "backup").write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        race()

    assert (tmp_path / "backup").read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def test_what_raises_while_its_pieces_are_made_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with durable.creating(tmp_path / "backup") as file:
            file.write(b"ours")
            raise PowerCut

    with pytest.raises(PowerCut):
        fail()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("user", "given"), [(0, [(61365, 61366)]), (1000, [])], ids=["root", "another"])
def test_what_root_writes_for_a_service_is_the_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, given: list[tuple[int, int]]
) -> None:
    """Else an admin's command, run as root in its directory, would take its own address book from it."""
    owners: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "fchown", lambda _fd, uid, gid: owners.append((uid, gid)))
    monkeypatch.setattr(
        Path, "stat", lambda _path, **_named: os.stat_result((0o40700, 0, 0, 1, 61365, 61366, 0, 0, 0, 0))
    )

    durable.write(tmp_path / "addressbook.json", b"{}")

    assert owners == given


def test_a_file_system_without_owners_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int, _uid: int, _gid: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", refuse)

    durable.write(tmp_path / "site.backup", b"whole")

    assert (tmp_path / "site.backup").read_bytes() == b"whole"

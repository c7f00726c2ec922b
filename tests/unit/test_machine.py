"""The machine as both doctors look at it."""

from pathlib import Path

import pytest

from chain import machine
from chain.clock import clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    made.mkdir(mode=0o700)
    for name in ("gateway.key", "chain.db"):
        (made / name).touch(mode=0o600)
    return made


def test_a_directory_that_is_its_owners_alone_is_well(folder: Path) -> None:
    (folder / "chain.db").chmod(0o644)  # nobody else comes as far as that

    (found,) = machine.modes(folder, secret=["gateway.key"])

    assert found.level == "ok"


@pytest.mark.parametrize("name", [".", "gateway.key"])
def test_what_others_may_use_is_a_problem_with_the_command_that_mends_it(folder: Path, name: str) -> None:
    path = folder / name
    path.chmod(0o740)

    (found,) = machine.modes(folder, secret=["*.key"])

    assert (found.level, found.fix) == ("problem", f"run: chmod go= {path}")
    assert "(mode 0740)" in found.detail


def test_a_link_is_looked_at_and_not_what_it_leads_to(folder: Path) -> None:
    (folder / "gone").symlink_to(folder / "nowhere")

    assert [found.level for found in machine.modes(folder, secret=[])] == ["ok"]


def test_a_directory_that_is_asked_for_by_a_link_is_looked_at_itself(folder: Path) -> None:
    """So it is below /var/lib, where systemd keeps the directory of a service."""
    link = folder.with_name("link")
    link.symlink_to(folder)

    assert [found.level for found in machine.modes(link, secret=["*.key"])] == ["ok"]


def test_a_file_of_another_user_is_a_problem(folder: Path) -> None:
    (found,) = machine.of_owner(folder / "chain.db", 0, 1000)

    assert (found.level, found.fix) == ("problem", f"run as root: chown 1000 {folder / 'chain.db'}")
    assert machine.of_owner(folder / "chain.db", 1000, 1000) == []


@pytest.mark.parametrize(("free", "level"), [(10**10, "ok"), (10**9, "warning"), (10**7, "problem")])
def test_less_room_is_worse(free: int, level: str) -> None:
    assert machine.of_room(free).level == level


@pytest.mark.parametrize(("milliseconds", "level"), [(2.0, "ok"), (49.9, "ok"), (50.0, "warning")])
def test_a_slow_disk_is_a_warning(milliseconds: float, level: str) -> None:
    assert machine.of_fsync(milliseconds).level == level


def test_a_disk_is_measured_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    assert machine.fsync_ms(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_runs_free_is_a_warning() -> None:
    assert machine.of_clock("synced").level == "ok"
    assert machine.of_clock("free").level == "warning"


@pytest.mark.parametrize(
    ("version", "level"), [((3, 36, 9), "problem"), ((3, 37, 0), "ok"), ((3, 50, 1), "ok")]
)
def test_sqlite_has_to_have_what_is_used(version: tuple[int, ...], level: str) -> None:
    found = machine.of_sqlite(version)

    assert (found.level, found.detail) == (level, ".".join(map(str, version)))


def test_all_of_it_is_looked_at(tmp_path: Path) -> None:
    assert [found.what for found in machine.examine(tmp_path, clock())] == [
        "disk",
        "fsync",
        "clock",
        "sqlite",
    ]

"""A gateway's processes, and what is left of them when some, or their supervisor, are killed."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from device.errors import DeviceError
from gateway import cli
from gateway.authority import Authority, NoAuthority
from gateway.errors import Busy
from gateway.lock import exclusive
from gateway.supervisor import LAN_PARTS, PARTS, command
from provisioning.site import Site
from tests.sites import client_of, invited, ran, running_site

PATIENCE = 60.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def lan_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("lan"), lan=True) as site:
        yield site


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def supervisor_of(site: Site) -> psutil.Process:
    assert site._gateway is not None
    return psutil.Process(site._gateway.pid)


def parts_of(site: Site) -> dict[str, psutil.Process]:
    """The supervisor's own children, by the part that each one is."""
    named = {tuple(command(part, site.directory / "gateway")[1:]): part for part in LAN_PARTS}
    parts = {}
    for child in supervisor_of(site).children():
        try:
            line = tuple(child.cmdline()[1:])
        except psutil.Error:
            continue
        if line in named:
            parts[named[line]] = child
    return parts


def works(site: Site) -> bool:
    """Whether an entry is committed."""
    with client_of(site, "admin") as client:
        try:
            invited_now(site)
            client.check_gateway()
        except (DeviceError, AssertionError):
            return False
    return True


def invited_now(site: Site) -> None:
    invited(site, f"n{time.monotonic_ns()}")


def test_there_are_three_parts(site: Site) -> None:
    assert set(parts_of(site)) == set(PARTS)


def test_in_a_lan_there_are_five(lan_site: Site) -> None:
    assert set(parts_of(lan_site)) == set(LAN_PARTS)
    assert set(LAN_PARTS) - set(PARTS) == {"authority", "welcome"}


def test_an_authority_that_is_killed_is_started_again_and_answers(lan_site: Site) -> None:
    killed = parts_of(lan_site)["authority"]
    authority = Authority(lan_site.directory / "gateway" / "tls" / "authority.sock")
    authority.list("", 1)

    killed.send_signal(signal.SIGKILL)

    until(lambda: parts_of(lan_site).get("authority", killed).pid != killed.pid, "it is there again")
    until(lambda: answers(authority), "it answers")


def answers(authority: Authority) -> bool:
    try:
        authority.list("", 1)
    except NoAuthority:
        return False
    return True


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_is_started_again_and_all_goes_on(site: Site, part: str) -> None:
    killed = parts_of(site)[part]

    killed.send_signal(signal.SIGKILL)

    until(lambda: parts_of(site).get(part, killed).pid != killed.pid, f"{part} is there again")
    until(lambda: works(site), "it commits again")


def test_a_second_gateway_on_the_same_directory_is_refused(site: Site) -> None:
    done = ran(cli.main, "run", site.directory / "gateway")

    assert (done.code, done.out) == (1, "")
    assert "another process is at work here" in done.err
    assert works(site)


def test_a_second_committer_on_the_same_directory_is_refused(site: Site) -> None:
    done = ran(cli.main, "commit", site.directory / "gateway")

    assert done.code == 1
    assert "another process is at work here" in done.err


def test_where_there_is_no_gateway_none_is_run(tmp_path: Path) -> None:
    done = ran(cli.main, "run", tmp_path)

    assert done.code == 1
    assert "no gateway here; make one with: blockpost gateway init" in done.err
    assert list(tmp_path.iterdir()) == []


def test_nothing_outlives_a_supervisor_that_is_killed(site: Site) -> None:
    supervisor = supervisor_of(site)
    family = supervisor.children(recursive=True)
    assert len(family) >= len(PARTS)

    supervisor.send_signal(signal.SIGKILL)

    until(lambda: not any(alive(process) for process in family), "its processes have ended")
    site.stop()
    site.start()
    assert works(site)


def test_nothing_outlives_a_supervisor_that_is_told_to_stop(site: Site) -> None:
    family = supervisor_of(site).children(recursive=True)

    site.stop()

    assert not any(alive(process) for process in family)
    site.start()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / "lock"),
        pytest.raises(Busy, match="another process"),
        exclusive(tmp_path / "lock"),
    ):
        pass

    with exclusive(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600

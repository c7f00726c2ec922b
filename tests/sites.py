"""A whole site for tests: real processes, and accounts whose RSA keys were made beforehand."""

import io
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from chain.joincode import JoinCode
from device import joining
from device.addressbook import Membership
from device.client import Client, Home
from gateway.supervisor import command
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.homes import keep_keys, new_keys


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def ran(main: Callable[[Sequence[str]], int], *words: str | Path, stdin: str = "") -> Done:
    """Run a command in this process: to start Python anew for each takes most of a second."""
    out, err = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    before, sys.stdin = sys.stdin, io.StringIO(stdin)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(word) for word in words])
    finally:
        sys.stdin = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Done(code, out.getvalue(), err.getvalue())


BOTH_KINDS = pytest.mark.parametrize(
    "lan", [False, True], ids=["embedded", "mosquitto"], scope="module", indirect=True
)
"""On the embedded defaults, and with certificates, over TLS, on Mosquitto. For a fixture that wants `lan`."""


@contextmanager
def running_site(folder: Path, *, lan: bool = False) -> Iterator[Site]:
    """A gateway at work, with its first admin."""
    site = Site(folder, lan=lan)
    try:
        code = JoinCode.from_text(site.init(admin="admin"))
        site.start()
        enter(site, "admin", code)
        yield site
    finally:
        site.stop()


def enter(site: Site, handle: str, code: JoinCode, *, name: str | None = None) -> Membership:
    """Join with a code, in the home of that handle."""
    if not site.home(handle).exists():
        keep_keys(site.home(handle), new_keys())
    return joining.join(Home(site.home(handle)), code, name=name or handle.title())


def invited(
    site: Site,
    handle: str,
    *,
    kind: str = "person",
    role: str = "member",
    hours: float = 1,
    match: bool = False,
) -> JoinCode:
    """A join code from the first admin."""
    done = ran(
        admin.main,
        "--home",
        site.home("admin"),
        "invite",
        handle,
        "--kind",
        kind,
        "--role",
        role,
        "--hours",
        str(hours),
        *(("--match",) if match else ()),
    )
    assert done.code == 0, done.err
    return JoinCode.from_text(done.out)


def added(
    site: Site, handle: str, *, kind: str = "person", role: str = "member", name: str | None = None
) -> Membership:
    """Somebody joins."""
    return enter(site, handle, invited(site, handle, kind=kind, role=role), name=name)


def processes_of(site: Site, part: str) -> list[psutil.Process]:
    """The gateway's processes for `part`: the web server has two, a parent and its worker; Mosquitto has its keeper."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if words[-3:] == command(part, site.directory / "gateway")[-3:] or (
            part == "broker" and words[-1:] == [str(site.directory / "gateway" / "broker" / "mosquitto.conf")]
        ):
            found.append(process)
    return found


def crash(site: Site) -> None:
    """End all of the gateway's processes at once, as a power cut would; `site.start` brings it back."""
    gateway = site._gateway
    assert gateway is not None
    supervisor = psutil.Process(gateway.pid)
    for process in (supervisor, *supervisor.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    gateway.wait()


def copied_chain(site: Site, name: str) -> Path:
    """The chain as it is now, in a file beside the gateway."""
    path = site.directory / f"{name}.db"
    with closing(sqlite3.connect(site.chain_file)) as db:
        db.execute("VACUUM INTO ?", (str(path),))
    return path


def run_on(site: Site, chain: Path) -> None:
    """Run the gateway, with its own key, on another chain."""
    site.stop()
    for file in site.chain_file.parent.glob("chain.db*"):
        file.unlink()
    shutil.copy(chain, site.chain_file)
    site.start()


@contextmanager
def client_of(site: Site, handle: str) -> Iterator[Client]:
    with closing(Client(Home(site.home(handle)))) as client:
        yield client

"""
The scene: a small building in which things go wrong while everybody works.

A gateway with a proxy before its broker, two devices that measure, one of which raises alerts, and a clinician who
reads.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from chain.chain import Chain
from chain.entry import Message, parse
from chain.joincode import JoinCode
from gateway import cli as gateway_cli
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.faked_clock import FakedClock
from tests.faults.cast import Member
from tests.faults.disk import Disk
from tests.faults.gateway import Gateway
from tests.sites import added, enter, ran

DEVICES = ("sensor-1", "sensor-2")
CLINICIAN = "dr.lee"
MEMBERS = (*DEVICES, CLINICIAN)
ADMIN = "admin"

COUNTING = """
to = ["dr.lee"]
[sensors.count]
mode = "stream"
command = ["sh", "-c", "n=0; while sleep 1; do n=$((n+1)); echo $n; done"]
"""

ALARMING = """
[sensors.fridge]
mode = "stream"
command = ["sh", "-c", "while :; do for n in 2 3 7 8; do sleep 2; echo $n; done; done"]
high = 5
"""

PATIENCE = 600.0
"""Seconds after which a test gives up; none measures time."""


def until(condition: Callable[[], object], what: str, *, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.1)


class Scene:
    """Everybody works from `starts` to `stops`. `clocks` are the gateway's, by `gateway`, and each device's."""

    def __init__(
        self, gateway: Gateway, members: list[Member], clocks: Mapping[str, FakedClock], disk: Disk
    ) -> None:
        self.site, self.gateway, self.proxy = gateway.site, gateway, gateway.proxy
        self.members = {member.handle: member for member in members}
        self.devices = [self.members[handle] for handle in DEVICES]
        self.reader = self.members[CLINICIAN]
        self.clocks, self.disk = clocks, disk
        self.faults: list[str] = []
        """What was done here, by name."""
        self.clients = [None, gateway.account, f"{gateway.account}.web", *(each.account for each in members)]
        """Of the broker, in an order that is the same each time; None stands for all of them."""

    @property
    def first_backup(self) -> Path:
        """Of the gateway, from before anybody said anything."""
        return self.site.directory / "first.backup"

    def starts(self) -> None:
        done = ran(gateway_cli.main, "backup", self.gateway.directory, self.first_backup, "--no-passphrase")
        assert done.code == 0, done.err
        for member in self.members.values():
            member.start()
        self.recovers()

    def works(self) -> bool:
        """Whether the gateway is well, and everybody runs."""
        return self.gateway.is_well() and all(member.is_running for member in self.members.values())

    def recovers(self) -> None:
        """Wait until of each device something is receipted and read that it has measured from now on."""
        until(self.works, "the gateway commits, and everybody runs")
        for device in self.devices:
            before = set(device.queued)
            until(
                lambda device=device, before=before: any(  # type: ignore[misc]
                    entry_id in self.reader.opened for entry_id in set(device.receipted) - before
                ),
                f"what {device.handle} says after all that is receipted and read, after {self.faults}",
            )

    def committed(self) -> list[tuple[int, Message]]:
        """The devices' messages on the chain, by their index."""
        accounts = {device.account for device in self.devices}
        with closing(Chain.open(self.site.chain_file)) as chain:
            entries = [parse(leaf).entry for _, leaf in chain.store.leaves(0, chain.head.size)]
        return [
            (index, said)
            for index, said in enumerate(entries)
            if isinstance(said, Message) and said.author in accounts
        ]

    def stops(self) -> None:
        """The devices end; once the clinician has read all that was committed, everybody else does."""
        for device in self.devices:
            device.stop()
        ids = {said.id for _, said in self.committed()}
        until(
            lambda: ids <= self.reader.opened.keys(), f"{CLINICIAN} has read all of it, after {self.faults}"
        )
        self.reader.stop()
        self.gateway.stop()

    def logs(self) -> Iterator[tuple[str, str]]:
        """The name of each, and what it says."""
        for path in self.site.directory.glob("*.log"):
            yield path.stem, path.read_text("utf-8", "replace")

    def close(self) -> None:
        for member in self.members.values():
            member.stop()
        self.gateway.close()
        self.disk.close()


@contextmanager
def scene(folder: Path, *, lan: bool) -> Iterator[Scene]:
    """At work."""
    site = Site(folder, lan=lan)
    code = JoinCode.from_text(site.init(admin=ADMIN))
    disk = Disk(folder / "gateway")
    clocks = {name: FakedClock(folder / f"clock-{name}") for name in ("gateway", *DEVICES)}
    gateway = Gateway(site, preloaded(disk.env, clocks["gateway"].environment))
    with ExitStack() as stack:
        undo = stack.enter_context(ExitStack())
        undo.callback(disk.close)
        undo.callback(gateway.close)
        gateway.start()
        until(gateway.is_well, "the gateway commits")
        enter(site, ADMIN, code)
        people(site)
        members = [
            Member(site, handle, ("run", "--json"), preloaded(clocks[handle].environment))
            for handle in DEVICES
        ]
        members.append(Member(site, CLINICIAN, ("inbox", "--follow", "--json"), {}))
        if gateway.proxy.papers is not None:
            gateway.proxy.papers.homes |= {each.account: site.home(each.handle) for each in members}
        made = Scene(gateway, members, clocks, disk)
        undo.pop_all()
        stack.callback(made.close)
        made.starts()
        yield made


def people(site: Site) -> None:
    """They join, and the devices may write to the clinician."""
    added(site, CLINICIAN)
    for number, handle in enumerate(DEVICES):
        added(site, handle, kind="device")
        done = ran(admin.main, "--home", site.home(ADMIN), "link", handle, CLINICIAN)
        assert done.code == 0, done.err
        settings = COUNTING + (ALARMING if number == 0 else "")
        (site.home(handle) / "agent.toml").write_text(settings, "utf-8")


def preloaded(*environments: Mapping[str, str]) -> dict[str, str]:
    """All of them together: what one of them has loaded is loaded with what the others have."""
    made: dict[str, str] = {}
    for each in environments:
        ours = {name: value for name, value in each.items() if os.environ.get(name) != value}
        if "LD_PRELOAD" in made and "LD_PRELOAD" in ours:
            ours["LD_PRELOAD"] = f"{made['LD_PRELOAD']}:{ours['LD_PRELOAD']}"
        made |= ours
    return made

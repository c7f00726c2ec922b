"""The crowd: devices that measure all the time, and devices that join, work for a while, and leave or are revoked."""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from chain.chain import Chain
from chain.entry import parse
from device.errors import DeviceError, Unreachable
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.faults.cast import Member
from tests.faults.scene import ADMIN, CLINICIAN, Scene
from tests.sites import enter, invited, ran

MEASURING = """
to = {to}
[sensors.count]
mode = "stream"
command = ["sh", "-c", "n=0; while sleep {pause}; do n=$((n+1)); echo $n; done"]
"""

TRIES = 20
VISITOR_SECONDS = 2.0

NURSE = "nurse"
"""Who reads in a browser."""

LEAVING = ("stopped", "killed", "revoked")


class Timed(Member):
    """It also says how long its entries took until they were receipted."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.latencies: list[float] = []

    def _hear(self, event: dict[str, Any]) -> None:
        super()._hear(event)
        if event["event"] == "receipted" and event["latency_ms"] is not None:
            self.latencies.append(event["latency_ms"])


class PutOff(Exception):
    """The gateway is not well just now: to be tried again."""


class Crowd:
    """`scene` gets the devices that stay; those that come and go are counted and checked here."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self._scene, self._chance = scene, chance
        self._staying: list[Timed] = []
        self._present: list[Timed] = []
        self._gone: list[Timed] = []
        self._unread: list[Timed] = []
        """Those that stay and whose messages nobody of the scene reads."""
        self.counts: Counter[str] = Counter()
        self._number = 0

    @property
    def site(self) -> Site:
        return self._scene.site

    @property
    def present(self) -> int:
        return len(self._present)

    def stay(self, count: int, pause: float, to: tuple[str, ...] = (CLINICIAN,)) -> None:
        """So many more devices, each with a reading every `pause` seconds, for as long as the scene works."""
        for _ in range(count):
            member = self._joined("steady", pause, to)
            self._staying.append(member)
            self._scene.members[member.handle] = member
            if CLINICIAN in to:
                self._scene.devices.append(member)
            else:
                self._unread.append(member)

    def person(self, handle: str, secret: str) -> None:
        """Somebody who may log in to the page."""
        self._enrol(handle, "person")
        self.site.set_password(handle, secret)

    def staying(self) -> list[str]:
        return [member.handle for member in self._staying]

    def arrive(self) -> None:
        """Somebody new."""
        self._present.append(self._join("visitor", VISITOR_SECONDS, (NURSE,)))
        self.counts["joined"] += 1

    def leave(self) -> str:
        """The one that has been here longest; the name of its log, if what it says does not count from now on."""
        member, how = self._present[0], self._chance.choice(LEAVING)
        if how == "revoked":
            self.admin("revoke", member.handle, "--reason", "retired")
        self._present.pop(0)
        self._gone.append(member)
        self.counts[how] += 1
        if how == "killed" and member.is_running:
            member.process.kill()
        member.stop()
        return member.handle if how == "revoked" else ""

    def leave_all(self) -> None:
        while self._present:
            member = self._present.pop()
            member.stop()
            self._gone.append(member)

    def restart(self, handle: str) -> None:
        """End an agent, and start it again, as an upgrade does."""
        member = self._scene.members[handle]
        member.stop()
        member.start()
        self.counts["restarted"] += 1

    def admin(self, *words: str) -> str:
        done = ran(admin.main, "--home", self.site.home(ADMIN), *words)
        if done.code:
            raise PutOff(done.err.strip())
        return done.out

    def latencies(self) -> list[float]:
        """Of all entries receipted since this was asked last, in ms."""
        found: list[float] = []
        for member in self._staying:
            while member.latencies:
                found.append(member.latencies.pop())
        return found

    def _joined(self, kind: str, pause: float, to: tuple[str, ...]) -> Timed:
        """Somebody who is needed: tried until it is done."""
        for _ in range(TRIES):
            try:
                return self._join(kind, pause, to)
            except PutOff:
                self.counts["tried again"] += 1
        raise PutOff(f"no {kind} device was let in, in {TRIES} tries")

    def _join(self, kind: str, pause: float, to: tuple[str, ...]) -> Timed:
        # Each try by another name: it may have come further than anybody was told.
        self._number += 1
        handle = f"{kind}-{self._number}"
        home = self.site.home(handle)
        self._enrol(handle, "device")
        for name in to:
            self._link(handle, name)
        (home / "agent.toml").write_text(
            MEASURING.format(to=str(list(to)).replace("'", '"'), pause=pause), "utf-8"
        )
        member = Timed(self.site, handle, ("run", "--json"), {})
        if (papers := self._scene.proxy.papers) is not None:
            papers.homes[member.account] = home
        member.start()
        return member

    def _link(self, handle: str, name: str) -> None:
        for _ in range(TRIES):
            try:
                self.admin("link", handle, name)
            except PutOff:
                self.counts["tried again"] += 1
            else:
                return
        raise PutOff(f"{handle}: not linked to {name}, in {TRIES} tries")

    def _enrol(self, handle: str, kind: str) -> None:
        code = None
        for _ in range(TRIES):
            try:
                # What had no answer in time goes with the next command; joining goes on with the same code.
                code = code or invited(self.site, handle, kind=kind)
                enter(self.site, handle, code)
            except (AssertionError, Unreachable):
                self.counts["tried again"] += 1
            except DeviceError as error:
                raise PutOff(f"{handle}: {error}") from error
            else:
                return
        raise PutOff(f"{handle}: not let in, in {TRIES} tries")

    def check(self) -> None:
        """What those who came and went have receipts for is on the chain, once."""
        with closing(Chain.open(self.site.chain_file)) as chain:
            ids = [parse(leaf).entry.id for _, leaf in chain.store.leaves(0, chain.head.size)]
            twice = [each for each, times in Counter(ids).items() if times > 1]
            assert not twice, f"on the chain more than once: {twice}"
            for member in (*self._unread, *self._gone):
                check_receipted(member, ids)


def check_receipted(member: Member, ids: Sequence[str]) -> None:
    for entry_id, index in member.receipted.items():
        assert ids[index] == entry_id, f"{member.handle}: entry {index} is {ids[index]}, and not {entry_id}"

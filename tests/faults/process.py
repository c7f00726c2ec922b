"""What goes wrong with processes: killed, stopped without being told, or out of memory."""

import resource
import signal
from collections.abc import Iterator
from contextlib import suppress

import psutil

from tests.faults.fault import Fault
from tests.faults.scene import Scene, until

ROLES = ("supervisor", "broker", "committer", "checker", "web", "worker")
LAN_ROLES = (*ROLES, "mosquitto", "authority", "welcome")
"""Of the gateway's processes."""

AGENTS = ("sensor-1", "sensor-2")

SPARE_BYTES = 4 * 2**20
"""What a process that runs out of memory may still have."""


def roles(scene: Scene) -> tuple[str, ...]:
    return (*(LAN_ROLES if scene.site.lan else ROLES), *AGENTS)


def found(scene: Scene, role: str) -> list[psutil.Process]:
    """The processes of a role, if there are any at this moment."""
    if role not in AGENTS:
        return scene.gateway.processes().get(role, [])
    member = scene.members[role]
    return [member.process] if member.is_running else []


class ProcessFault(Fault):
    """Of all processes of one role."""

    def __init__(self, scene: Scene, role: str) -> None:
        self.scene, self.role = scene, role
        self.name = f"{type(self).__name__.lower()}({role})"

    def _victims(self) -> Iterator[psutil.Process]:
        # A checker that was killed alone comes back with its committer, and not before.
        until(lambda: found(self.scene, self.role) or self.role == "checker", f"there is a {self.role}")
        yield from found(self.scene, self.role)

    def _restart(self) -> None:
        """Start what nobody else starts."""
        if self.role in AGENTS and not self.scene.members[self.role].is_running:
            self.scene.members[self.role].kill()
            self.scene.members[self.role].start()
        if self.role == "supervisor" and not self.scene.gateway.is_running:
            self.scene.gateway.start()


class Killed(ProcessFault):
    """
    SIGKILL. In the end it runs again, if its supervisor is well.

    A broker that is killed loses all that it had queued: it has nothing on disk.
    """

    def begin(self) -> None:
        for process in self._victims():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def end(self) -> None:
        self._restart()


class Hung(ProcessFault):
    """SIGSTOP: it is there, holds its locks, ports and connections, and does nothing."""

    def __init__(self, scene: Scene, role: str) -> None:
        super().__init__(scene, role)
        self._stopped: list[psutil.Process] = []

    def begin(self) -> None:
        self._stopped = list(self._victims())
        for process in self._stopped:
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def end(self) -> None:
        for process in self._stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        self._restart()


class OutOfMemory(ProcessFault):
    """
    No allocation succeeds any more but small ones (RLIMIT_AS of the running process, prlimit(2)); in the end it is killed,
    as the kernel does with whoever is largest when there is no memory.

    Not with a control group of its own: the tests need no rights for this, and other groups stay as they are.
    """

    def __init__(self, scene: Scene, role: str) -> None:
        super().__init__(scene, role)
        self._starved: list[psutil.Process] = []

    def begin(self) -> None:
        self._starved = list(self._victims())
        for process in self._starved:
            with suppress(psutil.NoSuchProcess):
                most = process.memory_info().vms + SPARE_BYTES
                process.rlimit(resource.RLIMIT_AS, (most, most))

    def end(self) -> None:
        for process in self._starved:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(self._starved, timeout=30)
        self._restart()


class PowerCut(Fault):
    """All of the gateway ends at once, and is started again."""

    name = "powercut"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def begin(self) -> None:
        self._scene.gateway.crash()

    def end(self) -> None:
        if not self._scene.gateway.is_running:
            self._scene.gateway.start()

"""What goes wrong with processes: killed, stopped without being told, or out of memory."""

import resource
from contextlib import suppress

import psutil

from tests.faults.fault import Fault
from tests.faults.scene import MEMBERS, Scene

GATEWAY = ("supervisor", "broker", "committer", "checker", "web", "worker")
LAN = (*GATEWAY, "mosquitto", "authority", "welcome")

GONE_SECONDS = 30.0


def roles(*, lan: bool) -> tuple[str, ...]:
    return (*(LAN if lan else GATEWAY), *MEMBERS)


class ProcessFault(Fault):
    """Of the processes that have this role when it begins; there may be none, while others are down."""

    def __init__(self, scene: Scene, role: str) -> None:
        self.scene, self.role = scene, role
        self.name = f"{type(self).__name__.lower()}-{role}"
        self.victims: list[psutil.Process] = []

    @property
    def hits(self) -> int:
        return len(self.victims)

    def begin(self) -> None:
        if self.role not in MEMBERS:
            self.victims = self.scene.gateway.processes().get(self.role, [])
        elif self.scene.members[self.role].is_running:
            self.victims = [self.scene.members[self.role].process]
        for process in self.victims:
            with suppress(psutil.NoSuchProcess):
                self.hit(process)

    def end(self) -> None:
        for process in self.victims:
            with suppress(psutil.NoSuchProcess):
                self.spare(process)
        # What no supervisor starts again.
        if self.role in MEMBERS:
            self.scene.members[self.role].revive()
        elif self.role == "supervisor":
            self.scene.gateway.revive()

    def hit(self, process: psutil.Process) -> None:
        raise NotImplementedError

    def spare(self, process: psutil.Process) -> None:
        raise NotImplementedError


class Killed(ProcessFault):
    """
    SIGKILL. In the end it runs again.

    A broker that is killed loses all that it had queued: it has nothing on disk.
    """

    def hit(self, process: psutil.Process) -> None:
        process.kill()

    def spare(self, process: psutil.Process) -> None:
        pass


class Hung(ProcessFault):
    """SIGSTOP: it is there, holds its locks, ports and connections, and does nothing."""

    def hit(self, process: psutil.Process) -> None:
        process.suspend()

    def spare(self, process: psutil.Process) -> None:
        process.resume()


class Starved(ProcessFault):
    """
    It gets no memory from the system any more (RLIMIT_AS of the running process, prlimit(2)), and then it does again.

    Not with a control group: the tests need no rights for this, and nobody's limits are touched but the victim's.
    """

    def hit(self, process: psutil.Process) -> None:
        process.rlimit(resource.RLIMIT_AS, (process.memory_info().vms, resource.RLIM_INFINITY))

    def spare(self, process: psutil.Process) -> None:
        process.rlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class OutOfMemory(Starved):
    """The same; but in the end it is killed, as the kernel does with whoever is largest when there is no memory."""

    def spare(self, process: psutil.Process) -> None:
        process.kill()
        with suppress(psutil.TimeoutExpired):
            process.wait(GONE_SECONDS)


class PowerCut(Fault):
    """All of the gateway ends at once, and is started again."""

    name = "powercut"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    @property
    def hits(self) -> int:
        return 1

    def begin(self) -> None:
        self._scene.gateway.crash()

    def end(self) -> None:
        self._scene.gateway.revive()

"""A building's network that nobody else is on: namespaces of the kernel, with a switch between them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


class Network:
    """Each machine has an interface `eth0`; nothing leads out of it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made: list[str] = []

    def join(self, machine: str, address: str) -> str:
        """Put a machine on it, with an address such as `192.168.1.10`; return its namespace's path."""
        space = self._space(machine)
        inside, outside = "eth0", f"to-{machine}"[:15]
        _ip("-n", self._name, "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", space)
        _ip("-n", self._name, "link", "set", outside, "master", "switch", "up")
        _ip("-n", space, "addr", "add", f"{address}/24", "broadcast", "+", "dev", inside)
        _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", space, "link", "set", inside, "up")
        return f"/run/netns/{space}"

    def _space(self, machine: str) -> str:
        space = f"{self._name}-{machine}"
        _ip("netns", "add", space)
        self._made.append(space)
        return space

    def begin(self) -> None:
        _ip("netns", "add", self._name)
        self._made.append(self._name)
        _ip("-n", self._name, "link", "add", "switch", "type", "bridge")
        _ip("-n", self._name, "link", "set", "switch", "up")

    def end(self) -> None:
        for space in self._made:
            _ip("netns", "delete", space)


@contextmanager
def building(name: str) -> Iterator[Network]:
    network = Network(name)
    try:
        network.begin()
        yield network
    finally:
        network.end()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)

"""A building's network that nobody else is on: namespaces of the kernel, with a switch between them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Network:
    """Each machine has an interface `eth0`; nothing leads out of it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made: list[str] = []

    def begin(self) -> None:
        self._add(self._name)
        _ip("-n", self._name, "link", "add", "switch", "type", "bridge")
        _ip("-n", self._name, "link", "set", "switch", "up")

    def join(self, machine: str, address: str) -> Path:
        """Put a machine on it, with an address such as `192.168.1.10`; return its namespace."""
        space, port = f"{self._name}-{machine}", f"to-{machine}"
        self._add(space)
        _ip("-n", self._name, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("-n", self._name, "link", "set", port, "master", "switch", "up")
        _ip("-n", space, "addr", "add", f"{address}/24", "broadcast", "+", "dev", "eth0")
        for interface in ("lo", "eth0"):
            _ip("-n", space, "link", "set", interface, "up")
        return Path("/run/netns") / space

    def end(self) -> None:
        for space in self._made:
            _ip("netns", "delete", space)

    def _add(self, space: str) -> None:
        _ip("netns", "add", space)
        self._made.append(space)


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

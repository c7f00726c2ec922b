"""By which IPv4 addresses a LAN reaches this machine now (netdevice(7)). They may change at any time."""

import fcntl
import socket
import struct
from contextlib import suppress

from gateway.site import is_loopback

SIOCGIFADDR = 0x8915
"""Asks the kernel for an interface's address."""


def addresses() -> list[str]:
    """Without loopback; in an order that is always the same."""
    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            # An interface may have none.
            with suppress(OSError):
                answer = fcntl.ioctl(any_socket, SIOCGIFADDR, struct.pack("256s", name.encode()))
                found.add(socket.inet_ntoa(answer[20:24]))
    return sorted(address for address in found if not is_loopback(address))

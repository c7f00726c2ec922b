"""Running the embedded broker: bind, say so, serve until told to stop."""

import asyncio
import ipaddress
import logging
import resource
import signal
import socket

from chain import notify
from gateway.broker.door import Door
from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.limits import Limits
from gateway.errors import CannotListen

log = logging.getLogger(__name__)

_SPARE_FILES = 64
"""Descriptors for everything that is not a client."""


def listen(host: str, port: int) -> socket.socket:
    """Bind to a loopback address, and to no other; port 0 lets the system choose."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise CannotListen(f"broker: want a loopback address, got {host!r}") from error
    if not address.is_loopback:
        raise CannotListen(f"broker: want a loopback address, got {host}: it speaks no TLS")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    try:
        return socket.create_server((str(address), port), family=family)
    except OSError as error:
        raise CannotListen(f"broker: cannot listen on {address} port {port}: {error.strerror}") from error


async def serve(
    listener: socket.socket,
    door: Door,
    *,
    gateway: str,
    stop: asyncio.Event,
    limits: Limits | None = None,
) -> None:
    """Serve what `listen` bound until `stop` is set; then close every connection and the listener."""
    limits = limits or Limits()
    allow_files(limits.connections + _SPARE_FILES)
    _hush()
    broker = EmbeddedBroker(listener, door, gateway=gateway, limits=limits)
    await broker.start()
    address, port = listener.getsockname()[:2]
    log.info("broker ready address=%s port=%d", address, port)
    notify.ready()
    beating = asyncio.create_task(_beat())
    await stop.wait()
    beating.cancel()
    await broker.shutdown()
    log.info("broker stopped address=%s port=%d", address, port)


async def _beat() -> None:
    """Everything here is done by this one loop: as long as it goes round, there is progress."""
    heart = notify.Heart()
    while True:
        heart.beat()
        await asyncio.sleep(1)


def run(host: str, port: int, door: Door, *, gateway: str, limits: Limits | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raise `CannotListen` before anything else happens."""
    listener = listen(host, port)
    asyncio.run(_until_signalled(listener, door, gateway, limits))


async def _until_signalled(listener: socket.socket, door: Door, gateway: str, limits: Limits | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(listener, door, gateway=gateway, stop=stop, limits=limits)


def allow_files(wanted: int) -> None:
    """Debian starts services with 1024 descriptors, which as many clients would use up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _hush() -> None:
    """Silence what amqtt, and the state machine that it is built on, say of each step."""
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.WARNING)

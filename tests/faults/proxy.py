"""
A proxy between the broker and its clients that understands MQTT, and so can do to single packets what networks and
brokers do to them.

What it does is said by the disturbances in force (`tests.faults.network`). In a LAN it ends TLS on both sides: it shows
the broker's own certificate to clients, and each client's certificate to the broker.
"""

import asyncio
import heapq
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from device.errors import DeviceError
from device.tls import Tls
from gateway.broker.material import Material
from gateway.broker.packets import Frame, Frames, Kind, Violation
from gateway.errors import BadConfig
from gateway.tls import Files, client_context

CHUNK = 65_536
LONGEST_PACKET = 2**20
LOOK_SECONDS = 0.05
PATIENCE = 30.0
HOST = "localhost"
"""The name in the broker's certificate."""

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing forgets what was not sent, and says RST (socket(7))."""

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(Enum):
    UP = "up"
    """From a client to the broker."""

    DOWN = "down"


class Passing(NamedTuple):
    """A packet that leaves in so many seconds; one that is not `ordered` may overtake what came before it."""

    frame: Frame
    delay: float = 0.0
    ordered: bool = True


class Disturbance:
    """Something that happens to the packets of some clients. By itself it does nothing."""

    who: frozenset[str] | None = None
    """The client ids that it is for; None for all."""

    def concerns(self, client: str) -> bool:
        return self.who is None or client in self.who

    def passes(self, _client: str, _way: Way, frame: Frame) -> Iterable[Passing]:
        """What becomes of a packet; never of a CONNECT."""
        yield Passing(frame)

    def swallows(self, _way: Way) -> bool:
        """Whether nothing at all goes this way, not even the end of the connection."""
        return False

    def refuses(self) -> bool:
        """Whether whoever connects is reset."""
        return False

    def trickles(self) -> int:
        """At most how many bytes leave at a time; 0 for any number."""
        return 0


class Papers:
    """The certificates of a LAN's gateway, and those of the accounts whose `homes` these are."""

    def __init__(self, tls: Path) -> None:
        self.files = Files(tls)
        self.homes: dict[str, Path] = {}

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.files.server)
        context.load_verify_locations(cadata=Material.read(self.files).authorities.decode("ascii"))
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, name: str) -> ssl.SSLContext:
        """To speak to the broker as this client."""
        if name in self.homes:
            return Tls(self.homes[name]).context(own=True)
        own = self.files.web if name.endswith(".web") else self.files.committer
        return client_context(self.files, own)


class _Lane:
    """One way of one connection: what is to leave, in the order in which it does."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.grain = 0
        """At most how many bytes leave at a time; 0 for any number."""
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[float, int, bytes]] = []
        self._number = count()
        self._last = 0.0
        self._drops = bytearray()

    def send(self, passing: Passing) -> None:
        due = self._loop.time() + passing.delay
        if passing.ordered:
            due = self._last = max(due, self._last)
        heapq.heappush(self._waiting, (due, next(self._number), passing.frame.raw))
        self._loop.call_at(due, self._flush)

    def _flush(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._loop.time():
            _, _, data = heapq.heappop(self._waiting)
            if self.grain or self._drops:
                dripping = bool(self._drops)
                self._drops += data
                if not dripping:
                    self._drip()
            elif not self.writer.is_closing():
                self.writer.write(data)
        if self._waiting:
            # A loop's clock is coarse: it may have called a little early.
            self._loop.call_at(self._waiting[0][0] + 0.001, self._flush)

    def _drip(self) -> None:
        size = self.grain or len(self._drops)
        if not self.writer.is_closing():
            self.writer.write(bytes(self._drops[:size]))
        del self._drops[:size]
        if self._drops:
            self._loop.call_later(0.01, self._drip)


class _Connection:
    """A client on one side, the broker on the other."""

    def __init__(self, name: str, up: _Lane, down: _Lane) -> None:
        self.name = name
        self.lanes = {Way.UP: up, Way.DOWN: down}
        self.deaf: set[Way] = set()
        """Ways on which nothing goes any more: once something was swallowed, the rest makes no sense."""

    def end(self, *, reset: bool) -> None:
        for lane in self.lanes.values():
            _end(lane.writer, reset=reset)


def _end(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if not reset:
        writer.close()
        return
    with suppress(OSError):
        # There is none where TLS has ended already.
        if (sock := writer.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


class Proxy:
    """Listens on `port` of loopback from the beginning; the broker is at `broker`. It has a thread of its own."""

    def __init__(self, port: int, broker: int, papers: Papers | None = None) -> None:
        self.papers = papers
        self._broker = broker
        self._disturbances: tuple[Disturbance, ...] = ()
        self._open: set[_Connection] = set()
        self._held: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._listener.setblocking(False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    # For other threads

    def add(self, disturbance: Disturbance) -> None:
        self._call(lambda: self._set((*self._disturbances, disturbance)))

    def remove(self, disturbance: Disturbance) -> None:
        """What it has made deaf stays so, until it is cut or its ends give it up."""
        self._call(lambda: self._set(tuple(each for each in self._disturbances if each is not disturbance)))

    def cut(self, disturbance: Disturbance, *, reset: bool) -> int:
        """End the connections that it concerns, and those that wait for their first word; return how many."""
        return self._call(lambda: self._cut(disturbance, reset=reset))

    def clients(self) -> set[str]:
        """Who is connected, and heard."""
        return self._call(lambda: {each.name for each in self._open if not each.deaf})

    def close(self) -> None:
        self._call(self._stop)
        self._thread.join()

    def _call(self, do: Callable[[], T]) -> T:
        async def done() -> T:
            return do()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE)

    # On its own

    def _run(self) -> None:
        accepting = self._loop.create_task(self._accept())
        self._loop.run_forever()
        for task in (accepting, *self._tasks):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(accepting, *self._tasks, return_exceptions=True))
        # What was closed just now is told so in the next turns.
        self._loop.run_until_complete(asyncio.sleep(LOOK_SECONDS))
        self._listener.close()
        self._loop.close()

    def _stop(self) -> None:
        for connection in self._open:
            connection.end(reset=True)
        for writer in self._held:
            _end(writer, reset=True)
        self._loop.call_soon(self._loop.stop)

    def _set(self, disturbances: tuple[Disturbance, ...]) -> None:
        self._disturbances = disturbances

    def _cut(self, disturbance: Disturbance, *, reset: bool) -> int:
        concerned = [each for each in self._open if disturbance.concerns(each.name)]
        for each in concerned:
            each.end(reset=reset)
        for silent in list(self._held):
            _end(silent, reset=reset)
        return len(concerned)

    async def _accept(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            task = self._loop.create_task(self._attend(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _attend(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if any(each.refuses() for each in self._disturbances):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
            return
        # Whoever does not speak MQTT, or goes in the middle of it, is let go; certificates are away while they are restored.
        with suppress(OSError, Violation, EOFError, BadConfig, DeviceError):
            reader, writer = await self._streams(client)
            try:
                await self._between(reader, writer)
            finally:
                writer.close()

    async def _streams(self, client: socket.socket) -> Streams:
        reader = asyncio.StreamReader(limit=CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            context = None if self.papers is None else self.papers.server()
            transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, client, ssl=context)
        except BaseException:
            client.close()
            raise
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames(LONGEST_PACKET)
        first, *rest = await self._first(reader, writer, frames)
        name = client_id(first)
        from_broker, to_broker = await self._to_broker(name)
        connection = _Connection(name, _Lane(to_broker), _Lane(writer))
        self._open.add(connection)
        try:
            to_broker.write(first.raw)
            for frame in rest:
                self._pass(connection, Way.UP, frame)
            await asyncio.gather(
                self._pump(connection, Way.UP, reader, frames),
                self._pump(connection, Way.DOWN, from_broker, Frames(LONGEST_PACKET)),
            )
        finally:
            self._open.discard(connection)
            to_broker.close()

    async def _first(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frames: Frames
    ) -> list[Frame]:
        """The CONNECT, and what came with it."""
        self._held.add(writer)
        try:
            while data := await reader.read(CHUNK):
                if found := list(frames.feed(data)):
                    if found[0].kind != Kind.CONNECT:
                        raise Violation("not a CONNECT")
                    await self._spoken_to(client_id(found[0]))
                    return found
        finally:
            self._held.discard(writer)
        raise EOFError

    async def _spoken_to(self, name: str) -> None:
        """Return when nothing keeps this client from being answered."""
        while any(each.concerns(name) and each.swallows(Way.DOWN) for each in self._disturbances):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)

    async def _to_broker(self, name: str) -> Streams:
        tls: dict[str, Any] = {}
        if self.papers is not None:
            tls = {"ssl": self.papers.client(name), "server_hostname": HOST}
        return await asyncio.open_connection("127.0.0.1", self._broker, limit=CHUNK, **tls)

    async def _pump(
        self, connection: _Connection, way: Way, reader: asyncio.StreamReader, frames: Frames
    ) -> None:
        writer = connection.lanes[way].writer
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for frame in frames.feed(data):
                    self._pass(connection, way, frame)
                await writer.drain()
        if self._hears(connection, way):
            writer.close()

    def _hears(self, connection: _Connection, way: Way) -> bool:
        if any(each.concerns(connection.name) and each.swallows(way) for each in self._disturbances):
            connection.deaf.add(way)
        return way not in connection.deaf

    def _pass(self, connection: _Connection, way: Way, frame: Frame) -> None:
        if not self._hears(connection, way):
            return
        concerned = [each for each in self._disturbances if each.concerns(connection.name)]
        passing = [Passing(frame)]
        for each in concerned:
            passing = [
                Passing(after.frame, before.delay + after.delay, before.ordered and after.ordered)
                for before in passing
                for after in each.passes(connection.name, way, before.frame)
            ]
        lane = connection.lanes[way]
        lane.grain = max((each.trickles() for each in concerned), default=0)
        for one in passing:
            lane.send(one)


def client_id(connect: Frame) -> str:
    """As a CONNECT says it (MQTT 3.1.1, section 3.1): behind the protocol's name, its level, flags and keepalive."""
    body = connect.raw[connect.body_at :]
    at = 2 + int.from_bytes(body[:2], "big") + 4
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : end].decode("utf-8", "replace")

"""Requests to the gateway's web server, many at a time from one thread: the load is to take little of the machine."""

import selectors
import socket
import time
from collections.abc import Callable
from itertools import cycle

from msgspec import Struct

from bench.errors import BenchError
from bench.site import Sender
from bench.worker import Begin
from chain import token
from gateway.site import Settings

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length: "
OK = b"HTTP/1.1 200 "
PIECE_BYTES = 262_144
PATIENCE_SECONDS = 60.0
WATCH_SECONDS = 180.0


def request(method: str, path: str, account: Sender, settings: Settings, body: bytes | None = None) -> bytes:
    """One as it is sent. Its token holds for two minutes."""
    key = account.key
    audience = token.audience(account.origin, token.REST)
    bearer = token.make(key.account, audience=audience, now=time.time(), kid=key.kid, signer=key.sign)
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {settings.http_host}:{settings.http_port}",
        f"Authorization: Bearer {bearer}",
    ]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + (body or b"")


def connected(settings: Settings) -> socket.socket:
    connection = socket.create_connection((settings.http_host, settings.http_port), timeout=PATIENCE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Answers:
    """Cuts what comes over one connection into answers."""

    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, piece: bytes) -> bytes | None:
        """The body, once it is whole; raise `BenchError` for any answer but 200."""
        self._data += piece
        head, end, body = bytes(self._data).partition(HEAD_END)
        if not end:
            return None
        if not head.startswith(OK):
            raise BenchError(
                f"web: {head[:200].decode(errors='replace')}: {body[:200].decode(errors='replace')}"
            )
        _, _, length = (head.lower() + b"\r\n").partition(LENGTH)
        if len(body) < int(length.partition(b"\r\n")[0]):
            return None
        self._data.clear()
        return body


class Job(Struct, frozen=True):
    """Requests to make, over and over, `at_once` under way at any time, until `total` are answered."""

    settings: Settings
    requests: list[bytes]
    at_once: int
    total: int


class Asked(Struct, frozen=True):
    """When the last answer came (monotonic seconds), how long each one took, and their bytes in all."""

    ended: float
    latencies: list[float]
    bytes: int


def ask(begin: Begin, job: Job) -> Asked:
    """Do it; raise `BenchError` if a request is not answered."""
    selector = selectors.DefaultSelector()
    clients = [_Client(connected(job.settings)) for _ in range(job.at_once)]
    for client in clients:
        selector.register(client.connection, selectors.EVENT_READ, client)
    begin()
    waiting = iter(cycle(job.requests))
    left = job.total
    latencies: list[float] = []
    size = 0
    for client in clients[:left]:
        client.send(next(waiting))
        left -= 1
    while len(latencies) < job.total:
        ready = selector.select(PATIENCE_SECONDS)
        if not ready:
            raise BenchError(f"web: no answer within {PATIENCE_SECONDS:g} seconds")
        for key, _ in ready:
            answer = key.data.read()
            if answer is None:
                continue
            size += len(answer)
            latencies.append(time.monotonic() - key.data.sent)
            if left:
                left -= 1
                key.data.send(next(waiting))
    ended = time.monotonic()
    for client in clients:
        client.connection.close()
    selector.close()
    return Asked(ended, latencies, size)


class _Client:
    """One connection, with one request under way."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.sent = 0.0
        self._answers = Answers()

    def send(self, data: bytes) -> None:
        self.sent = time.monotonic()
        self.connection.sendall(data)

    def read(self) -> bytes | None:
        """The answer, once it is whole."""
        return self._answers.add(_piece(self.connection))


class Watch(Struct, frozen=True):
    """Open pages: the request of each, and how many entries each is told of."""

    settings: Settings
    requests: list[bytes]
    entries: int


ENTRY = b"event: entry\n"


def watch(begin: Begin, job: Watch) -> list[list[float]]:
    """Hold the pages open; return when each was told of its entries (monotonic seconds)."""
    selector = selectors.DefaultSelector()
    pages = [_Page(connected(job.settings), data) for data in job.requests]
    for page in pages:
        selector.register(page.connection, selectors.EVENT_READ, page)
    # Only who was greeted is sure to be told.
    _turn(selector, lambda: all(page.is_open for page in pages))
    begin()
    _turn(selector, lambda: all(len(page.told) >= job.entries for page in pages))
    for page in pages:
        page.connection.close()
    selector.close()
    return [page.told for page in pages]


class _Page:
    """An event stream of a page."""

    def __init__(self, connection: socket.socket, data: bytes) -> None:
        self.connection = connection
        self.connection.sendall(data)
        self.told: list[float] = []
        self.is_open = False
        self._rest = b""

    def work(self) -> None:
        data = self._rest + _piece(self.connection)
        self.is_open = self.is_open or b"retry:" in data
        self.told += [time.monotonic()] * data.count(ENTRY)
        # What is counted is not to be counted again, and may have come in two pieces.
        _, _, data = data.rpartition(ENTRY)
        self._rest = data[1 - len(ENTRY) :]


def _turn(selector: selectors.BaseSelector, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WATCH_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise BenchError(f"web: not every page was told within {WATCH_SECONDS:g} seconds")
        for key, _ in selector.select(1):
            key.data.work()


def _piece(connection: socket.socket) -> bytes:
    data = connection.recv(PIECE_BYTES)
    if not data:
        raise BenchError("web: the server closed a connection")
    return data

"""One accepted socket: whole packets in, bytes out."""

import asyncio
import socket
from collections.abc import AsyncGenerator

from gateway.broker.packets import Frame, Frames, Violation

_CHUNK = 64 * 1024


class Wire:
    """What is sent within one turn of the event loop leaves in one write, and at once."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        packet_bytes: int,
        unsent_bytes: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = reader
        self._writer = writer
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._most_unsent = unsent_bytes
        self.frames = Frames(packet_bytes)
        self.heard = self._loop.time()
        # asyncio does this only for sockets made with IPPROTO_TCP spelt out, which a bound listener's are not.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def is_closing(self) -> bool:
        return self._writer.transport.is_closing()

    @property
    def unsent_bytes(self) -> int:
        return self._pending_bytes + self._writer.transport.get_write_buffer_size()

    async def packets(self) -> AsyncGenerator[Frame, None]:
        """
        End at end of file, or when this side has closed.

        Whoever asks and does not read the answers is in violation. Reading does not wait for
        them instead: what makes room for others, PUBACK, comes in by the same way.
        """
        while data := await self._reader.read(_CHUNK):
            self.heard = self._loop.time()
            for frame in self.frames.feed(data):
                if self.is_closing:
                    return
                yield frame
            if self.unsent_bytes > self._most_unsent:
                raise Violation("does not read what it is sent")

    def send(self, data: bytes) -> None:
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(data)
        self._pending_bytes += len(data)

    def close(self) -> None:
        """Let what was sent go out, then close."""
        self._flush()
        self._writer.close()

    def cut(self) -> None:
        """Close at once, forgetting what a client has not read."""
        self._pending.clear()
        self._pending_bytes = 0
        self._writer.transport.abort()

    def _flush(self) -> None:
        if self._pending and not self.is_closing:
            self._writer.write(b"".join(self._pending))
        self._pending.clear()
        self._pending_bytes = 0

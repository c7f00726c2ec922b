"""
The checker's process: it checks the signatures that `gateway.checker` hands it.

It imports next to nothing, so that it is small, and soon there.
"""

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

from chain import ed25519
from chain.errors import ChainError

TAKEN_BYTES = 2**20
SIZE = struct.Struct("!I")
"""How long the claims are that follow, handed over together."""

HEAD = struct.Struct("!32s64sI")
"""Public key, signature, and the length of the message that follows."""

FAILS, HOLDS = 0, 1


def serve() -> None:
    """The process: check what comes on standard input, answer in order, end with it."""
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as committer, suppress(ConnectionError):
        waiting = bytearray()
        while _fill(waiting, committer):
            end = SIZE.size + SIZE.unpack_from(waiting)[0]
            claims = memoryview(bytes(waiting[SIZE.size : end]))
            del waiting[:end]
            committer.sendall(bytes(_verdicts(claims)))


def _fill(waiting: bytearray, committer: socket.socket) -> bool:
    """
    Take what there is, and wait for the rest of the first claims; whether there are any.

    All that there is, so that the committer does not have to wait for room.
    """
    while True:
        is_whole = len(waiting) >= SIZE.size and len(waiting) >= SIZE.size + SIZE.unpack_from(waiting)[0]
        try:
            more = committer.recv(TAKEN_BYTES, socket.MSG_DONTWAIT if is_whole else 0)
        except BlockingIOError:
            return True
        if not more:
            return False
        waiting += more


def _verdicts(claims: memoryview) -> Iterator[int]:
    while claims:
        key, signature, size = HEAD.unpack_from(claims)
        end = HEAD.size + size
        try:
            ed25519.verify(key, signature, bytes(claims[HEAD.size : end]), what="entry")
        except ChainError:
            yield FAILS
        else:
            yield HOLDS
        claims = claims[end:]


if __name__ == "__main__":
    serve()

"""
Signatures checked ahead, by a process of its own.

Ed25519 is a third of what an entry costs the committer, and the committer is one process on one core. So it hands
a block's signatures over before it looks at the first entry, and by the time it needs them most are known. What
was not handed over, or whose checker is gone, is checked on the spot: this is only ever faster, never laxer.
"""

import logging
import socket
import struct
import subprocess
import sys

from chain import ed25519
from chain.entry import Account, SignedEntry
from chain.errors import ChainError, Unverified
from chain.identity import SigningKey
from chain.state import State

log = logging.getLogger(__name__)

BUFFER_BYTES = 4 * 2**20
"""What the system is asked to hold for the checker, so that handing over does not wait for it."""

PATIENCE = 5.0
"""Seconds without a result, or without room to hand over, after which the checker counts as lost."""

TOGETHER = 16
"""Signatures in one writing: fewer cost system calls, more let the checker wait."""

KNOWN_KEYS = 4096
_HEAD = struct.Struct("!32s64sI")
"""Public key, signature, and the length of the message that follows."""

HOLDS, FAILS = b"\x01", b"\x00"


class Checker:
    """Checks one batch at a time. `check` is a `chain.rules.Check`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._keys: dict[str, SigningKey] = {}
        self._places: dict[bytes, int] = {}
        self._results = b""
        self._claims = bytearray()
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        # A process that is stopped, not ended, must not stop the committer with it.
        ours.settimeout(PATIENCE)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway.checker"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                start_new_session=True,  # Ctrl-C is for the committer: the checker ends with its input
            )
        self._socket: socket.socket | None = ours

    def close(self) -> None:
        """End the process."""
        self._drop()
        self._process.wait()

    def begin(self) -> None:
        """Begin a batch; the results of the one before are forgotten."""
        self._collect(len(self._places))
        self._places, self._results = {}, b""
        self._claims.clear()

    def add(self, signed: SignedEntry) -> None:
        """Hand over an entry's signature, a few together."""
        key = self._key_of(signed)
        if key is None or signed.leaf in self._places or self._socket is None:
            return
        self._places[signed.leaf] = len(self._places)
        self._claims += _HEAD.pack(key.raw, signed.signed.signature, len(signed.signed.signed))
        self._claims += signed.signed.signed
        if len(self._places) % TOGETHER == 0:
            self.flush()

    def flush(self) -> None:
        """Hand over what is left of the batch."""
        if self._socket is not None and self._claims:
            try:
                self._socket.sendall(self._claims)
            except OSError as error:
                self._lost(error)
        self._claims.clear()

    def check(self, signed: SignedEntry, key: SigningKey) -> None:
        """Raise `Unverified` unless `key` signed the entry."""
        place = self._places.get(signed.leaf)
        if place is None or signed.kid != key.thumbprint or not self._collect(place + 1):
            signed.verify(key)
        elif self._results[place : place + 1] != HOLDS:
            raise Unverified("the Ed25519 signature does not hold")

    def _key_of(self, signed: SignedEntry) -> SigningKey | None:
        """The key that the entry names. Its name is its hash, so it is the same for ever."""
        if isinstance(signed.entry, Account):
            return None
        key = self._keys.get(signed.kid)
        if key is None:
            key = self._state.signing_key(signed.kid)
            if key is not None:
                if len(self._keys) >= KNOWN_KEYS:
                    self._keys.clear()
                self._keys[signed.kid] = key
        return key

    def _collect(self, wanted: int) -> bool:
        """Wait for the first `wanted` results; whether they are there."""
        while len(self._results) < wanted and self._socket is not None:
            try:
                more = self._socket.recv(4096)
            except OSError as error:
                self._lost(error)
                break
            if not more:
                self._lost(EOFError("it ended"))
                break
            self._results += more
        return len(self._results) >= wanted

    def _lost(self, error: Exception) -> None:
        log.error("signature checker lost reason=%s; checking here from now on", error)
        self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def serve() -> None:
    """The process: check what comes on standard input, answer in order, end with it."""
    claims, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := claims.read(_HEAD.size):
        key, signature, size = _HEAD.unpack(head)
        try:
            ed25519.verify(key, signature, claims.read(size), what="entry")
        except ChainError:
            answers.write(FAILS)
        else:
            answers.write(HOLDS)
        answers.flush()


if __name__ == "__main__":
    serve()

"""
Signatures checked ahead, by a process of its own.

Ed25519 is about half of what an entry takes, and the committer is one process on one core. So it hands a block's
signatures over while it reads the block, and where more is waiting, those of the next one, too: by the time it needs
them most are known. What was not handed over, or whose checker is gone, is checked on the spot: this is only ever
faster, never laxer. One such process is enough: the committer's own part of an entry takes it as long.
"""

import logging
import socket
import subprocess
import sys

from chain.entry import Account, SignedEntry
from chain.errors import Unverified
from chain.identity import SigningKey
from chain.state import State
from gateway.checking import HEAD, HOLDS, SIZE

log = logging.getLogger(__name__)

BUFFER_BYTES = 4 * 2**20
"""What the system is asked to hold for the checker, so that handing over does not wait for it."""

PATIENCE = 5.0
"""Seconds without a result, or without room to hand over, after which the checker counts as lost."""

TOGETHER = 16
"""Signatures handed over at once: fewer cost system calls, more let the checker wait."""

KNOWN_KEYS = 4096


class Checker:
    """Checks two batches at a time: the one that is decided on, and the next. `check` is a `chain.rules.Check`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._keys: dict[str, SigningKey] = {}
        # Where the result of a leaf comes, counted from the first one ever.
        self._before: dict[bytes, int] = {}
        self._places: dict[bytes, int] = {}
        self._handed = 0
        self._first = 0
        self._results = b""
        self._claims = bytearray()
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        # A process that is stopped, not ended, must not stop the committer with it.
        ours.settimeout(PATIENCE)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway.checking"],
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
        """Begin a batch; the results of the one before the last are forgotten."""
        self.flush()
        done = len(self._before)
        self._collect(self._first + done)
        self._results = self._results[done:]
        self._first += done
        self._before, self._places = self._places, {}

    def add(self, signed: SignedEntry) -> None:
        """Hand over an entry's signature, a few together."""
        key = self._key_of(signed)
        if key is None or signed.leaf in self._places or self._socket is None:
            return
        self._places[signed.leaf] = self._handed
        self._handed += 1
        self._claims += HEAD.pack(key.raw, signed.signed.signature, len(signed.signed.signed))
        self._claims += signed.signed.signed
        if self._handed % TOGETHER == 0:
            self.flush()

    def flush(self) -> None:
        """Hand over what is left of the batch."""
        if self._socket is not None and self._claims:
            try:
                self._socket.sendall(SIZE.pack(len(self._claims)) + self._claims)
            except OSError as error:
                self._lost(error)
        self._claims.clear()

    def check(self, signed: SignedEntry, key: SigningKey) -> None:
        """Raise `Unverified` unless `key` signed the entry."""
        place = self._before.get(signed.leaf, self._places.get(signed.leaf))
        if place is None or signed.kid != key.thumbprint or not self._collect(place + 1):
            signed.verify(key)
        elif self._results[place - self._first] != HOLDS:
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

    def _collect(self, end: int) -> bool:
        """Wait for the results up to `end`; whether they are there."""
        while self._first + len(self._results) < end and self._socket is not None:
            try:
                more = self._socket.recv(4096)
            except OSError as error:
                self._lost(error)
                break
            if not more:
                self._lost(EOFError("it ended"))
                break
            self._results += more
        return self._first + len(self._results) >= end

    def _lost(self, error: Exception) -> None:
        log.error("signature checker lost reason=%s; checking here from now on", error)
        self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

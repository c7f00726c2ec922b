"""
The whole chain checked on demand, by a process of its own: it takes minutes of a core, which nobody else is to miss.

One check at a time. The process ends with whoever asked: its standard input is closed then.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from chain.audit import audit
from chain.errors import Damaged
from chain.health import Done, Idle, Running

log = logging.getLogger(__name__)

NICENESS = 10
"""Of the process: receipts come first."""


class Verdict(Struct, frozen=True):
    """What the process says at its end."""

    ok: bool
    height: int
    size: int
    detail: str


_verdicts = msgspec.json.Decoder(Verdict)


class Auditor:
    """Checks the chain in `file` when asked. `clock` gives ms since 1970."""

    def __init__(self, file: Path, clock: Callable[[], int]) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._state: Idle | Running | Done = Idle()

    @property
    def state(self) -> Idle | Running | Done:
        return self._state

    def begin(self) -> None:
        """Begin a check, unless one is running."""
        with self._lock:
            if isinstance(self._state, Running):
                return
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway.auditor", str(self._file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the server: this ends with its input
            )
            self._state = Running(self._clock())
        threading.Thread(target=self._await, args=(process, self._clock()), name="audit", daemon=True).start()

    def _await(self, process: subprocess.Popen[bytes], began: int) -> None:
        assert process.stdout is not None
        with process:
            said = process.stdout.read()
        try:
            verdict = _verdicts.decode(said)
        except msgspec.DecodeError:
            verdict = Verdict(
                ok=False,
                height=-1,
                size=0,
                detail=f"the check came to no end (exit code {process.returncode}); begin it again",
            )
        now = self._clock()
        log.info("chain checked ok=%s height=%d detail=%s", verdict.ok, verdict.height, verdict.detail)
        self._state = Done(at=now, ms=now - began, **msgspec.structs.asdict(verdict))


def verdict_of(file: Path) -> Verdict:
    """Check the whole file, and say what is the case."""
    held = 0

    def count(done: int, _all: int) -> None:
        nonlocal held
        held = done

    try:
        report = audit(file, progress=count)
    except Damaged as error:
        return Verdict(ok=False, height=error.height, size=held, detail=str(error))
    detail = "every hash, link, signature and root holds, and the state is what the entries say"
    return Verdict(ok=True, height=report.height, size=report.size, detail=detail)


def serve(file: Path) -> None:
    """The process."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    os.nice(NICENESS)
    sys.stdout.buffer.write(msgspec.json.encode(verdict_of(file)))


def _end_with_input() -> None:
    # Not by way of `sys.stdin`: Python would wait for its lock at the end.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

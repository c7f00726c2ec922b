"""A command as a child process that cannot outlive the agent that runs it, nor learn its secrets."""

import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from subprocess import DEVNULL, PIPE, Popen
from typing import Self

from device.lines import Lines

log = logging.getLogger(__name__)

READ_BYTES = 64 * 1024
"""As much as a pipe holds: one read empties it."""

STDERR_BYTES = 200
"""How much of a line on stderr is kept."""

STDERR_LINES = 100
"""How many such lines of one child are logged at level info; the rest are at debug."""

GRACE_SECONDS = 1.0
"""How long a command that was asked to end may take, before it is killed."""

INHERITED = frozenset({"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"})


class Child:
    """
    One run of a command, in a process group of its own.

    It belongs to the thread that made it: where the system has `setpriv`, the kernel kills the command
    when that thread ends, so that it dies with an agent that had no time to close anything. Whatever
    the command had started by then ends at its next write, to a pipe that nobody reads.
    """

    def __init__(self, name: str, command: Sequence[str], says: Mapping[str, str] | None = None) -> None:
        """`says` is added to the command's environment. Raise `OSError` if it cannot be started."""
        self.last_words = ""
        """The newest line on stderr: it often says why there is no reading."""
        self._name = name
        self._stderr_lines = Lines(STDERR_BYTES)
        self._stderr_count = 0
        self._process = Popen(
            [*_leash(), *command],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env={
                **environment(os.environ, own_commands=Path(sys.executable).parent),
                **(says or {}),
            },
            start_new_session=True,
        )
        assert self._process.stdout
        assert self._process.stderr
        self._stdout = self._process.stdout
        self._stderr = self._process.stderr
        self._open = DefaultSelector()
        self._open.register(self._stdout, EVENT_READ)
        self._open.register(self._stderr, EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, seconds: float) -> bytes | None:
        """What stdout says within `seconds`, which may be nothing yet; None when the command has ended."""
        # Asked first: what a command wrote before it ended is then there to be read. The pipe's end
        # is no sign of it: a grandchild may hold the pipe open, and a command close it and go on.
        ended = self._has_ended()
        data = self._take(0 if ended else seconds)
        return None if ended and not data else data

    def finish(self) -> int:
        """Kill what is left of the group; how the command ended, as `subprocess` spells it."""
        self._signal(signal.SIGKILL)
        # A process that hangs in a driver cannot be killed. Then this waits, and there is one such
        # process at most for each sensor, rather than one more at every poll.
        return self._process.wait()

    def close(self, grace: float = GRACE_SECONDS) -> None:
        """End the whole group, politely if it lets us within so many seconds."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + grace
            while not self._has_ended() and time.monotonic() < deadline:
                time.sleep(0.01)
            self.finish()
        self._open.close()
        self._stdout.close()
        self._stderr.close()

    def _has_ended(self) -> bool:
        """Ask without reaping: until then the kernel gives the group's number to nobody else."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _signal(self, what: signal.Signals) -> None:
        # A command that made itself another user's (sudo) ends by its closed pipes, or not at all.
        with suppress(PermissionError):
            os.killpg(self._process.pid, what)

    def _take(self, seconds: float) -> bytes:
        # At the end of stdout the command is about to end: worth a short wait, not a long one.
        ready = self._open.select(seconds if self._stdout in self._open.get_map() else min(seconds, 0.02))
        data = b""
        for key, _ in ready:
            heard = os.read(key.fd, READ_BYTES)
            if not heard:
                self._open.unregister(key.fileobj)
            elif key.fileobj is self._stdout:
                data = heard
            else:
                self._note(heard)
        return data

    def _note(self, heard: bytes) -> None:
        for line in self._stderr_lines.feed(heard):
            self.last_words = line[:STDERR_BYTES].decode(errors="replace").strip()
            self._stderr_count += 1
            level = logging.INFO if self._stderr_count <= STDERR_LINES else logging.DEBUG
            log.log(level, "command stderr name=%s line=%a", self._name, self.last_words)


def environment(own: Mapping[str, str], *, own_commands: Path) -> dict[str, str]:
    """
    What of the agent's environment a command sees: no credentials, no sockets of systemd.

    The agent's own commands are found last, also where its virtual environment was never activated.
    """
    passed = {name: value for name, value in own.items() if name in INHERITED or name.startswith("LC_")}
    return {**passed, "PATH": f"{own.get('PATH', os.defpath)}{os.pathsep}{own_commands}"}


def _leash() -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()

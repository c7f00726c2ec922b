"""Somebody at a terminal: runs a command, and types what it asks for."""

import os
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence

PATIENCE = 600.0
"""Seconds after which a command is given up; none measures time."""


def typed(
    command: Sequence[str], answers: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> str:
    """
    Run it on a terminal of its own; return what was to be read there. Raises `AssertionError` unless it ends well.

    Whenever it waits behind a question that one of `answers` (a pattern, and what to type) fits, that is typed.
    """
    ours, theirs = os.openpty()
    # What asks for a passphrase asks the terminal that its session is at.
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    try:
        said = "".join(_conversation(ours, answers))
        code = process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert code == 0, f"{command[-1]}: ended with {code}:\n{said}"
    return said


def _conversation(terminal: int, answers: Mapping[str, str]) -> list[str]:
    said, end = [""], time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # EIO: nobody has the other end any more
            return said
        said.append(chunk.decode("utf-8", "replace").replace("\r\n", "\n"))
        question = "".join(said[-2:]).rpartition("\n")[2]
        for pattern, answer in answers.items():
            if re.search(pattern, question):
                os.write(terminal, f"{answer}\n".encode())
                # It is answered once.
                said.append("\n")
    raise AssertionError(f"it does not end:\n{''.join(said)}")

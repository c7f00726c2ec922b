"""
A wall clock that leaps, and with it nothing else: libfaketime, loaded into the processes that are given its environment.

What tells them how long the machine is up stays as it is, for nobody sets that either.
"""

from pathlib import Path

LIBRARY = "*/faketime/libfaketimeMT.so.1"
"""Where Debian has it, below /usr/lib: `*` is the architecture."""

SLEEP = '''"""
Python sleeps until an absolute time (clock_nanosleep(2)), and that libfaketime 0.9.10 answers with EINVAL.
"""

import threading
import time


def sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


time.sleep = sleep
'''


class FakedClock:
    """`folder` is its own. At first it is right."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._file = folder / "offset"
        # Python runs a module of this name when it starts.
        (folder / "sitecustomize.py").write_text(SLEEP, "utf-8")
        (library,) = Path("/usr/lib").glob(LIBRARY)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(folder),
        }
        self.set(hours=0)

    def set(self, *, hours: int) -> None:
        """So far ahead of the true time from now on, or behind it."""
        written = self._file.with_name("written")
        written.write_text(f"{hours * 3600:+d}\n", "ascii")
        written.rename(self._file)

"""A thermometer's probe for the demo: a file that stands for it, and is pulled out now and then."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event

FIRST_SECONDS = 10.0
OUT_SECONDS = 15.0
IN_SECONDS = 105.0

READ = 'cat "$0" 2> /dev/null || { echo "no probe" >&2; exit 1; }'


class Probe:
    """A sensor that really fails: without it there is no alert in the page for anybody to take."""

    def __init__(self, folder: Path) -> None:
        self._in, self._out = folder / "probe", folder / "probe.out"

    def settings(self) -> str:
        """Its part of an agent.toml."""
        command = json.dumps(["sh", "-c", READ, str(self._in)])
        return f'[sensors.probe]\nmode = "poll"\nevery = 2\nunit = "Cel"\ncommand = {command}\n'

    def plug_in(self) -> None:
        self._in.write_text("4.2\n", "ascii")

    def run(self, over: Event, tell: Callable[[str], None]) -> None:
        """Pull it out and plug it in again until `over` is set, and tell of it; for a thread of its own."""
        seconds = FIRST_SECONDS
        while not over.wait(seconds):
            # A rename: nobody ever reads half a file.
            self._in.rename(self._out)
            tell("somebody pulled it out")
            if over.wait(OUT_SECONDS):
                return
            self._out.rename(self._in)
            tell("somebody plugged it in again")
            seconds = IN_SECONDS

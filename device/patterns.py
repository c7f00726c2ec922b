"""An annunciator's settings: one TOML file that says what it runs for which alerts."""

from pathlib import Path
from typing import Annotated, Self

from msgspec import Meta, Struct

from device.annunciator import LOUDEST_FIRST, Level, Sound
from device.config import Command, Seconds, converted, read_document

TIMEOUT_SECONDS = 10.0
FAULT_SECONDS = 60.0

EXAMPLE = """\
# What to run while an alert waits for somebody. A command is written word by word; there is no shell. It learns from
# its environment what it sounds for: BLOCKPOST_SOUND (the table's name), BLOCKPOST_PRIORITY, BLOCKPOST_KIND
# (physiological or technical) and BLOCKPOST_COUNT, how many alerts wait.

fault_after = 60    # seconds without the gateway until `fault` sounds

# `repeat` runs it every so many seconds, `hold` starts it and keeps it running, `once` runs it once for each alert.
[high]
mode = "repeat"
command = ["aplay", "-q", "/usr/share/sounds/alsa/Front_Center.wav"]
every = 2           # seconds from one start to the next
timeout = 10        # seconds one run may take; left out: 10

[medium]
mode = "repeat"
command = ["aplay", "-q", "/usr/share/sounds/alsa/Front_Center.wav"]
every = 10

# What has no table does not sound. Here that is `info`.
[low]
mode = "once"
command = ["aplay", "-q", "/usr/share/sounds/alsa/Front_Center.wav"]

# All steps of an escalation have passed, and nobody answered. Without this table it sounds as its priority does.
# This one drives a GPIO pin, and lets it go when it is stopped.
[nobody]
mode = "hold"
command = ["gpioset", "--mode=signal", "gpiochip0", "17=1"]

# The condition is over, and still nobody said that they have seen it. Without this table it sounds as before.
[ended.high]
mode = "repeat"
command = ["aplay", "-q", "/usr/share/sounds/alsa/Front_Center.wav"]
every = 30

# The gateway is out of reach: this annunciator would not hear of an alert. It has to be told from a calm ward.
[fault]
mode = "repeat"
command = ["aplay", "-q", "/usr/share/sounds/alsa/Noise.wav"]
every = 60

# Once, when nothing sounds any more, and at the start: it puts right what a power cut left on.
[quiet]
command = ["true"]
"""
"""A whole file that loads, to begin from."""


class _Pattern(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="mode"):
    command: Command
    """What to run, word by word; there is no shell unless the command names one."""


class _Short(_Pattern, frozen=True, kw_only=True):
    timeout: Seconds = TIMEOUT_SECONDS
    """Seconds that a run may take before it is killed."""


class Repeat(_Short, frozen=True, kw_only=True, tag="repeat"):
    """Run it again and again."""

    every: Seconds
    """Seconds from the start of one run to the start of the next."""


class Once(_Short, frozen=True, kw_only=True, tag="once"):
    """Run it once, and again for each alert that is added."""


class Hold(_Pattern, frozen=True, kw_only=True, tag="hold"):
    """Start it, and keep it running."""


Pattern = Repeat | Once | Hold


class Quiet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    command: Command
    timeout: Seconds = TIMEOUT_SECONDS


class Ended(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By priority, of alerts whose condition is over."""

    high: Pattern | None = None
    medium: Pattern | None = None
    low: Pattern | None = None
    info: Pattern | None = None


class Patterns(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one annunciator does. `load` is how to come by one; `EXAMPLE` is how the file looks."""

    high: Pattern
    fault: Pattern
    """What runs while the gateway is out of reach, unless an alert sounds."""

    medium: Pattern | None = None
    low: Pattern | None = None
    info: Pattern | None = None
    nobody: Pattern | None = None
    ended: Ended = Ended()
    quiet: Quiet | None = None

    fault_after: Annotated[float, Meta(ge=1, le=86_400)] = FAULT_SECONDS
    """Seconds without the gateway until it is a fault."""

    @classmethod
    def load(cls, path: Path) -> Self:
        patterns: Self = converted(read_document(path), cls, where=f"{path}: ")
        return patterns

    @property
    def levels(self) -> frozenset[Level]:
        """What of alerts is heard."""
        return frozenset(level for level in LOUDEST_FIRST if getattr(self, level) is not None)

    def of(self, sound: Sound) -> tuple[str, Pattern]:
        """The table for a sound at one of the `levels`: its name, and what it says."""
        if sound.over and sound.level != "nobody":
            softer: Pattern | None = getattr(self.ended, sound.level)
            if softer is not None:
                return f"ended.{sound.level}", softer
        pattern: Pattern = getattr(self, sound.level)
        return sound.level, pattern

    @property
    def tables(self) -> dict[str, Pattern]:
        """All that it has, by their names."""
        found: dict[str, Pattern | None] = {level: getattr(self, level) for level in LOUDEST_FIRST}
        found |= {f"ended.{level}": getattr(self.ended, level, None) for level in LOUDEST_FIRST}
        found |= {"fault": self.fault, "quiet": None if self.quiet is None else as_pattern(self.quiet)}
        return {name: pattern for name, pattern in found.items() if pattern is not None}


def as_pattern(quiet: Quiet) -> Once:
    return Once(command=quiet.command, timeout=quiet.timeout)

"""
The temperatures that the kernel knows, by the name of the chip.

Never by number: which one is hwmon0 changes from one boot to the next.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from device.errors import DeviceError

SYS_CLASS = Path("/sys/class")

PROCESSORS = ("cpu_thermal", "soc_thermal", "x86_pkg_temp", "coretemp", "k10temp", "acpitz")
"""The chips that say how warm a processor is; the Pi's comes first."""

ONE_WIRE = "w1_slave_temp"
"""The chip that every DS18B20 is; each also has the name of its own number, as in 28-0316a2795b1f."""

POWER_ON = 85.0
"""What a DS18B20 answers before it has measured anything."""


class NoSensor(DeviceError):
    """The chip that was asked for is not there, or there are several of its name."""


class Temperature(NamedTuple):
    celsius: float

    measured: bool
    """False where the chip answered with something else than a measurement."""


class _Chip(NamedTuple):
    name: str
    kind: str
    input: Path
    """Holds the temperature in thousandths of a degree."""


def read(chip: str | None = None, *, sys_class: Path = SYS_CLASS) -> Temperature:
    """The temperature of `chip`, the first if it has several; of the processor if no chip is named."""
    chips = list(_chips(sys_class))
    meant = [_spelt(chip)] if chip else PROCESSORS
    found = [found for name in meant for found in chips if found.name == name]
    if not found:
        there = ", ".join(sorted({chip.name for chip in chips})) or "none"
        raise NoSensor(f"no temperature of {chip or 'a processor'} here; there is: {there}")
    if chip and len(found) > 1:
        raise NoSensor(f"want one chip called {chip}, got {len(found)}")
    celsius = int(found[0].input.read_text("ascii")) / 1000
    return Temperature(celsius, measured=not (found[0].kind == ONE_WIRE and celsius == POWER_ON))


def _chips(sys_class: Path) -> Iterator[_Chip]:
    zones = set()
    for zone in sorted(sys_class.glob("thermal/thermal_zone*")):
        name = _name(zone / "type")
        zones.add(name)
        yield _Chip(name, name, zone / "temp")
    for hwmon in sys_class.glob("hwmon/hwmon*"):
        inputs = sorted(hwmon.glob("temp*_input"), key=lambda path: (len(path.name), path.name))
        kind = _name(hwmon / "name")
        # The kernel shows a thermal zone here a second time.
        if not inputs or kind in zones:
            continue
        yield _Chip(kind, kind, inputs[0])
        if kind == ONE_WIRE:
            yield _Chip(_spelt((hwmon / "device").resolve().name), kind, inputs[0])


def _name(path: Path) -> str:
    return _spelt(path.read_text("utf-8").strip())


def _spelt(name: str) -> str:
    """The one spelling of a name of which the kernel has two: cpu-thermal is also cpu_thermal."""
    return name.replace("-", "_")

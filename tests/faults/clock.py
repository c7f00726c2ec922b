"""Wall clocks that leap: libfaketime below a gateway or a device."""

from tests.faked_clock import FakedClock
from tests.faults.fault import Fault

HOURS = (-30, -2, 5, 48)


class Leapt(Fault):
    """It is so many hours ahead of the true time, or behind it; in the end it is set right, which is a leap as well."""

    def __init__(self, clock: FakedClock, whose: str, hours: int) -> None:
        self.name = f"leapt({whose} {hours:+d}h)"
        self._clock = clock
        self._hours = hours

    @property
    def hits(self) -> int:
        return 1

    def begin(self) -> None:
        self._clock.set(hours=self._hours)

    def end(self) -> None:
        self._clock.set(hours=0)

"""
Presets: what is known of a kind of sensor, so that nobody types a code or a limit by hand.

Codes are LOINC, units are UCUM. The limits of vital signs are NEWS2's single-parameter bands (Royal College of
Physicians, 2017), as they stand there for one value alone; no score is made of them. Its chart has whole numbers (and
tenths of a degree), so that each limit here lies half-way to the next one: 91.4 % reads as 91, and 91.6 % as 92.
"""

from collections.abc import Iterable

from msgspec import Struct


class Preset(Struct, frozen=True, kw_only=True):
    """Defaults for a sensor's settings, which are explained where they are settings: in `device.config`."""

    name: str
    about: str
    """For a person: what it watches, and whose limits these are."""

    code: str | None = None
    """LOINC; None where there is none for it."""

    unit: str
    low: float | None = None
    high: float | None = None
    clear_by: float
    must_last: float
    stale_after: float
    lowest: float
    highest: float
    stuck_after: float | None = None
    report_every: float
    priority: str


def _table(presets: Iterable[Preset]) -> dict[str, Preset]:
    return {preset.name: preset for preset in presets}


PRESETS = _table(
    [
        Preset(
            name="vaccine-fridge",
            about="a fridge for vaccines and medicines: 2 to 8 degrees",
            unit="Cel",
            low=2,
            high=8,
            clear_by=0.5,
            must_last=600,
            stale_after=900,
            # A DS18B20 says 85 when it has just got its power back, and -127 where nothing is on the wire.
            lowest=-40,
            highest=60,
            stuck_after=21_600,
            report_every=900,
            priority="medium",
        ),
        Preset(
            name="room-climate",
            # 18: WHO Housing and health guidelines (2018). 30: what USP <659> lets a controlled room reach.
            about="a room for people and medicines: 18 to 30 degrees (WHO, USP)",
            unit="Cel",
            low=18,
            high=30,
            clear_by=0.5,
            must_last=1_800,
            stale_after=1_800,
            lowest=-20,
            highest=60,
            stuck_after=86_400,
            report_every=1_800,
            priority="low",
        ),
        Preset(
            name="spo2",
            about="oxygen saturation: 91 or less (NEWS2); 0 is no signal",
            code="2708-6",
            unit="%",
            low=91.5,
            clear_by=1,
            must_last=60,
            stale_after=120,
            lowest=1,
            highest=100,
            report_every=300,
            priority="high",
        ),
        Preset(
            name="heart-rate",
            about="heart rate: 40 or less, or 131 or more (NEWS2); 0 is no signal",
            code="8867-4",
            unit="/min",
            low=40.5,
            high=130.5,
            clear_by=3,
            must_last=60,
            stale_after=120,
            lowest=10,
            highest=300,
            stuck_after=3_600,
            report_every=300,
            priority="high",
        ),
        Preset(
            name="respiration",
            # A belt or an electrode that came off reads 0, too: it is told as no signal, which is an alert as well.
            about="breaths: 8 or less, or 25 or more (NEWS2); below 1 is no signal",
            code="9279-1",
            unit="/min",
            low=8.5,
            high=24.5,
            clear_by=1,
            must_last=60,
            stale_after=120,
            lowest=1,
            highest=120,
            report_every=300,
            priority="high",
        ),
        Preset(
            name="body-temperature",
            about="body temperature: 35.0 or less (NEWS2)",
            code="8310-5",
            unit="Cel",
            low=35.05,
            clear_by=0.2,
            must_last=300,
            stale_after=900,
            # Below, a probe has come off and measures the room.
            lowest=25,
            highest=45,
            stuck_after=21_600,
            report_every=900,
            priority="medium",
        ),
    ]
)
"""By name."""

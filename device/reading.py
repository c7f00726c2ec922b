"""A value that a sensor vouches for, or the fault that stands in its place."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chain.encoding import read

MAX_CHANNEL = 128
MAX_UNIT = 32

# Milliseconds: 1973 to 9999. A time in seconds, the usual mistake, is outside.
FIRST_MS, LAST_MS = 10**11, 253_402_300_799_999

Reason = Literal[
    "bad-quality",
    "exit",
    "impossible",
    "no-value",
    "not-a-number",
    "silent",
    "stuck",
    "timeout",
    "unreadable",
    "wrong-unit",
]
"""
Why there is no reading.

* bad-quality   the sensor itself says that its value is not to be relied on
* exit          the command did not start, ended with a status other than 0, or ended where it should go on
* impossible    a number that this kind of sensor cannot measure: 0 % of oxygen is no signal
* no-value      the sensor answered, without a value
* not-a-number  what it gave as a value is NaN, infinite, or something else than a number
* silent        a stream has said nothing for too long
* stuck         it has given exactly the same number for too long
* timeout       a poll has not ended in its time
* unreadable    what it printed has none of the forms that are understood, or is too long
* wrong-unit    a number in another unit than its limits are in
"""


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A number that a sensor vouches for. Zero is a number here: what it means is for its limits to know."""

    sensor: Annotated[str, Meta(min_length=1, max_length=32)]
    """The sensor's name in the agent's configuration."""

    channel: Annotated[str, Meta(max_length=MAX_CHANNEL)] = ""
    """Which of its values, for a sensor that names several itself (SenML)."""

    value: int | float

    unit: Annotated[str, Meta(min_length=1, max_length=MAX_UNIT)] | None = None
    """UCUM code; None where neither the sensor nor its configuration gives one."""

    t_ms: Annotated[int, Meta(ge=FIRST_MS, le=LAST_MS)] | None = msgspec.field(default=None, name="t")
    """When the sensor says it measured, in milliseconds since 1970; None where it does not say."""

    quality: Literal["good"] | None = None
    """Whether the sensor itself called the value good. Any other quality is a `Fault`."""


class Fault(Struct, frozen=True, kw_only=True):
    """
    Why a sensor gave no reading.

    It is news of its own: a broken sensor must never look like a patient who is
    well, nor like one who is not.
    """

    sensor: str
    """The sensor's name in the agent's configuration."""

    channel: str = ""
    """Which of its values, where that is known."""

    reason: Reason

    detail: str = ""
    """What came, for a person: short, however much the sensor printed."""


Sample = Reading | Fault

_decoder = msgspec.json.Decoder(Reading)
_encoder = msgspec.json.Encoder(order="sorted")


def content(reading: Reading) -> str:
    """The JSON text that a message body carries: `sensor`, `value`, and what else is known."""
    return _encoder.encode(reading).decode()


def parse_content(text: str) -> Reading:
    """Read what `content` wrote; anything else is `chain.errors.Malformed`."""
    return read(_decoder, text, what="reading")

"""What a message says once it is open, by its content type: a text, a reading, a fault, a file."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chain import encoding
from device import attachment, reading
from device.attachment import File
from device.reading import Reading

TEXT = "text/plain"
READING = "application/vnd.blockpost.reading+json"
FAULT = "application/vnd.blockpost.fault+json"
FILE = "application/vnd.blockpost.file+json"

RECOVERED = "recovered"
"""In place of a fault's reason: the sensor gives readings again."""


class FaultNote(Struct, frozen=True, forbid_unknown_fields=True):
    """What is told of a `device.reading.Fault`, and of its end."""

    sensor: Annotated[str, Meta(min_length=1)]
    reason: Annotated[str, Meta(min_length=1)]
    detail: str


Content = str | Reading | FaultNote | File

_note = msgspec.json.Decoder(FaultNote)


def read(cty: str, text: str) -> Content:
    """What the text says; of a content type that is not known, the text. Raise `chain.errors.Malformed`."""
    if cty == READING:
        return reading.parse_content(text)
    if cty == FAULT:
        return encoding.read(_note, text, what="fault")
    if cty == FILE:
        return attachment.parse(text)
    return text

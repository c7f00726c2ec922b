"""A file in a message, small enough to be sealed with it and to be kept on the chain's disk for good."""

import mimetypes
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chain.encoding import b64url, canonical, read_canonical, unb64url
from chain.errors import Malformed
from device.errors import CannotSeal

MAX_FILE_BYTES = 40_960
UNKNOWN_TYPE = "application/octet-stream"

_PLAIN = r"[^/\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
"""No separator, no control character, and nothing that turns the direction of writing: `exe.jpg` may read `gpj.exe`."""

_WORD = r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}"


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`type` is only its sender's word."""

    data: str
    """Its bytes in base64url."""

    name: Annotated[str, Meta(pattern=rf"\A{_PLAIN}{{1,128}}\Z")]
    """Without a folder: it says what to call the file, never where to put it."""

    text: str
    """What its sender says of it; may be empty."""

    type: Annotated[str, Meta(pattern=rf"\A{_WORD}/{_WORD}\Z")]
    """A media type (RFC 6838) in lower case, without parameters."""

    @property
    def payload(self) -> bytes:
        return unb64url(self.data, what="file: data")


_decoder = msgspec.json.Decoder(File)


def load(path: Path, text: str) -> File:
    """The file at `path`, to be sent; raise `OSError`, or `CannotSeal` if it is too long or cannot be named."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise CannotSeal(f"{path}: want a file of at most {MAX_FILE_BYTES} bytes, got more")
    kind, encoding = mimetypes.guess_type(path.name)
    # Of `notes.txt.gz` it guesses what is inside: that is not what is sent.
    kind = UNKNOWN_TYPE if encoding or not kind else kind.lower()
    try:
        return parse(content(File(data=b64url(data), name=path.name, text=text, type=kind)))
    except (Malformed, UnicodeEncodeError) as error:
        raise CannotSeal(f"{path}: {error}") from error


def content(file: File) -> str:
    """The JSON text that a message body carries."""
    return canonical(file).decode()


def parse(text: str) -> File:
    """Read what `content` wrote; anything else is `chain.errors.Malformed`."""
    file = read_canonical(_decoder, text.encode(), what="file")
    if len(file.payload) > MAX_FILE_BYTES:
        raise Malformed(f"file: want at most {MAX_FILE_BYTES} bytes, got {len(file.payload)}")
    return file

"""
A join file: what `provision bulk` writes for one device, to be put on its SD card, and destroyed once it was used.

TOML: `code`, the join string, and maybe `name`, the name that people are to see.
"""

import os
import tomllib
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from chain import durable
from chain.errors import Malformed
from chain.joincode import JoinCode
from device.errors import BadConfig

MAX_BYTES = 4096


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    name: str | None = None

    def __repr__(self) -> str:
        return "<join file>"


class JoinFile(Struct, frozen=True):
    code: JoinCode
    name: str | None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raise `BadConfig`, without repeating the secret, or `OSError` for no file."""
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
        try:
            document = msgspec.convert(tomllib.loads(data.decode()), _Document)
            return cls(JoinCode.from_text(document.code), document.name)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, Malformed) as error:
            raise BadConfig(f'{path}: want code = "HOST:PORT/PIN/SECRET", and maybe a name') from error


def destroy(path: Path) -> None:
    """
    Overwrite the file, and remove it.

    An SD card may keep what was written before elsewhere: what makes the code worthless is that it was used.
    """
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    durable.sync_directory(path.parent)

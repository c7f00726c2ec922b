"""
A tar file of a few plain files, written and read front to back.

It is read back only in the one form in which it is written, so that no byte of it can change unnoticed. Any `tar` can
read it, too.
"""

import tarfile
from collections.abc import Iterable, Iterator
from hashlib import sha256

from msgspec import Struct

from gateway.errors import BadBackup
from gateway.vault import Sink, Source

PIECE_BYTES = 1_048_576
END = bytes(2 * tarfile.BLOCKSIZE)


class Member(Struct, frozen=True):
    """A file of the archive. `pieces` are its bytes; they are read before the next member is."""

    name: str
    size: int
    pieces: Iterator[bytes]


def write(sink: Sink, name: str, size: int, pieces: Iterable[bytes]) -> bytes:
    """Append a file of `size` bytes; return their SHA-256."""
    sink.write(_header(name, size))
    digest, written = sha256(), 0
    for piece in pieces:
        digest.update(piece)
        written += len(piece)
        sink.write(piece)
    if written != size:
        raise BadBackup(f"{name}: want {size} bytes, got {written}")
    sink.write(_padding(size))
    return digest.digest()


def end(sink: Sink) -> None:
    """Say that there are no more files."""
    sink.write(END)


def members(source: Source) -> Iterator[Member]:
    """The files in their order; raise `BadBackup` for what `write` and `end` would not have written."""
    while (header := source.read(tarfile.BLOCKSIZE)) != END[: tarfile.BLOCKSIZE]:
        name, size = _read_header(header)
        pieces = _pieces(source, name, size)
        yield Member(name, size, pieces)
        for _ in pieces:
            pass
    if source.read(tarfile.BLOCKSIZE) != END[tarfile.BLOCKSIZE :] or source.read(1):
        raise BadBackup("it goes on after its end, or is cut short there")


def _pieces(source: Source, name: str, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = source.read(min(left, PIECE_BYTES))
        if not piece:
            raise BadBackup(f"it is cut short, in {name}")
        left -= len(piece)
        yield piece
    if source.read(len(_padding(size))) != _padding(size):
        raise BadBackup(f"it is altered or cut short, behind {name}")


def _header(name: str, size: int) -> bytes:
    about = tarfile.TarInfo(name)
    about.size, about.mode = size, 0o600
    # GNU's form has room for a size of more than 8 GiB.
    return about.tobuf(tarfile.GNU_FORMAT)


def _read_header(header: bytes) -> tuple[str, int]:
    try:
        about = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BadBackup("it is not one of ours, or altered, or cut short") from error
    if about.size < 0 or header != _header(about.name, about.size):
        raise BadBackup(f"{about.name}: not in the form in which it was written")
    return about.name, about.size


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)

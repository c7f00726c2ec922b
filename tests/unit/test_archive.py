"""A tar of a few files, read back only in the form in which it is written."""

import io
import tarfile
from hashlib import sha256

import pytest

from gateway import archive
from gateway.errors import BadBackup

FILES = {"one": b"1" * 700, "empty": b"", "two": b"2" * 512}


def written(files: dict[str, bytes] = FILES) -> bytes:
    out = io.BytesIO()
    for name, data in files.items():
        assert archive.write(out, name, len(data), [data[:300], data[300:]]) == sha256(data).digest()
    archive.end(out)
    return out.getvalue()


def read(text: bytes) -> dict[str, bytes]:
    return {member.name: b"".join(member.pieces) for member in archive.members(io.BytesIO(text))}


def test_what_was_written_is_read_back() -> None:
    assert read(written()) == FILES


def test_any_tar_can_read_it() -> None:
    with tarfile.open(fileobj=io.BytesIO(written())) as tar:
        assert {about.name: about.size for about in tar} == {name: len(data) for name, data in FILES.items()}


def test_a_member_that_nobody_reads_is_passed_over() -> None:
    assert [member.name for member in archive.members(io.BytesIO(written()))] == list(FILES)


def test_a_size_that_is_not_kept_is_refused() -> None:
    with pytest.raises(BadBackup, match="one: want 5 bytes, got 3"):
        archive.write(io.BytesIO(), "one", 5, [b"abc"])


def test_a_flipped_bit_outside_of_the_files_is_refused() -> None:
    """What is inside of them is held against the manifest."""
    text = written()
    data = {at for at in range(len(text)) if text[at : at + 1] in (b"1", b"2") and _within_a_file(at)}
    for at in sorted(set(range(len(text))) - data):
        damaged = bytearray(text)
        damaged[at] ^= 1
        with pytest.raises(BadBackup):
            read(bytes(damaged))


def _within_a_file(at: int) -> bool:
    return 512 <= at < 512 + 700 or 2048 + 512 <= at < 2048 + 1024


@pytest.mark.parametrize("kept", [0, 100, 600, 1400, -1024, -512, -1])
def test_what_is_cut_short_is_refused(kept: int) -> None:
    with pytest.raises(BadBackup):
        read(written()[:kept])


def test_what_goes_on_after_its_end_is_refused() -> None:
    with pytest.raises(BadBackup, match="goes on"):
        read(written() + b"\0")


def test_a_file_of_more_than_8_gib_has_room() -> None:
    assert archive._read_header(archive._header("chain.db", 2**40)) == ("chain.db", 2**40)

"""Bytes under a passphrase: they come back, and no altered byte ever does."""

import io

import pytest

from gateway import vault
from gateway.errors import BadBackup
from gateway.vault import CHUNK_BYTES, MAGIC, SALT_BYTES, TAG_BYTES, Opener, Sealer

PASSPHRASE = "correct horse battery"
HEADER = len(MAGIC) + SALT_BYTES + vault.HEADER_TAG_BYTES
SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "SCRYPT_N", 2)


def sealed(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    out = io.BytesIO()
    sealer = Sealer(out, passphrase)
    for start in range(0, len(data), 10_000):
        sealer.write(data[start : start + 10_000])
    sealer.finish()
    return out.getvalue()


def opened(text: bytes, passphrase: str = PASSPHRASE) -> bytes:
    source = io.BytesIO(text)
    assert source.read(len(MAGIC)) == MAGIC
    opener = Opener(source, passphrase)
    return b"".join(iter(lambda: opener.read(7_777), b""))


def content(size: int) -> bytes:
    return bytes(number * 31 % 251 for number in range(size))


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]
)
def test_what_was_sealed_is_opened(size: int) -> None:
    assert opened(sealed(content(size))) == content(size)


def test_it_is_not_the_same_twice() -> None:
    assert sealed(b"a") != sealed(b"a")


def test_a_wrong_passphrase_is_known_as_one() -> None:
    with pytest.raises(BadBackup, match="passphrase is not the one"):
        opened(sealed(b"a"), "correct horse battary")


def test_one_passphrase_spelt_in_two_ways_is_one() -> None:
    assert opened(sealed(b"a", "caf\u00e9 caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301 cafe\u0301") == b"a"


@pytest.mark.parametrize(
    "at",
    [len(MAGIC), len(MAGIC) + SALT_BYTES, HEADER, HEADER + SEALED_CHUNK - 1, HEADER + SEALED_CHUNK, -1],
    ids=["salt", "tag", "first chunk", "its tag", "second chunk", "last tag"],
)
def test_a_flipped_bit_is_refused(at: int) -> None:
    text = bytearray(sealed(content(2 * CHUNK_BYTES)))
    text[at] ^= 1

    with pytest.raises(BadBackup):
        opened(bytes(text))


@pytest.mark.parametrize("chunks", [0, 1, 2])
def test_what_is_cut_between_two_chunks_is_refused(chunks: int) -> None:
    text = sealed(content(3 * CHUNK_BYTES))

    with pytest.raises(BadBackup, match="cut short"):
        opened(text[: HEADER + chunks * SEALED_CHUNK])


def test_chunks_in_another_order_are_refused() -> None:
    text = sealed(content(3 * CHUNK_BYTES))
    first, second = (text[HEADER + n * SEALED_CHUNK : HEADER + (n + 1) * SEALED_CHUNK] for n in (0, 1))

    with pytest.raises(BadBackup, match="chunk 0"):
        opened(text[:HEADER] + second + first + text[HEADER + 2 * SEALED_CHUNK :])


def test_what_was_not_finished_is_refused() -> None:
    out = io.BytesIO()
    Sealer(out, PASSPHRASE).write(content(2 * CHUNK_BYTES + 1))

    with pytest.raises(BadBackup, match="cut short"):
        opened(out.getvalue())


def test_nothing_is_given_out_of_an_altered_chunk() -> None:
    text = bytearray(sealed(content(2 * CHUNK_BYTES)))
    text[-1] ^= 1
    source = io.BytesIO(bytes(text[len(MAGIC) :]))
    opener = Opener(source, PASSPHRASE)

    assert opener.read(CHUNK_BYTES) == content(CHUNK_BYTES)
    with pytest.raises(BadBackup, match="chunk 1"):
        opener.read(1)

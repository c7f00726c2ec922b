"""The root's key, its sheet of paper, and the file that it lies in, sealed."""

import hmac
import json
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Malformed
from gateway import tls
from gateway.errors import BadConfig
from provisioning.authority import certificates, root
from tests.authority import NOW, SEED

CASE = json.loads((Path(__file__).parents[1] / "vectors" / "root.json").read_text("utf-8"))[0]
LETTERS = CASE["letters"]
FINGERPRINT = ":".join(f"{byte:02X}" for byte in range(32))
MADE = datetime(2026, 11, 22, tzinfo=UTC)
PASSPHRASE = "a stick in the drawer"


def test_the_key_that_follows_from_a_seed_is_the_published_one() -> None:
    key = root.derive(bytes.fromhex(CASE["seed"]))

    assert f"{key.private_numbers().private_value:064x}" == CASE["private"]
    assert root.pin(key) == CASE["pin"]


@given(st.binary(min_size=32, max_size=32))
def test_it_is_hkdf_and_a_remainder_of_64_bits_more(seed: bytes) -> None:
    """RFC 5869 by hand, and FIPS 186-5 A.2.1."""
    extracted = hmac.digest(bytes(32), seed, "sha256")
    first = hmac.digest(extracted, b"blockpost/root/v1\x01", "sha256")
    second = hmac.digest(extracted, first + b"blockpost/root/v1\x02", "sha256")
    wanted = int.from_bytes((first + second)[:48], "big") % (root.ORDER - 1) + 1

    assert root.derive(seed).private_numbers().private_value == wanted


def test_the_pin_is_that_of_its_certificate() -> None:
    key = root.derive(SEED)

    assert tls.pin(certificates.make_root(key, "ward7.example", NOW).certificate) == root.pin(key)


@given(st.binary(min_size=32, max_size=32))
def test_a_sheet_gives_its_seed_back(seed: bytes) -> None:
    assert root.read_sheet(root.sheet(seed, "ward7.example", MADE, FINGERPRINT)) == seed


def test_a_sheet_says_what_it_is_of() -> None:
    sheet = root.sheet(SEED, "ward7.example", MADE, FINGERPRINT)

    assert " ".join(LETTERS.split()) in " ".join(sheet.split())
    assert CASE["pin"] in sheet
    assert "ward7.example" in sheet
    assert " ".join(FINGERPRINT.split(":")) in " ".join(sheet.split())
    assert "2026-11-22" in sheet
    assert max(len(line) for line in sheet.splitlines()) <= 80


@pytest.mark.parametrize(
    "typed",
    [
        LETTERS,
        LETTERS.lower(),
        f"\n   {LETTERS}   \n\n",
        "\n".join(textwrap.wrap(LETTERS, 24)),
        LETTERS.replace(" ", "\t"),
        LETTERS.replace(" ", "\r\n"),
    ],
)
def test_the_letters_alone_are_enough_however_they_are_set(typed: str) -> None:
    assert root.read_sheet(typed) == SEED


@given(st.integers(0, 55), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_one_wrong_letter_is_found(place: int, letter: str) -> None:
    letters = LETTERS.replace(" ", "")
    typed = " ".join(textwrap.wrap(letters[:place] + letter + letters[place + 1 :], 4))
    if letter == letters[place]:
        assert root.read_sheet(typed) == SEED
        return

    with pytest.raises(Malformed, match="typing error"):
        root.read_sheet(typed)


@given(st.integers(0, 12))
def test_two_groups_that_changed_places_are_found(place: int) -> None:
    groups = LETTERS.split()
    groups[place : place + 2] = reversed(groups[place : place + 2])

    with pytest.raises(Malformed, match="typing error"):
        root.read_sheet(" ".join(groups))


@pytest.mark.parametrize(
    "typed", ["", "hello", LETTERS[:-5], LETTERS + " AAAA", LETTERS.replace("B4IB", "B41B"), "\x00" * 60]
)
def test_what_is_no_sheet_is_told_without_repeating_it(typed: str) -> None:
    with pytest.raises(Malformed, match="want 14 groups of four letters") as caught:
        root.read_sheet(typed)

    assert "AUDA" not in str(caught.value)


@given(st.text())
def test_any_other_text_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        root.read_sheet(text)


def test_the_file_gives_the_seed_to_who_knows_the_passphrase(tmp_path: Path) -> None:
    root.write_seed(tmp_path / "root.key", SEED, PASSPHRASE)

    assert root.read_seed(tmp_path / "root.key", PASSPHRASE) == SEED
    assert SEED not in (tmp_path / "root.key").read_bytes()
    assert (tmp_path / "root.key").stat().st_mode & 0o777 == 0o600


def test_another_passphrase_is_refused(tmp_path: Path) -> None:
    root.write_seed(tmp_path / "root.key", SEED, PASSPHRASE)

    with pytest.raises(BadConfig, match=r"root\.key: the passphrase is not the one"):
        root.read_seed(tmp_path / "root.key", PASSPHRASE.upper())


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    root.write_seed(tmp_path / "root.key", SEED, PASSPHRASE)

    with pytest.raises(FileExistsError):
        root.write_seed(tmp_path / "root.key", bytes(32), PASSPHRASE)

    assert root.read_seed(tmp_path / "root.key", PASSPHRASE) == SEED


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:-1] + b"?", lambda _: b"", lambda _: b"x" * 200]
)
def test_a_damaged_file_is_told(tmp_path: Path, damage: object) -> None:
    root.write_seed(tmp_path / "root.key", SEED, PASSPHRASE)
    data = (tmp_path / "root.key").read_bytes()
    (tmp_path / "root.key").write_bytes(damage(data))  # type: ignore[operator]

    with pytest.raises(BadConfig, match=r"root\.key"):
        root.read_seed(tmp_path / "root.key", PASSPHRASE)


def test_something_else_that_is_sealed_is_no_key(tmp_path: Path) -> None:
    root.write_seed(tmp_path / "root.key", b"not a seed", PASSPHRASE)

    with pytest.raises(BadConfig, match="not a root's key"):
        root.read_seed(tmp_path / "root.key", PASSPHRASE)

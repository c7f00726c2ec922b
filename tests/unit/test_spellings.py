"""The tests' search for secrets finds them, however they are written."""

import json
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests import spellings


@pytest.mark.parametrize("before", [b"", b"{", b"xy", b"xyz"])
@pytest.mark.parametrize(
    "encode",
    [bytes, b64encode, urlsafe_b64encode, lambda data: data.hex().encode()],
    ids=["raw", "b64", "url", "hex"],
)
def test_bytes_are_found_wherever_in_an_encoded_text_they_begin(
    encode: Callable[[bytes], bytes], before: bytes
) -> None:
    secret = secrets.token_bytes(32)

    text = encode(before + secret + b"after")

    assert any(spelt in text for spelt in spellings.of_bytes(secret))


@pytest.mark.parametrize("write", [json.dumps, quote, str], ids=["json", "url", "plain"])
def test_a_text_is_found_however_it_is_escaped(write: Callable[[str], str]) -> None:
    secret = 'zwölf "Boxkämpfer"'

    text = write(f"the password is {secret}!").encode()

    assert any(spelt in text for spelt in spellings.of_text(secret))


def test_another_secret_is_not_found() -> None:
    text = secrets.token_bytes(10_000)

    assert not any(spelt in text for spelt in spellings.of_bytes(secrets.token_bytes(16)))

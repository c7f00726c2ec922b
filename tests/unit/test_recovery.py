from operator import itemgetter
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from chain.encoding import b64url, unb64url
from chain.errors import Malformed
from device import password, recovery
from device.backup import unwrap_backup
from tests.vectors.people import vectors

CASES: list[dict[str, Any]] = vectors("recovery")
GOOD = [case for case in CASES if case["code"] is not None]
MALFORMED = [case for case in CASES if case["code"] is None]


@pytest.mark.parametrize("case", GOOD, ids=itemgetter("name"))
def test_a_code_is_read_however_it_is_typed(case: dict[str, Any]) -> None:
    assert {b64url(recovery.read(typed)) for typed in case["typed"]} == {case["code"]}


@pytest.mark.parametrize("case", MALFORMED, ids=itemgetter("name"))
def test_what_is_no_code_is_refused_without_being_repeated(case: dict[str, Any]) -> None:
    (typed,) = case["typed"]

    with pytest.raises(Malformed, match=r"\Arecovery code: ") as caught:
        recovery.read(typed)

    assert not typed or typed not in str(caught.value)


@pytest.mark.parametrize("case", GOOD, ids=itemgetter("name"))
def test_another_library_derives_the_same_two_keys(case: dict[str, Any]) -> None:
    for name in ("auth", "wrap"):
        info = f"blockpost/recovery/{name}".encode()
        assert b64url(HKDF(SHA256(), 32, None, info).derive(unb64url(case["code"]))) == case[name]


@pytest.mark.parametrize("case", GOOD, ids=itemgetter("name"))
def test_the_code_logs_in_and_opens_the_backup(case: dict[str, Any]) -> None:
    keys = recovery.derive(recovery.read(case["shown"]))

    assert b64url(password.verifier(keys.auth)) == case["verifier"]
    assert unwrap_backup(case["backup"], keys.wrap).decode() == case["secret"]


@given(st.binary(min_size=16, max_size=16))
def test_any_code_is_read_back_as_it_is_shown(code: bytes) -> None:
    shown = recovery.shown(code)

    assert recovery.read(shown) == code
    assert [len(group) for group in shown.split("-")] == [4, 4, 4, 4, 4, 4, 2]


@given(st.text())
def test_any_other_text_is_malformed_and_never_crashes(text: str) -> None:
    try:
        code = recovery.read(text)
    except Malformed:
        return
    assert len(code) == recovery.CODE_BYTES


def test_a_new_code_is_as_random_as_what_it_is_made_of() -> None:
    assert recovery.new_code(lambda size: bytes(range(size))) == bytes(range(16))

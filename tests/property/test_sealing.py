"""The laws of sealed bodies: what is written reads back, and anything else is `CannotOpen` and nothing but."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from chain.encoding import b64url, canonical, unb64url
from device.backup import unwrap_backup, wrap_backup
from device.errors import CannotOpen
from device.sealing import Opened, commit, open_sealed, seal
from tests.vectors import forge
from tests.vectors.people import ENTRY, person

ALICE, BOB = person("alice"), person("bob")
TWO_READERS = forge.text(forge.honest())
ONE_READER = forge.text(forge.jwe(canonical(forge.header(["bob"])), canonical(forge.plaintext()), ["bob"]))
COMMITMENT = commit(forge.FK, forge.CONTENT)


def opened(body: str, commitment: bytes = COMMITMENT) -> Opened | None:
    """What bob reads, or None if he is refused; any other outcome is an error of the test."""
    try:
        return open_sealed(
            body,
            keys={BOB.sealing.public.thumbprint: BOB.sealing},
            signer=ALICE.signing.public.thumbprint,
            author=ALICE.account_id,
            mid=ENTRY,
            commitment=commitment,
        )
    except CannotOpen:
        return None


@given(content=st.text(), cty=st.from_regex(r"\A[!-~]{1,127}\Z"))
@settings(deadline=None)
def test_what_is_sealed_reads_back(content: str, cty: str) -> None:
    sealed = seal(
        content,
        cty=cty,
        iss=ALICE.account_id,
        skid=ALICE.signing.public.thumbprint,
        mid=ENTRY,
        recipients=[ALICE.sealing.public, BOB.sealing.public],
    )

    read = opened(sealed.body, sealed.commitment)

    assert read is not None
    assert (read.content, read.cty) == (content, cty)
    assert commit(read.fk, content) == sealed.commitment


@given(position=st.integers(0, len(ONE_READER) - 1), bit=st.integers(0, 7))
@settings(deadline=None, max_examples=400)
def test_one_flipped_bit_anywhere_is_refused(position: int, bit: int) -> None:
    flipped = chr(ord(ONE_READER[position]) ^ 1 << bit)

    assert opened(ONE_READER[:position] + flipped + ONE_READER[position + 1 :]) is None


@given(position=st.integers(0, len(TWO_READERS) - 1), bit=st.integers(0, 7))
@settings(deadline=None, max_examples=400)
def test_a_flipped_bit_never_changes_what_is_read(position: int, bit: int) -> None:
    """With other readers there is one thing that their blocks alone say: the key as it was wrapped for them."""
    flipped = (
        TWO_READERS[:position] + chr(ord(TWO_READERS[position]) ^ 1 << bit) + TWO_READERS[position + 1 :]
    )

    read = opened(flipped)

    if read is not None:
        assert read.content == forge.CONTENT
        assert _without_others_keys(flipped) == _without_others_keys(TWO_READERS)


@given(st.integers(0, len(TWO_READERS) - 1))
@settings(deadline=None)
def test_a_truncated_body_is_refused(size: int) -> None:
    assert opened(TWO_READERS[:size]) is None
    assert opened(TWO_READERS[-size:] if size else "") is None


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    assert opened(text) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(member=st.sampled_from(sorted(json.loads(TWO_READERS))), value=json_values)
@settings(deadline=None)
def test_any_other_value_of_a_member_is_refused(member: str, value: object) -> None:
    body = json.loads(TWO_READERS)

    assert opened(json.dumps(body | {member: value}, separators=(",", ":"), sort_keys=True)) is None


@given(st.binary())
@settings(deadline=None)
def test_any_other_plaintext_is_refused_though_its_tag_holds(plaintext: bytes) -> None:
    assert opened(forge.text(forge.jwe(canonical(forge.header()), plaintext))) is None


@given(st.binary())
@settings(deadline=None)
def test_any_other_header_is_refused_though_its_tag_holds(header: bytes) -> None:
    assert opened(forge.text(forge.jwe(header, canonical(forge.plaintext())))) is None


@given(st.binary(max_size=600))
@settings(deadline=None)
def test_any_other_encrypted_key_is_refused(encrypted_key: bytes) -> None:
    body = json.loads(ONE_READER)
    body["recipients"][0]["encrypted_key"] = b64url(encrypted_key)

    assert opened(canonical(body).decode()) is None


@given(secret=st.binary(), key=st.binary(min_size=32, max_size=32))
def test_a_backup_unwraps_to_what_was_wrapped(secret: bytes, key: bytes) -> None:
    assert unwrap_backup(wrap_backup(secret, key), key) == secret


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_spoils_a_backup(position: int, bit: int) -> None:
    key = bytes(32)
    backup = wrap_backup(b"the private keys", key)
    position %= len(backup)
    damaged = backup[:position] + chr(ord(backup[position]) ^ 1 << bit) + backup[position + 1 :]

    assert _unwrapped(damaged, key) is None


@given(text=st.text(), key=st.binary(min_size=32, max_size=32))
def test_any_other_text_is_no_backup(text: str, key: bytes) -> None:
    assert _unwrapped(text, key) is None


def _unwrapped(text: str, key: bytes) -> bytes | None:
    try:
        return unwrap_backup(text, key)
    except CannotOpen:
        return None


def _without_others_keys(body: str) -> object:
    jwe = json.loads(body)
    mine = BOB.sealing.public.thumbprint
    return jwe | {
        "recipients": [
            block if block["header"]["kid"] == mine else block["header"] for block in jwe["recipients"]
        ]
    }


def test_the_helper_reads_what_is_not_damaged() -> None:
    for body in (ONE_READER, TWO_READERS):
        assert opened(body) is not None
    assert unb64url(json.loads(ONE_READER)["iv"]) == forge.IV

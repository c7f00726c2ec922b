import json
from operator import itemgetter
from typing import Any

import pytest

from chain.body import MAX_BODY_BYTES
from chain.encoding import b64url, canonical, unb64url
from chain.identity import SealingKey
from device import oaep
from device.errors import CannotOpen, CannotSeal
from device.keys import SealingSecret
from device.sealing import MAX_READERS, Opened, Sealed, commit, open_sealed, seal
from tests import joserfc_reader
from tests.vectors import forge, make, once, two_readers
from tests.vectors.people import ENTRY, FOLDER, NAMES, person, vectors

Case = dict[str, Any]
SEALED: list[Case] = vectors("sealed")
FOREIGN: list[Case] = [*vectors("foreign"), *vectors("page")]
"""Sealed by another library, and by the page."""

REFUSED: list[Case] = vectors("refused")

ALICE = person("alice")


def read(case: Case, reader: str) -> Opened:
    own = person(reader).sealing
    return open_sealed(
        case["body"],
        keys={own.public.thumbprint: own},
        signer=case["signer"],
        author=case["author"],
        mid=case["mid"],
        commitment=unb64url(case["commitment"]),
    )


def sealed(content: str = "hello", *, to: tuple[str, ...] = ("bob",), **other: Any) -> Sealed:
    what: dict[str, Any] = {
        "cty": "text/plain",
        "iss": ALICE.account_id,
        "skid": ALICE.signing.public.thumbprint,
        "mid": ENTRY,
        "recipients": [ALICE.sealing.public, *(person(name).sealing.public for name in to)],
    }
    return seal(content, **what | other)


def opened_by(body: str, commitment: bytes, *keys: SealingSecret) -> Opened:
    return open_sealed(
        body,
        keys={key.public.thumbprint: key for key in keys},
        signer=ALICE.signing.public.thumbprint,
        author=ALICE.account_id,
        mid=ENTRY,
        commitment=commitment,
    )


@pytest.mark.parametrize("name", make.FILES)
def test_the_vectors_are_what_the_script_makes(name: str) -> None:
    made = once.rendered(make.FILES[name]())

    assert (FOLDER / name).read_text("utf-8") == made


@pytest.mark.parametrize("case", [*SEALED, *FOREIGN], ids=itemgetter("name"))
def test_every_addressee_reads_the_same(case: Case) -> None:
    texts = {(opened.content, opened.cty) for opened in (read(case, reader) for reader in case["readers"])}

    assert texts == {(case["content"], case["cty"])}


@pytest.mark.parametrize("case", [*SEALED, *FOREIGN], ids=itemgetter("name"))
def test_nobody_else_reads_anything(case: Case) -> None:
    for stranger in set(NAMES) - set(case["readers"]):
        with pytest.raises(CannotOpen):
            read(case, stranger)


@pytest.mark.parametrize("case", REFUSED, ids=itemgetter("name"))
def test_every_fault_is_refused_with_one_and_the_same_error(case: Case) -> None:
    with pytest.raises(CannotOpen) as refusal:
        read(case, case["reader"])

    assert type(refusal.value) is CannotOpen
    assert str(refusal.value) == "this message cannot be opened"
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None or refusal.value.__suppress_context__


def test_the_body_from_which_the_faulty_ones_are_made_opens() -> None:
    case = forge.case("honest", forge.text(forge.honest()))

    assert read(case, "bob").content == forge.CONTENT


@pytest.mark.parametrize("case", SEALED, ids=itemgetter("name"))
def test_another_jose_library_opens_what_we_seal(case: Case) -> None:
    for reader in case["readers"]:
        plaintext = joserfc_reader.opened(case["body"], person(reader).sealing)

        assert json.loads(plaintext)["content"] == case["content"]


def test_another_jose_library_finds_one_content_key_for_all_readers() -> None:
    body = sealed("hello", to=("bob", "carol", "dave")).body

    plaintext = joserfc_reader.opened_by_all(body, [person(name).sealing for name in NAMES])

    assert json.loads(plaintext)["content"] == "hello"


def test_two_readers_can_be_shown_two_texts_by_plain_jose() -> None:
    """AES-GCM does not bind its key: one body, one tag, two content keys, two plaintexts, no error."""
    body = two_readers.case()["body"]

    alice, bob = (joserfc_reader.opened(body, person(name).sealing) for name in ("alice", "bob"))

    assert alice != bob
    assert json.loads(alice)["content"].startswith("Give 5 mg. ")


def test_two_readers_cannot_be_shown_two_texts_here() -> None:
    """The entry commits to what alice is shown, so she reads it, and bob is refused rather than misled."""
    case = two_readers.case()

    assert read(case, "alice").content == two_readers.content()
    with pytest.raises(CannotOpen):
        read(case, "bob")


def test_a_well_formed_text_that_the_entry_does_not_commit_to_is_refused() -> None:
    """
    What the commitment alone catches. Both bodies are the author's own, for this entry and these readers, and
    each is valid to the last bit; the entry can commit to one of them only.
    """
    first, second = sealed("Give 5 mg."), sealed("Give 50 mg.")
    bob = person("bob").sealing

    assert opened_by(first.body, first.commitment, bob).content == "Give 5 mg."
    with pytest.raises(CannotOpen):
        opened_by(second.body, first.commitment, bob)


def test_a_commitment_binds_one_content_and_one_key() -> None:
    commitments = {commit(fk, content) for fk in (bytes(32), b"\1" * 32) for content in ("", "a", "b")}

    assert len(commitments) == 6


def test_an_auditor_checks_one_disclosed_message_against_its_entry() -> None:
    made = sealed("hello")

    disclosed = opened_by(made.body, made.commitment, ALICE.sealing)

    assert commit(disclosed.fk, disclosed.content) == made.commitment


def test_nothing_is_drawn_twice() -> None:
    first, second = (json.loads(sealed().body) for _ in range(2))

    for member in ("iv", "ciphertext", "tag", "recipients"):
        assert first[member] != second[member]


def test_the_order_of_the_blocks_does_not_tell_who_wrote_it() -> None:
    body = json.loads(sealed(to=("bob", "carol")).body)

    kids = [block["header"]["kid"] for block in body["recipients"]]

    assert kids == sorted(kids)


def test_a_key_is_wrapped_for_once_however_often_it_is_given() -> None:
    body = json.loads(sealed(to=("bob", "alice", "bob")).body)

    assert len(body["recipients"]) == 2


def test_a_reader_unwraps_one_block_and_never_tries_others(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sealed(to=("bob", "carol", "dave"))
    calls = []
    honest = SealingSecret.unwrap

    def counted(key: SealingSecret, encrypted_key: bytes) -> bytes:
        calls.append(key.public)
        return honest(key, encrypted_key)

    monkeypatch.setattr(SealingSecret, "unwrap", counted)

    opened_by(made.body, made.commitment, person("mallory").sealing, person("dave").sealing)

    assert calls == [person("dave").sealing.public]


def test_a_message_for_an_older_key_still_opens() -> None:
    made = sealed(to=("bob",))
    newer, older = person("carol").sealing, person("bob").sealing

    assert opened_by(made.body, made.commitment, newer, older).content == "hello"


def test_what_does_not_unwrap_becomes_another_random_key_each_time() -> None:
    """RFC 7516 section 11.5."""
    secret = person("bob").sealing

    keys = {secret.unwrap(data) for data in (b"", b"short", bytes(384), bytes(384), b"\xff" * 384)}

    assert len(keys) == 5
    assert {len(key) for key in keys} == {32}


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_content_key_of_another_size_becomes_a_random_one(size: int) -> None:
    bob = person("bob").sealing
    wrapped = oaep.wrap(bytes(size), bob.public, forge.Drawn("wrap"))

    keys = {bob.unwrap(wrapped) for _ in range(2)}

    assert len(keys) == 2
    assert {len(key) for key in keys} == {32}


def test_sixty_four_addressees_and_the_author_are_served() -> None:
    made = sealed(recipients=[ALICE.sealing.public, *strangers(MAX_READERS - 1)])

    assert len(json.loads(made.body)["recipients"]) == MAX_READERS
    assert opened_by(made.body, made.commitment, ALICE.sealing).content == "hello"


@pytest.mark.parametrize("number", [0, MAX_READERS + 1])
def test_none_or_too_many_readers_cannot_be_sealed_for(number: int) -> None:
    with pytest.raises(CannotSeal, match=f"want 1 to 65 readers' keys, got {number}"):
        sealed(recipients=strangers(number))


@pytest.mark.parametrize(
    "wrong",
    [
        {"cty": ""},
        {"cty": "text plain"},
        {"cty": "text/plain\n"},
        {"iss": "alice"},
        {"skid": "alice"},
        {"mid": "1"},
        {"cty": "\ud800"},
    ],
    ids=str,
)
def test_what_no_reader_would_accept_is_not_sealed(wrong: dict[str, Any]) -> None:
    with pytest.raises(CannotSeal, match="no reader would accept it"):
        sealed("hello", **wrong)


def test_half_a_surrogate_pair_is_not_sealed() -> None:
    with pytest.raises(CannotSeal, match="no reader would accept it"):
        sealed("\ud800")


def test_the_largest_body_opens_and_a_larger_one_is_not_made() -> None:
    size = len(sealed("").body)
    most = (MAX_BODY_BYTES - size) * 3 // 4

    made = sealed("x" * (most - 4))

    assert MAX_BODY_BYTES - 16 < len(made.body) <= MAX_BODY_BYTES
    assert opened_by(made.body, made.commitment, ALICE.sealing).content == "x" * (most - 4)
    with pytest.raises(CannotSeal, match="262144 is the most"):
        sealed("x" * (most + 4))


def test_a_larger_body_is_refused_however_valid() -> None:
    content = "x" * MAX_BODY_BYTES
    body = forge.text(forge.jwe(canonical(forge.header()), canonical(forge.plaintext(content))))

    with pytest.raises(CannotOpen):
        opened_by(body, commit(forge.FK, content), ALICE.sealing)


def test_half_a_surrogate_pair_in_a_body_is_one_more_refusal() -> None:
    with pytest.raises(CannotOpen):
        opened_by("\ud800", bytes(32), ALICE.sealing)


def test_what_was_said_is_not_in_a_repr() -> None:
    made = sealed("a secret")

    opened = opened_by(made.body, made.commitment, ALICE.sealing)

    assert repr(opened) == "Opened(cty='text/plain')"


def test_the_header_says_who_wrote_it_in_which_entry_and_for_whom() -> None:
    header = json.loads(unb64url(json.loads(sealed().body)["protected"]))

    assert header == {
        "cty": "text/plain",
        "enc": "A256GCM",
        "iss": ALICE.account_id,
        "mid": ENTRY,
        "rcp": forge.rcp(["alice", "bob"]),
        "skid": ALICE.signing.public.thumbprint,
        "typ": "blockpost-message",
    }


def strangers(number: int) -> list[SealingKey]:
    """Public keys that nobody has the other half of."""
    return [
        SealingKey(n=b64url(((1 << 2047) + 2 * index + 1).to_bytes(256, "big"))) for index in range(number)
    ]


def test_public_keys_are_built_once() -> None:
    oaep._public.cache_clear()

    for _ in range(3):
        sealed()

    assert oaep._public.cache_info().misses == 2

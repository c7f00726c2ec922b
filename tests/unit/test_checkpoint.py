"""Checkpoints: C2SP tlog-checkpoint in a C2SP signed-note."""

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chain import checkpoint
from chain.checkpoint import Checkpoint
from chain.encoding import b64url
from chain.errors import Malformed, Unverified
from chain.identity import SigningKey
from tests.vectors.tampered import signature_line
from tests.world import Keys, Source

ORIGIN = "ward7.example/abc123"
ROOT = bytes(range(32))
HEAD = Checkpoint(ORIGIN, 7, ROOT)
TEXT = f"{ORIGIN}\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
KEYS = Keys(Source("checkpoint"))
OTHERS = Keys(Source("a witness"))


def note(head: Checkpoint = HEAD, keys: Keys = KEYS) -> str:
    return checkpoint.sign(head, key=keys.public, signer=keys.sign)


def verify(text: str) -> Checkpoint:
    return checkpoint.verify(text, origin=ORIGIN, key=KEYS.public)


def test_a_checkpoint_is_three_lines() -> None:
    assert HEAD.to_text() == TEXT
    assert Checkpoint.from_text(TEXT) == HEAD


def test_a_note_is_the_text_an_empty_line_and_an_em_dash_with_key_name_and_signature() -> None:
    key_hash = sha256(ORIGIN.encode() + b"\n\x01" + KEYS.public.raw).digest()[:4]
    signature = KEYS.sign(TEXT.encode())

    assert note() == f"{TEXT}\n\u2014 {ORIGIN} {base64.b64encode(key_hash + signature).decode()}\n"


def test_a_note_that_the_key_signed_verifies() -> None:
    assert verify(note()) == HEAD


def test_the_published_note_of_the_format_has_the_key_id_that_its_key_makes() -> None:
    """The example of golang.org/x/mod/sumdb/note: its key, its text and its signature."""
    name, secret = "PeterNeumann", base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
    private = Ed25519PrivateKey.from_private_bytes(secret[1:])
    public = SigningKey(b64url(private.public_key().public_bytes_raw()))
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    published = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

    key_id = checkpoint.key_id(name, public)

    assert base64.b64decode(published) == key_id + private.sign(text.encode())
    assert (
        checkpoint.verifier_key(name, public)
        == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )


def test_a_verifier_key_reads_back() -> None:
    text = checkpoint.verifier_key(ORIGIN, KEYS.public)

    assert checkpoint.read_verifier_key(text) == (ORIGIN, KEYS.public)


VKEY = checkpoint.verifier_key(ORIGIN, KEYS.public)
NOT_KEYS = {
    "nothing": "",
    "no key": VKEY.rpartition("+")[0],
    "no name": VKEY.removeprefix(ORIGIN),
    "another name": VKEY.replace("ward7", "ward8"),
    "another id": VKEY.replace(VKEY.split("+")[1], "00000000"),
    "an id in capitals": VKEY.replace(VKEY.split("+")[1], VKEY.split("+")[1].upper()),
    "another kind of key": VKEY.replace("+A", "+B"),
    "a short key": VKEY[:-4],
    "no base64": VKEY[:-1] + "*",
    "a space": VKEY + " ",
    "a newline": VKEY + "\n",
    "a lone surrogate": "\ud800" + VKEY,
    "a space in the name": VKEY.replace("ward7", "ward 7"),
}


@pytest.mark.parametrize("text", NOT_KEYS.values(), ids=NOT_KEYS)
def test_what_is_no_verifier_key_is_malformed(text: str) -> None:
    assert text != VKEY
    with pytest.raises(Malformed):
        checkpoint.read_verifier_key(text)


def test_further_signatures_are_carried_and_ignored() -> None:
    witness = signature_line("witness.example", b"\x01\x02\x03\x04" + bytes(72))
    same_name = signature_line(ORIGIN, b"\x01\x02\x03\x04" + bytes(64))
    text, _, ours = note().partition("\n\n")

    assert verify(note() + witness) == HEAD
    assert verify(f"{text}\n\n{witness}{same_name}{ours}") == HEAD


def test_the_signature_of_another_key_is_not_enough() -> None:
    with pytest.raises(Unverified, match="not signed by the gateway's key"):
        verify(note(keys=OTHERS))


def test_a_key_id_that_collides_does_not_make_the_signature_hold() -> None:
    collided = checkpoint.key_id(ORIGIN, KEYS.public) + OTHERS.sign(TEXT.encode())

    with pytest.raises(Unverified, match="does not hold"):
        verify(f"{TEXT}\n{signature_line(ORIGIN, collided)}")


def test_the_checkpoint_of_another_chain_is_not_ours() -> None:
    with pytest.raises(Unverified, match="origin"):
        verify(note(Checkpoint("ward8.example/abc123", 7, ROOT)))


def test_the_key_name_is_bound_to_the_origin() -> None:
    text, _, signature = note().partition("\n\n")
    renamed = signature.replace(ORIGIN, "ward8.example/abc123")

    with pytest.raises(Unverified):
        verify(f"{text}\n\n{renamed}")


@pytest.mark.parametrize("length", [0, 3, 4, 67, 69])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    data = (checkpoint.key_id(ORIGIN, KEYS.public) + KEYS.sign(TEXT.encode()) + b"\0")[:length]

    with pytest.raises((Malformed, Unverified)):
        verify(f"{TEXT}\n{signature_line(ORIGIN, data)}")


@pytest.mark.parametrize("size", [0, 1, 2**53, 2**63 - 1])
def test_any_size_that_a_log_may_have_reads_back(size: int) -> None:
    head = Checkpoint(ORIGIN, size, ROOT)

    assert verify(note(head)) == head


def test_what_an_author_has_seen_is_the_size_and_root() -> None:
    assert (HEAD.seen.size, HEAD.seen.root) == (7, b64url(ROOT))

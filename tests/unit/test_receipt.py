"""
Receipts, against a second verifier that was written from the standards alone.

The first half of this file is that verifier: C2SP tlog-proof, tlog-checkpoint and signed-note, and RFC 9162
section 2.1.3.2. It uses nothing of `chain`.
"""

import base64
from collections.abc import Iterator
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chain import checkpoint
from chain.checkpoint import Checkpoint
from chain.errors import Malformed, Missing, Unverified
from chain.receipt import MAGIC, Receipt
from tests.vectors import tampered
from tests.world import World

# The second verifier


class Rejected(Exception):
    """The proof is not one."""


def decimal(text: str) -> int:
    if not text or any(digit not in "0123456789" for digit in text) or (text[0] == "0" and text != "0"):
        raise Rejected("not a decimal number without leading zeroes")
    return int(text)


def standard_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Rejected("not base64") from error
    if base64.b64encode(data).decode() != text:
        raise Rejected("not canonical base64")
    return data


def open_note(note: str, vkey: str) -> str:
    """C2SP signed-note: return the text, if the key signed it."""
    name, key_hash, encoded = vkey.split("+", 2)
    typed_key = base64.b64decode(encoded)
    assert typed_key[0] == 1
    assert bytes.fromhex(key_hash) == sha256(name.encode() + b"\n" + typed_key).digest()[:4]
    if any((char < " " and char != "\n") or "\ud800" <= char <= "\udfff" for char in note):
        raise Rejected("a control character, or not UTF-8")
    cut = note.rfind("\n\n")
    if cut < 0 or not note.endswith("\n"):
        raise Rejected("no signatures")
    text, verified = note[: cut + 1], False
    for line in note[cut + 2 : -1].split("\n"):
        dash, _, rest = line.partition(" ")
        signer, _, signature = rest.partition(" ")
        if dash != "\u2014" or not signer:
            raise Rejected("not a signature line")
        raw = standard_base64(signature)
        if signer != name or raw[:4].hex() != key_hash:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(typed_key[1:]).verify(raw[4:], text.encode())
        except InvalidSignature as error:
            raise Rejected("the signature does not hold") from error
        verified = True
    if not verified:
        raise Rejected("not signed by the key")
    return text


def check_inclusion(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2, step by step."""
    if index >= size:
        raise Rejected("1: the index is beyond the tree")
    fn, sn = index, size - 1
    r = sha256(b"\x00" + leaf).digest()
    for p in path:
        if sn == 0:
            raise Rejected("4a: the path is too long")
        if fn % 2 == 1 or fn == sn:
            r = sha256(b"\x01" + p + r).digest()
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            r = sha256(b"\x01" + r + p).digest()
        fn, sn = fn // 2, sn // 2
    if sn != 0 or r != root:
        raise Rejected("5: not the root")


def check_proof(proof: str, leaf: bytes, *, origin: str, vkey: str) -> tuple[int, int]:
    """C2SP tlog-proof: return the index of the leaf and the size of the tree."""
    head, empty, note = proof.partition("\n\n")
    lines = head.split("\n")
    if not empty or lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Rejected("not a proof")
    if lines and lines[0].startswith("extra "):
        standard_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise Rejected("no index")
    index = decimal(lines.pop(0).removeprefix("index "))
    path = [standard_base64(line) for line in lines]
    text = open_note(note, vkey)
    if len(text.split("\n")) < 4:
        raise Rejected("not a checkpoint")
    signed_origin, size, root = text.split("\n")[:3]
    if signed_origin != origin:
        raise Rejected("the checkpoint of another log")
    check_inclusion(leaf, index, decimal(size), path, standard_base64(root))
    return index, decimal(size)


# What it says of receipts that a chain made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A chain of some blocks; the last one has seven entries."""
    with World(tmp_path_factory.mktemp("receipts")) as world:
        alice, bob = world.join("alice"), world.join("bob")
        world.link(alice, bob.id)
        world.commit(*(alice.writes(bob.id) for _ in range(7)))
        yield world


def vkey_of(world: World) -> str:
    return checkpoint.verifier_key(world.origin, world.chain.key)


def accepted(world: World, text: str, leaf: bytes) -> tuple[bool, bool]:
    """Whether ours accepts it, and whether the second verifier does."""
    try:
        Receipt.from_text(text).verify(leaf, origin=world.origin, key=world.chain.key)
        ours = True
    except (Malformed, Unverified):
        ours = False
    try:
        check_proof(text, leaf, origin=world.origin, vkey=vkey_of(world))
        theirs = True
    except Rejected:
        theirs = False
    return ours, theirs


def test_both_verifiers_accept_the_receipt_of_every_entry(world: World) -> None:
    size = world.chain.head.size
    for receipt in world.chain.receipts(range(size)):
        leaf = world.chain.store.leaf(receipt.index)

        assert check_proof(receipt.to_text(), leaf, origin=world.origin, vkey=vkey_of(world)) == (
            receipt.index,
            size,
        )
        assert receipt.verify(leaf, origin=world.origin, key=world.chain.key) == Checkpoint(
            world.origin, size, world.chain.head.root
        )


def test_both_verifiers_accept_receipts_under_any_earlier_checkpoint(world: World) -> None:
    db = world.chain.store.db
    notes = [note.decode() for (note,) in db.execute("SELECT checkpoint FROM signature ORDER BY height")]
    for note in notes:
        size = world.chain.verified(note).size
        for receipt in world.chain.receipts(range(size), note=note):
            leaf = world.chain.store.leaf(receipt.index)

            assert accepted(world, receipt.to_text(), leaf) == (True, True)


def test_a_reader_that_appended_nothing_makes_the_same_receipts(world: World) -> None:
    beside = type(world.chain).open(world.path)
    try:
        assert beside.receipts(range(world.chain.head.size)) == world.chain.receipts(
            range(world.chain.head.size)
        )
    finally:
        beside.close()


def test_a_receipt_is_the_text_of_the_specification(world: World) -> None:
    (receipt,) = world.chain.receipts([3])
    hashes = [base64.b64encode(value).decode() for value in receipt.path]

    assert receipt.to_text() == "\n".join(
        ["c2sp.org/tlog-proof@v1", "index 3", *hashes, "", world.chain.checkpoint()]
    )


def test_the_receipt_of_a_log_of_one_entry_has_no_path(world: World) -> None:
    keys = world.gateway.keys
    leaf, root = b"only", sha256(b"\x00only").digest()
    note = checkpoint.sign(Checkpoint(world.origin, 1, root), key=keys.public, signer=keys.sign)
    text = f"{MAGIC}\nindex 0\n\n{note}"

    assert Receipt.from_text(text).to_text() == text
    assert accepted(world, text, leaf) == (True, True)


def test_both_verifiers_refuse_what_was_tampered_with(world: World) -> None:
    (receipt,) = world.chain.receipts([5])
    leaf = world.chain.store.leaf(5)

    verdicts = {what: accepted(world, text, leaf) for what, text in tampered.receipts(receipt, world).items()}

    assert verdicts == dict.fromkeys(verdicts, (False, False))


def test_both_verifiers_refuse_a_receipt_with_any_bit_flipped(world: World) -> None:
    (receipt,) = world.chain.receipts([5])
    leaf, data = world.chain.store.leaf(5), receipt.to_text().encode()
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        text = flipped.decode("utf-8", "surrogateescape")

        assert accepted(world, text, leaf) == (False, False), text


def test_both_verifiers_refuse_the_receipt_of_another_entry(world: World) -> None:
    (receipt,) = world.chain.receipts([5])
    leaf = world.chain.store.leaf(5)

    assert accepted(world, receipt.to_text(), world.chain.store.leaf(6)) == (False, False)
    assert accepted(world, receipt.to_text(), leaf[:-1]) == (False, False)
    assert accepted(world, receipt.to_text(), leaf + b"\n") == (False, False)


def test_extra_data_is_not_ours_and_refused(world: World) -> None:
    (receipt,) = world.chain.receipts([5])
    text = receipt.to_text().replace("index", "extra AAAA\nindex")

    assert accepted(world, text, world.chain.store.leaf(5)) == (False, True)


def test_no_receipt_is_made_for_an_entry_that_is_not_there(world: World) -> None:
    with pytest.raises(Malformed, match="index below"):
        world.chain.receipts([world.chain.head.size])
    with pytest.raises(Missing):
        world.chain.store.leaf(world.chain.head.size)


def test_no_receipt_is_made_under_a_checkpoint_of_somebody_else(world: World) -> None:
    keys = world.stranger("mallory").keys
    note = checkpoint.sign(Checkpoint(world.origin, 3, bytes(32)), key=keys.public, signer=keys.sign)

    with pytest.raises(Unverified):
        world.chain.receipts([0], note=note)


def test_an_overlong_receipt_is_not_even_read(world: World) -> None:
    (receipt,) = world.chain.receipts([5])
    witness = f"\u2014 witness.example {base64.b64encode(bytes(3000)).decode()}\n"

    with pytest.raises(Malformed, match="at most"):
        Receipt.from_text(receipt.to_text() + witness * 6)

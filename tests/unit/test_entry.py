"""Entries: one permitted text for each, and ids that tell the time."""

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain import entry
from chain.encoding import b64url, unb64url
from chain.entry import Group, Message, Status
from chain.errors import Malformed, Oversized, Unverified
from chain.identity import SealingKey, SigningKey, account_id
from chain.wire import Submission
from tests.vectors.tampered import signed_as, spelled
from tests.world import Keys, Source, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("entries")) as world:
        yield world


@pytest.fixture(scope="module")
def submission(world: World) -> Submission:
    return world.admin.alerts(world.gateway.id)


def payload_of(submission: Submission) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(submission.signed.signed.payload)
    return document


def test_an_entry_is_a_compact_jws_of_canonical_json(submission: Submission) -> None:
    header, payload, signature = submission.signed.leaf.decode().split(".")

    assert json.loads(unb64url(header)) == {
        "alg": "Ed25519",
        "kid": submission.signed.kid,
        "typ": "blockpost-entry",
    }
    assert unb64url(payload) == spelled(payload_of(submission))
    assert len(unb64url(signature)) == 64


def test_an_entry_says_what_it_is_and_for_which_chain(world: World, submission: Submission) -> None:
    says = payload_of(submission)

    assert (says["v"], says["type"], says["chain"]) == (1, "message", world.origin)
    assert says["seen"] == {"root": world.seen.root, "size": world.seen.size}
    assert submission.body is not None
    assert says["body"] == {
        "digest": submission.body.ref.digest,
        "size": len(submission.body.content),
    }


def test_the_signature_is_the_authors_and_nobody_elses(world: World, submission: Submission) -> None:
    submission.signed.verify(world.admin.keys.public)
    with pytest.raises(Unverified):
        submission.signed.verify(world.gateway.keys.public)


def test_a_signature_holds_only_under_the_name_of_its_key(world: World) -> None:
    misnamed = world.admin.ticks(kid=world.gateway.keys.kid)

    with pytest.raises(Unverified, match="not with"):
        misnamed.signed.verify(world.admin.keys.public)


def test_the_header_is_signed_too(world: World, submission: Submission) -> None:
    _, payload, signature = submission.signed.leaf.split(b".")
    header = spelled({"alg": "Ed25519", "kid": world.gateway.keys.kid, "typ": entry.TYP})
    swapped = entry.parse(b".".join([b64url(header).encode(), payload, signature]))

    with pytest.raises(Unverified):
        swapped.verify(world.admin.keys.public)


def test_an_overlong_entry_is_oversized_before_it_is_read(world: World) -> None:
    leaf = signed_as(b" " * 50_000, world.admin.keys)

    assert len(leaf) > entry.MAX_LEAF_BYTES
    with pytest.raises(Oversized):
        entry.parse(leaf)
    with pytest.raises(Oversized):
        entry.parse(b"." * (entry.MAX_LEAF_BYTES + 1))


def test_no_overlong_entry_is_signed(world: World) -> None:
    with pytest.raises(Oversized):
        world.admin.says(Status, about=entry.new_id(0, world.source), state="s" * 60_000)


@pytest.mark.parametrize("order", ["repeated", "unsorted"])
def test_members_of_a_group_are_sorted_and_named_once(world: World, order: str) -> None:
    one, other = sorted((world.admin.id, world.gateway.id))
    members = [one, one] if order == "repeated" else [other, one]
    beside = world.admin.sealed("{}")

    with pytest.raises(Malformed, match="sorted and without repeats"):
        world.admin.says(Group, beside=beside, group=world.new_group(), members=members)


def test_a_group_has_at_most_64_members(world: World) -> None:
    members = sorted(account_id(Keys(world.source).public) for _ in range(65))
    beside = world.admin.sealed("{}")

    with pytest.raises(Malformed):
        world.admin.says(Group, beside=beside, group=world.new_group(), members=members)
    world.admin.says(Group, beside=beside, group=world.new_group(), members=members[1:])


def test_a_leaf_is_kept_as_it_came(submission: Submission) -> None:
    assert entry.parse(submission.signed.leaf) == submission.signed
    assert entry.parse(submission.signed.leaf).leaf == submission.signed.leaf


def test_an_entry_knows_its_type_on_the_wire(submission: Submission) -> None:
    assert isinstance(submission.signed.entry, Message)
    assert entry.type_of(submission.signed.entry) == "message"


def test_a_new_id_is_a_uuid_of_version_7_with_the_time_in_it() -> None:
    now = 1_763_000_000_123

    made = uuid.UUID(entry.new_id(now, Source("ids")))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == now


def test_the_published_example_of_a_uuid_of_version_7_is_what_its_time_and_noise_make() -> None:
    """RFC 9562 appendix A.6: 0x17F22E279B0 ms, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F."""
    noise = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")

    assert entry.new_id(0x17F22E279B0, lambda _count: noise) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_ids_of_later_times_sort_later() -> None:
    source = Source("ids")
    made = [entry.new_id(now, source) for now in (0, 1, 255, 256, 2**40, 2**48 - 1)]

    assert made == sorted(made)
    assert len({entry.new_id(5, source) for _ in range(1000)}) == 1000


def test_the_id_in_the_store_is_its_sixteen_bytes() -> None:
    made = entry.new_id(7, Source("ids"))

    assert str(uuid.UUID(bytes=entry.id_bytes(made))) == made


def test_an_account_id_is_half_of_the_first_keys_thumbprint() -> None:
    key = Keys(Source("identity")).public
    half = unb64url(key.thumbprint)[:16]

    assert account_id(key) == base64.b32encode(half).decode().rstrip("=").lower()


@pytest.mark.parametrize("bits", [0, 1, 8, 1024, 2040, 2047, 8200, 16384])
def test_a_sealing_key_has_2048_to_8192_bits(bits: int) -> None:
    modulus = (1 << bits - 1 | 1).to_bytes((bits + 7) // 8, "big") if bits else b""

    with pytest.raises(Malformed):
        SealingKey(b64url(modulus))


@pytest.mark.parametrize(
    "modulus", [b"\0" + b"\xff" * 384, b"\xff" * 383 + b"\xfe"], ids=["a leading zero", "even"]
)
def test_a_sealing_key_is_an_odd_number_in_its_shortest_form(modulus: bytes) -> None:
    with pytest.raises(Malformed):
        SealingKey(b64url(modulus))


def test_a_signing_key_has_one_spelling() -> None:
    x = Keys(Source("spelling")).public.x
    other = x[:-1] + chr(ord(x[-1]) + 1)

    with pytest.raises(Malformed, match="one permitted spelling"):
        SigningKey(other)


def test_an_entry_is_the_same_for_the_same_keys_and_ids(tmp_path: Path) -> None:
    """Ed25519 is deterministic: whoever sends again after a crash sends the same bytes."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    with World(tmp_path / "one") as one, World(tmp_path / "two") as two:
        assert one.admin.ticks() == two.admin.ticks()
        assert one.chain.head == two.chain.head

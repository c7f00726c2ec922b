"""The chain as it is served to whoever audits it, and what admins are shown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain import merkle
from chain.block import Block, Header
from chain.encoding import b64url, unb64url
from gateway.rest.tiles import WIDTH, path_of
from tests.site import Site, a_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with a_site(tmp_path) as made:
        yield made


def grown(site: Site, size: int) -> None:
    """Let the chain have exactly `size` entries."""
    left = size - site.world.chain.head.size
    for start in range(0, left, 200):
        block = [site.alice.writes(site.bob.id) for _ in range(min(200, left - start))]
        site.commit(*block)


def tile(site: Site, name: str) -> bytes:
    answer = site.get(site.carol, f"/tile/{name}")
    assert answer.status_code == 200, name
    return bytes(answer.data)


def tile_names(size: int, level: str = "0") -> list[str]:
    """Every tile of a level that a log of `size` hashes has."""
    full, rest = divmod(size, WIDTH)
    names = [f"{level}/{path_of(number)}" for number in range(full)]
    return names + ([f"{level}/{path_of(full)}.p/{rest}"] if rest else [])


def leaves(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def test_the_root_follows_from_the_tiles(site: Site) -> None:
    grown(site, 600)
    note = site.get(site.carol, "/checkpoint")
    assert note.mimetype == "text/plain"
    head = site.world.chain.verified(note.text)
    assert head.size == 600

    entries = [leaf for name in tile_names(600, "entries") for leaf in leaves(tile(site, name))]
    hashes = b"".join(tile(site, name) for name in tile_names(600))
    above = tile(site, "1/000.p/2")

    tree = merkle.Tree(0, lambda _position: b"")
    for leaf in entries:
        tree.append(merkle.leaf_hash(leaf))
    assert tree.root() == head.root
    assert hashes == b"".join(merkle.leaf_hash(leaf) for leaf in entries)
    assert above == tree.complete(8, 0) + tree.complete(8, 1)


def test_a_tile_may_be_kept_for_ever_by_its_reader_alone(site: Site) -> None:
    answer = site.get(site.carol, "/tile/0/000.p/1")

    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "name",
    [
        "0/000",  # not full yet
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/256",
        "0/000.p/255",  # beyond the checkpoint
        "0/00",
        "0/0000",
        "0/x000/000.p/1",  # one tile, one path
        "00/000.p/1",
        "64/000.p/1",
        "0/x999/x999/x999/x999/999",
        "entries/000",
        "data/000.p/1",
        "0/000.p/1/",
        "",
    ],
)
def test_a_tile_that_is_not_there_or_not_spelt_right_is_not_found(site: Site, name: str) -> None:
    assert site.get(site.carol, f"/tile/{name}").status_code == 404


def test_tiles_are_named_as_the_specification_does() -> None:
    assert path_of(1_234_067) == "x001/x234/067"
    assert path_of(0) == "000"


def test_one_checkpoint_continues_another(site: Site) -> None:
    roots = {}
    for _ in range(2):
        head = site.world.chain.head
        roots[head.size] = head.root
        site.write(site.bob, site.alice.id)
    (old, old_root), (new, new_root) = roots.items()

    answer = site.get(site.carol, f"/v1/chain/consistency?from={old}&to={new}")

    assert answer.json is not None
    path = [unb64url(text) for text in answer.json["path"]]
    merkle.verify_consistency(old, new, path, old_root, new_root)


@pytest.mark.parametrize("query", ["", "?from=0", "?from=5&to=4", "?from=0&to=100000", "?from=a&to=b"])
def test_a_proof_of_what_never_was_is_refused(site: Site, query: str) -> None:
    assert site.get(site.carol, f"/v1/chain/consistency{query}").status_code == 400


def test_a_block_is_shown_with_its_hash_and_the_ids_of_its_entries(site: Site) -> None:
    submissions = [site.alice.writes(site.bob.id) for _ in range(2)]
    site.commit(*submissions)
    height = site.world.chain.head.height

    answer = site.get(site.carol, f"/v1/chain/blocks/{height}")

    assert answer.json is not None
    header = msgspec.convert(answer.json["header"], Header)
    assert b64url(Block(header, ()).hash) == answer.json["hash"]
    assert answer.json["count"] == 2
    assert answer.json["entries"] == [submission.signed.entry.id for submission in submissions]


@pytest.mark.parametrize("height", ["99", "-1", "00", "x", "9" * 400])
def test_a_block_that_is_not_there_is_not_found(site: Site, height: str) -> None:
    assert site.get(site.carol, f"/v1/chain/blocks/{height}").status_code == 404


# Admin


def listed(site: Site, noun: str, query: str = "") -> Any:
    answer = site.get(site.admin, f"/v1/admin/{noun}{query}")
    assert answer.status_code == 200
    return answer.json


@pytest.mark.parametrize("noun", ["accounts", "invites", "groups"])
def test_only_an_admin_is_shown_everybody(site: Site, noun: str) -> None:
    answer = site.get(site.alice, f"/v1/admin/{noun}")

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["rule"] == "permission"


def test_an_admin_sees_all_accounts_the_gone_ones_too(site: Site) -> None:
    site.commit(site.admin.revokes(site.carol.id))

    rows = listed(site, "accounts")["accounts"]

    assert {(row["handle"], row["live"]) for row in rows} == {
        ("gateway", True),
        ("admin", True),
        ("alice", True),
        ("bob", True),
        ("carol", False),
        ("fridge-2", True),
    }


def test_invites_are_shown_without_what_would_help_to_guess_them(site: Site) -> None:
    code = site.world.code()
    site.commit(site.admin.invites(code, handle="dave"))

    page = listed(site, "invites")

    assert page["invites"][-1]["handle"] == "dave"
    assert page["invites"][-1]["used_by"] is None
    assert not re.search("code|hash", str(page["invites"]))


def test_groups_are_shown_with_their_members(site: Site) -> None:
    assert listed(site, "groups")["groups"] == [
        {"id": site.on_call, "name": "on call", "members": sorted((site.alice.id, site.bob.id))}
    ]


def test_lists_come_in_pages(site: Site) -> None:
    whole = [row["account"] for row in listed(site, "accounts")["accounts"]]

    paged, query = list[str](), "?limit=2"
    while query:
        page = listed(site, "accounts", query)
        paged += [row["account"] for row in page["accounts"]]
        query = "" if page["next"] is None else f"?limit=2&after={page['next']}"

    assert paged == whole

"""The tree against RFC 6962's own recursive definitions, and against published roots and proofs."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest

from chain import merkle
from chain.errors import Malformed, Unverified

LARGEST = 130
LEAVES = tuple(f"leaf {number}".encode() for number in range(LARGEST))

# The leaves and roots of the reference tree of Certificate Transparency's own tests.
REFERENCE_LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
REFERENCE_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
# Its proofs: (index, size, path) and (old, new, path).
REFERENCE_INCLUSION = (
    (0, 1, ()),
    (
        0,
        8,
        (
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ),
    ),
    (
        5,
        8,
        (
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ),
    ),
    (2, 3, ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",)),
    (
        1,
        5,
        (
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ),
    ),
)
REFERENCE_CONSISTENCY = (
    (1, 1, ()),
    (
        1,
        8,
        (
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ),
    ),
    (
        6,
        8,
        (
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ),
    ),
    (
        2,
        5,
        (
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ),
    ),
)


def split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@cache
def mth(leaves: tuple[bytes, ...]) -> bytes:
    """RFC 6962 section 2.1, as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: tuple[bytes, ...]) -> list[bytes]:
    """RFC 6962 section 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: tuple[bytes, ...]) -> list[bytes]:
    """RFC 6962 section 2.1.2, as it is written there."""
    return subproof(m, leaves, whole=True)


def subproof(m: int, leaves: tuple[bytes, ...], *, whole: bool) -> list[bytes]:
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = split(n)
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def grown(leaves: tuple[bytes, ...]) -> tuple[merkle.Tree, list[bytes]]:
    """A tree that got the leaves one by one, and the nodes it said to store."""
    nodes: list[bytes] = []
    tree = merkle.Tree(0, nodes.__getitem__)
    for leaf in leaves:
        nodes += tree.append(merkle.leaf_hash(leaf))
    return tree, nodes


@pytest.fixture(scope="module")
def nodes() -> list[bytes]:
    return grown(LEAVES)[1]


@pytest.fixture
def tree(nodes: list[bytes]) -> merkle.Tree:
    """A tree that remembers nothing and reads every node from the store."""
    return merkle.Tree(LARGEST, nodes.__getitem__)


def test_every_root_is_that_of_the_rfc(tree: merkle.Tree) -> None:
    assert [tree.root(size) for size in range(LARGEST + 1)] == [
        mth(LEAVES[:size]) for size in range(LARGEST + 1)
    ]


def test_an_appended_leaf_leads_to_the_root_of_the_rfc() -> None:
    for size in range(LARGEST):
        assert grown(LEAVES[:size])[0].root() == mth(LEAVES[:size])


def test_every_inclusion_proof_is_that_of_the_rfc_and_holds(tree: merkle.Tree) -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            made = tree.inclusion(index, size)

            assert made == path(index, LEAVES[:size])
            merkle.verify_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, made, mth(LEAVES[:size]))


def test_every_consistency_proof_is_that_of_the_rfc_and_holds(tree: merkle.Tree) -> None:
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            made = tree.consistency(old, new)

            assert made == proof(old, LEAVES[:new])
            merkle.verify_consistency(old, new, made, mth(LEAVES[:old]), mth(LEAVES[:new]))


def test_the_empty_tree_is_a_prefix_of_every_tree_and_needs_no_proof(tree: merkle.Tree) -> None:
    for new in range(LARGEST + 1):
        assert tree.consistency(0, new) == []
        merkle.verify_consistency(0, new, [], merkle.EMPTY_ROOT, mth(LEAVES[:new]))


def test_the_stored_nodes_stand_where_their_position_says(nodes: list[bytes]) -> None:
    assert len(nodes) == merkle.node_count(LARGEST)
    for level in range(LARGEST.bit_length()):
        for number in range(LARGEST >> level):
            start = number << level
            assert nodes[merkle.position(level, number)] == mth(LEAVES[start : start + (1 << level)])


def test_the_reference_tree_has_its_published_roots() -> None:
    tree, _ = grown(REFERENCE_LEAVES)

    assert [tree.root(size).hex() for size in range(9)] == list(REFERENCE_ROOTS)


@pytest.mark.parametrize(("index", "size", "published"), REFERENCE_INCLUSION)
def test_the_reference_tree_has_its_published_inclusion_proofs(
    index: int, size: int, published: tuple[str, ...]
) -> None:
    tree, _ = grown(REFERENCE_LEAVES)

    assert [value.hex() for value in tree.inclusion(index, size)] == list(published)


@pytest.mark.parametrize(("old", "new", "published"), REFERENCE_CONSISTENCY)
def test_the_reference_tree_has_its_published_consistency_proofs(
    old: int, new: int, published: tuple[str, ...]
) -> None:
    tree, _ = grown(REFERENCE_LEAVES)

    assert [value.hex() for value in tree.consistency(old, new)] == list(published)


def flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def damaged(proof: list[bytes]) -> list[list[bytes]]:
    """Proofs that are longer, shorter, swapped, doubled or bit-flipped."""
    some = sha256(b"some other hash").digest()
    wrong = [[*proof, some], [some, *proof]]
    if proof:
        wrong += [proof[1:], proof[:-1], [*proof, proof[-1]]]
    wrong += [[*proof[:n], flipped(proof[n]), *proof[n + 1 :]] for n in range(len(proof))]
    wrong += [
        [*proof[:n], proof[n + 1], proof[n], *proof[n + 2 :]]
        for n in range(len(proof) - 1)
        if proof[n] != proof[n + 1]
    ]
    return wrong


def refuses(verify: Callable[..., None], *arguments: object) -> bool:
    try:
        verify(*arguments)
    except Unverified:
        return True
    return False


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 65, 130])
def test_an_inclusion_proof_of_anything_else_is_refused(tree: merkle.Tree, size: int) -> None:
    root = mth(LEAVES[:size])
    for index in range(size):
        leaf, good = merkle.leaf_hash(LEAVES[index]), tree.inclusion(index, size)

        assert refuses(merkle.verify_inclusion, flipped(leaf), index, size, good, root)
        assert refuses(merkle.verify_inclusion, leaf, index, size, good, flipped(root))
        for other in {-1, index - 1, index + 1, index ^ 1, size, size + 1} - {index}:
            assert refuses(merkle.verify_inclusion, leaf, other, size, good, root)
        for wrong in damaged(good):
            assert refuses(merkle.verify_inclusion, leaf, index, size, wrong, root)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 33, 130])
def test_an_inclusion_proof_does_not_hold_under_the_root_of_another_size(
    tree: merkle.Tree, size: int
) -> None:
    for index in range(size):
        leaf, good = merkle.leaf_hash(LEAVES[index]), tree.inclusion(index, size)
        for other in range(index + 1, LARGEST + 1):
            if other != size:
                assert refuses(merkle.verify_inclusion, leaf, index, other, good, mth(LEAVES[:other]))


@pytest.mark.parametrize("new", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 65, 130])
def test_a_consistency_proof_of_anything_else_is_refused(tree: merkle.Tree, new: int) -> None:
    new_root = mth(LEAVES[:new])
    for old in range(1, new + 1):
        old_root, good = mth(LEAVES[:old]), tree.consistency(old, new)

        assert refuses(merkle.verify_consistency, old, new, good, flipped(old_root), new_root)
        assert refuses(merkle.verify_consistency, old, new, good, old_root, flipped(new_root))
        for other in {-1, old - 1, old + 1, new + 1} - {0, old}:
            assert refuses(merkle.verify_consistency, other, new, good, old_root, new_root)
        for wrong in damaged(good):
            assert refuses(merkle.verify_consistency, old, new, wrong, old_root, new_root)


def test_a_tree_that_shrinks_is_refused(tree: merkle.Tree) -> None:
    good = tree.consistency(5, 9)

    with pytest.raises(Unverified, match="shrank"):
        merkle.verify_consistency(9, 5, good, mth(LEAVES[:9]), mth(LEAVES[:5]))


def test_a_root_of_the_empty_tree_is_the_hash_of_nothing() -> None:
    with pytest.raises(Unverified):
        merkle.verify_consistency(0, 5, [], mth(LEAVES[:1]), mth(LEAVES[:5]))


def test_a_consistency_proof_without_hashes_is_refused() -> None:
    with pytest.raises(Unverified, match="too short"):
        merkle.verify_consistency(3, 5, [], mth(LEAVES[:3]), mth(LEAVES[:5]))


def test_a_leaf_is_never_taken_for_a_node() -> None:
    left, right = (merkle.leaf_hash(leaf) for leaf in LEAVES[:2])

    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, -1), (0, LARGEST + 1)])
def test_no_inclusion_proof_is_made_outside_the_tree(tree: merkle.Tree, index: int, size: int) -> None:
    with pytest.raises(Malformed):
        tree.inclusion(index, size)


@pytest.mark.parametrize(("old", "size"), [(-1, 5), (6, 5), (0, -1), (5, LARGEST + 1)])
def test_no_consistency_proof_is_made_outside_the_tree(tree: merkle.Tree, old: int, size: int) -> None:
    with pytest.raises(Malformed):
        tree.consistency(old, size)

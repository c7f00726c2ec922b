"""
The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): hashes, proofs, and their verification.

Complete subtrees are kept in the order in which they become complete: leaf 0, leaf 1, their parent,
leaf 2, ... so that a growing tree only ever appends. `position` is a subtree's place in that order.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

from chain.errors import Malformed, Unverified

EMPTY_ROOT = sha256(b"").digest()

Nodes = Callable[[int], bytes]
"""Answers the hash of the complete subtree at a position."""


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


_shared_hash = lru_cache(maxsize=1024)(node_hash)
"""For paths: those of one block have all but their lowest nodes in common."""


def position(level: int, number: int) -> int:
    """
    Where the `number`-th complete subtree of 2**`level` leaves stands in the order of completion.

    Before it: every leaf up to its last one, and every inner node completed by those leaves except
    the ones above it that the same last leaf completes.
    """
    leaves = (number + 1) << level
    return node_count(leaves) - 1 - _trailing_zeros(leaves) + level


def node_count(size: int) -> int:
    """How many complete subtrees a tree of `size` leaves has."""
    return 2 * size - size.bit_count()


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


class Tree:
    """
    A tree of `size` leaves over nodes that somebody stores.

    `nodes` reads what was stored; `append` answers what is to be stored, in order. Hashes that were
    read or computed are remembered, so make a new `Tree` for each piece of work.
    """

    def __init__(self, size: int, nodes: Nodes) -> None:
        self.size = size
        self._nodes = nodes
        self._known: dict[tuple[int, int], bytes] = {}
        self._above: dict[tuple[int, int], list[bytes]] = {}

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf's hash; return the newly completed subtrees: the leaf, then its finished parents."""
        number = self.size
        self._known[0, number] = value = leaf
        completed = [value]
        for level in range(_trailing_zeros(number + 1)):
            value = node_hash(self._complete(level, (number >> level) - 1), value)
            self._known[level + 1, number >> level + 1] = value
            completed.append(value)
        self.size += 1
        return completed

    def grown(self) -> "Tree":
        """The same tree for the next piece of work, which begins with the hashes that the next leaf is joined to."""
        tree = Tree(self.size, self._nodes)
        for level in range(self.size.bit_length()):
            if self.size >> level & 1:
                peak = level, (self.size >> level) - 1
                tree._known[peak] = self._complete(*peak)
        return tree

    def root(self, size: int | None = None) -> bytes:
        """MTH(D[0:size])."""
        size = self.size if size is None else size
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH(index, D[0:size]), from the leaf's sibling to the root's child."""
        size = self._sized(size)
        if not 0 <= index < size:
            raise Malformed(f"inclusion proof: want an index below {size}, got {index}")
        # Within the largest complete subtree that holds the leaf, every sibling is complete; what is
        # above that subtree is the same for all of its leaves.
        level = (index ^ size).bit_length() - 1
        within = [self._complete(below, index >> below ^ 1) for below in range(level)]
        return within + self._path_above(index >> level << level, 1 << level, size)

    def _path_above(self, start: int, width: int, size: int) -> list[bytes]:
        known = self._above.get((start, size))
        if known is None:
            known = [self._range(*sibling) for sibling in _siblings(start, width, size)]
            known.reverse()
            self._above[start, size] = known
        return known

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """PROOF(old, D[0:size]); empty where `old` is 0 or `size`."""
        size = self._sized(size)
        if not 0 <= old <= size:
            raise Malformed(f"consistency proof: want an old size of at most {size}, got {old}")
        if old in (0, size):
            return []
        start, end, path = 0, size, list[bytes]()
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        if start:
            path.append(self._range(start, end))
        path.reverse()
        return path

    def complete(self, level: int, number: int) -> bytes:
        """The hash of one complete subtree of 2**`level` leaves."""
        return self._complete(level, number)

    def _sized(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise Malformed(f"proof: the tree has {self.size} leaves, got a size of {size}")
        return size

    def _complete(self, level: int, number: int) -> bytes:
        known = self._known.get((level, number))
        if known is None:
            known = self._known[level, number] = self._nodes(position(level, number))
        return known

    def _range(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) for a range that is a node of some tree: its start is aligned to its height."""
        width = end - start
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self._complete(level, start >> level)
        middle = start + _split(width)
        return node_hash(self._range(start, middle), self._range(middle, end))


def _split(width: int) -> int:
    """The largest power of two smaller than `width`: where RFC 6962 cuts a tree."""
    return 1 << (width - 1).bit_length() - 1


def _siblings(index: int, width: int, size: int) -> Iterator[tuple[int, int]]:
    """The ranges beside the way from the root down to the subtree of `width` leaves that begins with `index`."""
    start, end = 0, size
    while end - start > width:
        middle = start + _split(end - start)
        if index < middle:
            yield middle, end
            end = middle
        else:
            yield start, middle
            start = middle


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2: raise `Unverified` unless `leaf` (a hash) is at `index` under `root`."""
    if not 0 <= index < size:
        raise Unverified(f"inclusion proof: want an index below {size}, got {index}")
    fn, sn, value = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            raise Unverified("inclusion proof: too long")
        if fn & 1 or fn == sn:
            value = _shared_hash(sibling, value)
            shift = _trailing_zeros(fn) if fn else 0
            fn, sn = fn >> shift, sn >> shift
        else:
            value = _shared_hash(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise Unverified("inclusion proof: too short")
    if value != root:
        raise Unverified("inclusion proof: does not lead to the root")


def verify_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """RFC 9162 section 2.1.4.2: raise `Unverified` unless the old tree is a prefix of the new one."""
    if not 0 <= old <= new:
        raise Unverified(f"consistency proof: the tree shrank from {old} to {new}")
    if old in (0, new):
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise Unverified("consistency proof: two roots for one size, or a proof where none is due")
        return
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not hashes:
        raise Unverified("consistency proof: too short")
    fn, sn = old - 1, new - 1
    shift = _trailing_zeros(fn + 1)
    fn, sn = fn >> shift, sn >> shift
    old_value = new_value = hashes[0]
    for sibling in hashes[1:]:
        if sn == 0:
            raise Unverified("consistency proof: too long")
        if fn & 1 or fn == sn:
            old_value = node_hash(sibling, old_value)
            new_value = node_hash(sibling, new_value)
            shift = _trailing_zeros(fn) if fn else 0
            fn, sn = fn >> shift, sn >> shift
        else:
            new_value = node_hash(new_value, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise Unverified("consistency proof: too short")
    if old_value != old_root or new_value != new_root:
        raise Unverified("consistency proof: the new tree does not continue the old one")

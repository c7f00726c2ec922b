"""
A receipt: the proof, verifiable offline, that an entry is on the chain (C2SP tlog-proof v1).

Index, inclusion path and signed checkpoint, as text. No block link is ever part of it.
"""

from functools import lru_cache
from typing import Self

from msgspec import Struct

from chain import checkpoint, merkle
from chain.checkpoint import Checkpoint, b64, unb64
from chain.encoding import HASH_BYTES
from chain.errors import Malformed
from chain.identity import SigningKey

MAGIC = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63
MAX_RECEIPT_CHARS = 16_384


class Receipt(Struct, frozen=True):
    """`path` goes from the leaf's sibling to the root's child; `note` is the signed checkpoint."""

    index: int
    path: tuple[bytes, ...]
    note: str

    def to_text(self) -> str:
        hashes = "".join(map(_line, self.path))
        return f"{MAGIC}\nindex {self.index}\n{hashes}\n{self.note}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text; raise `Malformed`. An `extra` line is not ours, and is refused."""
        if len(text) > MAX_RECEIPT_CHARS:
            raise Malformed(f"receipt: at most {MAX_RECEIPT_CHARS} characters, got {len(text)}")
        head, blank, note = text.partition("\n\n")
        magic, _, rest = head.partition("\n")
        index_line, *hashes = rest.split("\n")
        word, _, index = index_line.partition(" ")
        if magic != MAGIC or word != "index" or not blank:
            raise Malformed(f"receipt: want {MAGIC!r}, an index line, hashes, an empty line, a checkpoint")
        if not index.isascii() or not index.isdigit() or len(index) > MAX_PATH or len(hashes) > MAX_PATH:
            raise Malformed("receipt: index or path out of range")
        if str(number := int(index)) != index:
            raise Malformed("receipt: not in canonical form")
        # Each line is the one spelling of its hash: the text is the one of its receipt.
        return cls(number, tuple(map(_hash, hashes)), note)

    def verify(self, leaf: bytes, *, origin: str, key: SigningKey) -> Checkpoint:
        """
        Return the checkpoint under which `leaf` (an entry's exact bytes) is committed.

        Raises `Malformed` or `Unverified`. Whether the checkpoint continues the last one that the
        caller saw is the caller's to check: only it knows that one.
        """
        head = checkpoint.verify(self.note, origin=origin, key=key)
        merkle.verify_inclusion(merkle.leaf_hash(leaf), self.index, head.size, self.path, head.root)
        return head


# The receipts of one block have most of their paths in common.


@lru_cache(maxsize=4096)
def _line(value: bytes) -> str:
    return f"{b64(value)}\n"


@lru_cache(maxsize=4096)
def _hash(line: str) -> bytes:
    value = unb64(line, what="receipt path")
    if len(value) != HASH_BYTES:
        raise Malformed(f"receipt: want path hashes of {HASH_BYTES} bytes")
    return value

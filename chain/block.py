"""
The Block of the paper: an ID, a timestamp, a list of data entries, the hash of the previous block,
a list of smart contracts, and a nonce.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta, Struct

from chain.encoding import b64url, canonical, digest, read_canonical, unb64url
from chain.entry import Count, Hash, Milliseconds, Stream
from chain.errors import Malformed
from chain.identity import Thumbprint

NO_ENGINE = "none"
"""What genesis pins where there is nothing to judge guards by: no contract is ever in force on such a chain."""


class ContractRun(Struct, frozen=True, forbid_unknown_fields=True):
    """A contract in force: its id, the hash of its text, and what it did in this block."""

    id: str
    hash: Hash
    effects: list[str]


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    What a block's hash covers.

    `first` and `count` say which entries it holds, `size` and `root` what the log is after it, `gateway`
    whose key signed it. `timestamp` is in ms and never falls. `clock` is steady time, in ms since genesis: it goes on
    as time does, whatever anybody sets a clock to. The genesis block alone has `engine`.
    """

    v: Literal[1]
    id: Count
    timestamp: Milliseconds
    previous_hash: Hash
    first: Count
    count: Count
    contracts: list[ContractRun]
    nonce: Stream
    size: Count
    root: Hash
    gateway: Thumbprint
    clock: Count = 0
    engine: Annotated[str, Meta(max_length=64)] | None = None


_decoder = msgspec.json.Decoder(Header)

NO_BLOCK = b64url(bytes(32))
"""The previous hash of the genesis block."""


def read_header(data: bytes) -> Header:
    """Raise `Malformed`."""
    return read_canonical(_decoder, data, what="block header")


class Block(Struct, frozen=True, dict=True):
    """A header and the entries' exact bytes."""

    header: Header
    entries: tuple[bytes, ...]

    @property
    def id(self) -> int:
        """The height: the genesis block is 0."""
        return self.header.id

    @property
    def timestamp(self) -> int:
        return self.header.timestamp

    @property
    def previous_hash(self) -> bytes:
        return unb64url(self.header.previous_hash, what="previous hash")

    @property
    def contracts(self) -> Sequence[ContractRun]:
        return self.header.contracts

    @property
    def nonce(self) -> bytes:
        return unb64url(self.header.nonce, what="nonce")

    @property
    def root(self) -> bytes:
        return unb64url(self.header.root, what="root")

    @cached_property
    def header_bytes(self) -> bytes:
        """The header in RFC 8785 form: what is hashed, stored and served."""
        return canonical(self.header)

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the header."""
        return digest(self.header_bytes)

    @classmethod
    def read(cls, header: bytes, entries: Sequence[bytes]) -> Self:
        """Put a stored header and its entries together; raise `Malformed`."""
        parsed = read_header(header)
        if parsed.count != len(entries):
            raise Malformed(f"block {parsed.id}: want {parsed.count} entries, got {len(entries)}")
        return cls(parsed, tuple(entries))


SIGNATURE_CONTEXT = b"blockpost/block/v1\n"


def signed_bytes(block_hash: bytes) -> bytes:
    """What the gateway signs of a block, once it is on disk."""
    return SIGNATURE_CONTEXT + block_hash

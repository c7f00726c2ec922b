"""
The log as lines of JSON: each block with what the gateway signed for it, then its entries; at last, that it ends.

Without the bodies it still proves itself: headers, links, roots, signatures and leaves are all there.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from chain.encoding import b64url
from chain.store import Store


class BlockLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    `header` is the header's canonical text: its SHA-256 is the block's hash, which `signature` is over.

    The newest block may lack its signatures for a moment.
    """

    block: int
    header: str
    checkpoint: str | None = None
    signature: str | None = None


class EntryLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`entry` is the exact leaf, `time` its block's; `salt` and `body` are there unless erased, or left out."""

    index: int
    block: int
    time: int
    entry: str
    salt: str | None = None
    body: str | None = None


class EndLine(Struct, frozen=True, kw_only=True):
    """The last line: without it, what came is the beginning of a log. `end` is the height of its last block."""

    end: int
    size: int


_encode = msgspec.json.Encoder().encode


def lines(store: Store, height: int, *, bodies: bool) -> Iterator[bytes]:
    """One block's lines, each with its newline; raise `Missing` if the chain is not that high."""
    block = store.block(height)
    note, signature = store.signatures(height) or (None, None)
    yield _line(
        BlockLine(
            block=height,
            header=block.header_bytes.decode(),
            checkpoint=note,
            signature=b64url(signature) if signature else None,
        )
    )
    for index, leaf in enumerate(block.entries, block.header.first):
        body = store.body(index) if bodies else None
        yield _line(
            EntryLine(
                index=index,
                block=height,
                time=block.timestamp,
                entry=leaf.decode(),
                salt=b64url(body.salt) if body else None,
                body=body.content if body else None,
            )
        )


def last_line(store: Store, height: int) -> bytes:
    return _line(EndLine(end=height, size=store.block(height).header.size))


def _line(value: BlockLine | EntryLine | EndLine) -> bytes:
    return _encode(value) + b"\n"

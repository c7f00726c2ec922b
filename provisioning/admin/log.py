"""A log that is being downloaded, checked as it comes: what `chain.export` wrote, without the bodies."""

from typing import Any, TypeVar

import msgspec

from chain import block as blocks
from chain import checkpoint, ed25519, entry, merkle
from chain.block import Block
from chain.encoding import read, unb64url
from chain.entry import Account
from chain.errors import Damaged, Malformed
from chain.export import BlockLine, EndLine, EntryLine
from chain.identity import SigningKey

MAX_LINE_BYTES = 1_048_576

T = TypeVar("T", BlockLine, EntryLine, EndLine)

_objects = msgspec.json.Decoder(dict[str, Any])


class LogReader:
    """
    Takes a log piece by piece; raises `Malformed` or `Damaged` where it does not hold.

    Checked: that every block follows the one before, has the entries that its root says, and was signed by the gateway
    whose `key` it is; not what the chain's rules say to each entry: `blockpost chain verify` does that, where the
    chain is.
    """

    def __init__(self, origin: str, key: SigningKey) -> None:
        self._origin = origin
        self._key = key
        self._rest = b""
        self._line: BlockLine | None = None
        self._leaves: list[bytes] = []
        self._before: Block | None = None
        self._tree = Frontier()
        self._note = ""
        self._end: EndLine | None = None

    @property
    def size(self) -> int:
        """Entries of whole blocks so far."""
        return self._before.header.size if self._before else 0

    @property
    def blocks(self) -> int:
        return self._before.id + 1 if self._before else 0

    def feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise Malformed(f"log: want lines of at most {MAX_LINE_BYTES} bytes")
        for line in lines:
            self._take(line)

    def end(self) -> str:
        """The newest checkpoint, as signed, once all of the log came."""
        if self._end is None or self._rest:
            raise Damaged(self.blocks, "the log broke off: its last line is missing")
        return self._note

    def _take(self, line: bytes) -> None:
        value = read(_objects, line, what="log")
        if self._end is not None:
            raise Damaged(self.blocks, "something follows the log's last line")
        if "header" in value:
            self._finish()
            self._line = _converted(value, BlockLine)
        elif "entry" in value:
            self._take_entry(_converted(value, EntryLine))
        else:
            self._finish()
            self._end = _converted(value, EndLine)
            if (self._end.end, self._end.size) != (self.blocks - 1, self.size):
                raise Damaged(self.blocks, "the log's last line speaks of another end")

    def _take_entry(self, line: EntryLine) -> None:
        if line.index != self.size + len(self._leaves):
            raise Damaged(self.blocks, f"want entry {self.size + len(self._leaves)}, got {line.index}")
        self._leaves.append(line.entry.encode())

    def _finish(self) -> None:
        """Check the block of which all entries came."""
        line, self._line = self._line, None
        if line is None:
            if self._leaves:
                raise Damaged(self.blocks, "entries without their block")
            return
        try:
            block = Block.read(line.header.encode(), self._leaves)
        except Malformed as error:
            raise Damaged(self.blocks, str(error)) from error
        self._check(block, line)
        self._before, self._leaves = block, []

    def _check(self, block: Block, line: BlockLine) -> None:
        before, height = self._before, self.blocks
        _expect(block.id, height, "its id", height)
        _expect(
            block.previous_hash, before.hash if before else bytes(32), "its link to the block before", height
        )
        _expect(
            (block.header.first, block.header.size),
            (self.size, self.size + len(block.entries)),
            "its range",
            height,
        )
        _expect(block.header.gateway, self._key.thumbprint, "its gateway key", height)
        if before is None:
            self._check_first(block)
        for leaf in block.entries:
            self._tree.append(merkle.leaf_hash(leaf))
        _expect(block.root, self._tree.root(), "the root of its entries", height)
        if line.signature is None or line.checkpoint is None:
            raise Damaged(height, "it lacks the gateway's signature")
        signature = unb64url(line.signature, what="block signature")
        ed25519.verify(self._key.raw, signature, blocks.signed_bytes(block.hash), what=f"block {height}")
        signed = checkpoint.verify(line.checkpoint, origin=self._origin, key=self._key)
        _expect((signed.size, signed.root), (block.header.size, block.root), "its checkpoint", height)
        self._note = line.checkpoint

    def _check_first(self, block: Block) -> None:
        said = entry.parse(block.entries[0]).entry if block.entries else None
        if not isinstance(said, Account) or said.sign != self._key or said.chain != self._origin:
            raise Damaged(0, "its first entry is not the gateway's account")


class Frontier:
    """The root of a tree that only grows, from as many hashes as its size has bits (RFC 6962 section 2.1)."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        level, value = 0, leaf
        while self._peaks and self._peaks[-1][0] == level:
            value = merkle.node_hash(self._peaks.pop()[1], value)
            level += 1
        self._peaks.append((level, value))

    def root(self) -> bytes:
        if not self._peaks:
            return merkle.EMPTY_ROOT
        *higher, (_, value) = self._peaks
        for _, peak in reversed(higher):
            value = merkle.node_hash(peak, value)
        return value


def _converted(value: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Malformed(f"log: {error}") from error


def _expect(got: object, wanted: object, what: str, height: int) -> None:
    if got != wanted:
        raise Damaged(height, f"{what} is another")

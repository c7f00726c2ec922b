"""
What of a disk survives a power cut.

The model is what POSIX promises, and no file system has to keep less:

* Of a file's bytes, its length and its mode, that survives which was there at its last fsync. A file that was never
  synced is empty.
* A name (created, linked, renamed, removed) survives once its directory was synced. To sync the file does not sync its
  name. A rename is there whole or not at all.
* A sync that failed has lost what it was to keep: later ones do not bring it back, as Linux has it. One that lied has
  kept nothing yet.

What was not synced may survive all the same. With a seed, some of it does: of written bytes every sector for itself, in
any order (so writes are torn, and later ones overtake earlier ones); of names either the first so many, as a journal
has it, or any.

SQLite's `-shm` files are memory, not state; they are left out.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from tests.faults.trace import Event, Record

SECTOR = 512
MEMORY = "-shm"


class Image(NamedTuple):
    """A directory: modes, and bytes of files, by path below it. Directories come before what is in them."""

    directories: dict[str, int]
    files: dict[str, tuple[int, bytes]]

    @property
    def digest(self) -> bytes:
        """Equal images have equal ones."""
        hashed = sha256(repr(sorted(self.directories.items())).encode())
        for path, (mode, data) in sorted(self.files.items()):
            hashed.update(f"\n{path} {mode} {len(data)}\n".encode())
            hashed.update(data)
        return hashed.digest()

    def below(self, folder: str) -> "Image":
        """What is in one of its directories ("": itself); nothing if that is not there."""
        inside = f"{folder}/" if folder else ""
        return Image(
            {
                path.removeprefix(inside): mode
                for path, mode in self.directories.items()
                if path.startswith(inside)
            },
            {path.removeprefix(inside): file for path, file in self.files.items() if path.startswith(inside)},
        )

    def write(self, folder: Path) -> None:
        """Make `folder`, which has to be empty, look like this."""
        for path, mode in self.directories.items():
            (folder / path).mkdir()
            (folder / path).chmod(mode)
        for path, (mode, data) in self.files.items():
            file = folder / path
            file.write_bytes(data)
            file.chmod(mode)


class _Assigned(NamedTuple):
    """From now on, a name in a directory stands for this node, or for none."""

    directory: "_Directory"
    name: str
    node: "_Directory | _File | None"
    order: int


@dataclass(eq=False)
class _File:
    mode: int
    data: bytearray
    pending: list[Record] = field(default_factory=list)

    def sync(self) -> None:
        for record in self.pending:
            self.mode = _done(record, self.data, self.mode)
        self.pending.clear()

    def survives(self, luck: "_Luck") -> tuple[int, bytes]:
        if not self.pending or luck.share == 0:
            return self.mode, bytes(self.data)
        data, mode = bytearray(self.data), self.mode
        for record in self.pending:
            for piece in _sectors(record) if record.event is Event.WROTE else (record,):
                if luck.chance.random() < luck.share:
                    mode = _done(piece, data, mode)
        return mode, bytes(data)


@dataclass(eq=False)
class _Directory:
    mode: int
    names: dict[str, "_Directory | _File"] = field(default_factory=dict)
    durable: dict[str, tuple["_Directory | _File | None", int]] = field(default_factory=dict)
    """By name, and which assignment it was."""


class Platter:
    """A disk with the contents of `folder`, and then whatever `apply` is told."""

    def __init__(self, folder: Path) -> None:
        self._inodes: dict[int, _Directory | _File] = {}
        self._root = self._load(folder)
        self._pending: list[tuple[_Assigned, ...]] = []
        self._order = 0

    def _load(self, folder: Path) -> _Directory:
        directory = _Directory(folder.stat().st_mode & 0o7777)
        self._inodes[folder.stat().st_ino] = directory
        for path in folder.iterdir():
            inode = path.stat().st_ino
            if path.is_dir():
                self._load(path)
            elif inode not in self._inodes:
                self._inodes[inode] = _File(path.stat().st_mode & 0o7777, bytearray(path.read_bytes()))
            node = self._inodes[inode]
            directory.names[path.name] = node
            directory.durable[path.name] = (node, 0)
        return directory

    def apply(self, record: Record) -> None:
        match record.event:
            case Event.SENT:
                pass
            case Event.CREATED:
                self._make(record, _File(record.mode, bytearray()))
            case Event.MADE_DIRECTORY:
                self._make(record, _Directory(record.mode))
            case Event.UNLINKED | Event.REMOVED_DIRECTORY:
                self._assign((record.path, None))
            case Event.LINKED:
                self._assign((record.new, self._at(record.path)))
            case Event.RENAMED:
                self._assign((record.path, None), (record.new, self._at(record.path)))
            case _:
                self._touch(record)

    def _touch(self, record: Record) -> None:
        node = self._inodes.get(record.inode)
        if node is None:
            raise LookupError(
                f"{record.event.name}: a file that came here unseen: call Disk.rebase after changes"
            )
        match node, record.event:
            case _, Event.SYNC_LIED:
                pass
            case _File(), Event.SYNCED:
                node.sync()
            case _File(), Event.SYNC_FAILED:
                node.pending.clear()
            case _File(), _:
                node.pending.append(record)
            case _Directory(), Event.SYNCED:
                self._sync(node)
            case _Directory(), Event.SYNC_FAILED:
                self._pending = [each for each in self._pending if not _concerns(each, node)]
            case _Directory(), _:
                node.mode = record.mode

    def _make(self, record: Record, node: _Directory | _File) -> None:
        self._inodes[record.inode] = node
        self._assign((record.path, node))

    def _assign(self, *changes: tuple[str, "_Directory | _File | None"]) -> None:
        self._order += 1
        assigned = []
        for path, node in changes:
            directory, name = self._place(path)
            if node is None:
                del directory.names[name]
            else:
                directory.names[name] = node
            assigned.append(_Assigned(directory, name, node, self._order))
        self._pending.append(tuple(assigned))

    def _place(self, path: str) -> tuple[_Directory, str]:
        *above, name = path.split("/")
        directory = self._root
        for part in above:
            below = directory.names[part]
            assert isinstance(below, _Directory), path
            directory = below
        return directory, name

    def _at(self, path: str) -> _Directory | _File:
        directory, name = self._place(path)
        return directory.names[name]

    def _sync(self, directory: _Directory) -> None:
        for change in self._pending:
            if _concerns(change, directory):
                for each in change:
                    each.directory.durable[each.name] = (each.node, each.order)
        self._pending = [each for each in self._pending if not _concerns(each, directory)]

    def image(self, seed: int | None = None) -> Image:
        """What is there after a power cut now: without a seed, only what has to be."""
        luck = _NO_LUCK if seed is None else self._luck(random.Random(seed))
        image = Image({}, {})
        self._see(self._root, "", luck, image)
        return image

    def _luck(self, chance: random.Random) -> "_Luck":
        share, changes = chance.choice((0, 0.5, 0.9, 1)), self._pending
        if chance.random() < 0.5:
            changes = changes[: chance.randint(0, len(changes))]
        else:
            kept = chance.choice((0, 0.5, 1))
            changes = [each for each in changes if chance.random() < kept]
        return _Luck(
            chance, share, {(each.directory, each.name): each for change in changes for each in change}
        )

    def _see(self, directory: _Directory, path: str, luck: "_Luck", image: Image) -> None:
        found = dict(directory.durable)
        for (where, name), each in luck.names.items():
            # What came later may be durable already: a rename from one directory to another is, once either is synced.
            if where is directory and each.order > found.get(name, (None, 0))[1]:
                found[name] = (each.node, each.order)
        for name, (node, _) in sorted(found.items()):
            below = f"{path}{name}"
            if isinstance(node, _File) and not name.endswith(MEMORY):
                image.files[below] = node.survives(luck)
            elif isinstance(node, _Directory):
                image.directories[below] = node.mode
                self._see(node, f"{below}/", luck, image)


class _Luck(NamedTuple):
    """What of the rest survives: of bytes a `share`, by chance, and these names."""

    chance: random.Random
    share: float
    names: dict[tuple[_Directory, str], _Assigned]


_NO_LUCK = _Luck(random.Random(0), 0, {})


def _concerns(change: tuple[_Assigned, ...], directory: _Directory) -> bool:
    return any(each.directory is directory for each in change)


def _done(record: Record, data: bytearray, mode: int) -> int:
    """Do it to `data`; return the mode after it."""
    match record.event:
        case Event.WROTE:
            end = record.offset + len(record.data)
            if len(data) < end:
                data.extend(bytes(end - len(data)))
            data[record.offset : end] = record.data
        case Event.TRUNCATED:
            del data[record.offset :]
            data.extend(bytes(record.offset - len(data)))
        case Event.CHANGED_MODE:
            mode = record.mode
        case _:
            raise ValueError(f"{record.event.name}: nothing that befalls a file's contents")
    return mode


def _sectors(record: Record) -> Iterator[Record]:
    """What was written, cut where the disk's sectors are."""
    at, end = record.offset, record.offset + len(record.data)
    while at < end:
        until = min(end, (at // SECTOR + 1) * SECTOR)
        piece = record.data[at - record.offset : until - record.offset]
        yield record._replace(offset=at, data=piece)
        at = until

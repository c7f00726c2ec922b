"""
A gateway in one file: made while it runs, and restored only where that takes nothing back.

The file is a tar, sealed with a passphrase unless that is declined: the gateway's key is in it. It holds one moment of
the chain, the key and the settings; no session and no refusal. Restoring checks all of it, and the whole chain, before
the directory has its name.
"""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from msgspec import Struct

from chain import audit, durable, merkle
from chain.audit import Progress, Report
from chain.chain import Chain
from chain.checkpoint import Checkpoint
from chain.encoding import b64url, canonical, digest, read_canonical
from chain.errors import Malformed
from gateway import archive, vault
from gateway.archive import Member
from gateway.errors import BadBackup, BadConfig, RolledBack
from gateway.site import Site
from gateway.vault import Opener, Sealer, Source

SETTINGS, KEY, CHAIN, MANIFEST = "gateway.toml", "gateway.key", "chain.db", "manifest.json"
SMALL = (SETTINGS, KEY, MANIFEST)
SMALL_BYTES = 65_536
"""What any file but the chain may have."""

PAGES = 1_024
"""Of the chain that are copied between two tellings."""

LEAST_PASSPHRASE = 12
"""Characters. Whoever has the file may guess for as long as they like."""

Stages = Callable[[str], Progress]
"""Given what is counted next, what is told how far it is."""


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a backup. `digest` is its SHA-256."""

    size: int
    digest: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds: `files` by name; made `at` (ms), of the chain under `checkpoint` or one block more."""

    v: Literal[1] = 1
    at: int
    checkpoint: str
    files: dict[str, Kept]


_manifests = msgspec.json.Decoder(Manifest)


def make(site: Site, file: Path, passphrase: str | None, stages: Stages) -> Checkpoint:
    """
    Back up the gateway, which may run meanwhile, into a new file, and return the checkpoint that it is under.

    Without a passphrase it is not sealed.

    Raises `FileExistsError`, `BadConfig`, or what a full disk raises: then there is no file.
    """
    if file.exists():
        raise FileExistsError(f"{file}: there is a file already; a backup never replaces another")
    key = site.key()
    with closing(site.read_chain()) as chain:
        if key.public != chain.key:
            raise BadConfig(f"{site.directory / KEY}: not the key that {CHAIN} is signed with")
        # From here on it is one moment of the chain, whatever is committed meanwhile.
        chain.store.db.execute("BEGIN")
        note = chain.checkpoint()
        with durable.creating(file) as out, _snapshot(site, chain.store.db, stages) as snapshot:
            if passphrase is None:
                _write(out, site, note, snapshot, stages)
            else:
                sealer = Sealer(out, passphrase)
                _write(sealer, site, note, snapshot, stages)
                sealer.finish()
        return chain.verified(note)


@contextmanager
def _snapshot(site: Site, db: sqlite3.Connection, stages: Stages) -> Iterator[BinaryIO]:
    """A copy of the chain's file. It has no name: what ends this process ends the copy, too."""
    progress = stages("pages copied")
    # In the gateway's own directory: names are in it, in clear, and a memory stick would keep their traces.
    fd, name = tempfile.mkstemp(prefix=".backup-", dir=site.directory)
    with os.fdopen(fd, "rb") as file:
        try:
            copy = sqlite3.connect(name, isolation_level=None)
            # It is opened with the first statement that it has to look into the file for.
            copy.execute("PRAGMA journal_mode = OFF").fetchall()
            copy.execute("SELECT * FROM sqlite_schema").fetchall()
        finally:
            Path(name).unlink()
        with closing(copy):
            copy.execute("PRAGMA synchronous = OFF")
            db.backup(copy, pages=PAGES, progress=lambda _, left, total: progress(total - left, total))
        yield file


def _write(sink: vault.Sink, site: Site, note: str, snapshot: BinaryIO, stages: Stages) -> None:
    progress = stages("bytes written")
    files = {}
    for name in (SETTINGS, KEY):
        data = (site.directory / name).read_bytes()
        files[name] = Kept(len(data), b64url(archive.write(sink, name, len(data), [data])))
    size = os.fstat(snapshot.fileno()).st_size
    files[CHAIN] = Kept(size, b64url(archive.write(sink, CHAIN, size, _counted(snapshot, size, progress))))
    manifest = Manifest(at=time.time_ns() // 1_000_000, checkpoint=note, files=files)
    data = canonical(manifest)
    archive.write(sink, MANIFEST, len(data), [data])
    archive.end(sink)


def _counted(file: BinaryIO, size: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    while piece := file.read(archive.PIECE_BYTES):
        yield piece
        done += len(piece)
        progress(done, size)


def restore(
    file: Path,
    directory: Path,
    *,
    passphrase: Callable[[], str],
    newest: Sequence[str],
    stages: Stages,
    workers: int = 1,
) -> Report:
    """
    Make the gateway in the file again, in a directory that is new or empty; return what its chain holds.

    `newest` are signed checkpoints that others hold: the chain has to be as long as each, and of the same history.
    Until all of it is checked, the directory does not have its name. Raises `BackupError`, `BadConfig`, or a `ChainError`
    for a chain that does not hold, or a checkpoint that is not its gateway's.
    """
    place = directory.resolve()
    if place.is_mount():
        raise BadConfig(
            f"{directory}: a disk's own directory; want one in it, that can be made whole under another name"
        )
    if place.exists() and any(place.iterdir()):
        raise BadConfig(f"{directory}: not empty; a gateway is restored into a directory of its own")
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}.restoring-", dir=place.parent))
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, scratch)
        small = _unpacked(file, scratch, passphrase, stages("bytes read"))
        with closing(Chain.open(scratch / CHAIN)) as chain:
            for note in (*newest, small.manifest.checkpoint):
                _continues(chain, note)
        report = audit.audit(scratch / CHAIN, workers=workers, progress=stages("entries checked"))
        _finish(scratch, small.files, report)
        scratch.rename(place)
        undo.pop_all()
    durable.sync_directory(place.parent)
    return report


def _continues(chain: Chain, note: str) -> None:
    shown = chain.verified(note)
    if shown.size > chain.head.size:
        raise RolledBack(
            f"it ends with {chain.head.size} entries, and its gateway has signed for {shown.size}: to go on with it"
            f" would take {shown.size - chain.head.size} receipted entries back"
        )
    if merkle.Tree(chain.head.size, chain.store.node).root(shown.size) != shown.root:
        raise RolledBack(
            f"its first {shown.size} entries are not those that its gateway has signed for elsewhere"
        )


class _Small(Struct, frozen=True):
    """What of a backup is not the chain."""

    manifest: Manifest
    files: Mapping[str, bytes]

    def __repr__(self) -> str:
        return "_Small(...)"


def _unpacked(file: Path, scratch: Path, passphrase: Callable[[], str], progress: Progress) -> _Small:
    """Put the chain into `scratch`, and hold every file against the manifest."""
    with file.open("rb") as raw:
        source: Source = _Counting(raw, os.fstat(raw.fileno()).st_size, progress)
        try:
            if raw.read(len(vault.MAGIC)) == vault.MAGIC:
                source = Opener(source, passphrase())
            else:
                raw.seek(0)
            return _read(source, scratch)
        except (BadBackup, Malformed) as error:
            raise BadBackup(f"{file}: {error}") from error


def _read(source: Source, scratch: Path) -> _Small:
    files: dict[str, bytes] = {}
    found: dict[str, Kept] = {}
    for member in archive.members(source):
        if member.name in found or member.name not in (CHAIN, *SMALL):
            raise BadBackup(f"want {CHAIN} and {', '.join(SMALL)} once each, got {member.name!r}")
        if member.name == CHAIN:
            found[CHAIN] = _keep(member, scratch / CHAIN)
        elif member.size > SMALL_BYTES:
            raise BadBackup(f"{member.name}: want {SMALL_BYTES} bytes at most, got {member.size}")
        else:
            files[member.name] = data = b"".join(member.pieces)
            found[member.name] = Kept(member.size, b64url(digest(data)))
    if MANIFEST not in files:
        raise BadBackup(f"there is no {MANIFEST} in it")
    manifest = read_canonical(_manifests, files.pop(MANIFEST), what=MANIFEST)
    del found[MANIFEST]
    if set(manifest.files) != {SETTINGS, KEY, CHAIN} or found != manifest.files:
        raise BadBackup(f"what is in it is not what its {MANIFEST} says")
    return _Small(manifest, files)


def _keep(member: Member, path: Path) -> Kept:
    hashed = sha256()
    with durable.synced(path) as out:
        for piece in member.pieces:
            hashed.update(piece)
            out.write(piece)
    return Kept(member.size, b64url(hashed.digest()))


def _finish(scratch: Path, files: Mapping[str, bytes], report: Report) -> None:
    """Write the rest; the settings come last: a directory that has them is a whole gateway."""
    for name in (KEY, SETTINGS):
        durable.create(scratch / name, files[name])
    if Site.load(scratch).key().public != report.key:
        raise BadBackup(f"its {KEY} is not the key that its chain is signed with")
    for left in ("-wal", "-shm"):
        (scratch / f"{CHAIN}{left}").unlink(missing_ok=True)
    durable.sync_directory(scratch)


class _Counting:
    """Tells how far a file was read."""

    def __init__(self, file: BinaryIO, size: int, progress: Progress) -> None:
        self._file = file
        self._size = size
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        data = self._file.read(size)
        self._progress(self._file.tell(), self._size)
        return data

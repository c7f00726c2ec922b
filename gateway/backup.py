"""
A gateway in one file: made while it runs, and restored only where that takes nothing back.

The file is a tar, sealed with a passphrase unless that is declined: the gateway's key is in it. It holds one moment of
the chain, the key and the settings; what of join codes was tried in vain or stopped, lest a dead one live again; and,
of a gateway that serves a LAN, its certificates, without the root's key. It holds no session and no refusal. Restoring
checks all of it, and the whole chain, before the directory has its name.
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
from gateway.joins import Joins
from gateway.site import Site
from gateway.tls import Files
from gateway.vault import Opener, Sealer, Source

SETTINGS, KEY, CHAIN, JOINS, MANIFEST = "gateway.toml", "gateway.key", "chain.db", "joins.db", "manifest.json"
SMALL = (SETTINGS, KEY, MANIFEST)
SMALL_BYTES = 65_536
"""What each of them may have."""

_TLS = Files(Path("tls"))
SECRETS = tuple(
    map(str, (_TLS.issuing, _TLS.issuing_key, _TLS.server, _TLS.committer, _TLS.web, _TLS.inventory))
)
"""What of `tls/` is for nobody else. Certificates come before their keys: those are written the other way round."""

PUBLIC = (str(_TLS.root), str(_TLS.crl))
CERTIFICATES = (*PUBLIC, *SECRETS)
UNLESS_NEVER_MADE = {JOINS, str(_TLS.inventory)}
"""These two begin to be there when they are first needed."""

PAGES = 1_024
"""Of a database that are copied between two tellings."""

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
        with ExitStack() as opened:
            out = opened.enter_context(durable.creating(file))
            copies = {
                CHAIN: opened.enter_context(_copied(site, chain.store.db, stages("pages copied"))),
                **({JOINS: opened.enter_context(_copied_joins(site))} if site.joins_file.exists() else {}),
            }
            if passphrase is None:
                _write(out, site, note, copies, stages)
            else:
                sealer = Sealer(out, passphrase)
                _write(sealer, site, note, copies, stages)
                sealer.finish()
        return chain.verified(note)


@contextmanager
def _copied_joins(site: Site) -> Iterator[BinaryIO]:
    uri = f"{site.joins_file.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True)) as db,
        _copied(site, db, lambda _done, _all: None) as copy,
    ):
        yield copy


@contextmanager
def _copied(site: Site, db: sqlite3.Connection, progress: Progress) -> Iterator[BinaryIO]:
    """A copy of a database's file. It has no name: what ends this process ends the copy, too."""
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


def _write(sink: vault.Sink, site: Site, note: str, copies: Mapping[str, BinaryIO], stages: Stages) -> None:
    progress = stages("bytes written")
    files = {}
    for name in (SETTINGS, KEY, *(CERTIFICATES if site.settings.is_lan else ())):
        if name in UNLESS_NEVER_MADE and not (site.directory / name).exists():
            continue
        data = (site.directory / name).read_bytes()
        files[name] = Kept(len(data), b64url(archive.write(sink, name, len(data), [data])))
    for name, copy in copies.items():
        size = os.fstat(copy.fileno()).st_size
        files[name] = Kept(size, b64url(archive.write(sink, name, size, _counted(copy, size, progress))))
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
    durable.make_directory(place.parent, mode=0o777)
    scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}.restoring-", dir=place.parent))
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, scratch)
        small = _unpacked(file, scratch, passphrase, stages("bytes read"))
        with closing(Chain.open(scratch / CHAIN)) as chain:
            for note in (*newest, small.manifest.checkpoint):
                continues(chain, note)
        report = audit.audit(scratch / CHAIN, workers=workers, progress=stages("entries checked"))
        _finish(scratch, small, report)
        scratch.rename(place)
        undo.pop_all()
    durable.sync_directory(place.parent)
    return report


def continues(chain: Chain, note: str) -> None:
    """Raise `RolledBack` unless the chain goes on with the history of a checkpoint that its gateway has signed."""
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
    """What of a backup is written down last."""

    manifest: Manifest
    files: Mapping[str, bytes]

    def __repr__(self) -> str:
        return "_Small(...)"


def _unpacked(file: Path, scratch: Path, passphrase: Callable[[], str], progress: Progress) -> _Small:
    """Put chain, joins and certificates into `scratch`, and hold every file against the manifest."""
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
        if member.name in found or member.name not in (CHAIN, JOINS, *CERTIFICATES, *SMALL):
            raise BadBackup(f"want {CHAIN} and {', '.join(SMALL)} once each, got {member.name!r}")
        if member.name not in SMALL:
            found[member.name] = _keep(member, scratch / member.name)
        elif member.size > SMALL_BYTES:
            raise BadBackup(f"{member.name}: want {SMALL_BYTES} bytes at most, got {member.size}")
        else:
            files[member.name] = data = b"".join(member.pieces)
            found[member.name] = Kept(member.size, b64url(digest(data)))
    if MANIFEST not in files:
        raise BadBackup(f"there is no {MANIFEST} in it")
    manifest = read_canonical(_manifests, files.pop(MANIFEST), what=MANIFEST)
    del found[MANIFEST]
    if not {SETTINGS, KEY, CHAIN} <= found.keys() or found != manifest.files:
        raise BadBackup(f"what is in it is not what its {MANIFEST} says")
    return _Small(manifest, files)


def _keep(member: Member, path: Path) -> Kept:
    hashed = sha256()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with durable.synced(path, mode=0o644 if member.name in PUBLIC else 0o600) as out:
        for piece in member.pieces:
            hashed.update(piece)
            out.write(piece)
    return Kept(member.size, b64url(hashed.digest()))


def _finish(scratch: Path, small: _Small, report: Report) -> None:
    """Check and write the rest; the settings come last: a directory that has them is a whole gateway."""
    for name in (KEY, SETTINGS):
        durable.create(scratch / name, small.files[name])
    site = Site.load(scratch)
    if site.key().public != report.key:
        raise BadBackup(f"its {KEY} is not the key that its chain is signed with")
    _check_certificates(site, set(small.manifest.files) & set(CERTIFICATES))
    if JOINS in small.manifest.files:
        _check_joins(site)
    for name in (CHAIN, JOINS):
        for left in ("-wal", "-shm"):
            (scratch / f"{name}{left}").unlink(missing_ok=True)
    durable.sync_directory(scratch)


def _check_certificates(site: Site, found: set[str]) -> None:
    wanted = set(CERTIFICATES) if site.settings.is_lan else set()
    if odd := (wanted ^ found) - UNLESS_NEVER_MADE:
        raise BadBackup(f"its {SETTINGS} and its certificates do not go together: {', '.join(sorted(odd))}")
    if wanted:
        durable.sync_directory(site.certificates.directory)


def _check_joins(site: Site) -> None:
    try:
        with closing(Joins.open(site.joins_file, clock=lambda: 0)) as joins:
            joins.known()
    except sqlite3.Error as error:
        raise BadBackup(f"{JOINS}: {error}") from error


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

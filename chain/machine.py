"""The machine that a gateway or a device runs on, as both ask for it: files and who may read them, disk, clock."""

import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Literal

from chain.finding import Finding, ok, problem, warning

FSYNCS = 20

SLOW_FSYNC_MS = 50.0
"""From here on, blocks and entries wait for the disk, and not the other way round."""

LITTLE_ROOM = 1_073_741_824
NO_ROOM = 67_108_864
"""Bytes that are left."""

LEAST_SQLITE = (3, 37, 0)
"""The first with the tables that are used here (STRICT)."""


def examine(directory: Path, clock: Literal["synced", "free"]) -> list[Finding]:
    """Look at the disk that `directory` is on, and at what the machine has."""
    return [
        of_room(shutil.disk_usage(directory).free),
        of_fsync(fsync_ms(directory)),
        of_clock(clock),
        of_sqlite(sqlite3.sqlite_version_info),
    ]


def modes(directory: Path, *, secret: Iterable[str]) -> list[Finding]:
    """
    Look at whose the directory and its files are, and who else may read it.

    What lies in a directory that is its owner's alone needs no mode of its own, but for private keys: those of the
    names in `secret` are not used otherwise.
    """
    guarded = {directory, *(path for pattern in secret for path in directory.glob(pattern))}
    owner = directory.stat().st_uid
    found = []
    for path in (directory, *sorted(directory.iterdir())):
        try:
            # systemd puts a link where a service's directory is asked for.
            status = path.stat() if path == directory else path.lstat()
        except FileNotFoundError:  # a file of SQLite's, which has just gone
            continue
        if path in guarded:
            found += of_mode(path, stat.S_IMODE(status.st_mode))
        found += of_owner(path, status.st_uid, owner)
    return found or [ok("files", f"{directory} and its keys are their owner's alone")]


def of_mode(path: Path, mode: int) -> list[Finding]:
    if mode & 0o077 == 0:
        return []
    detail = f"{path}: others than its owner may use it (mode {mode:04o})"
    return [problem("files", detail, f"run: chmod go= {path}")]


def of_owner(path: Path, uid: int, owner: int) -> list[Finding]:
    if uid == owner:
        return []
    detail = f"{path}: belongs to user {uid}, and its directory to user {owner}"
    return [problem("files", detail, f"run as root: chown {owner} {path}")]


def of_room(free: int) -> Finding:
    left = f"{free / 1e9:.1f} GB are free"
    fix = "make room on the disk, or move to a larger one; nothing in the directory itself may be deleted"
    if free < NO_ROOM:
        return problem("disk", left, fix)
    return warning("disk", left, fix) if free < LITTLE_ROOM else ok("disk", left)


def fsync_ms(directory: Path) -> float:
    """How long the disk takes to make one small write durable, here, now: the median of some."""
    taken = []
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        for _ in range(FSYNCS):
            file.write(bytes(4096))
            start = time.monotonic()
            os.fsync(file.fileno())
            taken.append((time.monotonic() - start) * 1000)
    return median(taken)


def of_fsync(milliseconds: float) -> Finding:
    takes = f"one small write is durable after {milliseconds:.1f} ms"
    if milliseconds < SLOW_FSYNC_MS:
        return ok("fsync", takes)
    return warning(
        "fsync", takes, "find out what else writes to this disk, or use a faster one: an SSD, not an SD card"
    )


def of_clock(clock: Literal["synced", "free"]) -> Finding:
    if clock == "synced":
        return ok("clock", "is synchronised")
    return warning(
        "clock",
        "runs free: nothing sets it right",
        "switch on time synchronisation: timedatectl set-ntp true, and a time server that this machine can reach",
    )


def of_sqlite(version: tuple[int, ...]) -> Finding:
    shown = ".".join(map(str, version))
    if version >= LEAST_SQLITE:
        return ok("sqlite", shown)
    least = ".".join(map(str, LEAST_SQLITE))
    return problem("sqlite", shown, f"install a Python that brings SQLite {least} or newer")

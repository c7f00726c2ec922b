"""What goes wrong with what the gateway keeps, and the operator's way back, as docs/operations.md has it."""

import errno
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from chain import cli as chain_cli
from device import cli as device_cli
from gateway import cli as gateway_cli
from tests.faults.disk import Disk, DiskFault
from tests.faults.fault import Fault
from tests.faults.scene import Scene
from tests.sites import Done, ran

CHAIN = "chain.db"

HARMLESS: dict[str, Callable[[Disk], DiskFault]] = {
    "full": lambda disk: disk.full(),
    "slow": lambda disk: disk.slow(0.3),
}
"""The gateway goes on by itself."""

HARMFUL: dict[str, Callable[[Disk], DiskFault]] = {
    "sync": lambda disk: disk.fail("sync", errno.EIO, path=CHAIN),
    "write": lambda disk: disk.fail("write", errno.EIO, path=CHAIN),
    "readonly": lambda disk: disk.read_only(),
}
"""It stops for good, until somebody has recovered the chain."""


class Operator:
    """Somebody with a shell on the gateway, who does what the manual says."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.directory = scene.gateway.directory
        self.chain = self.directory / CHAIN

    def newest(self) -> list[str | Path]:
        """What the devices hold, as words for `restore` and `recover`."""
        words: list[str | Path] = []
        for device in self.scene.devices:
            done = ran(device_cli.main, "--home", device.home.directory, "status", "--checkpoint")
            file = self.scene.site.directory / f"{device.handle}.checkpoint"
            file.write_text(done.out, "utf-8")
            words += ["--newest", file]
        return words

    def back_up(self, file: Path) -> Path:
        must(ran(gateway_cli.main, "backup", self.directory, file, "--no-passphrase"))
        return file

    def restore(self, file: Path) -> Done:
        """In the place of what is there, which is put aside and comes back if that is refused."""
        aside = self.directory.with_name("aside")
        self.directory.rename(aside)
        done = ran(gateway_cli.main, "restore", file, self.directory, *self.newest())
        if done.code == 0:
            shutil.rmtree(aside)
        else:
            assert not self.directory.exists()
            aside.rename(self.directory)
        return done

    def recover(self) -> None:
        must(ran(gateway_cli.main, "recover", self.directory, *self.newest()))


def must(done: Done) -> None:
    assert done.code == 0, done.err


class DiskFails(Fault):
    """The gateway's disk. In the end it is a good one again; if it did harm, an operator comes."""

    def __init__(self, scene: Scene, what: str) -> None:
        self.name = f"disk-{what}"
        self._scene = scene
        self._needs_help = what in HARMFUL
        self._fault = (HARMFUL | HARMLESS)[what](scene.disk)

    @property
    def hits(self) -> int:
        return self._fault.hits

    def begin(self) -> None:
        self._fault.begin()

    def end(self) -> None:
        self._fault.end()
        if self._needs_help and self._fault.hits:
            self._scene.gateway.stop()
            Operator(self._scene).recover()
            self._scene.gateway.start()


class Restored(Fault):
    """Something needs the chain of before: the gateway is stopped, and runs again in the end."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.name = type(self).__name__.lower()
        self.scene, self.chance = scene, chance
        self.operator = Operator(scene)
        self._backup = scene.site.directory / "now.backup"

    @property
    def hits(self) -> int:
        return 1

    def begin(self) -> None:
        self.scene.gateway.stop()
        self.operator.back_up(self._backup)
        try:
            self.spoil(self._backup)
        finally:
            self._backup.unlink()

    def spoil(self, backup: Path) -> None:
        """Do it, and then what the manual says. `backup` is of the moment before."""
        raise NotImplementedError

    def end(self) -> None:
        self.scene.gateway.revive()


class Corrupted(Restored):
    """A page of the chain is overwritten. `chain verify` says so, unless nothing was in it, and the backup is restored."""

    def spoil(self, backup: Path) -> None:
        with closing(sqlite3.connect(self.operator.chain)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            ((size,),) = db.execute("PRAGMA page_size")
            ((pages,),) = db.execute("PRAGMA page_count")
        before = self.operator.chain.read_bytes()
        at = self.chance.randrange(pages) * size
        self.operator.chain.write_bytes(before[:at] + self.chance.randbytes(size) + before[at + size :])
        done = ran(chain_cli.main, "verify", self.operator.chain)
        if done.code:
            assert done.err.strip(), "a chain that does not verify, and no word why"
            must(self.operator.restore(backup))


class Stale(Restored):
    """Somebody would restore an older backup. It is refused, since devices hold more; the newest is taken."""

    def spoil(self, backup: Path) -> None:
        refused = self.operator.restore(self.scene.first_backup)
        assert refused.code == 1, refused.out
        assert "receipted entries back" in refused.err, refused.err
        must(self.operator.restore(backup))

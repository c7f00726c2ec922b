"""What is left of a run, whenever the power may have failed in it: each state of the disk once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.faults.disk import Disk, empty
from tests.faults.platter import Image
from tests.faults.trace import Event, Record

ROOT = Path(__file__).parents[2]

Told = tuple[str, ...]
"""What a job tells: whose words they are, of what kind, and the words."""


class Survival(NamedTuple):
    """
    After `after` (None: before anything) the power failed: what there is in a job's folder, and what had been sent by then.

    `seed` is None if only what was synced is there.
    """

    job: str
    number: int
    seed: int | None
    after: Record | None
    image: Image
    all_sent: list[bytes]
    heard: int

    @property
    def sent(self) -> list[bytes]:
        """All that had been sent."""
        return self.all_sent[: self.heard]

    def told(self, kind: str) -> list[Told]:
        """What the job had told, of this kind."""
        return _of(self.sent, self.job, kind)

    @contextmanager
    def laid_out(self, folder: Path) -> Iterator[Path]:
        """It is in `folder`; what fails inside says which cut it was."""
        folder.mkdir(mode=0o700, exist_ok=True)
        empty(folder)
        self.image.write(folder)
        try:
            yield folder
        except BaseException as error:
            done = "the start" if self.after is None else f"{self.after.event.name} {self.after.data[:60]!r}"
            error.add_note(f"cut {self.number}, after {done}, seed {self.seed}: {sorted(self.image.files)}")
            raise


def survivals(disk: Disk, job: str = "", *, seeds: int = 1) -> Iterator[Survival]:
    """
    Of a job: what must be there after each cut, and what may be besides, so many times.

    What must be there is the same from one sync to the next: it is seen once, when the most had been sent.
    """
    seen: set[tuple[bytes, int]] = set()
    kept: Survival | None = None
    for number, cut in enumerate(disk.cuts()):
        image = kept.image if kept else Image({}, {})
        if kept is None or (cut.after is not None and cut.after.event is Event.SYNCED):
            image = cut.platter.image().below(job)
        if kept is not None and image != kept.image:
            yield kept
        kept = Survival(job, number, None, cut.after, image, cut.told, len(cut.told))
        for seed in range(number * seeds, (number + 1) * seeds):
            image = cut.platter.image(seed).below(job)
            if (key := (image.digest, len(cut.told))) not in seen:
                seen.add(key)
                yield Survival(job, number, seed, cut.after, image, cut.told, len(cut.told))
    if kept is not None:
        yield kept


def told(disk: Disk, job: str, kind: str) -> list[Told]:
    """All that a job told, of this kind."""
    sent = [record.data for record in disk.records() if record.event is Event.SENT]
    return _of(sent, job, kind)


def _of(sent: list[bytes], job: str, kind: str) -> list[Told]:
    words = (msgspec.msgpack.decode(said, type=Told) for said in sent)
    return [said[2:] for said in words if said[:2] == (job, kind)]


@contextmanager
def done(place: Path, *jobs: str, lying: bool = False) -> Iterator[Disk]:
    """
    A disk in `place`, on which the jobs were done one after the other, each to its end, on what was in its folder.

    If it is `lying`, it had nothing of that.
    """
    folder = place / "disk"
    for job in jobs:
        (folder / job).mkdir(mode=0o700, parents=True, exist_ok=True)
    with Disk(folder, record=True) as disk:
        command = (sys.executable, "-m", "tests.faults.jobs", str(folder), str(place), *jobs)
        if lying:
            disk.lie().begin()
        ended = subprocess.run(command, env=disk.env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        yield disk

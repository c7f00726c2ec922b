"""Must hold: what an outbox said it has is there after a power cut, in order, under numbers of its own."""

import multiprocessing
import random
from collections import defaultdict
from multiprocessing.connection import Connection
from pathlib import Path

from device.outbox import Outbox
from tests.outboxes import work_until_killed

KILLS = 10

Told = dict[str, dict[str, int]]
"""By what was told, the number of each entry by its id."""


def test_a_power_cut_loses_nothing_that_was_reported(tmp_path: Path) -> None:
    path, chance = tmp_path / "outbox.db", random.Random(7)
    told: Told = defaultdict(dict)
    highest = 0

    for seed in range(KILLS):
        _kill_one_at_work(path, seed, chance, told)

        outbox = Outbox(path)
        pending = {queued.id: queued.seq for queued in outbox.pending("message", 100_000)}
        refused = {rejected.id for rejected in outbox.rejected()}
        outbox.close()
        under_way = told["releasing"].keys() | told["rejecting"].keys()
        assert told["queued"].keys() - under_way <= pending.keys()
        assert told["rejected"].keys() <= refused
        assert not pending.keys() & (told["released"].keys() | refused)
        assert list(pending.values()) == sorted(set(pending.values()))
        numbers = {**told["queued"], **pending}
        assert len(set(numbers.values())) == len(numbers)
        highest = max(highest, *numbers.values())

    assert highest > KILLS


def _kill_one_at_work(path: Path, seed: int, chance: random.Random, told: Told) -> None:
    """Let a child work on the outbox for a random time, and hear what it told before its power was cut."""
    fork = multiprocessing.get_context("fork")
    theirs, ours = fork.Pipe(duplex=False)
    child = fork.Process(target=work_until_killed, args=(path, seed, ours))
    child.start()
    ours.close()
    _hear(theirs, told)
    for _ in range(chance.randrange(40)):
        _hear(theirs, told)
    child.kill()
    child.join()
    try:
        while True:
            _hear(theirs, told)
    except EOFError:
        theirs.close()


def _hear(pipe: Connection, told: Told) -> None:
    what, entry_id, seq = pipe.recv()
    told[what][entry_id] = seq

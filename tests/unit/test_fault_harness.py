"""The harness for faults does what it says: a fault that strikes nobody, or a check that sees nothing, proves nothing."""

import random
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.broker.packets import Frames, Message, read_publish
from tests.faults.fault import Fault
from tests.faults.invariants import STARVED, TRACEBACK, check_read
from tests.faults.network import again, anew
from tests.faults.proxy import client_id
from tests.faults.repertoire import repertoire
from tests.faults.scene import Scene
from tests.faults.sequence import LONGEST, perform, plan
from tests.lan import connect_packet

NAMES = sorted(repertoire(lan=True))


def test_a_seed_is_a_plan() -> None:
    acts = plan(7, 50, 60.0, NAMES)

    assert acts == plan(7, 50, 60.0, NAMES)
    assert acts != plan(8, 50, 60.0, NAMES)
    assert [act.at for act in acts] == sorted(act.at for act in acts)
    assert all(0 <= act.at <= 60 and 0 <= act.lasts <= LONGEST for act in acts)
    assert len(acts) == 50


def test_the_embedded_broker_is_one_process_and_mosquitto_two() -> None:
    embedded = set(repertoire(lan=False))

    assert embedded < set(NAMES)
    assert {name for name in NAMES if "mosquitto" in name} == set(NAMES) - embedded - {
        name for name in NAMES if name.endswith(("-authority", "-welcome"))
    }


class Counted(Fault):
    """Strikes somebody who counts."""

    def __init__(self, running: Counter[str]) -> None:
        self.name = "counted"
        self._running = running

    @property
    def hits(self) -> int:
        return 1

    def begin(self) -> None:
        self._running["begun"] += 1

    def end(self) -> None:
        self._running["ended"] += 1


def test_every_fault_that_began_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    running: Counter[str] = Counter()
    stage = cast("Scene", SimpleNamespace(site=SimpleNamespace(lan=False), faults=[]))
    monkeypatch.setattr(
        "tests.faults.sequence.repertoire", lambda **_: {"counted": lambda *_: Counted(running)}
    )
    told: list[str] = []

    perform(stage, [act._replace(lasts=0.01) for act in plan(1, 20, 0.05, ["counted"])], told.append)

    assert running == {"begun": 20, "ended": 20}
    assert len(told) == 20
    assert stage.faults == 20 * ["counted"]


def test_a_message_is_said_again_or_as_another_one() -> None:
    message = Message("blockpost/v1/up/x/entry", b"parcel", 1, retain=False)
    (frame,) = Frames(1024).feed(message.to_bytes(qos=1, packet_id=7, retain=False))

    same, other = again(frame, random.Random(1)), anew(frame, random.Random(1))

    assert (read_publish(same), same.flags) == ((message, 7), frame.flags | 0x08)
    assert read_publish(other)[0] == message
    assert read_publish(other)[1] != 7
    assert other.flags == frame.flags


def test_a_client_is_known_by_its_connect() -> None:
    (frame,) = Frames(1024).feed(connect_packet("somebody"))

    assert client_id(frame) == "somebody"


def test_a_traceback_is_found_by_what_it_ends_with() -> None:
    log = (
        "2026-11-23 01:00:00 ERROR gateway.link connection broke\n"
        "Traceback (most recent call last):\n"
        '  File "link.py", line 1, in run\n'
        "    serve()\n"
        "ValueError: no\n"
        "2026-11-23 01:00:01 INFO gateway.link broker reached\n"
    )

    assert [found.group("error") for found in TRACEBACK.finditer(log)] == ["ValueError: no"]
    assert not STARVED.match("ValueError: no")
    assert STARVED.match("MemoryError")


def scene_of(opened: Counter[str], ids: set[str], *, deaths: int = 0) -> Scene:
    said: list[Any] = [(index, SimpleNamespace(id=each)) for index, each in enumerate(sorted(ids))]
    reader = SimpleNamespace(opened=opened, unexpected=[], deaths=deaths)
    return cast("Scene", SimpleNamespace(reader=reader, committed=lambda: said))


def test_what_was_not_read_or_read_twice_is_noticed() -> None:
    check_read(scene_of(Counter("ab"), {"a", "b"}))
    check_read(scene_of(Counter("aab"), {"a", "b"}, deaths=1))
    with pytest.raises(AssertionError):
        check_read(scene_of(Counter("a"), {"a", "b"}))
    with pytest.raises(AssertionError, match="1 messages were read again"):
        check_read(scene_of(Counter("aab"), {"a", "b"}))

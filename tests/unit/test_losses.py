"""Samples that will not come: counted by addressee until they can be told."""

from device.content import Gap
from device.losses import Loss, Losses


def test_losses_of_one_sensor_are_told_together_once() -> None:
    losses = Losses()
    losses.add("bob", Loss("fridge", 20, 30, 4, "busy"))
    losses.add("bob", Loss("fridge", 10, 10, 1, "busy"))

    assert losses.told(()) == [("bob", Gap(sensor="fridge", from_=10, to=30, lost=5, reason="busy"))]
    assert losses.told(()) == []


def test_who_still_waits_for_something_is_told_later() -> None:
    losses = Losses()
    losses.add("bob", Loss("fridge", 1, 1, 1, "unsealed"))
    losses.add("carol", Loss("fridge", 2, 2, 1, "unsealed"))

    assert [name for name, _ in losses.told({"bob"})] == ["carol"]
    assert [name for name, _ in losses.told(())] == ["bob"]


def test_sensors_and_reasons_are_apart() -> None:
    losses = Losses()
    losses.add("bob", Loss("fridge", 1, 1, 1, "unsealed"))
    losses.add("bob", Loss("fridge", 1, 1, 2, "busy"))
    losses.add("bob", Loss("door", 1, 1, 3, "busy"))

    assert [gap.lost for _, gap in losses.told(())] == [1, 2, 3]

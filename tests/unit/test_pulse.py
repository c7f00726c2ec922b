"""The committer's pulse, as it is counted, sent and heard."""

import pytest

from chain import wire
from chain.errors import Malformed
from gateway.pulse import BUCKETS, FRESH_SECONDS, Meter, Pulse, Pulses, read_pulse

NO_BUCKETS = wire.encode(Pulse(blocks=0, entries=0, refused={}, buckets=[], seconds=0))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_counts_what_was_done() -> None:
    meter = Meter()
    meter.count(blocks=1, entries=3, refused=["gap", "key", "gap"], seconds=0.02)
    meter.count(blocks=0, entries=0, refused=["gap"], seconds=0.3)

    pulse = meter.pulse()

    assert (pulse.blocks, pulse.entries, pulse.refused) == (1, 3, {"gap": 3, "key": 1})
    assert pulse.seconds == pytest.approx(0.32)


def test_each_bucket_counts_all_that_took_at_most_so_long() -> None:
    meter = Meter()
    for seconds in (0.01, 0.02, 0.4, 99.0):
        meter.count(blocks=0, entries=0, refused=[], seconds=seconds)

    told = dict(zip([*BUCKETS, float("inf")], meter.pulse().buckets, strict=True))

    assert (told[0.01], told[0.025], told[0.25], told[0.5], told[10.0], told[float("inf")]) == (
        1,
        2,
        2,
        3,
        3,
        4,
    )


def test_it_is_due_every_other_second() -> None:
    meter = Meter()

    assert [meter.due(now) is not None for now in (50.0, 51.9, 52.0, 53.0)] == [True, False, True, False]


def test_it_reads_what_it_wrote() -> None:
    meter = Meter()
    meter.count(blocks=1, entries=3, refused=["gap"], seconds=0.02)

    assert read_pulse(wire.encode(meter.pulse())) == meter.pulse()


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b'{"blocks":1}', b"\xff", NO_BUCKETS])
def test_anything_else_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        read_pulse(payload)


def test_none_was_heard_yet() -> None:
    assert Pulses().newest() is None


def test_the_newest_counts_until_it_is_old() -> None:
    clock, meter = Clock(), Meter()
    pulses = Pulses(clock)
    pulses.hear(Pulse(blocks=9, entries=9, refused={}, buckets=[], seconds=0))
    pulses.hear(meter.pulse())

    assert pulses.newest() == meter.pulse()
    clock.now += FRESH_SECONDS + 0.1
    assert pulses.newest() is None

"""Losses: samples that were taken and will not come, counted until they can be told. No I/O."""

from collections.abc import Container
from typing import Literal, NamedTuple

from device.content import Gap

Reason = Literal["busy", "unsealed"]
"""
* busy       they came faster than they could be looked at
* unsealed   too many waited for an addressee whose keys could not be asked for
"""


class Loss(NamedTuple):
    """One sample, or several in a row; times in ms since 1970."""

    sensor: str
    begun: int
    ended: int
    samples: int
    reason: Reason


class Losses:
    """By addressee, as one may get what another does not."""

    def __init__(self) -> None:
        self._lost: dict[tuple[str, str, Reason], Loss] = {}

    def add(self, name: str, loss: Loss) -> None:
        key = (name, loss.sensor, loss.reason)
        before = self._lost.get(key, loss._replace(samples=0))
        self._lost[key] = loss._replace(
            begun=min(before.begun, loss.begun),
            ended=max(before.ended, loss.ended),
            samples=before.samples + loss.samples,
        )

    def told(self, waiting: Container[str]) -> list[tuple[str, Gap]]:
        """What to tell whom; who has something waiting still has to be waited for."""
        ready = [(key, loss) for key, loss in self._lost.items() if key[0] not in waiting]
        for key, _ in ready:
            del self._lost[key]
        return [
            (
                key[0],
                Gap(
                    sensor=loss.sensor, from_=loss.begun, to=loss.ended, lost=loss.samples, reason=loss.reason
                ),
            )
            for key, loss in ready
        ]

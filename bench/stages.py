"""
Stages: what a thread computes, shared out among the parts of the code that it passes through.

Functions of the real code are wrapped while it is measured; the product knows nothing of it. Time in a wrapped
function is its stage's, but for what it spends in another wrapped one. What the wrapping takes is measured, too, and
left out.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

REST = "the rest"
"""What no wrapped function did."""

REHEARSALS = 20_000

Function = tuple[Any, str]
"""Its owner, a module or a class, and its name there."""


class Stages:
    """Nanoseconds of one thread's computing, by stage."""

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self._entered: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._under_way: list[str] = []
        self._last = 0

    @contextmanager
    def watching(self, stages: Mapping[str, list[Function]]) -> Iterator[None]:
        """Inside, these functions count for their stages."""
        with ExitStack() as undo:
            for stage, functions in stages.items():
                for owner, name in functions:
                    original = getattr(owner, name)
                    undo.callback(setattr, owner, name, original)
                    setattr(owner, name, self.timed(original, stage))
            yield

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what this thread computes inside."""
        self._under_way = [REST]
        self._last = time.thread_time_ns()
        try:
            yield
        finally:
            self._switch()
            self._under_way = []

    def timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            if not self._under_way:
                return function(*args, **options)
            self._switch()
            self._left[self._under_way[-1]] += 1
            self._entered[stage] += 1
            self._under_way.append(stage)
            try:
                return function(*args, **options)
            finally:
                self._switch()
                self._under_way.pop()

        return run

    def ns(self, stage: str) -> int:
        """What the stage took in all, with the wrapping."""
        return self._spent[stage]

    def us(self, count: int) -> dict[str, float]:
        """Microseconds for each of `count`, by stage, without what the wrapping took."""
        within, outside = _prices()
        return {
            stage: max(0.0, spent - within * self._entered[stage] - outside * self._left[stage])
            / count
            / 1000
            for stage, spent in self._spent.items()
        }

    def _switch(self) -> None:
        now = time.thread_time_ns()
        self._spent[self._under_way[-1]] += now - self._last
        self._last = now


def _prices() -> tuple[float, float]:
    """What one wrapping adds to the stage of its function, and to the one that it is called from, in ns."""
    stages = Stages()
    nothing = stages.timed(lambda: None, "nothing")
    with stages.running():
        for _ in range(REHEARSALS):
            nothing()
    return stages.ns("nothing") / REHEARSALS, stages.ns(REST) / REHEARSALS

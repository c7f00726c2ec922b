"""A fault: something that goes wrong for a while."""

from types import TracebackType
from typing import Self


class Fault:
    """
    Begins and ends; in between things are wrong. Whoever ends one gives the system what it needs to mend itself, and no
    more: a process that was killed runs again, a wire is whole.
    """

    name = ""
    """What a person reads in a failure."""

    @property
    def hits(self) -> int:
        """How often it has struck until now: a fault that never did proves nothing."""
        raise NotImplementedError

    def begin(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def __repr__(self) -> str:
        return self.name

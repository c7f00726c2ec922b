"""The ear: reads all logs of a site as they grow, and keeps what should not be in them."""

import re
from collections import Counter
from pathlib import Path

from msgspec import Struct

_LINE = re.compile(r"^\S+ \S+ (?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<rest>.*)$")
_VARYING = re.compile(r"\b[a-z2-7]{26}\b|\b[0-9a-f-]{36}\b|\d+")
"""Accounts, ids and numbers: what is otherwise the same line is counted as one."""

TRACEBACK = "Traceback (most recent call last):"


class Heard(Struct, frozen=True):
    """`fault` is what went wrong on purpose at that moment; none if nothing did."""

    log: str
    level: str
    text: str
    fault: str | None


class Ear:
    """`deaf` are logs that nobody reads any more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        self.deaf: set[str] = set()
        self.errors: list[Heard] = []
        self.warnings: Counter[tuple[str, bool]] = Counter()
        """By what they say, and whether something went wrong on purpose."""

    def listen(self, fault: str | None) -> list[Heard]:
        """What is new; return the errors that were nobody's doing."""
        found: list[Heard] = []
        for path in sorted(self._folder.glob("*.log")):
            new = [_heard(path.stem, line, fault) for line in self._lines(path)]
            found += [each for each in new if each is not None and each.log not in self.deaf]
        self.warnings.update(
            (_VARYING.sub("*", each.text), each.fault is not None)
            for each in found
            if each.level == "WARNING"
        )
        errors = [each for each in found if each.level != "WARNING"]
        self.errors += errors
        return [each for each in errors if each.fault is None]

    def _lines(self, path: Path) -> list[str]:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read[path] = self._read.get(path, 0) + len(whole)
        return whole.decode("utf-8", "replace").splitlines()


def _heard(log: str, line: str, fault: str | None) -> Heard | None:
    if line == TRACEBACK:
        return Heard(log, "ERROR", line, fault)
    match = _LINE.match(line)
    if match is None or match["level"] in ("DEBUG", "INFO"):
        return None
    return Heard(log, match["level"], match["rest"], fault)

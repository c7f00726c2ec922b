"""One thing that a doctor looked at: whether it is well, and if not, what to do."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Level = Literal["ok", "warning", "problem"]


class Finding(Struct, frozen=True, omit_defaults=True):
    """
    `what` was looked at, `detail` is how it is; `fix` is one sentence, where something is not `ok`.

    A problem keeps something from working, or a secret from being one; a warning may become one.
    """

    level: Level
    what: str
    detail: str
    fix: str | None = None


def ok(what: str, detail: str) -> Finding:
    return Finding("ok", what, detail)


def warning(what: str, detail: str, fix: str) -> Finding:
    return Finding("warning", what, detail, fix)


def problem(what: str, detail: str, fix: str) -> Finding:
    return Finding("problem", what, detail, fix)


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether there is no problem."""
    return all(finding.level != "problem" for finding in findings)


def told(findings: Sequence[Finding]) -> list[str]:
    """The lines for a person."""
    width = max((len(finding.what) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:7}  {finding.what:{width}}  {finding.detail}")
        if finding.fix is not None:
            lines.append(f"{'':7}  {'':{width}}  -> {finding.fix}")
    return lines

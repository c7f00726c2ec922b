"""What a doctor found, as a person and as a program read it."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

from chain import finding
from chain.console import report
from chain.finding import Finding, ok, problem, warning

WELL = ok("disk", "9.0 GB are free")
DOUBTFUL = warning("clock", "runs free", "switch it on")
ILL = problem("fsync", "never ends", "buy a disk")


def printed(*findings: Finding, as_json: bool = False) -> tuple[int, str]:
    with redirect_stdout(StringIO()) as out:
        code = report(findings, as_json=as_json)
    return code, out.getvalue()


@pytest.mark.parametrize(
    ("findings", "well"), [([], True), ([WELL], True), ([WELL, DOUBTFUL], True), ([ILL, WELL], False)]
)
def test_only_a_problem_keeps_it_from_being_well(findings: list[Finding], well: bool) -> None:  # noqa: FBT001 - a case
    assert finding.is_well(findings) == well
    assert printed(*findings)[0] == (0 if well else 1)


def test_a_person_reads_the_fix_below_what_is_wrong() -> None:
    assert printed(WELL, DOUBTFUL)[1] == (
        "ok       disk   9.0 GB are free\nwarning  clock  runs free\n                -> switch it on\n"
    )


def test_a_program_reads_an_object_a_line() -> None:
    code, text = printed(WELL, ILL, as_json=True)

    assert code == 1
    assert [json.loads(line) for line in text.splitlines()] == [
        {"level": "ok", "what": "disk", "detail": "9.0 GB are free"},
        {"level": "problem", "what": "fsync", "detail": "never ends", "fix": "buy a disk"},
    ]

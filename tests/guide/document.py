"""The commands that the install guide tells people to type, and where they type them."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "operations.md"
SECTION = "A Raspberry Pi from nothing"

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"# on (?:a|the) ([\w ]+)")


class Command(NamedTuple):
    """`place` is whose machine it is typed at: `computer`, `gateway` or `device`; `text` is a line of shell."""

    place: str
    text: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)


def commands() -> list[Command]:
    """All of the guide, in its order. Every block of it has to begin with a comment that says where."""
    found = []
    for block in _BLOCK.findall(_section(GUIDE.read_text("utf-8"))):
        first, *lines = [line.strip() for line in block.replace("\\\n", "").splitlines()]
        place = _PLACE.fullmatch(first)
        assert place, f"want where it is typed, as in '# on the gateway', got {first!r}"
        found += [
            Command(place[1], " ".join(line.split())) for line in lines if line and not line.startswith("#")
        ]
    return found


def _section(text: str) -> str:
    _, found, after = text.partition(f"\n## {SECTION}\n")
    assert found, f"{GUIDE.name} has no section {SECTION!r}"
    return after.partition("\n## ")[0]

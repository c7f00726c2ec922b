"""The commands that the install guide tells people to type, and where they type them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "operations.md"
SECTION = "A Raspberry Pi from nothing"

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"# on (?:a|the) ([\w ]+)\n")
# What `<< 'END'` begins is one command, up to the line that ends it.
_TYPED = re.compile(r"^.*<< 'END'\n(?:.*\n)*?END$|^.+$", re.MULTILINE)


class Command(NamedTuple):
    """`place` is whose machine it is typed at: `computer`, `gateway` or `device`; `text` is shell."""

    place: str
    text: str


def commands() -> list[Command]:
    """All of the guide, in its order. Every block of it has to begin with a comment that says where."""
    found = []
    for block in _BLOCK.findall(_section(GUIDE.read_text("utf-8"))):
        place = _PLACE.match(block)
        assert place, f"want where it is typed, as in '# on the gateway', got {block[:80]!r}"
        found += [Command(place[1], text) for text in _typed(block[place.end() :])]
    return found


def _typed(block: str) -> list[str]:
    return _TYPED.findall(re.sub(r"\\\n *", "", block))


def _section(text: str) -> str:
    _, found, after = text.partition(f"\n## {SECTION}\n")
    assert found, f"{GUIDE.name} has no section {SECTION!r}"
    return after.partition("\n## ")[0]

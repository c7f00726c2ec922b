"""What the README and the documents tell people to type is there, and the files that they name."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from bench import targets
from provisioning.command import SUBCOMMANDS, load

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDERS = ("bench", "chain", "device", "docs", "gateway", "provisioning", "tests")
LEFT_TO_THE_READER = "..."


def commands_in(name: str) -> Iterator[tuple[str, bool]]:
    """The `blockpost` commands of a document; those of a shell block are whole."""
    text = (ROOT / name).read_text("utf-8")
    for language, block in FENCE.findall(text):
        if language == "sh":
            yield from ((line, True) for line in block.splitlines() if line.startswith("blockpost "))
    for code in re.findall(r"`([^`]+)`", FENCE.sub("", text)):
        said = " ".join(code.split())
        if said.startswith("blockpost ") and " | " not in said:
            yield said, False


COMMANDS = [(name, *found) for name in NAMES for found in commands_in(name)]
MEASUREMENTS = [
    (name, words)
    for name in NAMES
    for words in re.findall(r'make bench ARGS="([^"]*)"', (ROOT / name).read_text("utf-8"))
]


class Found(Exception):
    """Raised in place of parsing: `parser` is the one that would have."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def parser_of(words: list[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    """The parser that a subcommand's own `main` makes, and what is left for it."""
    subcommand, *rest = words
    # The built-in readers have a parser of their own.
    before = rest[:1] if rest[:1] == ["read"] else []

    def found(parser: argparse.ArgumentParser, *_: object) -> None:
        raise Found(parser)

    run = load(SUBCOMMANDS[subcommand])
    with patch.object(argparse.ArgumentParser, "parse_args", found), patch("signal.signal"):
        try:
            run(before)
        except Found as it:
            return it.parser, rest[len(before) :]
    raise AssertionError(f"{subcommand}: parses nothing")


def choices_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, line, whole in COMMANDS if whole], ids=lambda text: text
)
def test_a_command_to_type_is_understood(name: str, line: str) -> None:
    assert name
    words = shlex.split(line, comments=True)
    words = words[: words.index(">")] if ">" in words else words
    parser, rest = parser_of(words[1:])

    parser.parse_args(rest)  # it would raise SystemExit


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, line, whole in COMMANDS if not whole], ids=lambda text: text
)
def test_a_command_that_is_mentioned_exists(name: str, line: str) -> None:
    assert name
    words = [word for word in shlex.split(line)[1:] if word != LEFT_TO_THE_READER]
    if not words:
        return
    parser, rest = parser_of(words)
    options = {option for action in parser._actions for option in action.option_strings}
    while rest:
        word, *rest = rest
        if word.startswith("-"):
            assert word in options, word
        elif word in (choices := choices_of(parser)):
            parser = choices[word]
            options = {option for action in parser._actions for option in action.option_strings}
        else:
            takes = [action for action in parser._actions if action.nargs != 0 and not choices_of(parser)]
            assert takes or word.startswith(("./", "/")), word


@pytest.mark.parametrize(("name", "words"), MEASUREMENTS, ids=lambda text: text)
def test_a_measurement_to_type_is_understood(name: str, words: str) -> None:
    assert name
    parser, rest = parser_of(["bench", *shlex.split(words)])

    parser.parse_args(rest)  # it would raise SystemExit


def test_every_measurement_and_every_target_is_in_the_document() -> None:
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    parser, _ = parser_of(["bench"])

    for line in targets.table({}):
        wanted = [cell.strip() for cell in line.split("|")[1:-1]]
        # The figures are those of the machine that it names.
        assert any(
            [*row[:2], *row[3:]] == [*wanted[:2], *wanted[3:]] for row in rows if len(row) == len(wanted)
        ), line
    assert [name for name in choices_of(parser) if f"blockpost bench {name}" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_target_of_make_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"`make ([a-z]+)", text)) | set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE))

    assert named <= targets


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_is_named_exists(name: str) -> None:
    """A path in code that begins with a folder of ours."""
    text = FENCE.sub("", (ROOT / name).read_text("utf-8"))
    paths = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]*)`", text)

    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    place = (ROOT / name).parent
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / name).read_text("utf-8"))

    assert [link for link in links if "://" not in link and not (place / link).exists()] == []


def test_the_map_names_every_package() -> None:
    text = (ROOT / "README.md").read_text("utf-8")

    assert [folder for folder in FOLDERS if f"| `{folder}/` |" not in text] == []


def test_every_subcommand_of_the_changelog_is_there() -> None:
    """It lists them by name, so that a new one is not forgotten."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    listed = {word for code in re.findall(r"`([^`]+)`", text) for word in code.split()}
    for subcommand in ("admin", "authority", "bench", "chain", "device", "gateway", "provision"):
        parser, _ = parser_of([subcommand])
        mentioned = set(choices_of(parser)) & listed
        internal = {"broker", "commit", "web", "welcome"}
        assert set(choices_of(parser)) - internal == mentioned - internal, subcommand

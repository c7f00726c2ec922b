"""
A machine that has only a device's part of Blockpost installed, made of one that has more.

A gateway brings `cryptography` and much else, which what runs beside it would load instead of what a Raspberry Pi has.
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata

NAME = re.compile(r"[A-Za-z0-9._-]+")
EXTRA = 'extra == "device"'


def command(*words: str) -> list[str]:
    """The `blockpost` command, in a process that can import nothing but what the extra `device` brings."""
    # Found out here: there, it would count as memory of what is measured.
    hidden = ",".join(_absent())
    start = "import sys; sys.modules.update(dict.fromkeys(sys.argv.pop(1).split(',')))"
    return [
        sys.executable,
        "-c",
        f"{start}; from provisioning.command import main; sys.exit(main())",
        hidden,
        *words,
    ]


def _absent() -> list[str]:
    """The modules that a device does not have, of those that are installed here."""
    present = set(_present("blockpost"))
    owners = metadata.packages_distributions()
    return sorted(module for module, dists in owners.items() if not present & set(map(_normal, dists)))


def _present(name: str) -> Iterator[str]:
    """What is installed together with a distribution, and itself."""
    yield name
    try:
        needs = metadata.requires(name) or ()
    except metadata.PackageNotFoundError:
        return  # wanted on other machines, or by an older Python
    for need in needs:
        wanted = NAME.match(need)
        if wanted and ("extra ==" not in need or (name == "blockpost" and EXTRA in need)):
            yield from _present(_normal(wanted[0]))


def _normal(name: str) -> str:
    """As the index of packages compares names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""The `blockpost` command: finds the package that brings each subcommand, if its extra is installed."""

import importlib
import sys
from collections.abc import Callable, Sequence

from msgspec import Struct


class Subcommand(Struct, frozen=True):
    """
    `module` has a `main(argv)`; `extra` is what has to be installed for it, `starts` another subcommand that
    it runs as a process.
    """

    module: str
    extra: str
    text: str
    starts: str | None = None


SUBCOMMANDS = {
    "demo": Subcommand(
        "provisioning.demo",
        "all",
        "a whole site on this machine: a reading, sealed, committed, opened",
        starts="gateway",
    ),
    "gateway": Subcommand("provisioning.gateway", "gateway", "make a gateway and run it"),
    "authority": Subcommand(
        "provisioning.authority.cli", "gateway", "certificates of a gateway that serves a LAN"
    ),
    "device": Subcommand("device.cli", "device", "join, sense, send, read: an agent, or a person"),
    "admin": Subcommand(
        "provisioning.admin.cli", "device", "let people and devices in, link, group, revoke; see how it is"
    ),
    "provision": Subcommand("provisioning.cli", "device", "make what a machine needs to run it for years"),
    "chain": Subcommand("chain.cli", "device", "verify, show, export and prove a chain"),
    "bench": Subcommand("bench.cli", "all", "measure it"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return the exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help"):
        print(usage())
        return 0 if args else 2
    name, *rest = args
    subcommand = SUBCOMMANDS.get(name)
    if subcommand is None:
        print(f"blockpost: no subcommand {name!r}\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        run = load(subcommand)
    except ImportError as error:
        if not error.name or error.name.partition(".")[0] in (
            "bench",
            "chain",
            "device",
            "gateway",
            "provisioning",
        ):
            raise
        print(
            f"blockpost {name}: needs {error.name}: pip install 'blockpost[{subcommand.extra}]'",
            file=sys.stderr,
        )
        return 1
    return run(rest)


def load(subcommand: Subcommand) -> Callable[[Sequence[str]], int]:
    """Import what brings it; raise `ImportError` if its extra is not installed."""
    if subcommand.starts is not None:
        load(SUBCOMMANDS[subcommand.starts])
    run: Callable[[Sequence[str]], int] = importlib.import_module(subcommand.module).main
    return run


def usage() -> str:
    """What there is, and what is not installed here."""
    lines = [
        "usage: blockpost COMMAND ...",
        "",
        "A private, end-to-end encrypted messenger for one building.",
        "",
    ]
    for name, subcommand in SUBCOMMANDS.items():
        try:
            load(subcommand)
        except ImportError:
            lines.append(f"  {name:10} (not installed: pip install 'blockpost[{subcommand.extra}]')")
        else:
            lines.append(f"  {name:10} {subcommand.text}")
    return "\n".join([*lines, "", "blockpost COMMAND --help says more."])

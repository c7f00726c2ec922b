"""
The gateway's own supervisor; but its broker listens where a proxy finds it, while everybody else goes to the proxy.

    python -m tests.faults.supervisor DIR VIEW

`VIEW` is the gateway's directory as its broker sees it: another port, and the same chain and certificates.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from gateway import cli, supervisor


def main(argv: Sequence[str]) -> int:
    directory, view = map(Path, argv)
    ordinary = supervisor.command

    def command(part: str, directory: Path) -> list[str]:
        return ordinary(part, view if part == "broker" else directory)

    with patch.object(supervisor, "command", command):
        return cli.main(["run", str(directory)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

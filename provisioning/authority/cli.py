"""`blockpost authority`: make, renew and revoke the certificates of a gateway that serves a LAN."""

from collections.abc import Sequence

from chain.console import Console


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; return the exit code."""
    console = Console("authority", __doc__, "")
    return console.run(console.parser.parse_args(argv), (OSError,))

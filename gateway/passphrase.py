"""Passphrases: typed where nobody sees them, twice when they are new; or, for a script, a line of standard input."""

import getpass
import sys

from gateway.errors import BadConfig


def typed(of: str, *, stdin: bool) -> str:
    """The passphrase of something that has one."""
    return sys.stdin.readline().rstrip("\r\n") if stdin else getpass.getpass(f"passphrase of {of}: ")


def chosen(of: str, *, least: int, stdin: bool) -> str:
    """A new one, of at least so many characters; raise `BadConfig`."""
    passphrase = typed(of, stdin=stdin)
    if not stdin and getpass.getpass("once more: ") != passphrase:
        raise BadConfig("passphrase: the two that were typed differ")
    if len(passphrase) < least:
        raise BadConfig(f"passphrase: want {least} characters or more, got {len(passphrase)}")
    return passphrase

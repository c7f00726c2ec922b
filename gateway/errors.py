"""
What can go wrong at the gateway.

* GatewayError
  + BadConfig      a setting, a file or its mode is not what it has to be
  + Busy           another process holds what only one may hold
  + Undecided      the committer did not answer in time: the entry may or may not be committed
  + Halted         nothing is committed: the disk of the chain failed, or is full
* BackupError, which no request can come to
  + BadBackup      the file is not a whole backup, or the passphrase is not its own
  + RolledBack     the chain is older than what its gateway signed later, or of another history
  + Unrecovered    what is left of a failed disk is no whole chain
* CannotListen     the broker has no address to serve on; no request comes to that either
"""


class GatewayError(Exception):
    """Anything in this package that a caller may want to answer."""


class BadConfig(GatewayError):
    """A setting, a file or its mode is not what it has to be."""


class Busy(GatewayError):
    """Another process holds what only one may hold."""


class Undecided(GatewayError):
    """The committer did not answer in time: the entry may or may not be committed."""


class Halted(GatewayError):
    """Nothing is committed: the disk of the chain failed, or is full. The entry was not handed in."""


class BackupError(Exception):
    """A backup that is not restored, or a chain that is not recovered; the message says why."""


class BadBackup(BackupError):
    """The file is not a whole backup, or the passphrase is not its own."""


class RolledBack(BackupError):
    """The chain is older than what its gateway signed later, or of another history."""


class Unrecovered(BackupError):
    """What is left of a failed disk is no whole chain."""


class CannotListen(Exception):
    """The broker has no address to serve on."""

"""
Whether a disk that does not take what is to be kept may take it later.

Full or read-only, nothing of it was written, and the same may be tried again. A failed fsync is another matter: what was
kept before may be gone, and whoever goes on must look at what there is.
"""

import errno
import sqlite3

_PRIMARY = 0xFF
_OF_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY})
_UNWRITTEN = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
_OF_LINUX = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def may_come(error: Exception) -> bool:
    """Whether there may be room for it later; `error` is what came of trying."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code & _PRIMARY in _OF_SQLITE or code in _UNWRITTEN
    return isinstance(error, OSError) and error.errno in _OF_LINUX

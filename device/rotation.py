"""
Rotation: an account gets new keys, which its old ones sign for. Whatever moment it breaks off in, the next try goes on.

First the new keys are on disk, then the entry that announces them is in the outbox, then it is committed. From that
moment on the gateway knows the account by its new key alone, whether or not that was heard here; so the new key is what
asks whether it was. Only what a receipt proves makes it current, and only then does the entry leave the outbox.
"""

from contextlib import closing
from http import HTTPStatus

from chain import entry
from chain.entry import Key
from chain.errors import Refused
from device import identity
from device.client import Client, Home
from device.errors import DeviceError, Problem
from device.identity import Identity
from device.outbox import SENT, Outbox, Queued


class Unsent(DeviceError):
    """Messages wait that the old key has signed: after a rotation they would be refused."""


def rotate(home: Home) -> Identity:
    """
    Give the account new keys. To make them takes seconds.

    No agent may run meanwhile. Raises `Unsent`, `Refused`, `Unreachable`, or `Problem` if the gateway does not know the
    account by either key.
    """
    with closing(Client(home)) as old:
        if waiting := sum(len(old.outbox.pending(lane, limit=1000)) for lane in SENT):
            raise Unsent(f"{waiting} messages wait to be sent: the new keys come after them")
        following = identity.prepare(home.directory)
        queued = announced(old.outbox, following)
        if queued is None:
            old.send_commands()
            queued = old.write(
                "command", Key, account=old.account, sign=following.signing, seal=following.sealing
            )
        _hand_in(old, queued)
    return _adopt(home, following, queued)


def resume(home: Home) -> bool:
    """Finish a rotation that broke off when its entry may have been committed; return whether there was one."""
    if not is_begun(home):
        return False
    following = identity.prepare(home.directory)
    with closing(Client(home)) as old:
        queued = announced(old.outbox, following)
        if queued is None:
            return False
        _hand_in(old, queued)
    _adopt(home, following, queued)
    return True


def is_begun(home: Home) -> bool:
    """Whether new keys were announced, or are about to be, and are not current."""
    return identity.is_prepared(home.directory)


def announced(outbox: Outbox, following: Identity) -> Queued | None:
    """The entry in the outbox that announces these keys."""
    for queued in outbox.pending("command", limit=1000):
        said = entry.parse(queued.parcel.entry.encode()).entry
        if isinstance(said, Key) and said.sign == following.signing:
            return queued
    return None


def _hand_in(old: Client, queued: Queued) -> None:
    """Have the entry committed. That the old key is not known any more may mean that it was."""
    try:
        old.gateway.submit(queued.parcel)
    except Problem as problem:
        if problem.rule is not None:
            old.outbox.reject(queued.id, problem.rule, str(problem))
            raise Refused(problem.rule, str(problem)) from problem  # type: ignore[arg-type] # as the gateway names it
        if problem.status != HTTPStatus.UNAUTHORIZED:
            raise


def _adopt(home: Home, following: Identity, queued: Queued) -> Identity:
    with closing(Client(home, acting=following)) as new:
        answer = new.gateway.submit(queued.parcel)
        new.trust.accept_receipt(answer.receipt, queued.parcel.entry.encode())
        adopted = identity.adopt(home.directory, following.signing.thumbprint)
        new.outbox.release([queued.id])
        _set_apart(new.outbox, following)
    return adopted


def _set_apart(outbox: Outbox, following: Identity) -> None:
    """What another process wrote meanwhile has the old key's signature, and would make the agent halt."""
    for queued in (each for lane in SENT for each in outbox.pending(lane, limit=1000)):
        if entry.parse(queued.parcel.entry.encode()).kid != following.signing.thumbprint:
            outbox.reject(queued.id, "key", "it was signed just before the keys changed: send it again")

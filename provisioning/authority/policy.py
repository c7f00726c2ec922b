"""Who may have a certificate, and what becomes of an account's row. Pure: rows in, rows out; all times are in ms."""

from msgspec import structs

from gateway.authority import Denied
from provisioning.authority.inventory import Holder, Leaf

PERMIT_MS = 24 * 3_600_000
"""How long an admin's word lets an account have a certificate although none of its is in force."""

MOST_IN_FORCE = 10
"""Certificates of one account at a time. Renewed as they should be, there are two."""

KEPT_MS = 30 * 24 * 3_600_000
"""How long a certificate that has ended is still listed."""


def check(holder: Holder, *, live: bool, now: int) -> None:
    """Raise `Denied` unless the account may have a certificate now."""
    if not live:
        raise Denied("there is no live account with this id")
    if holder.permit is not None and now < holder.permit:
        return
    if not holder.leaves:
        return
    if not holder.leaves[-1].is_in_force(now):
        raise Denied("its certificate has expired: ask an admin to renew it")
    if sum(leaf.is_in_force(now) for leaf in holder.leaves) >= MOST_IN_FORCE:
        raise Denied(f"it has {MOST_IN_FORCE} certificates that are in force: ask an admin to renew it")


def issued(holder: Holder, leaf: Leaf) -> Holder:
    """One more; an admin's word is used up by it."""
    return structs.replace(holder, leaves=(*holder.leaves, leaf), permit=None)


def permitted(holder: Holder, now: int) -> Holder:
    return structs.replace(holder, permit=now + PERMIT_MS)


def is_trusted(holder: Holder) -> bool:
    """Whether it has what was not revoked; if that has expired, its owner may still be connected since before."""
    return any(leaf.revoked is None for leaf in holder.leaves)


def ended(holder: Holder, now: int) -> Holder:
    """The account is revoked, so all that it has is."""
    leaves = tuple(
        structs.replace(leaf, revoked=now) if leaf.revoked is None else leaf for leaf in holder.leaves
    )
    return structs.replace(holder, leaves=leaves, permit=None, kick=True)


def kicked(holder: Holder) -> Holder:
    return structs.replace(holder, kick=False)


def tidied(holder: Holder, *, live: bool, now: int) -> Holder | None:
    """
    Without what ended long ago; None if nothing is left to remember.

    The newest of a live account stays: that it has expired is why the account may not have another.
    """
    newest = holder.leaves[-1:] if live else ()
    kept = tuple(leaf for leaf in holder.leaves if now < leaf.until + KEPT_MS or leaf in newest)
    permit = holder.permit if holder.permit is not None and now < holder.permit else None
    if not kept and permit is None and not holder.kick:
        return None
    return structs.replace(holder, leaves=kept, permit=permit)

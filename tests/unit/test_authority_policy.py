"""Who may have a certificate, and what is remembered of whom."""

import pytest
from msgspec import structs

from gateway.authority import Denied
from provisioning.authority import policy
from provisioning.authority.inventory import Holder, Leaf

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_000 * DAY
NOBODY = Holder(account="a" * 26)


def leaf(*, ends_in: int = 90 * DAY, revoked: int | None = None) -> Leaf:
    return Leaf(serial="5", issued=NOW - DAY, until=NOW + ends_in, revoked=revoked)


def holder(*leaves: Leaf, permit: int | None = None) -> Holder:
    return structs.replace(NOBODY, leaves=leaves, permit=permit)


def denial(asker: Holder, *, live: bool = True, now: int = NOW) -> str:
    with pytest.raises(Denied) as caught:
        policy.check(asker, live=live, now=now)
    return str(caught.value)


@pytest.mark.parametrize(
    "asker",
    [
        NOBODY,
        holder(leaf()),
        holder(leaf(ends_in=1)),
        holder(leaf(ends_in=-1), leaf()),
        holder(leaf(ends_in=-1), permit=NOW + 1),
        holder(*[leaf()] * policy.MOST_IN_FORCE, permit=NOW + 1),
        holder(*[leaf(ends_in=-1)] * policy.MOST_IN_FORCE, leaf()),
    ],
    ids=["none", "in force", "just", "renewed", "permitted", "many, permitted", "many ended"],
)
def test_it_may_have_one(asker: Holder) -> None:
    policy.check(asker, live=True, now=NOW)


@pytest.mark.parametrize("asker", [NOBODY, holder(leaf()), holder(leaf(ends_in=-1), permit=NOW + 1)])
def test_who_is_not_live_may_not(asker: Holder) -> None:
    assert "no live account" in denial(asker, live=False)


@pytest.mark.parametrize(
    "asker",
    [
        holder(leaf(ends_in=0)),
        holder(leaf(ends_in=0), permit=NOW),
        holder(leaf(), leaf(ends_in=-1)),
    ],
    ids=["expired", "permitted too long ago", "an older one is in force"],
)
def test_whose_newest_has_expired_needs_an_admin(asker: Holder) -> None:
    assert "ask an admin to renew it" in denial(asker)


def test_one_account_cannot_fill_the_inventory() -> None:
    asker = holder(*[leaf()] * policy.MOST_IN_FORCE)

    assert "10 certificates that are in force" in denial(asker)


def test_an_admins_word_is_good_for_a_day() -> None:
    asker = policy.permitted(holder(leaf(ends_in=-1)), NOW)

    policy.check(asker, live=True, now=NOW + DAY - 1)
    denial(asker, now=NOW + DAY)


def test_an_admins_word_is_used_up_by_one_certificate() -> None:
    asker = policy.issued(policy.permitted(holder(leaf(ends_in=-1)), NOW), leaf(ends_in=HOUR))

    policy.check(asker, live=True, now=NOW)
    assert "expired" in denial(asker, now=NOW + HOUR)


def test_whoever_is_revoked_has_nothing_left() -> None:
    ended = policy.ended(holder(leaf(), leaf(ends_in=-1), leaf(revoked=5), permit=NOW + 1), NOW)

    assert [each.revoked for each in ended.leaves] == [NOW, NOW, 5]
    assert ended.permit is None
    assert ended.kick
    assert not policy.is_trusted(ended)
    assert not policy.kicked(ended).kick


def test_who_is_connected_since_before_its_certificate_expired_is_still_trusted() -> None:
    assert policy.is_trusted(holder(leaf(ends_in=-1)))
    assert not policy.is_trusted(NOBODY)


def test_what_ended_long_ago_is_forgotten() -> None:
    old, recent, new = leaf(ends_in=-policy.KEPT_MS), leaf(ends_in=1 - policy.KEPT_MS), leaf()

    assert policy.tidied(holder(old, recent, new), live=True, now=NOW) == holder(recent, new)
    assert policy.tidied(holder(old), live=False, now=NOW) is None
    assert policy.tidied(holder(old, permit=NOW), live=False, now=NOW) is None


def test_that_an_accounts_newest_has_expired_is_never_forgotten() -> None:
    asker = holder(leaf(ends_in=-2000 * DAY), leaf(ends_in=-1000 * DAY))

    kept = policy.tidied(asker, live=True, now=NOW)

    assert kept == holder(asker.leaves[-1])
    assert "expired" in denial(asker)


def test_who_is_still_to_be_kicked_is_not_forgotten() -> None:
    asker = policy.ended(holder(leaf(ends_in=-2000 * DAY)), NOW)

    assert policy.tidied(asker, live=False, now=NOW) is not None

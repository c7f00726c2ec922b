"""Who may publish and subscribe where. Pure: account and topic in, yes or no out."""

import re

from gateway import pulse

_ACCOUNT = re.compile(r"[a-z2-7]{26}")
_DOWN = re.compile(r"blockpost/v1/down/[a-z2-7]{26}/(?:entry|receipt|refusal)")
_STATUS = re.compile(r"blockpost/v1/up/[a-z2-7]{26}/status")

ROOT = "blockpost/v1/"
HEAD = "blockpost/v1/gateway/head"

LONGEST_FILTER = 128
"""Characters. Every level of a filter costs the broker memory, and no filter of ours needs more."""


def is_account(text: str) -> bool:
    return _ACCOUNT.fullmatch(text) is not None


def may_publish(account: str, topic: str, *, gateway: str) -> bool:
    if topic in (f"{ROOT}up/{account}/entry", f"{ROOT}up/{account}/status"):
        return True
    return account == gateway and (topic in (HEAD, pulse.TOPIC) or _DOWN.fullmatch(topic) is not None)


def may_retain(topic: str) -> bool:
    return topic == HEAD or _STATUS.fullmatch(topic) is not None


def may_leave_will(account: str, topic: str) -> bool:
    return topic == f"{ROOT}up/{account}/status"


def may_subscribe(account: str, topic_filter: str, *, gateway: str) -> bool:
    if not _is_filter(topic_filter):
        return False
    if account == gateway:
        return topic_filter.startswith(ROOT)
    return topic_filter == HEAD or topic_filter.startswith(f"{ROOT}down/{account}/")


def _is_filter(text: str) -> bool:
    """MQTT 3.1.1 section 4.7.1: a wildcard fills its level, and `#` is the last one."""
    *above, last = text.split("/")
    return (
        len(text) <= LONGEST_FILTER
        and "\0" not in text
        and all(level == "+" or not set("+#") & set(level) for level in above)
        and (last in ("+", "#") or not set("+#") & set(last))
    )

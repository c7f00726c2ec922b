"""How a gateway's chain is, as it tells an admin: its size, its newest checkpoint, and what came of the last check."""

from msgspec import Struct

from chain.entry import Count, Milliseconds


class Idle(Struct, frozen=True, tag_field="state", tag="idle"):
    """Nothing was checked since the web server started."""


class Running(Struct, frozen=True, tag_field="state", tag="running"):
    """`POST /v1/admin/chain/verify`: a check that goes on since `since` (ms)."""

    since: Milliseconds


class Done(Struct, frozen=True, kw_only=True, tag_field="state", tag="done"):
    """
    What came of it, `at` which time and after how many `ms`.

    If it holds (`ok`), `height` is the newest block that was checked, else the first bad one, or -1 if the check
    itself came to no end. `size` is the number of entries that hold.
    """

    at: Milliseconds
    ms: int
    ok: bool
    height: int
    size: Count
    detail: str


class Health(Struct, frozen=True, kw_only=True):
    """
    `GET /v1/admin/chain`: the chain under its newest checkpoint. `timestamp` (ms) is the newest block's; `bytes` are
    those of its files, `free` what is left on their disk; `verify` the last check that an admin asked for.
    """

    height: Count
    size: Count
    timestamp: Milliseconds
    checkpoint: str
    bytes: Count
    free: Count
    verify: Idle | Running | Done

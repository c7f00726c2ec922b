"""
What an admin does: an entry that is committed, or that wants other admins, too.

Where a `quorum` contract asks for several, the first who tries has agreed to it, and the last who tries has done it. What
is agreed to is worked out here, from what this admin means to do: the gateway is not asked.
"""

from typing import Any

from chain import entry
from chain.contracts.quorum import deed_of
from chain.entry import Approve, Common
from chain.errors import Refused
from device.client import Client
from device.errors import DeviceError


class Waits(DeviceError):
    """It is not done: other admins have to want it, too."""


def do(client: Client, type_: type[Common], **says: Any) -> int:
    """Commit an entry, and return its index. Raises `Waits` once this admin has agreed to it, and others have to."""
    mine = client.write("command", type_, **says)
    try:
        return client.send_commands(mine)
    except Refused as refusal:
        if refusal.rule != "quorum":
            raise
        deed = deed_of(entry.parse(mine.parcel.entry.encode()).entry)
        client.say(Approve, deed=deed)
        raise Waits(
            f"not done yet: {refusal.reason}. You have agreed to it now. Another admin has to run the same command"
        ) from refusal

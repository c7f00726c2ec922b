"""CONNECT: everything that must hold before anything of a session is looked at."""

from dataclasses import dataclass

from gateway.broker.door import Door, NotAdmitted
from gateway.broker.limits import Limits
from gateway.broker.packets import Connack, Frame, Message
from gateway.broker.rare import read_connect
from gateway.broker.topics import is_account, may_leave_will

_MQTT_3_1_1 = 4


class TurnedAway(Exception):
    """A well-formed CONNECT that gets a CONNACK with `code` and nothing more."""

    def __init__(self, code: Connack, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Greeting:
    """
    What an admitted client said of itself. `clean session` is not asked: every session is clean.

    An account has one client, named like it; the gateway's has a second, for its web server.
    """

    client_id: str
    account: str
    keep_alive: int
    will: Message | None


async def read_greeting(frame: Frame, door: Door, limits: Limits) -> Greeting:
    connect = await read_connect(frame)
    client_id, account = connect.client_id, connect.username
    if connect.level != _MQTT_3_1_1:
        raise TurnedAway(Connack.UNACCEPTABLE_PROTOCOL, "not MQTT 3.1.1")
    if account is None or not is_account(account) or client_id not in (account, f"{account}.web"):
        raise TurnedAway(Connack.IDENTIFIER_REJECTED, "client id and username are not one account's")
    if not _may_leave(connect.will, account, limits):
        raise TurnedAway(Connack.NOT_AUTHORIZED, "last will not permitted")
    try:
        door.admit(client_id, account, connect.password)
    except NotAdmitted as error:
        raise TurnedAway(Connack.NOT_AUTHORIZED, f"not admitted: {error}") from error
    return Greeting(client_id, account, connect.keep_alive, connect.will)


def _may_leave(will: Message | None, account: str, limits: Limits) -> bool:
    return will is None or (
        will.qos <= 1 and len(will.payload) <= limits.retained_bytes and may_leave_will(account, will.topic)
    )

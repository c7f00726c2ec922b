"""How much of everything one client, and all of them together, may take up."""

from dataclasses import dataclass, replace

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    packet_bytes: int = 641 * KIB
    """The longest packet: the longest parcel, its topic and its header. A longer one closes the connection unread."""

    connect_bytes: int = 32 * KIB
    """The same, for the CONNECT of somebody not yet admitted."""

    connect_seconds: float = 10
    """How long a new connection has for its CONNECT."""

    connections: int = 1024
    """Sockets open at one time, admitted or not."""

    subscriptions: int = 16
    """Topic filters of one client."""

    in_flight: int = 16_384
    """QoS 1 messages a client may leave unacknowledged; well above what a committer on Mosquitto holds back."""

    in_flight_bytes: int = 32 * MIB
    """The same, in bytes. QoS 0 messages for a client that has left this much unread are dropped."""

    ahead: int = 2_048
    """
    QoS 1 messages that the embedded broker lets the committer be behind, of all publishers together: beyond, they wait for
    it. A second's work or two, so that what waits does so at those who send too much, and not before those who do not.
    """

    ahead_bytes: int = 8 * MIB
    """The same, in bytes."""

    stall_seconds: float = 30
    """How long the gateway may be full without acknowledging anything before it is cut off."""

    retained_bytes: int = 16 * KIB
    """The longest payload that is kept for those who subscribe later."""

    @property
    def of_committer(self) -> "Limits":
        """The same for the one client that others wait for."""
        return replace(
            self,
            in_flight=min(self.in_flight, self.ahead),
            in_flight_bytes=min(self.in_flight_bytes, self.ahead_bytes),
        )

    @property
    def unsent_bytes(self) -> int:
        """What waits for one client to read it: messages, their headers, and answers to what it asks."""
        return self.in_flight_bytes + self.packet_bytes + 4 * MIB

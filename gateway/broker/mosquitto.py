"""
What Mosquitto is told: its configuration and its access list, as text. Pure.

Each option is as `mosquitto.conf(5)` of 2.0.11 has it, and was tried on it; docs/decisions/0016 says why which.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from chain import wire
from gateway import pulse
from gateway.broker.limits import MIB, Limits
from gateway.errors import BadConfig

OLDEST = (2, 0, 0)
"""From here on no listener is anonymous by itself, and `tls_version` is the least that is spoken."""

CONNECTIONS = 4096
"""
Sockets at one time. A stranger's count, too, until Mosquitto gives them up after 90 s without a CONNECT: so it is well
above what the embedded broker has, and still memory that a Raspberry Pi has.
"""

MEMORY_BYTES = 256 * MIB
"""What Mosquitto's own heap may grow to. It then disconnects whoever comes next, so it has to be started anew."""

WAITING = 4096
"""Packets that a client has not read yet. Of QoS 0, nothing else bounds them."""

LONGEST_KEEPALIVE = 60
"""Seconds; a client that wants more is refused. After one and a half of it a silent one is gone."""

_VERSION = re.compile(r"mosquitto version (\d+)\.(\d+)\.(\d+)")

# Of 2.0.11 and of later ones: strangers who come and go before they said who they are, among them our own look whether
# it answers; and words on a pattern that is for everybody, as it is meant to be.
_NOISE = re.compile(
    r"New connection from |Client (<unknown>|\S+ \[[^]]*\]) (disconnected|closed)|Client <unknown>"
    r"|.*unexpected eof while reading|Warning: ACL pattern .* does not contain|Warning: Mosquitto should not be run as root"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where it listens, and the files that it reads; all paths absolute."""

    host: str
    port: int
    access: Path
    authorities: Path
    """Root and issuing authority, together in one file."""

    server: Path
    """Key, certificate and those above it."""

    revoked: Path


def configuration(listener: Listener, limits: Limits | None = None) -> str:
    """
    The whole of `mosquitto.conf`.

    Who a client is, its certificate says and nothing else: its common name is put in the place of user name and client
    id. Without the second of the two any client could throw out any other.
    """
    limits = limits or Limits()
    for path in (listener.access, listener.authorities, listener.server, listener.revoked):
        if set("\r\n") & set(str(path)):
            raise BadConfig(f"{str(path)!r}: a directory whose name has a line break")
    return f"""\
# Written by blockpost at each start of the broker: what is changed here is lost.

# Only where the gateway itself runs as root: as another user Mosquitto could not read the gateway's files.
user root

log_dest stderr
log_timestamp false
log_type error
log_type warning
log_type notice
log_type information
connection_messages true
sys_interval 0

# Nothing is kept on disk: an author has its entry until the receipt, a reader asks for what it missed.
persistence false
persistent_client_expiration 1h
retain_available true
set_tcp_nodelay true
allow_zero_length_clientid false

# What is over a limit is dropped, and comes again from its author's outbox.
max_inflight_messages {limits.in_flight}
max_inflight_bytes {limits.in_flight_bytes}
max_queued_messages {WAITING}
max_queued_bytes {limits.in_flight_bytes}
max_packet_size {limits.packet_bytes}
max_keepalive {LONGEST_KEEPALIVE}
memory_limit {MEMORY_BYTES}

acl_file {listener.access}

listener {listener.port} {listener.host}
max_connections {CONNECTIONS}
max_qos 1
allow_anonymous false
require_certificate true
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.2
cafile {listener.authorities}
certfile {listener.server}
keyfile {listener.server}
crlfile {listener.revoked}
"""


def access(gateway: str) -> str:
    """
    The access list: `gateway` is the account of the committer, and that with `.web` behind it the web server's.

    A device may write exactly two topics, so that it can have no more than two messages kept.
    """
    web = f"{gateway}.web"
    return f"""\
# Written by blockpost at each start of the broker: what is changed here is lost.
user {gateway}
topic read {wire.UP_ENTRIES}
topic write {wire.PREFIX}/down/+/entry
topic write {wire.PREFIX}/down/+/receipt
topic write {wire.PREFIX}/down/+/refusal
topic write {wire.HEAD_TOPIC}
topic write {pulse.TOPIC}

user {web}
topic write {wire.up_topic(gateway, "entry")}
topic read {wire.down_topic(gateway, "receipt")}
topic read {wire.down_topic(gateway, "refusal")}
topic read {wire.UP_STATUSES}
topic read {pulse.TOPIC}

pattern read {wire.HEAD_TOPIC}
pattern read {wire.PREFIX}/down/%u/#
pattern write {wire.PREFIX}/up/%u/entry
pattern write {wire.PREFIX}/up/%u/status
"""


def checked_version(told: str) -> str:
    """The version in what `mosquitto -h` prints; raise `BadConfig` for one that is too old, or none."""
    match = _VERSION.search(told)
    if match is None:
        raise BadConfig(f"mosquitto: want it to tell its version, got {told[:80]!r}")
    version = ".".join(match.groups())
    if tuple(map(int, match.groups())) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise BadConfig(f"mosquitto: want version {oldest} or newer, got {version}: upgrade it (apt upgrade)")
    return version


def is_out_of_memory(line: str) -> bool:
    """Whether it says that it has reached `MEMORY_BYTES`, or that the machine has no more."""
    return "out of memory" in line.lower()


def is_noise(line: str) -> bool:
    """Whether a line of Mosquitto's log says nothing that anybody would want to know."""
    return _NOISE.match(line) is not None

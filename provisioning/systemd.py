"""
Units for systemd: a gateway's processes, a device's agent or an annunciator, kept running and kept in.

They run as a user of their own that exists only while they do (DynamicUser), in a directory below `/var/lib` that
systemd gives them (StateDirectory), and see little else of the machine. Each says when it is ready, and goes on saying
that it makes progress: one that hangs is started again. What a process does not need of the network it does not get: of
a gateway's only those that the LAN speaks to hear it, and only one that listens on a port below 1024 may open one.
"""

import grp
import re
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from chain import durable
from device.errors import BadConfig

if TYPE_CHECKING:
    from gateway.site import Settings

STATE = Path("/var/lib")
HOMES = ("/home", "/root", "/run/user")
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")

WATCHDOG_SECONDS = 30
"""How long a process may go without progress."""

LAN = ("link-local", "multicast", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Whose addresses are a building's: RFC 1918, RFC 4193, and what a network without a server gives itself."""

FIRST_FREE_PORT = 1024
"""What lies below it only a process with CAP_NET_BIND_SERVICE opens."""

UNIT = """\
# Written by `blockpost provision systemd`; changes belong into {name}.service.d/*.conf.

[Unit]
Description=Blockpost: {about}
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.exec.html
Wants=network-online.target
After=network-online.target {after}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
WatchdogSec={watchdog}
ExecStart="{python}" -m provisioning {command}
Restart=always
RestartSec=2
TimeoutStopSec=30
KillMode=mixed
SyslogIdentifier={name}

DynamicUser=yes
User={user}
StateDirectory={user}
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=8192

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
{devices}PrivateUsers={own_users}
PrivateMounts=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
{proc}NoNewPrivileges=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
CapabilityBoundingSet={capability}
AmbientCapabilities={capability}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6{families}
{network}SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
{calls}SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


class Part(Struct, frozen=True, kw_only=True):
    """
    One unit: `name` follows the directory's in the unit's, `words` are the command's.

    `peers` are the addresses that it may speak to, as systemd.resource-control(5) writes them; none: all. `port` is the
    one that it listens on, `families` the kinds of sockets that it needs besides those that all have. `runs_commands`:
    those of its settings, which may come from anywhere. `knows_boot`: it tells one boot of the machine from the next, by
    which contracts count. `devices` are the kinds of those that they may use.
    """

    name: str
    about: str
    words: str
    after: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    port: int | None = None
    families: tuple[str, ...] = ()
    runs_commands: bool = False
    knows_boot: bool = False
    devices: tuple[str, ...] = ()


AGENT = Part(
    name="agent",
    about="a device's agent",
    words="device --home {directory} --verbose run",
    runs_commands=True,
)
ANNUNCIATOR = Part(
    name="annunciator",
    about="an annunciator",
    words="device --home {directory} --verbose annunciate",
    runs_commands=True,
    devices=("char-gpiochip", "char-alsa"),
)

DEVICE_GROUPS = ("audio", "gpio")
"""Whom Debian and Raspberry Pi OS let use those devices."""


def gateway_parts(settings: "Settings") -> tuple[Part, ...]:
    """The processes of a gateway, in the order in which they start."""
    here = ("localhost", *own_addresses(settings))
    first, everybody = (("authority",), (*here, *LAN)) if settings.is_lan else ((), here)
    both = (
        Part(
            name="broker",
            about="the MQTT broker",
            words="gateway broker {directory}",
            # Mosquitto refuses every client once the list of revoked certificates is too old: that is renewed first.
            after=first,
            peers=everybody,
            port=settings.mqtt_port,
        ),
        Part(
            name="commit",
            about="the committer",
            words="gateway commit {directory}",
            knows_boot=True,
            after=(*first, "broker"),
            peers=here,
        ),
        Part(
            name="web",
            about="the web server",
            words="gateway web {directory}",
            knows_boot=True,
            after=(*first, "broker", "commit"),
            peers=everybody,
            port=settings.http_port,
        ),
    )
    if not settings.is_lan:
        return both
    authority = Part(
        name="authority", about="the certificate authority", words="authority run {directory}", peers=here
    )
    welcome = Part(
        name="welcome",
        about="the page that offers the root certificate",
        words="gateway welcome {directory}",
        after=first,
        peers=everybody,
        port=settings.welcome_port,
        # What it announces are the addresses that the kernel's list of interfaces has.
        families=("AF_NETLINK",),
    )
    return (authority, *both, welcome)


def own_addresses(settings: "Settings") -> tuple[str, ...]:
    """Addresses besides loopback at which its parts find each other, because they listen there and nowhere else."""
    found = []
    for host in (settings.mqtt_host, settings.http_host):
        with suppress(ValueError):  # a name
            address = ip_address(host)
            if not (address.is_loopback or address.is_unspecified) and host not in found:
                found.append(host)
    return tuple(found)


def units(directory: Path, *, python: Path) -> dict[str, str]:
    """
    The units for the gateway or the account in `directory`, by their files' names.

    Raises `BadConfig` if it is neither, or lies, as Python does, where a service cannot reach it.
    """
    if directory.parent != STATE or not NAME.fullmatch(directory.name):
        raise BadConfig(
            f"{directory}: want a directory right below {STATE}, of a-z, 0-9 and -: systemd gives it to the service"
        )
    if str(python).startswith(tuple(f"{home}/" for home in HOMES)):
        raise BadConfig(
            f"{python}: a service sees no home; install blockpost elsewhere, as in /opt/blockpost"
        )
    return {
        f"{directory.name}-{part.name}.service": _unit(directory, part, python)
        for part in parts_of(directory)
    }


def parts_of(directory: Path) -> tuple[Part, ...]:
    if (directory / "gateway.toml").is_file():
        return _parts_of_gateway(directory)
    # Before it has joined, a home is what came on an SD card.
    if any((directory / name).is_file() for name in ("addressbook.json", "join.toml")):
        return (_part_of_home(directory),)
    raise BadConfig(f"{directory}: neither a gateway nor an account's home")


def _part_of_home(directory: Path) -> Part:
    if not (directory / "annunciator.toml").is_file():
        return AGENT
    if (directory / "agent.toml").is_file():
        raise BadConfig(
            f"{directory}: want agent.toml or annunciator.toml, got both: an account is one of the two"
        )
    return ANNUNCIATOR


def _parts_of_gateway(directory: Path) -> tuple[Part, ...]:
    # Where there is a device only, nothing of a gateway is installed.
    from gateway.errors import GatewayError  # noqa: PLC0415
    from gateway.site import Site  # noqa: PLC0415

    try:
        return gateway_parts(Site.load(directory).settings)
    except GatewayError as error:
        raise BadConfig(str(error)) from error


def _unit(directory: Path, part: Part, python: Path) -> str:
    user = directory.name
    low = part.port is not None and part.port < FIRST_FREE_PORT
    allowed = " ".join(part.peers)
    return UNIT.format(
        name=f"{user}-{part.name}",
        about=part.about,
        after=" ".join(f"{user}-{other}.service" for other in part.after),
        watchdog=WATCHDOG_SECONDS,
        python=str(python).replace("%", "%%"),
        command=part.words.format(directory=directory),
        user=user,
        # A capability counts only among the machine's own users: with some of its own, a low port stays closed.
        own_users="no" if low else "yes",
        capability="CAP_NET_BIND_SERVICE" if low else "",
        families="".join(f" {family}" for family in part.families),
        # A sensor may read /proc/meminfo, and a boot's id is in /proc/sys.
        proc="" if part.runs_commands or part.knows_boot else "ProcSubset=pid\n",
        # setpriv, which has commands die with the agent, sets capabilities anew: of none there are none to be had.
        calls="SystemCallFilter=capset\n" if part.runs_commands else "",
        devices=_devices(part),
        network=f"IPAddressDeny=any\nIPAddressAllow={allowed}\n" if allowed else "",
    )


def _devices(part: Part) -> str:
    if not part.devices:
        return "PrivateDevices=yes\n"
    allowed = "".join(f"DeviceAllow={kind} rw\n" for kind in part.devices)
    # A unit with a group that the machine does not have is never started.
    groups = " ".join(group for group in DEVICE_GROUPS if _exists(group))
    return f"PrivateDevices=no\nDevicePolicy=closed\n{allowed}" + (
        f"SupplementaryGroups={groups}\n" if groups else ""
    )


def _exists(group: str) -> bool:
    try:
        grp.getgrnam(group)
    except KeyError:
        return False
    return True


def write(directory: Path, out: Path) -> list[Path]:
    """Write the units into the folder `out`, and return their files."""
    made = units(directory, python=Path(sys.executable))
    out.mkdir(parents=True, exist_ok=True)
    files = [out / name for name in made]
    for file in files:
        durable.write(file, made[file.name].encode(), mode=0o644)
    return files

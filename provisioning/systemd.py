"""
Units for systemd: a gateway's three processes, or a device's agent, kept running and kept in.

They run as a user of their own that exists only while they do (DynamicUser), in a directory below `/var/lib` that
systemd gives them (StateDirectory), and see little else of the machine. Each says when it is ready, and goes on saying
that it makes progress: one that hangs is started again.
"""

import re
import sys
from pathlib import Path

from msgspec import Struct

from chain import durable
from device.errors import BadConfig

STATE = Path("/var/lib")
HOMES = ("/home", "/root", "/run/user")
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")

WATCHDOG_SECONDS = 30
"""How long a process may go without progress."""

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

DynamicUser=yes
User={user}
StateDirectory={user}
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=8192

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
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
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
{network}SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


class Part(Struct, frozen=True):
    """One unit: `name` follows the directory's in the unit's, `words` are the command's before the directory."""

    name: str
    about: str
    words: str
    after: tuple[str, ...] = ()


GATEWAY = (
    Part("broker", "the embedded MQTT broker", "gateway broker {directory}"),
    Part("commit", "the committer", "gateway commit {directory}", ("broker",)),
    Part("web", "the web server", "gateway web {directory}", ("broker", "commit")),
)
AGENT = (Part("agent", "a device's agent", "device --home {directory} --verbose run"),)


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
        return GATEWAY
    if (directory / "addressbook.json").is_file():
        return AGENT
    raise BadConfig(f"{directory}: neither a gateway nor an account's home")


def _unit(directory: Path, part: Part, python: Path) -> str:
    user = directory.name
    serves = part in GATEWAY
    return UNIT.format(
        name=f"{user}-{part.name}",
        about=part.about,
        after=" ".join(f"{user}-{other}.service" for other in part.after),
        watchdog=WATCHDOG_SECONDS,
        python=str(python).replace("%", "%%"),
        command=part.words.format(directory=directory),
        user=user,
        # A sensor may read /proc/meminfo, and come from anywhere in the building.
        proc="ProcSubset=pid\n" if serves else "",
        network="IPAddressDeny=any\nIPAddressAllow=localhost\n" if serves else "",
    )


def write(directory: Path, out: Path) -> list[Path]:
    """Write the units into the folder `out`, and return their files."""
    made = units(directory, python=Path(sys.executable))
    out.mkdir(parents=True, exist_ok=True)
    files = [out / name for name in made]
    for file in files:
        durable.write(file, made[file.name].encode(), mode=0o644)
    return files

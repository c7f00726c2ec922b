"""`blockpost demo`: a sensor's reading travels, on this machine: read, sealed, committed, receipted, opened."""

import argparse
import json
import os
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from chain import console, entry
from chain.audit import audit
from chain.chain import Chain
from chain.entry import Message
from chain.errors import ChainError, Damaged
from device.errors import DeviceError
from device.printing import said
from device.recording import values
from provisioning.probe import Probe
from provisioning.site import Site

ADMIN, CLINICIAN, DEVICE, GROUP = "admin", "dr.lee", "sensor-1", "on-call"
TOLD_PER_SECOND = 3
OPEN_SECONDS = 30.0

ESCALATION = f"""\
id = "nobody-on-call"
kind = "escalate"
when = "is_alert"
wait = "1m"
laps = 1

[[steps]]
to = "{ADMIN}"
after = "30s"
"""
"""What becomes of an alert that nobody takes."""

CLOSING = """
examples:
  blockpost demo --seconds 20
  blockpost demo --replay vitals.csv --column SpO2 --rate 20
  blockpost demo --lan                  with certificates, over TLS, on Mosquitto
  blockpost demo --keep ./site          and look at it afterwards: blockpost chain show ./site/gateway/chain.db
"""


def main(argv: Sequence[str]) -> int:
    """Run the demo; exit 0 if every message that was sent was committed, receipted and opened."""
    args = _parser().parse_args(argv)
    console.end_as_interrupted()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        return _play(args, args.keep.absolute())
    with tempfile.TemporaryDirectory(prefix="blockpost-demo-") as directory:
        return _play(args, Path(directory))


def _parser() -> argparse.ArgumentParser:
    parser = console.parser("demo", __doc__, CLOSING)
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="N",
        help="end after so long; else with Ctrl-C, or with the recording",
    )
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="a CSV recording instead of this machine's own sensors"
    )
    parser.add_argument("--column", metavar="NAME", help="the recording's column")
    parser.add_argument(
        "--rate", type=float, default=1.0, metavar="PER_SECOND", help="readings a second (%(default)s)"
    )
    parser.add_argument(
        "--lan",
        action="store_true",
        help="as in a building: with certificates, over TLS, and with Mosquitto, which has to be installed",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in this empty directory, and leave it")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on the last line")
    return parser


def _play(args: argparse.Namespace, directory: Path) -> int:
    site, story = Site(directory, lan=args.lan), Story()
    try:
        probe = None if args.replay else Probe(site.home(DEVICE))
        _set_the_stage(site, _settings(args, probe))
        _open_the_page(site)
        _run(site, story, args, probe)
    except (DeviceError, ChainError, OSError) as error:
        print(f"blockpost demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("blockpost demo: ended before there was anything to sum up", file=sys.stderr)
        return console.INTERRUPTED
    finally:
        site.stop()
    summary = _summary(site, story)
    _tell(summary)
    if args.json:
        print(json.dumps(summary))
    return 0 if _is_whole(summary) else 1


def _settings(args: argparse.Namespace, probe: Probe | None) -> str:
    """The device's agent.toml."""
    read = ["blockpost", "device", "read"]
    if args.replay:
        if not args.column or not args.replay.is_file():
            raise DeviceError(
                "--replay wants a file that is there, and --column the name of one of its columns"
            )
        recording = [str(args.replay.absolute()), "--column", args.column, "--rate", str(args.rate), "--loop"]
        sensors = {_sensor_name(args.column): [*read, "replay", *recording]}
    else:
        sensors = {name: [*read, name, "--every", str(1 / args.rate)] for name in ("load", "memory")}
    # A JSON list of strings is a TOML one.
    tables = [
        f'[sensors.{name}]\nmode = "stream"\ncommand = {json.dumps(words)}\n'
        for name, words in sensors.items()
    ]
    if probe is not None:
        tables.append(probe.settings())
    return "\n".join([f'to = ["{GROUP}"]\n', *tables])


def _sensor_name(column: str) -> str:
    """A column's name as a sensor may be called."""
    name = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in column.lower()
    ).strip("-")
    return f"c-{name}"[:32] if not name[:1].isalpha() else name[:32]


def _set_the_stage(site: Site, settings: str) -> None:
    """A gateway, an admin, a clinician on call, and a device that may write to whoever is on call."""
    print(f"gateway   making one in {site.directory / 'gateway'}")
    code = site.init(admin=ADMIN)
    site.start()
    broker = "Mosquitto" if site.lan else "broker"
    print(f"gateway   running: REST on 127.0.0.1:{site.http_port}, {broker} on 127.0.0.1:{site.mqtt_port}")
    site.join(ADMIN, code, name="Administrator")
    print(f"{ADMIN:9} joined with the code that the gateway printed; its keys were made on its side")
    codes = {
        handle: site.admin(ADMIN, "invite", handle, "--kind", kind).strip()
        for handle, kind in ((CLINICIAN, "person"), (DEVICE, "device"))
    }
    with ThreadPoolExecutor() as pool:
        names = {CLINICIAN: "Dr. Lee", DEVICE: "Sensor 1"}
        list(pool.map(lambda item: site.join(item[0], item[1], name=names[item[0]]), codes.items()))
    for handle in codes:
        print(f"{handle:9} joined with a code from {ADMIN}")
    site.admin(ADMIN, "group", GROUP, CLINICIAN)
    site.admin(ADMIN, "link", DEVICE, GROUP)
    print(f"{ADMIN:9} put {CLINICIAN} on call, and let {DEVICE} write to whoever is")
    site.admin(ADMIN, "link", CLINICIAN, ADMIN)
    contract = site.directory / "nobody-on-call.toml"
    contract.write_text(ESCALATION, "utf-8")
    site.admin(ADMIN, "contract", "install", str(contract), "--yes")
    print(
        f"{ADMIN:9} is told of an alert that nobody on call takes within half a minute, by a contract on the chain"
    )
    (site.home(DEVICE) / "agent.toml").write_text(settings, "utf-8")


def _open_the_page(site: Site) -> None:
    """Let both people into the page, and say how to come in."""
    passwords = {handle: _password() for handle in (CLINICIAN, ADMIN)}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda item: site.set_password(*item), passwords.items()))
    if site.lan:
        print(f"\nroot      http://localhost:{site.welcome_port}/ tells how a browser comes to trust it")
    built = "" if site.has_page() else "  (not built: `make page`, then begin again)"
    print(f"\npage      {site.url}{built}")
    for handle, password in passwords.items():
        # A secret has no place in a terminal. These are there to be typed, and are good for this one site, on this
        # machine alone.
        print(f"          {handle:8} {password}")
    print(flush=True)


def _password() -> str:
    """Eight random syllables, which can be read aloud and typed: 49 bits."""
    syllables = [secrets.choice("bdfgklmnprstvz") + secrets.choice("aeiou") for _ in range(8)]
    return "-".join(first + second for first, second in zip(syllables[::2], syllables[1::2], strict=True))


class Story:
    """What the device and the clinician report, counted, and told as it happens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent: set[str] = set()
        self.receipted: set[str] = set()
        self.opened: set[str] = set()
        self.delivered: set[str] = set()
        self.refused: set[str] = set()
        self.latencies: list[float] = []
        self.sensing = threading.Event()
        self._told: dict[str, float] = {}
        self._second = 0.0
        self._left = TOLD_PER_SECOND

    def hear(self, event: dict[str, Any]) -> None:
        with self._lock:
            match event:
                case {"event": "sensed"}:
                    self.sensing.set()
                case {"event": "sent", "id": entry_id}:
                    self.sent.add(entry_id)
                    self._tell(entry_id, f"{DEVICE:9} sealed a reading for {GROUP} and sent it", first=True)
                case {"event": "receipted", "id": entry_id, "index": index, "latency_ms": latency}:
                    self.receipted.add(entry_id)
                    if latency is not None:
                        self.latencies.append(latency)
                    self._tell(
                        entry_id,
                        f"gateway   committed it as entry {index}; receipt verified after {latency} ms",
                    )
                case {"event": "opened", "id": entry_id, "text": text, "cty": cty}:
                    self.delivered.add(entry_id)
                    self.opened.add(entry_id)
                    self._tell(entry_id, f"{CLINICIAN:9} verified and opened it: {said(text, cty)}")
                case {"event": "unopened", "id": entry_id}:
                    self.delivered.add(entry_id)
                case {"event": "refused", "id": entry_id, "rule": rule}:
                    self.refused.add(entry_id)
                    print(f"gateway   refused an entry: {rule}", flush=True)

    def _tell(self, entry_id: str, line: str, *, first: bool = False) -> None:
        """Follow a few messages a second all the way; the others are only counted."""
        now = time.monotonic()
        if first:
            if now - self._second >= 1:
                self._second, self._left = now, TOLD_PER_SECOND
            if self._left == 0:
                return
            self._left -= 1
            self._told[entry_id] = now
        if entry_id in self._told:
            print(f"{line}  [{entry_id[-4:]}]", flush=True)

    def is_over(self) -> bool:
        with self._lock:
            return self.opened >= self.sent - self.refused


def _run(site: Site, story: Story, args: argparse.Namespace, probe: Probe | None) -> None:
    """Let it run for as long as was asked; then let what is under way arrive."""
    with ExitStack() as started:
        if probe is not None:
            _move(probe, started)
        clinician = site.device(CLINICIAN, "inbox", "--follow", "--json", hear=story.hear)
        started.callback(clinician.stop)
        device = site.device(DEVICE, "run", "--json", hear=story.hear)
        started.callback(device.stop)
        try:
            _wait(args, story)
        except KeyboardInterrupt:
            print("\nending ...")
        if code := device.stop():
            raise DeviceError(f"the device ended with {code}: see {site.directory / DEVICE}.log")
        deadline = time.monotonic() + OPEN_SECONDS
        while not story.is_over() and time.monotonic() < deadline:
            time.sleep(0.05)


def _move(probe: Probe, started: ExitStack) -> None:
    """Let somebody pull the probe out now and then."""
    probe.plug_in()
    over = threading.Event()
    started.callback(over.set)

    def tell(what: str) -> None:
        print(f"{'probe':9} {what}", flush=True)

    threading.Thread(target=probe.run, args=(over, tell), daemon=True).start()


def _wait(args: argparse.Namespace, story: Story) -> None:
    """For the time asked, or as long as the recording lasts; this machine's own sensors end with Ctrl-C."""
    if args.seconds:
        time.sleep(args.seconds)
    elif args.replay:
        story.sensing.wait(OPEN_SECONDS)
        time.sleep(sum(1 for _ in values(args.replay, args.column)) / args.rate)
    else:
        threading.Event().wait()


def _summary(site: Site, story: Story) -> dict[str, Any]:
    verified = True
    try:
        report = audit(site.chain_file, workers=os.cpu_count() or 1)
        height, size = report.height, report.size
    except Damaged as error:
        print(f"blockpost demo: {error}", file=sys.stderr)
        verified, height, size = False, error.height, 0
    return {
        "sent": len(story.sent),
        "committed": _committed(site.chain_file),
        "receipted": len(story.receipted),
        "delivered": len(story.delivered),
        "opened": len(story.opened),
        "refused": len(story.refused),
        "latency_ms": {"p50": _percentile(story.latencies, 50), "p99": _percentile(story.latencies, 99)},
        "chain": {"height": height, "size": size, "verified": verified},
        "page": {"url": site.url},
    }


def _committed(file: Path) -> int:
    """How many messages the chain itself holds."""
    with closing(Chain.open(file)) as chain:
        leaves = (chain.store.leaf(index) for index in range(chain.head.size))
        return sum(isinstance(entry.parse(leaf).entry, Message) for leaf in leaves)


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)] if ranked else None


def _tell(summary: dict[str, Any]) -> None:
    print()
    for name in ("sent", "committed", "receipted", "delivered", "opened", "refused"):
        print(f"{name:9} {summary[name]}")
    latency, chain = summary["latency_ms"], summary["chain"]
    print(
        f"latency   p50 {latency['p50']} ms, p99 {latency['p99']} ms, from publishing to a verified receipt"
    )
    word = "verified from its first byte" if chain["verified"] else "DAMAGED"
    print(f"chain     {chain['size']} entries in {chain['height'] + 1} blocks, {word}")


def _is_whole(summary: dict[str, Any]) -> bool:
    counts = {summary[name] for name in ("sent", "committed", "receipted", "opened")}
    return len(counts) == 1 and counts.pop() > 0 and bool(summary["chain"]["verified"])

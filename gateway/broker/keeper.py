"""Keeps Mosquitto running: writes what it reads, starts it, tells it what changed, and ends with it."""

import errno
import logging
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from chain import durable, notify
from gateway.broker import mosquitto
from gateway.broker.material import Material, Step
from gateway.broker.mosquitto import CONNECTIONS, Listener
from gateway.broker.serve import allow_files
from gateway.errors import BadConfig, CannotListen
from gateway.lifeline import end_with_parent
from gateway.site import Site, near
from gateway.tls import Files, client_context

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""Between two looks at the certificates, and whether Mosquitto is still there."""

STOP_SECONDS = 5
ANSWER_SECONDS = 2

PLACES = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian has it, and a person's PATH does not look."""

_PINGREQ = b"\xc0\x00"


class Child:
    """Mosquitto, as a process of ours that ends with us; what it logs goes into our log."""

    def __init__(self, executable: str, config: Path) -> None:
        self._process = subprocess.Popen(
            [executable, "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # The service manager listens to us alone: Mosquitto would call itself ready.
            env={"PATH": os.environ.get("PATH", os.defpath)},
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one call, no lock
            start_new_session=True,  # Ctrl-C is for us, who end it in order
        )
        assert self._process.stderr is not None
        self._is_full = threading.Event()
        self._log = threading.Thread(
            target=_pass_on, args=[self._process.stderr, self._is_full], name="log", daemon=True
        )
        self._log.start()
        log.info("mosquitto started pid=%d", self._process.pid)

    def check(self) -> None:
        """Raise `CannotListen` if it has ended."""
        if (code := self._process.poll()) is not None:
            self._log.join(STOP_SECONDS)
            raise CannotListen(f"mosquitto: ended with code {code}; its last lines in the log say why")

    @property
    def is_full(self) -> bool:
        """Whether it has said that it has no more memory."""
        return self._is_full.is_set()

    def reload(self) -> None:
        """Not before it has answered once: until then the signal would end it."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.join(STOP_SECONDS)


def _pass_on(lines: IO[bytes], is_full: threading.Event) -> None:
    with lines:
        for line in lines:
            text = line.decode("utf-8", "backslashreplace").rstrip()
            if mosquitto.is_out_of_memory(text):
                is_full.set()
            if text and not mosquitto.is_noise(text):
                log.info("mosquitto: %s", "".join(c if c.isprintable() else "?" for c in text))


class Keeper:
    """The whole errand, for one site. `gateway` is the gateway's account."""

    def __init__(self, site: Site, gateway: str, executable: str) -> None:
        settings, here = site.settings, site.directory.resolve() / "broker"
        self._files = site.certificates
        self._folder = here
        self._executable = executable
        self._address = (near(settings.mqtt_host), settings.mqtt_port)
        self._listener = Listener(
            host=settings.mqtt_host,
            port=settings.mqtt_port,
            access=here / "acl",
            authorities=here / "authorities.pem",
            server=site.certificates.server.resolve(),
            revoked=here / "revoked.pem",
        )
        self._texts = {
            here / "mosquitto.conf": mosquitto.configuration(self._listener),
            self._listener.access: mosquitto.access(gateway),
        }
        self._seen: tuple[object, ...] = ()
        self._heart = notify.Heart()
        self._ready = False
        self._answers = False
        self._look_at = 0.0

    @property
    def texts(self) -> dict[Path, str]:
        """What Mosquitto reads, by the file that it is written to at each start."""
        return self._texts

    def run(self, stop: threading.Event) -> None:
        """Keep it running until told to stop. Raise `CannotListen` when it ends by itself."""
        self._seen = self._stamps()
        material = Material.read(self._files)
        while not stop.is_set():
            self._write(material)
            child = Child(self._executable, self._folder / "mosquitto.conf")
            try:
                material = self._attend(child, material, stop)
            finally:
                child.stop()

    def _write(self, material: Material) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path, text in self._texts.items():
            durable.write(path, text.encode())
        durable.write(self._listener.authorities, material.authorities)
        durable.write(self._listener.revoked, material.revoked)

    def _attend(self, child: Child, material: Material, stop: threading.Event) -> Material:
        """Return what it is to be started anew with; what it has, if it is to stop."""
        self._answers, self._look_at = False, 0.0
        while not stop.wait(LOOK_SECONDS):
            child.check()
            if child.is_full:
                log.warning("mosquitto started anew reason=its memory is full")
                break
            self._probe()
            before, material = material, self._changed(material)
            step = material.step_from(before)
            if step is Step.RESTART or (step is Step.RELOAD and not self._answers):
                log.info("mosquitto started anew reason=other certificates")
                break
            if step is Step.RELOAD:
                durable.write(self._listener.revoked, material.revoked)
                child.reload()
                log.info("mosquitto reloads reason=other certificates")
        return material

    def _changed(self, before: Material) -> Material:
        """What the files say now; what they said before, if they are not as they have to be."""
        stamps = self._stamps()
        if stamps == self._seen:
            return before
        self._seen = stamps
        try:
            return Material.read(self._files)
        except (BadConfig, OSError) as error:
            log.warning("certificates not taken over reason=%s", error)
            return before

    def _stamps(self) -> tuple[object, ...]:
        """Differs when a file is another than before: each is replaced by renaming."""
        files = self._files
        return tuple(_stamp(path) for path in (files.root, files.issuing, files.server, files.crl))

    def _probe(self) -> None:
        """See whether it answers: often until it does for the first time, now and then from then on."""
        if time.monotonic() < self._look_at:
            return
        try:
            ask(self._files, *self._address)
        except OSError as error:
            if self._answers or not self._look_at:
                log.warning("mosquitto silent reason=%s", error)
            self._answers = False
            self._look_at = time.monotonic() + LOOK_SECONDS
            return
        if not self._answers:
            log.info("broker ready address=%s port=%d", *self._address)
        self._answers = True
        if not self._ready:
            notify.ready()
            self._ready = True
        self._heart.beat()
        self._look_at = time.monotonic() + notify.EVERY_SECONDS


def ask(files: Files, host: str, port: int) -> None:
    """
    Raise `OSError` unless a broker there takes the web server's certificate, and answers.

    A CONNECT would throw out the web server. So it is sent a packet that must not come first, and has to hang up.
    """
    context = client_context(files, files.web)
    with (
        closing(socket.create_connection((host, port), timeout=ANSWER_SECONDS)) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(_PINGREQ)
        with suppress(ssl.SSLEOFError, ConnectionResetError):
            connection.recv(1)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def installed() -> tuple[str, str]:
    """Where Mosquitto is, and its version; raise `BadConfig` if it is nowhere, or too old."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *PLACES))
    executable = shutil.which("mosquitto", path=path)
    if executable is None:
        raise BadConfig("mosquitto: not installed; run: apt install mosquitto")
    told = subprocess.run([executable, "-h"], capture_output=True, check=False, timeout=10)
    return executable, mosquitto.checked_version(told.stdout.decode("utf-8", "replace"))


def check_free(host: str, port: int) -> None:
    """Raise `CannotListen` if somebody else listens there, or nobody can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            why = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror
            raise CannotListen(f"broker: cannot listen on {host} port {port}: {why}") from error


def run(site: Site, gateway: str, stop: threading.Event) -> None:
    """Keep the broker of a site that serves a LAN. Raise `BadConfig`, `CannotListen`, `OSError`."""
    executable, version = installed()
    log.info("mosquitto found path=%s version=%s", executable, version)
    check_free(site.settings.mqtt_host, site.settings.mqtt_port)
    allow_files(CONNECTIONS)
    Keeper(site, gateway, executable).run(stop)

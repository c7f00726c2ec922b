"""Must hold: a Pi that installs the device's extra gets no Flask, and still has what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a clean environment with `blockpost[device]` in it."""
    environment = tmp_path_factory.mktemp("pi")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = str(environment / "bin" / "pip")
    subprocess.run([pip, "install", "--quiet", f"{ROOT}[device]"], check=True, capture_output=True)
    return environment / "bin"


def say(pi: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(pi / "blockpost"), *words], capture_output=True, text=True, check=False, cwd=pi
    )


def test_a_device_brings_no_flask_and_no_broker(pi: Path) -> None:
    listed = subprocess.run(
        [str(pi / "pip"), "list"], capture_output=True, text=True, check=True
    ).stdout.lower()

    assert "pycryptodome" in listed
    for unwanted in ("flask", "amqtt", "granian", "cryptography"):
        assert unwanted not in listed


def test_a_device_has_its_commands_and_is_told_of_the_others(pi: Path) -> None:
    usage = say(pi, "--help").stdout

    assert "gateway    (not installed: pip install 'blockpost[gateway]')" in usage
    assert say(pi, "device", "--help").returncode == 0
    assert say(pi, "chain", "--help").returncode == 0
    refused = say(pi, "gateway", "run", ".")
    assert refused.returncode == 1
    assert "pip install 'blockpost[gateway]'" in refused.stderr


def test_a_device_reads_its_own_sensors(pi: Path) -> None:
    assert '"value"' in say(pi, "device", "read", "load").stdout


def test_a_device_checks_signatures_without_the_gateways_library(pi: Path) -> None:
    key = Ed25519PrivateKey.generate()
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"so it is")

    def checked(message: bytes) -> subprocess.CompletedProcess[str]:
        check = (
            f"from chain import ed25519; ed25519.verify({public!r}, {signature!r}, {message!r}, what='it')"
        )
        command = [str(pi / "python"), "-c", check]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=pi)

    assert checked(b"so it is").returncode == 0
    assert "chain.errors.Unverified" in checked(b"so it was").stderr

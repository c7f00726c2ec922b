"""A machine with only a device's part: what a gateway brings cannot be found, what a device has can."""

import subprocess
import sys

import pytest

from bench import bare


def found(module: str) -> bool:
    """Whether a process that is started bare can import it."""
    python, _, start, hidden, *_ = bare.command()
    hiding, _, _ = start.partition("; from ")
    done = subprocess.run(
        [python, "-c", f"{hiding}; import {module}", hidden], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or f"import of {module} halted" in done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("module", ["cffi", "cryptography", "flask", "granian", "pytest"])
def test_what_a_device_does_not_have_is_not_found(module: str) -> None:
    assert not found(module)


@pytest.mark.parametrize(
    "module", ["Crypto.Cipher.AES", "paho.mqtt.client", "tinydb", "urllib3", "device.cli"]
)
def test_what_a_device_has_is_found(module: str) -> None:
    assert found(module)


def test_the_command_runs_and_says_how_it_ended() -> None:
    done = subprocess.run(bare.command("device", "--help"), capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert done.stdout.startswith("usage: blockpost device")
    assert bare.command()[0] == sys.executable

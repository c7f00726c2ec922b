"""The `blockpost` command: what there is, and what is not installed here."""

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from provisioning import command
from provisioning.command import SUBCOMMANDS, Subcommand, main
from tests.sites import ran

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from provisioning.command import main
sys.exit(main(sys.argv[1:]))
"""


def packages(extra: str) -> set[str]:
    """What an extra installs, as it is imported."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    names = {line.partition(">")[0] for line in project["optional-dependencies"][extra]}
    return {{"paho-mqtt": "paho", "pycryptodome": "Crypto"}.get(name, name) for name in names}


PI = packages("gateway") - packages("device")
GATEWAY = packages("device") - packages("gateway")


def on_a_machine_without(names: Iterable[str], *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", WITHOUT.format(names=sorted(names)), *words]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_help_lists_every_subcommand() -> None:
    done = ran(main, "--help")

    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")] == list(SUBCOMMANDS)
    assert "not installed" not in done.out


def test_without_a_subcommand_there_is_help_and_a_failure() -> None:
    done = ran(main)

    assert (done.code, done.out) == (2, ran(main, "--help").out)


def test_an_unknown_subcommand_is_told() -> None:
    done = ran(main, "nonsense")

    assert (done.code, done.out) == (2, "")
    assert "no subcommand 'nonsense'" in done.err


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])

    assert ended.value.code == 0
    assert f"usage: blockpost {name}" in capsys.readouterr().out


def test_the_rest_of_the_line_is_the_subcommands(tmp_path: Path) -> None:
    done = ran(main, "chain", "show", tmp_path / "chain.db")

    assert done.code == 1
    assert done.err.startswith("blockpost chain show: ")


def test_a_pi_has_what_a_device_needs() -> None:
    done = on_a_machine_without(PI, "--help")

    listed = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("  ")}
    assert done.returncode == 0
    for name in ("device", "admin", "chain"):
        assert "not installed" not in listed[name]
    for name in ("gateway", "demo"):
        assert "not installed: pip install 'blockpost[" in listed[name]


@pytest.mark.parametrize(
    "words",
    [("device", "check-config", "--example"), ("chain", "--help"), ("admin", "--help")],
    ids=lambda words: words[0],
)
def test_a_pi_can_use_it(words: tuple[str, ...]) -> None:
    done = on_a_machine_without(PI, *words)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_a_pi_is_told_what_a_gateway_needs() -> None:
    done = on_a_machine_without(PI, "gateway", "run", "site")

    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'blockpost[gateway]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gateway_is_told_what_a_device_needs() -> None:
    works = on_a_machine_without(GATEWAY, "gateway", "--help")
    lacks = on_a_machine_without(GATEWAY, "device", "status")

    assert (works.returncode, works.stderr) == (0, "")
    assert lacks.returncode == 1
    assert "pip install 'blockpost[device]'" in lacks.stderr


def test_a_bare_installation_is_told_what_a_chain_needs() -> None:
    done = on_a_machine_without(PI | GATEWAY, "chain", "--help")

    assert done.returncode == 1
    assert "pip install 'blockpost[device]'" in done.stderr


def test_a_defect_of_ours_is_not_called_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command.SUBCOMMANDS, "demo", Subcommand("device.nowhere", "all", ""))

    with pytest.raises(ModuleNotFoundError, match=r"device\.nowhere"):
        main(["demo"])

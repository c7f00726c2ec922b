"""The demo's probe: a sensor that is there, is pulled out, and comes back."""

import tomllib
from pathlib import Path
from subprocess import run
from threading import Event

from device.config import Config
from provisioning.probe import FIRST_SECONDS, IN_SECONDS, OUT_SECONDS, Probe


class Impatient(Event):
    """Waits for nothing, remembers how long it was to wait, and at the last one is over."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0)
        return len(self.waited) == self._waits


def read(probe: Probe, folder: Path) -> tuple[int, str]:
    """What the agent's command finds there."""
    (folder / "agent.toml").write_text(f'to = ["x"]\n{probe.settings()}', "utf-8")
    command = Config.load(folder / "agent.toml").sensors["probe"].command
    done = run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout or done.stderr


def test_it_reads_until_it_is_pulled_out_and_again_when_it_is_back(tmp_path: Path) -> None:
    probe = Probe(tmp_path)
    told: list[str] = []
    probe.plug_in()
    before = read(probe, tmp_path)

    probe.run(Impatient(2), told.append)
    out = read(probe, tmp_path)

    assert before == (0, "4.2\n")
    assert out == (1, "no probe\n")
    assert told == ["somebody pulled it out"]


def test_it_is_pulled_out_soon_and_then_more_rarely(tmp_path: Path) -> None:
    probe, over = Probe(tmp_path), Impatient(5)
    told: list[str] = []
    probe.plug_in()

    probe.run(over, told.append)

    assert over.waited == [FIRST_SECONDS, OUT_SECONDS, IN_SECONDS, OUT_SECONDS, IN_SECONDS]
    assert told == ["somebody pulled it out", "somebody plugged it in again"] * 2
    assert read(probe, tmp_path) == (0, "4.2\n")


def test_a_folder_with_a_quote_in_its_name_is_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "a \"b\" 'c' $d"
    folder.mkdir()
    probe = Probe(folder)
    probe.plug_in()

    assert read(probe, folder) == (0, "4.2\n")
    assert tomllib.loads(probe.settings())

import json
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from device import readers, thermometer
from device.output import parse
from device.reading import Reading
from device.recording import BadRecording, values
from device.thermometer import NoSensor, Temperature

R_STYLE = """\
"date","CO2","Light"
"140","2015-02-02 14:19:00",749.2,585
"141","2015-02-02 14:19:59",,578.4
"142","2015-02-02 14:21:00",760.4
"""
PLAIN = """\
t_s,HR,NBPSys
0,101.3,
60,-0.5,120

120,NA,nan
"""


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "device.readers", *words]


def read(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(*words), capture_output=True, text=True, check=False, timeout=60)


def said(*words: str) -> list[Any]:
    done = read(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.csv"
    path.write_text(R_STYLE, "utf-8")
    return path


@pytest.mark.parametrize(("name", "unit"), [("load", "1"), ("memory", "%")])
def test_this_machine_is_read_in_the_form_the_agent_reads(name: str, unit: str) -> None:
    (sample,) = parse(read(name).stdout.encode(), sensor=name, now_ms=0)

    assert isinstance(sample, Reading)
    assert sample.unit == unit
    assert sample.value >= 0


def test_memory_in_use_is_what_is_not_available(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:  6000 kB\nHugePages_Total:  0\n")

    assert readers.memory(meminfo) == {"value": 25.0, "unit": "%"}


@pytest.mark.parametrize("words", [["load"], ["replay", "FILE", "--column", "CO2", "--loop"]])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_reader_that_goes_on_ends_quietly_when_told(
    words: list[str], how: signal.Signals, recording: Path
) -> None:
    words = [str(recording) if word == "FILE" else word for word in words]
    pace = ["--every", "0.01"] if words == ["load"] else ["--rate", "100"]
    with subprocess.Popen(
        command(*words, *pace), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        lines = list(islice(process.stdout, 5))
        process.send_signal(how)

        assert len(lines) == 5
        assert process.stderr.read() == ""
    assert process.returncode == -how


def test_a_reader_ends_quietly_when_nobody_reads_it() -> None:
    with subprocess.Popen(
        command("load", "--every", "0.01"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()

        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


def test_a_recording_with_r_row_names_is_played_by_its_column_names(recording: Path) -> None:
    assert said("replay", str(recording), "--column", "CO2", "--rate", "1000") == [
        {"value": 749.2},
        {"value": None},
        {"value": 760.4},
    ]


@pytest.mark.parametrize(
    ("column", "start", "expected"),
    [
        ("HR", 1, [101.3, -0.5, "NA"]),
        ("NBPSys", 1, [None, 120, "nan"]),
        ("NBPSys", 2, [120, "nan"]),
        ("t_s", 3, [120]),
    ],
)
def test_a_recording_is_told_as_it_is(
    tmp_path: Path, column: str, start: int, expected: list[object]
) -> None:
    path = tmp_path / "plain.csv"
    path.write_bytes(b"\xef\xbb\xbf" + PLAIN.encode())

    assert list(values(path, column, start=start)) == expected


def test_a_short_row_has_no_value_rather_than_its_neighbours(recording: Path) -> None:
    assert list(values(recording, "Light")) == [585, 578.4, None]


def test_a_loop_begins_again_at_the_row_it_started_with(recording: Path) -> None:
    looped = readers.replay(recording, column="CO2", rate=1000, loop=True, start=2)

    assert [line["value"] for line in islice(looped, 4)] == [None, 760.4, None, 760.4]


@pytest.mark.parametrize(
    ("text", "column", "start", "says"),
    [
        (PLAIN, "SpO2", 1, "want a column 'SpO2', got t_s, HR, NBPSys"),
        (PLAIN, "HR", 4, "want a row 4, got fewer"),
        ("", "HR", 1, "want a column 'HR', got an empty file"),
        ("HR\n", "HR", 1, "want a row 1, got fewer"),
        (f"HR\n{'1' * 200_000}\n", "HR", 1, "not CSV: field larger than field limit"),
    ],
)
def test_a_file_that_has_not_got_it_is_refused_by_name(
    tmp_path: Path, text: str, column: str, start: int, says: str
) -> None:
    path = tmp_path / "recording.csv"
    path.write_text(text)

    with pytest.raises(BadRecording) as refusal:
        list(values(path, column, start=start))

    assert str(refusal.value).startswith(f"{path}: {says}")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["temperature", "--chip", "no-such-chip"], 1, "temperature: no temperature of no-such-chip here; "),
        (["replay", "no-such-file", "--column", "x"], 1, "replay: [Errno 2] No such file or directory: "),
        (["load", "--every", "0"], 2, "argument --every: want a number above 0, got 0"),
        (
            ["replay", "x", "--column", "x", "--start", "0"],
            2,
            "argument --start: want a row from 1 on, got 0",
        ),
        ([], 2, "the following arguments are required: NAME"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(words: list[str], status: int, says: str) -> None:
    done = read(*words)

    assert done.returncode == status
    assert done.stdout == ""
    assert says in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["load", "memory", "temperature", "replay"])
def test_help_names_every_reader(name: str) -> None:
    assert name in read("--help").stdout
    assert read(name, "--help").returncode == 0


def test_a_reader_starts_without_what_the_agent_needs() -> None:
    script = "import sys; from device import readers; print('msgspec' in sys.modules, 'chain' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "False False\n"


def zone(sys_class: Path, number: int, name: str, temp: str) -> None:
    folder = sys_class / "thermal" / f"thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{name}\n")
    (folder / "temp").write_text(f"{temp}\n")


def hwmon(sys_class: Path, number: int, name: str, *, device: str = "x", **temps: str) -> None:
    folder = sys_class / "hwmon" / f"hwmon{number}"
    folder.mkdir(parents=True)
    (sys_class / device).mkdir(exist_ok=True)
    (folder / "device").symlink_to(sys_class / device)
    (folder / "name").write_text(f"{name}\n")
    for temp, text in temps.items():
        (folder / f"{temp}_input").write_text(f"{text}\n")


@pytest.mark.parametrize("numbers", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_chip_is_found_by_its_name_whatever_its_number(
    tmp_path: Path, numbers: tuple[int, int, int]
) -> None:
    fan, disk, processor = numbers
    hwmon(tmp_path, fan, "pwmfan")
    hwmon(tmp_path, disk, "nvme", temp10="1000", temp2="2000", temp1="38850")
    hwmon(tmp_path, processor, "cpu_thermal", temp1="48312")

    assert thermometer.read("nvme", sys_class=tmp_path) == Temperature(38.85, measured=True)
    assert thermometer.read(sys_class=tmp_path) == Temperature(48.312, measured=True)


@pytest.mark.parametrize("chip", [None, "cpu-thermal", "cpu_thermal"])
def test_a_thermal_zone_and_its_shadow_in_hwmon_are_one_chip(tmp_path: Path, chip: str | None) -> None:
    zone(tmp_path, 0, "cpu-thermal", "48312")
    hwmon(tmp_path, 0, "cpu_thermal", temp1="48312")

    assert thermometer.read(chip, sys_class=tmp_path).celsius == 48.312


@pytest.mark.parametrize(
    ("milli", "expected"),
    [
        ("85000", Temperature(85.0, measured=False)),
        ("84937", Temperature(84.937, measured=True)),
        ("0", Temperature(0.0, measured=True)),
        ("-1250", Temperature(-1.25, measured=True)),
    ],
)
@pytest.mark.parametrize("chip", ["w1_slave_temp", "28-0316a2795b1f"])
def test_the_power_on_value_of_a_ds18b20_was_not_measured(
    tmp_path: Path, chip: str, milli: str, expected: Temperature
) -> None:
    hwmon(tmp_path, 3, "w1_slave_temp", device="28-0316a2795b1f", temp1=milli)

    assert thermometer.read(chip, sys_class=tmp_path) == expected


def test_a_processor_may_well_be_at_85_degrees(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "85000")

    assert thermometer.read(sys_class=tmp_path).measured


def test_what_was_not_measured_is_told_to_be_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thermometer, "read", lambda chip: Temperature(85.0, measured=False))

    assert readers.temperature("w1_slave_temp") == {"value": 85.0, "unit": "Cel", "quality": "bad"}


def test_several_chips_of_one_name_are_not_guessed_between(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "w1_slave_temp", device="28-01", temp1="20000")
    hwmon(tmp_path, 1, "w1_slave_temp", device="28-02", temp1="30000")

    assert thermometer.read("28-02", sys_class=tmp_path).celsius == 30
    with pytest.raises(NoSensor, match="want one chip called w1_slave_temp, got 2"):
        thermometer.read("w1_slave_temp", sys_class=tmp_path)


def test_a_machine_without_the_chip_says_what_it_has(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "nvme", temp1="38850")

    with pytest.raises(NoSensor, match="no temperature of a processor here; there is: nvme"):
        thermometer.read(sys_class=tmp_path)

"""`blockpost bench chart`: what it draws is where the figures say, and says whose they are."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bench import chart
from bench.chart import Chart, Series
from bench.cli import main
from bench.errors import BenchError

SVG = "{http://www.w3.org/2000/svg}"
MACHINE = {"cpu": "Pi <5> & friends", "cores": 4, "python": "3.11.2", "fsync_ms": 2.5}
GROWN = {
    "sizes": [
        {"size": 10_000, "rate": 2000.0, "first_rate": 2000.0},
        {"size": 100_000, "rate": 1900.0, "first_rate": 2100.0},
        {"size": 1_000_000, "rate": 1000.0, "first_rate": 2050.0},
    ],
    "machine": MACHINE,
}


def steady(offered: int, p50: float, p99: float) -> dict[str, Any]:
    return {"offered": offered, "p50_ms": p50, "p99_ms": p99, "machine": MACHINE}


def drawn(made: Chart) -> ET.Element:
    return ET.fromstring(chart.svg(made))  # noqa: S314 - we have just written it


def words(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def lines(picture: ET.Element) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.attrib["points"].split())]
        for line in picture.iter(f"{SVG}polyline")
    ]


def test_a_grown_chain_gives_the_rate_against_its_size() -> None:
    (name, made), *more = chart.charts([GROWN]).items()

    assert (name, more) == ("rate-against-size.svg", [])
    assert made.log
    assert [series.points[-1] for series in made.series] == [(1_000_000, 1000.0), (1_000_000, 2050.0)]


def test_runs_at_a_steady_load_give_the_latency_against_it_in_order() -> None:
    made = chart.charts([steady(500, 25, 60), steady(100, 24, 31.5)])["latency-against-load.svg"]

    assert [series.name for series in made.series] == ["p50", "p99"]
    assert [series.points for series in made.series] == [[(100, 24), (500, 25)], [(100, 31.5), (500, 60)]]


def test_axes_machine_and_lines_are_named() -> None:
    picture = drawn(chart.charts([GROWN])["rate-against-size.svg"])

    said = words(picture)
    assert {"entries on the chain", "entries/s", "10,000", "1,000,000", "2,500", "this chain"} <= set(said)
    assert "Pi <5> & friends, 4 cores, Python 3.11.2, fsync 2.5 ms" in said


def test_what_is_ten_times_as_much_is_one_step_to_the_right_and_what_is_half_is_half_as_high() -> None:
    (this, _first) = lines(drawn(chart.charts([GROWN])["rate-against-size.svg"]))

    (x0, y0), (x1, _), (x2, y2) = this
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    bottom = chart.HEIGHT - chart.BOTTOM
    assert bottom - y2 == pytest.approx((bottom - y0) / 2, abs=0.2)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("points", [[(1.0, 0.0)], [(1.0, 0.25), (7.0, 0.004)], [(3.0, 1e9), (2e6, 7.0)]])
def test_whatever_is_drawn_stays_on_the_picture(points: list[tuple[float, float]], *, log: bool) -> None:
    made = Chart("t", "across", "up", [Series("s", points)], "n", log)

    ((*placed,),) = lines(drawn(made))

    assert all(
        chart.LEFT <= x <= chart.WIDTH - chart.RIGHT and chart.TOP <= y <= chart.HEIGHT - chart.BOTTOM
        for x, y in placed
    )


def test_it_can_be_read_on_a_dark_page_and_loads_nothing() -> None:
    text = chart.svg(chart.charts([GROWN])["rate-against-size.svg"])

    assert "prefers-color-scheme: dark" in text
    assert text.count("http") == text.count('xmlns="http://www.w3.org/2000/svg"') == 1
    assert "<script" not in text


def test_the_command_reads_what_runs_have_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grown, load = tmp_path / "grow.json", tmp_path / "500.json"
    grown.write_text(f"machine    Pi\n10,000     2,000 entries/s\n{json.dumps(GROWN)}\n", "utf-8")
    load.write_text(json.dumps(steady(500, 25, 60)), "utf-8")

    assert main(["chart", "--from", str(grown), str(load), "--out", str(tmp_path / "docs")]) == 0

    made = sorted(path.name for path in (tmp_path / "docs").iterdir())
    assert made == ["latency-against-load.svg", "rate-against-size.svg"]
    assert str(tmp_path / "docs" / made[0]) in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "no figures\n", "[1]\n", '{"machine": {}}\n'])
def test_what_is_no_result_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "it.json").write_text(text, "utf-8")

    assert main(["chart", "--from", str(tmp_path / "it.json"), "--out", str(tmp_path)]) == 1

    assert "blockpost bench chart: " in capsys.readouterr().err


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(BenchError, match="bench grow"):
        chart.charts([{"machine": MACHINE}])

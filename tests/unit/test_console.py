"""What a command says while it works, to somebody who is looking."""

import io
from types import SimpleNamespace

import pytest

from chain.console import Forecast, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    # Not in `sys` itself: pytest puts its own there before each part of a test.
    monkeypatch.setattr("chain.console.sys", SimpleNamespace(stderr=made))
    return made


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_forecast_says_how_fast_it_goes_and_how_long_the_rest_takes(terminal: Terminal) -> None:
    watch = Watch()
    forecast = Forecast("entries", watch)

    watch.now = 10.0
    forecast(20_000, 1_000_000)

    assert terminal.getvalue() == "\r20000 of 1000000 entries, 2,000 a second, 8 min 10 s left"


def test_the_last_word_is_a_line_of_its_own_and_covers_what_was_there(terminal: Terminal) -> None:
    watch = Watch()
    forecast = Forecast("entries", watch)
    forecast._next = 0.0
    forecast(1, 100)
    forecast._next = 0.0
    watch.now = 2.0

    forecast(100, 100)

    assert terminal.getvalue() == "\r1 of 100 entries\r100 of 100 entries, 50 a second, 0 s left\n"


@pytest.mark.parametrize("kind", [Progress, Forecast])
def test_where_nobody_is_looking_nothing_is_said(
    kind: type[Progress], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = kind("entries")

    progress(1, 2)
    progress(2, 2)

    assert capsys.readouterr().err == ""

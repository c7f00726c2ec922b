"""The soak, for seconds: what `make soak` does for an hour."""

import pytest

from tests.soak.report import markdown, report
from tests.soak.soak import Options, Outcome, run

SHORT = Options(
    minutes=0.2,
    seed=1,
    lan=False,
    devices=1,
    stretch=4,
    churn_every=2,
    guest_every=2,
    guest_seconds=2,
    restart_every=4,
    browser_every=0,
    faults_every=0,
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(SHORT, tmp_path_factory.mktemp("soak"), print)


def test_nothing_is_lost_while_everybody_comes_and_goes(outcome: Outcome) -> None:
    assert outcome.broken == []
    assert not outcome.cut_short
    assert outcome.counts["joined"] >= 1
    assert outcome.counts["restarted"] >= 1


def test_the_logs_have_no_error_that_was_not_made(outcome: Outcome) -> None:
    assert [each for each in outcome.errors if each.fault is None] == []


def test_each_stretch_is_measured(outcome: Outcome) -> None:
    last = outcome.minutes[-1]

    assert last.entries > outcome.minutes[0].entries > 0
    assert {"supervisor", "broker", "committer", "dr.lee", "sensor-1"} <= last.weights.keys()
    assert all(each.rss_mb > 1 and each.fds > 0 and each.threads > 0 for each in last.weights.values())
    assert last.chain_mb > 0


def test_the_report_tells_it(outcome: Outcome) -> None:
    told = markdown(report(outcome))

    assert "the embedded broker, seed 1" in told
    assert f"{outcome.minutes[-1].entries:,} entries on the chain" in told

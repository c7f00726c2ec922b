"""`blockpost admin contract` and `duty`, against a running gateway that acts by what they put in force."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import cli as device
from provisioning.admin import cli as admin
from provisioning.site import Site
from tests.sites import Done, added, ran, running_site

PATIENCE = 30.0

NIGHT = """
id = "night"
kind = "escalate"
when = 'is_alert && priority == "high" && to == "@on-call"'
wait = "10m"
laps = 2
resolve_within = "1h30m"

[[steps]]
to = "on-call"
after = 0

[[steps]]
to = "dr.kim"
after = "5m"
"""

TWO_ADMINS = """
id = "two-admins"
kind = "quorum"
when = 'type in ["revoke", "contract", "group"] && target != "@spare"'
need = 2
seconds = "1h"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        added(site, "second", role="admin")
        for name in ("dr.lee", "dr.kim", "leaver", "spare"):
            added(site, name)
        added(site, "fridge-2", kind="device")
        assert as_admin(site, "group", "on-call", "dr.lee", "dr.kim").code == 0
        assert as_admin(site, "group", "admins", "admin", "second").code == 0
        assert as_admin(site, "link", "fridge-2", "on-call").code == 0
        yield site


def as_admin(site: Site, *words: str | Path, home: str = "admin", stdin: str = "") -> Done:
    return ran(admin.main, "--home", site.home(home), *words, stdin=stdin)


def written(folder: Path, text: str) -> Path:
    path = folder / "contract.toml"
    path.write_text(text, "utf-8")
    return path


def ids(site: Site) -> list[str]:
    """Of the contracts in force."""
    lines = as_admin(site, "contract", "list", "--json").out.splitlines()
    return [json.loads(line)["id"] for line in lines]


# Contracts


def test_a_check_says_what_it_does_and_would_have_done_and_does_nothing(site: Site, tmp_path: Path) -> None:
    done = as_admin(site, "contract", "check", written(tmp_path, NIGHT))

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("An alert escalates if its priority is high, and it is to 'on-call' (")
    assert "Step 1: at once it reaches 'on-call', too.\n" in done.out
    assert "Step 2: 5 minutes after step 1, without an answer still, it reaches 'Dr.Kim', too.\n" in done.out
    assert "In the last 30 days " in done.out
    assert ids(site) == []


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("priority ==", "prority ==", "no variable 'prority'"),
        ('"10m"', '"10 minutes"', "wait: want a time as"),
        ('to = "dr.kim"', 'to = "dr.who"', "dr.who: no group and no live account has this name or id"),
        ("laps = 2", "laps = 0", "laps: expected `int` >= 1"),
        ('id = "night"', 'id = "night', "no TOML"),
    ],
)
def test_a_file_that_is_no_contract_is_told_what_is_wrong(
    site: Site, tmp_path: Path, was: str, becomes: str, said: str
) -> None:
    path = written(tmp_path, NIGHT.replace(was, becomes))

    done = as_admin(site, "contract", "check", path)

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"blockpost admin contract: {path}: ")
    assert said in done.err


def test_a_guard_that_is_wrong_is_shown_with_a_caret(site: Site, tmp_path: Path) -> None:
    done = as_admin(site, "contract", "check", written(tmp_path, NIGHT.replace("priority ==", "prority ==")))

    assert done.err.splitlines()[-2:] == [
        '  is_alert && prority == "high" && to == "@on-call"',
        "              ^",
    ]


def test_what_the_chain_would_refuse_is_refused_beforehand(site: Site, tmp_path: Path) -> None:
    done = as_admin(site, "contract", "check", written(tmp_path, TWO_ADMINS.replace("need = 2", "need = 5")))

    assert (done.code, done.out) == (1, "")
    assert "need: 5 admins are asked for, there are 2" in done.err


@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "neither", "nobody"])
def test_nothing_is_installed_without_a_yes(site: Site, tmp_path: Path, answer: str) -> None:
    done = as_admin(site, "contract", "install", written(tmp_path, NIGHT), stdin=answer)

    assert done.code == 1
    assert ids(site) == []


def test_a_contract_is_installed_acts_is_shown_and_removed(site: Site, tmp_path: Path) -> None:
    installed = as_admin(site, "contract", "install", written(tmp_path, NIGHT), stdin="y\n")

    assert "night is in force: entry " in installed.out
    assert ids(site) == ["night"]
    sent = ran(device.main, "--home", site.home("fridge-2"), "send", "on-call", "too warm", "--alert", "high")
    assert sent.code == 0, sent.err
    deadline = time.monotonic() + PATIENCE
    while "step 1 reached on-call: alert " not in (shown := as_admin(site, "contract", "show", "night")).out:
        assert time.monotonic() < deadline, shown
    assert shown.out.startswith("night (escalate), in force since ")
    assert "Step 1: at once it reaches 'on-call', too." in shown.out
    assert "began with alert " in shown.out

    removed = as_admin(site, "contract", "remove", "night", "--yes")

    assert "night is in force no more" in removed.out
    assert ids(site) == []
    assert "it would have acted on 1 of 1 alert, and escalated 1 of them" in (
        as_admin(site, "contract", "check", written(tmp_path, NIGHT)).out
    )


@pytest.mark.parametrize("verb", ["show", "remove"])
def test_a_contract_that_there_is_not(site: Site, verb: str) -> None:
    done = as_admin(site, "contract", verb, "nothing")

    assert (done.code, done.out) == (1, "")
    assert "nothing: no contract in force has this id" in done.err


def test_what_takes_two_admins_is_done_when_the_second_says_the_same(site: Site, tmp_path: Path) -> None:
    path = written(tmp_path, TWO_ADMINS)
    assert as_admin(site, "contract", "install", path, "--yes").code == 0

    new = ["group", "cardiology", "dr.lee"]
    waits = as_admin(site, *new).err.split()
    assert waits[-2] == "--id"
    assert as_admin(site, *new, *waits[-2:], home="second").code == 0

    for words in (
        ["revoke", "leaver", "--reason", "left"],
        ["group", "on-call", "dr.lee"],
        ["contract", "install", written(tmp_path, TWO_ADMINS.replace("1h", "2h")), "--yes"],
        ["contract", "remove", "two-admins", "--yes"],
    ):
        first = as_admin(site, *words)
        again = as_admin(site, *words)
        second = as_admin(site, *words, home="second")

        assert (first.code, again.code, second.code) == (1, 1, 0), (words, first, second)
        assert "not done yet: " in first.err
        assert "1 of 2 admins agree" in first.err
        assert "1 of 2 admins agree" in again.err
        assert "Another admin has to run the same command" in first.err
    assert ids(site) == []
    assert "dr.kim" not in next(
        line for line in as_admin(site, "groups").out.splitlines() if line.startswith("on-call")
    )


# Duty


@pytest.fixture
def ward(site: Site, request: pytest.FixtureRequest) -> str:
    """A group that no other test plans."""
    name = f"w{abs(hash(request.node.nodeid)) % 10**12}"
    assert as_admin(site, "group", name, "dr.lee", "dr.kim", "admin").code == 0
    return name


def glance(site: Site, group: str) -> dict[str, object]:
    lines = map(json.loads, as_admin(site, "duty", "list", "--json").out.splitlines())
    (line,) = [line for line in lines if line["group"] == group]
    return dict(line)


def test_where_nobody_has_a_shift_everybody_is_on(site: Site, ward: str) -> None:
    line = glance(site, ward)

    assert line["on"] == ["admin", "dr.kim", "dr.lee"]
    assert line["planned"] is False
    assert "everybody (3): nobody has a shift" in as_admin(site, "duty", "list").out


def test_a_shift_is_planned_taken_over_and_ended(site: Site, ward: str) -> None:
    span = ["--from", "now", "--until", "2100-01-01 08:00"]
    too_long = as_admin(site, "duty", "plan", ward, "dr.lee", *span)
    assert "at most 31 days" in too_long.err
    later = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() + 20 * 86_400))
    span = ["--from", "now", "--until", later]

    planned = as_admin(site, "duty", "plan", ward, "dr.lee", *span)
    assert (planned.code, planned.err) == (0, "")
    assert f"{ward}: dr.lee is on from " in planned.out
    assert glance(site, ward)["on"] == ["dr.lee"]

    replaced = as_admin(site, "duty", "plan", ward, "dr.kim", *span, "--instead", "dr.lee")
    assert "instead of dr.lee" in replaced.out
    assert glance(site, ward)["on"] == ["dr.kim"]
    assert "dr.kim" in as_admin(site, "duty", "list", ward).out

    taken = as_admin(site, "duty", "take", ward, "--until", later, "--instead", "dr.kim")
    assert taken.code == 0, taken.err
    assert glance(site, ward)["on"] == ["admin"]

    ended = as_admin(site, "duty", "plan", ward, *span, "--instead", "admin")
    assert f"{ward}: nobody is on from " in ended.out
    assert glance(site, ward)["planned"] is False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "dr.lee", "--from", "20:00", "--until", "08:00"], "nowhere: no group has this name"),
        (["on-call", "leaver", "--from", "20:00", "--until", "08:00"], "leaver: not a member of on-call"),
        (["on-call", "--from", "20:00", "--until", "08:00"], "want a HANDLE, or --instead"),
        (["on-call", "dr.lee", "--from", "20:00"], "want GROUP, HANDLE, --from and --until"),
        (["on-call", "dr.lee", "--from", "8pm", "--until", "08:00"], "want a time as"),
        (["on-call", "--file", "rota.csv"], "want nothing else beside it"),
    ],
)
def test_a_shift_that_cannot_be_is_told_why(site: Site, words: list[str], said: str) -> None:
    done = as_admin(site, "duty", "plan", *words)

    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_a_rota_is_planned_whole(site: Site, ward: str, tmp_path: Path) -> None:
    path = tmp_path / "rota.csv"
    path.write_text(
        f"group,handle,from,until\n{ward},dr.lee,2100-01-01 20:00,08:00\n{ward},dr.kim,2100-01-02 08:00,20:00\n",
        "utf-8",
    )

    done = as_admin(site, "duty", "plan", "--file", path)
    again = as_admin(site, "duty", "plan", "--file", path)

    assert (done.code, done.out) == (0, f"{path}: 2 shifts are planned\n")
    assert again.code == 0
    shifts = as_admin(site, "duty", "list", ward).out.splitlines()
    assert shifts[1:] == [
        "2100-01-01 20:00  2100-01-02 08:00  dr.lee",
        "2100-01-02 08:00  2100-01-02 20:00  dr.kim",
    ]


def test_of_a_rota_with_a_mistake_nothing_is_planned(site: Site, ward: str, tmp_path: Path) -> None:
    path = tmp_path / "rota.csv"
    path.write_text(
        f"{ward},dr.lee,2100-01-01 20:00,08:00\n{ward},leaver,2100-01-02 08:00,20:00\nnowhere,dr.lee,2100-01-03 08:00,20:00\n",
        "utf-8",
    )

    done = as_admin(site, "duty", "plan", "--file", path)

    assert (done.code, done.out) == (1, "")
    assert f"line 2: leaver: not a member of {ward}" in done.err
    assert "line 3: nowhere: no group has this name or id" in done.err
    assert as_admin(site, "duty", "list", ward).out == ""

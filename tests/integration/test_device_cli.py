"""`blockpost device` against a running gateway: a person at the command line, and a sensor's agent."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from chain import durable, entry
from chain.entry import Contact, Key, Redact
from chain.wire import Delivered
from device import cli, identity, recovery
from device.attachment import MAX_FILE_BYTES
from device.backup import unwrap_backup
from device.client import Home
from device.commands import messages
from device.config import EXAMPLE, Config
from device.content import FILE, READING, SETTINGS
from device.errors import CannotOpen
from device.identity import KeySet
from device.keys import SigningSecret
from device.rest import Gateway
from provisioning.site import Process, Site
from tests.homes import keep_keys, new_keys
from tests.sites import Done, added, client_of, invited, ran, running_site
from tests.visitor import OK, Visitor

LEE, KIM, FRIDGE = "dr.lee", "dr.kim", "fridge-2"
PATIENCE = 30.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two clinicians who are contacts, and a fridge that may write to one of them."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        lee, kim = added(site, LEE), added(site, KIM)
        added(site, FRIDGE, kind="device")
        assert on(site, LEE, "contact", "request", kim.account).code == 0
        assert on(site, KIM, "contact", "accept", lee.account).code == 0
        with client_of(site, "admin") as admin:
            fridge = Home(site.home(FRIDGE)).book.membership().account
            admin.say(Contact, action="link", of=fridge, peer=lee.account)
        yield site


def on(site: Site, handle: str, *words: str, stdin: str = "") -> Done:
    return ran(cli.main, "--home", site.home(handle), *words, stdin=stdin)


def events(done: Done) -> list[Any]:
    return [json.loads(line) for line in done.out.splitlines()]


def account(site: Site, handle: str) -> str:
    return Home(site.home(handle)).book.membership().account


def read(site: Site, handle: str) -> list[Any]:
    """What is new in an inbox."""
    done = on(site, handle, "inbox", "--json")
    assert (done.code, done.err) == (0, "")
    return events(done)


class Ear:
    """Hears the events of a process, and waits for one."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def __call__(self, event: dict[str, Any]) -> None:
        with self._changed:
            self.heard.append(event)
            self._changed.notify_all()

    def wait(self, **wanted: Any) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [event for event in self.heard if wanted.items() <= event.items()]

        with self._changed:
            assert self._changed.wait_for(found, PATIENCE), f"{wanted} not among {self.heard}"
            return found()[0]


@contextlib.contextmanager
def running(site: Site, handle: str, *words: str) -> Iterator[tuple[Process, Ear]]:
    ear = Ear()
    process = site.device(handle, *words, "--json", hear=ear)
    try:
        yield process, ear
    finally:
        process.stop()


# Settings


def test_the_example_is_a_file_that_loads(tmp_path: Path) -> None:
    done = ran(cli.main, "--home", tmp_path, "check-config", "--example")
    (tmp_path / "agent.toml").write_text(done.out, "utf-8")

    assert (done.code, done.out) == (0, EXAMPLE)
    assert Config.load(tmp_path / "agent.toml").to == ("on-call",)


def test_settings_that_are_right_are_explained(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(EXAMPLE, "utf-8")

    done = ran(cli.main, "--home", tmp_path, "check-config")

    assert done.code == 0
    assert (
        done.out
        == """\
fridge: poll blockpost device read temperature --chip 28-0316a2795b1f -> on-call
  a fridge for vaccines and medicines: 2 to 8 degrees
  medium alert when below 2 Cel or above 8 Cel for 10 min; over when 0.5 Cel inside again
  medium technical alert after 15 min without a reading
  no reading: what is below -40 Cel, what is above 60 Cel, the same value for 6 h
  sends a reading every 15 min
memory: stream blockpost device read memory --every 30 -> dr.lee
  low technical alert at the first fault
  sends every reading
"""
    )


def test_a_recording_is_played_through_the_settings(tmp_path: Path) -> None:
    recording = tmp_path / "bedside.csv"
    recording.write_text("SpO2\n0\n97\n98\n80\n70\n75\n97\n0\n0\n0\n", "utf-8")
    check = ("replay-check", recording, "--column", "SpO2", "--preset", "spo2")

    told = ran(cli.main, *check)
    figures = ran(cli.main, *check, "--json")
    patient = ran(cli.main, *check, "--must-last", "600", "--json")

    assert (told.code, figures.code) == (0, 0)
    assert "1 physiological, 1 technical" in told.out
    assert json.loads(figures.out.splitlines()[-1]) == {
        "samples": 10,
        "naive": 7,
        "episodes": 3,
        "physiological": 1,
        "technical": 1,
    }
    assert json.loads(patient.out)["physiological"] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--column", "pulse", "--preset", "spo2"), "want a column 'pulse', got t, SpO2"),
        (("--column", "SpO2"), "want --preset, --low or --high"),
        (("--column", "SpO2", "--low", "nan"), "low: Expected `float`"),
        (("--column", "SpO2", "--preset", "spo2", "--time", "t"), "row 2: want a later time"),
    ],
)
def test_a_recording_that_cannot_be_played_is_refused_in_words(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    recording = tmp_path / "bedside.csv"
    recording.write_text("t,SpO2\n0,97\n0,98\n", "utf-8")

    done = ran(cli.main, "replay-check", recording, *words)

    assert (done.code, done.out) == (1, "")
    assert says in done.err


def test_settings_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(EXAMPLE, "utf-8")

    done = ran(cli.main, "--home", tmp_path / "home", "check-config", "--config", tmp_path / "other.toml")

    assert done.code == 0


@pytest.mark.parametrize("text", ["to = 5", "to = [", 'to = ["x"]\nsensors = {}', "\0"])
def test_settings_that_are_wrong_are_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "agent.toml").write_text(text, "utf-8")

    done = ran(cli.main, "--home", tmp_path, "check-config")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"blockpost device check-config: {tmp_path / 'agent.toml'}: ")


# Where nobody joined

COMMANDS = [
    ("run",),
    ("send", LEE, "hello"),
    ("inbox",),
    ("inbox", "--follow"),
    ("outbox",),
    ("status",),
    ("friends",),
    ("contact", "request", "a" * 26),
    ("trust", LEE),
    ("password", "--stdin"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_folder_that_nobody_joined_says_how_to(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "agent.toml").write_text(EXAMPLE, "utf-8")

    done = ran(cli.main, "--home", tmp_path, *words)

    assert (done.code, done.out) == (1, "")
    assert "not joined yet: blockpost device join CODE" in done.err


@pytest.mark.parametrize("words", COMMANDS[1:], ids=" ".join)
def test_a_folder_that_is_not_there_says_so_and_is_not_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = ran(cli.main, "--home", tmp_path / "nowhere", *words)

    assert done.code == 1
    assert "not joined yet" in done.err
    assert not (tmp_path / "nowhere").exists()


# Friends


def test_contacts_are_asked_accepted_and_removed(site: Site) -> None:
    one, other = added(site, "one").account, added(site, "other").account

    def state(handle: str) -> str | None:
        (found,) = [*events(on(site, handle, "friends", "--json")), None][:1]
        return None if found is None else str(found["state"])

    assert on(site, "one", "contact", "request", other).out.startswith("contact request: committed as entry ")
    assert (state("one"), state("other")) == ("asking", "asked")
    assert "not in contact" in on(site, "one", "send", "other", "hello").err
    assert on(site, "other", "contact", "accept", one).code == 0
    assert (state("one"), state("other")) == ("contact", "contact")
    assert on(site, "one", "send", "other", "hello").code == 0
    assert on(site, "other", "contact", "remove", one).code == 0
    assert (state("one"), state("other")) == (None, None)
    assert on(site, "one", "send", "other", "hello").code == 1


def test_friends_are_listed_for_people_too(site: Site) -> None:
    done = on(site, KIM, "friends")

    assert done.code == 0
    assert f"id={account(site, LEE)}" in done.out


@pytest.mark.parametrize("peer", ["nonsense", "", "a" * 26])
def test_a_contact_that_cannot_be_asked_holds_up_nothing(site: Site, peer: str) -> None:
    done = on(site, KIM, "contact", "request", peer)

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("blockpost device contact: ")
    assert on(site, KIM, "contact", "request", account(site, "admin")).code == 0
    assert on(site, KIM, "contact", "remove", account(site, "admin")).code == 0


# Sending and reading


def test_a_message_is_sent_receipted_and_read(site: Site) -> None:
    sent = on(site, LEE, "send", KIM, "the fridge is open", "--json")

    (receipted,) = [event for event in events(sent) if event["event"] == "receipted"]
    (opened,) = read(site, KIM)
    assert sent.code == 0
    assert (opened["event"], opened["from"], opened["text"]) == ("opened", LEE, "the fridge is open")
    assert (opened["id"], opened["index"]) == (receipted["id"], receipted["index"])


def test_a_message_is_read_once_and_again_when_asked_for_all(site: Site) -> None:
    on(site, LEE, "send", KIM, "once")

    assert [event["text"] for event in read(site, KIM)][-1] == "once"
    assert read(site, KIM) == []
    again = events(on(site, KIM, "inbox", "--all", "--json"))
    assert [event["text"] for event in again][-1] == "once"


def test_an_answer_names_what_it_answers(site: Site) -> None:
    on(site, LEE, "send", KIM, "is it open?")
    question = read(site, KIM)[-1]

    assert on(site, KIM, "send", LEE, "it is", "--re", question["id"]).code == 0

    assert read(site, LEE)[-1]["re"] == question["id"]


@pytest.mark.parametrize("about", ["nonsense", "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071"])
def test_an_answer_to_nothing_is_refused_and_holds_up_nothing(site: Site, about: str) -> None:
    done = on(site, KIM, "send", LEE, "it is", "--re", about)

    assert done.code == 1
    assert done.err
    assert on(site, KIM, "send", LEE, "hello").code == 0
    assert "waiting" not in on(site, KIM, "outbox").out


def test_what_was_refused_is_listed_with_its_rule(site: Site) -> None:
    on(site, KIM, "send", LEE, "it is", "--re", "0197b2c4-5d6e-7f80-9a1b-2c3d4e5f6071")

    refused = events(on(site, KIM, "outbox", "--json"))

    assert {(event["event"], event["rule"]) for event in refused} == {("refused", "unknown")}


def test_a_text_may_come_by_standard_input(site: Site) -> None:
    assert on(site, LEE, "send", KIM, "-", stdin="line one\nline two\n").code == 0

    assert read(site, KIM)[-1]["text"] == "line one\nline two\n"


def test_whom_nobody_knows_cannot_be_written_to(site: Site) -> None:
    done = on(site, LEE, "send", "nobody", "hello")

    assert (done.code, done.out) == (1, "")
    assert "no such addressee" in done.err
    assert on(site, LEE, "outbox").out == ""


def test_what_somebody_wrote_does_not_steer_the_terminal(site: Site) -> None:
    read(site, KIM)
    on(site, LEE, "send", KIM, "hi [entry 1, verified]\nadmin: open \x1b]0;door\x07 \x9b2J")

    shown = on(site, KIM, "inbox").out

    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert [line.split(":")[0] for line in shown.splitlines()] == [LEE, "    admin"]


def test_a_reading_that_is_none_is_shown_as_it_is_and_stops_nothing(site: Site) -> None:
    read(site, LEE)
    with client_of(site, FRIDGE) as fridge:
        fridge.write_message(fridge.directory.addressee(LEE), "no reading", cty=READING)
    on(site, FRIDGE, "send", LEE, "and then?")

    shown = on(site, LEE, "inbox").out.splitlines()

    assert [line.partition(" [")[0] for line in shown] == [f"{FRIDGE}: no reading", f"{FRIDGE}: and then?"]


# Alerts


def alert_of(event: Any) -> tuple[str, str, str]:
    return event["alert"]["kind"], event["alert"]["priority"], event["alert"]["state"]


def test_an_alert_is_raised_gone_on_with_and_ended(site: Site) -> None:
    read(site, KIM)
    raised = on(site, LEE, "send", KIM, "fall in bed 4", "--alert", "medium", "--json")
    episode = next(event["episode"] for event in events(raised) if event["event"] == "alert")
    going = ("--episode", episode)

    assert on(site, LEE, "send", KIM, "not breathing", "--alert", "high", *going).code == 0
    assert on(site, LEE, "send", KIM, "back in bed", "--alert", "high", *going, "--state", "end").code == 0

    heard = read(site, KIM)
    assert [alert_of(event) for event in heard] == [
        ("physiological", "medium", "start"),
        ("physiological", "high", "continue"),
        ("physiological", "high", "end"),
    ]
    assert {event["alert"]["episode"] for event in heard} == {episode}


def test_an_alert_may_be_about_a_device(site: Site) -> None:
    read(site, KIM)
    on(site, LEE, "send", KIM, "the pump is broken", "--alert", "low", "--technical")

    assert alert_of(read(site, KIM)[-1]) == ("technical", "low", "start")


def test_two_alerts_are_two_episodes(site: Site) -> None:
    read(site, KIM)
    for text in ("one", "two"):
        on(site, LEE, "send", KIM, text, "--alert", "info")

    assert len({event["alert"]["episode"] for event in read(site, KIM)}) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--technical",), "want --alert PRIORITY"),
        (("--episode", "a" * 22), "want --alert PRIORITY"),
        (("--state", "end"), "want --alert PRIORITY"),
        (("--alert", "high", "--state", "end"), "want --episode ID"),
        (("--alert", "high", "--episode", "nonsense"), "alert: "),
    ],
)
def test_an_alert_that_is_half_said_is_not_sent(site: Site, words: tuple[str, ...], says: str) -> None:
    done = on(site, LEE, "send", KIM, "hello", *words)

    assert (done.code, done.out) == (1, "")
    assert says in done.err
    assert on(site, LEE, "outbox").out == ""


# Files


def test_a_file_travels_with_what_is_said_of_it(site: Site, tmp_path: Path) -> None:
    (tmp_path / "wound.png").write_bytes(bytes(range(256)) * 8)
    read(site, KIM)
    assert on(site, LEE, "send", KIM, "bed 4", "--file", str(tmp_path / "wound.png")).code == 0

    shown = on(site, KIM, "inbox").out
    (*_, event) = events(on(site, KIM, "inbox", "--all", "--json"))

    assert shown.startswith(f"{LEE}: [file wound.png, 2 kB] bed 4 [entry ")
    assert event["cty"] == FILE
    assert json.loads(event["text"])["type"] == "image/png"


def test_a_file_that_is_too_long_is_not_sent(site: Site, tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(bytes(MAX_FILE_BYTES + 1))

    done = on(site, LEE, "send", KIM, "look", "--file", str(tmp_path / "film"))

    assert (done.code, done.out) == (1, "")
    assert f"want a file of at most {MAX_FILE_BYTES} bytes" in done.err


# Logging in to the page


def opened_with(site: Site, handle: str, wrap: bytes) -> list[bytes]:
    """What the account's own profile holds for a key."""
    with client_of(site, handle) as client:
        card = json.loads(client.gateway.profile().body or "")
    found = []
    for backup in card["backups"]:
        with contextlib.suppress(CannotOpen):
            found.append(unwrap_backup(backup, wrap))
    return found


def private_keys(site: Site, handle: str) -> bytes:
    return (site.home(handle) / "keys-0001.json").read_bytes()


def test_a_password_logs_in_and_opens_the_backup(site: Site) -> None:
    done = on(site, KIM, "password", "--stdin", "--json", stdin="correct horse\n")

    visitor = Visitor(site.http_port)
    keys = visitor.keys(KIM, "correct horse")
    assert (done.code, done.err) == (0, "")
    assert visitor.login(KIM, keys.auth) == OK
    assert visitor.get("/check")[1]["handle"] == KIM
    assert opened_with(site, KIM, keys.wrap) == [private_keys(site, KIM)]


def test_the_recovery_code_logs_in_and_opens_the_other_backup(site: Site) -> None:
    (told,) = events(on(site, KIM, "password", "--stdin", "--json", stdin="correct horse\n"))

    keys = recovery.derive(recovery.read(told["recovery"]))
    assert told["event"] == "password"
    assert Visitor(site.http_port).login(KIM, keys.auth) == OK
    assert opened_with(site, KIM, keys.wrap) == [private_keys(site, KIM)]
    assert KeySet.from_json(private_keys(site, KIM)).account_id == account(site, KIM)


def test_a_new_password_ends_the_one_before_and_its_recovery_code(site: Site) -> None:
    (old,) = events(on(site, KIM, "password", "--stdin", "--json", stdin="first\n"))
    on(site, KIM, "password", "--stdin", stdin="second\n")

    visitor = Visitor(site.http_port)
    code = recovery.derive(recovery.read(old["recovery"]))
    assert visitor.login(KIM, visitor.keys(KIM, "first").auth) != OK
    assert visitor.login(KIM, code.auth) != OK
    assert opened_with(site, KIM, code.wrap) == []
    assert visitor.login(KIM, visitor.keys(KIM, "second").auth) == OK


def test_a_password_changes_nobodys_name(site: Site) -> None:
    keep_keys(site.home("nurse-9"), new_keys())
    assert on(site, "nurse-9", "join", invited(site, "nurse-9").to_text(), "--name", "Nurse Nine").code == 0

    on(site, "nurse-9", "password", "--stdin", stdin="correct horse\n")

    visitor = Visitor(site.http_port)
    visitor.login("nurse-9", visitor.keys("nurse-9", "correct horse").auth)
    assert visitor.get("/check")[1]["name"] == "Nurse Nine"


def test_who_erased_the_profile_is_called_by_the_handle(site: Site) -> None:
    added(site, "nurse-8")
    with client_of(site, "nurse-8") as client:
        newest = entry.parse(client.gateway.profile().entry.encode()).entry.id
        client.say(Redact, about=newest, reason="privacy")

    on(site, "nurse-8", "password", "--stdin", stdin="correct horse\n")

    visitor = Visitor(site.http_port)
    visitor.login("nurse-8", visitor.keys("nurse-8", "correct horse").auth)
    assert visitor.get("/check")[1]["name"] == "nurse-8"


def test_who_has_new_keys_keeps_the_name_that_the_old_ones_signed(site: Site) -> None:
    member = added(site, "nurse-6")
    following = KeySet(member.account, SigningSecret.make(), new_keys().sealing)
    durable.create(site.home("nurse-6") / "successor.json", following.to_json())
    with client_of(site, "admin") as admin:
        admin.say(Key, account=member.account, sign=following.signing.public, seal=following.sealing.public)
    identity.adopt(site.home("nurse-6"), following.signing.public.thumbprint)

    done = on(site, "nurse-6", "password", "--stdin", "--json", stdin="correct horse\n")

    visitor = Visitor(site.http_port)
    keys = visitor.keys("nurse-6", "correct horse")
    assert (done.code, visitor.login("nurse-6", keys.auth)) == (0, OK)
    assert visitor.get("/check")[1]["name"] == "Nurse-6"
    assert opened_with(site, "nurse-6", keys.wrap) == [following.to_json()]


def somebody_elses(_own: Delivered, others: Delivered) -> Delivered:
    return others


def with_another_name(own: Delivered, _others: Delivered) -> Delivered:
    return structs.replace(own, body=(own.body or "").replace('"name":"', '"name":"Not '))


def of_another_place(own: Delivered, _others: Delivered) -> Delivered:
    return structs.replace(own, index=own.index + 1)


@pytest.mark.parametrize("forged", [somebody_elses, with_another_name, of_another_place])
def test_a_profile_that_is_not_what_this_account_signed_is_not_signed_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, forged: Callable[[Delivered, Delivered], Delivered]
) -> None:
    with client_of(site, KIM) as kim, client_of(site, LEE) as lee:
        own, others = kim.gateway.profile(), lee.gateway.profile()
    monkeypatch.setattr(Gateway, "profile", lambda _self: forged(own, others))

    done = on(site, KIM, "password", "--stdin", stdin="correct horse\n")

    monkeypatch.undo()
    assert (done.code, done.out) == (1, "")
    with client_of(site, KIM) as kim:
        assert kim.gateway.profile().index == own.index


def test_a_password_is_asked_for_twice_and_its_recovery_code_is_explained(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "correct horse")

    done = on(site, KIM, "password")

    assert done.code == 0
    _, code, about = done.out.splitlines()
    assert len(recovery.read(code)) == recovery.CODE_BYTES
    assert "who forgets the password logs in with it" in about
    assert "correct horse" not in done.out


def test_two_passwords_that_differ_are_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(("correct horse", "corect horse"))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))

    done = on(site, KIM, "password")

    assert (done.code, done.out) == (1, "")
    assert "the two that were typed differ" in done.err


@pytest.mark.parametrize("typed", ["", "\n"])
def test_an_empty_password_is_refused(site: Site, typed: str) -> None:
    done = on(site, KIM, "password", "--stdin", stdin=typed)

    assert (done.code, done.out) == (1, "")
    assert "the password is empty" in done.err


def test_who_joins_may_choose_a_password_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_keys(site.home("nurse-7"), new_keys())
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "correct horse")

    done = on(site, "nurse-7", "join", invited(site, "nurse-7").to_text(), "--name", "Nurse", "--password")

    visitor = Visitor(site.http_port)
    assert done.code == 0
    assert visitor.login("nurse-7", visitor.keys("nurse-7", "correct horse").auth) == OK
    assert visitor.get("/check")[1]["name"] == "Nurse"
    assert (
        Visitor(site.http_port).login(
            "nurse-7", recovery.derive(recovery.read(done.out.splitlines()[2])).auth
        )
        == OK
    )


# Agents


def test_an_inbox_is_followed(site: Site) -> None:
    with running(site, KIM, "inbox", "--follow") as (_, ear):
        on(site, LEE, "send", KIM, "are you there?")

        assert ear.wait(event="opened", text="are you there?")["from"] == LEE


def test_what_is_sent_beside_a_running_agent_goes_out_through_it(site: Site) -> None:
    with running(site, LEE, "inbox", "--follow") as (_, ear):
        first = on(site, KIM, "send", LEE, "begin")
        ear.wait(event="opened", text="begin")

        done = on(site, LEE, "send", KIM, "through the agent", "--json")

        assert (first.code, done.code, done.out) == (0, 0, "")
        ear.wait(event="receipted")
    assert read(site, KIM)[-1]["text"] == "through the agent"


def test_an_account_has_one_agent(site: Site) -> None:
    (site.home(LEE) / "agent.toml").write_text(EXAMPLE, "utf-8")
    with running(site, LEE, "inbox", "--follow") as (_, ear):
        on(site, KIM, "send", LEE, "are you there?")
        ear.wait(event="opened", text="are you there?")

        for words in (("inbox", "--follow"), ("run",)):
            done = on(site, LEE, *words)
            assert done.code == 1
            assert "another agent is running" in done.err


def test_a_sensors_readings_are_sent_until_the_agent_is_stopped(site: Site) -> None:
    (site.home(FRIDGE) / "agent.toml").write_text(
        f'to = ["{LEE}"]\n[sensors.door]\nmode = "poll"\nevery = 1\nunit = "Cel"\ncommand = ["echo", "4.5"]\n',
        "utf-8",
    )
    read(site, LEE)

    with running(site, FRIDGE, "run") as (process, ear):
        reading = ear.wait(event="queued", cty=READING)
        ear.wait(event="receipted", id=reading["id"])
        assert process.stop() == 0

    received = [event for event in read(site, LEE) if event["cty"] != SETTINGS]
    assert len(received) >= 1
    assert {(event["from"], event["cty"]) for event in received} == {(FRIDGE, READING)}
    assert json.loads(received[0]["text"]) == {"sensor": "door", "unit": "Cel", "value": 4.5}
    assert "waiting" not in on(site, FRIDGE, "outbox").out


def test_a_sensors_reading_is_shown_for_people(site: Site) -> None:
    with client_of(site, FRIDGE) as fridge:
        fridge.write_message(
            fridge.directory.addressee(LEE), '{"sensor":"door","unit":"Cel","value":4.5}', cty=READING
        )
    on(site, FRIDGE, "send", LEE, "that was it")

    assert f"{FRIDGE}: door = 4.5 Cel [entry " in on(site, LEE, "inbox").out


# Status and trust


def test_the_status_of_a_device_at_rest(site: Site) -> None:
    done = on(site, LEE, "status", "--json")

    (status,) = events(done)
    assert done.code == 0
    assert (status["handle"], status["gateway"], status["reachable"]) == (LEE, "trusted", True)
    assert (status["waiting"], status["reason"]) == (0, None)
    with client_of(site, LEE) as client:
        assert status["checkpoint"] == client.trust.held.size


def test_the_status_for_people(site: Site) -> None:
    on(site, LEE, "send", KIM, "hello")

    done = on(site, LEE, "status")

    assert done.code == 0
    assert "gateway: trusted\n" in done.out
    assert f"pins: {KIM} " in done.out


def test_new_keys_by_an_admin_are_not_taken_until_somebody_says_so(site: Site) -> None:
    friend, me = added(site, "friend").account, added(site, "me").account
    on(site, "me", "contact", "request", friend)
    on(site, "friend", "contact", "accept", me)
    on(site, "me", "send", "friend", "hello")
    fresh = SigningSecret.make().public
    with client_of(site, "admin") as admin:
        admin.say(Key, account=friend, sign=fresh, seal=new_keys().sealing.public)

    on(site, "me", "send", "friend", "hello?")
    before = on(site, "me", "status").out
    taken = on(site, "me", "trust", "friend")
    after = on(site, "me", "status").out

    assert "did not sign for" in before
    assert (taken.code, taken.out) == (0, f"friend: pinned {fresh.thumbprint}\n")
    assert "did not sign for" not in after
    assert f"pins: friend {fresh.thumbprint}\n" in after


# While the gateway is away


def test_what_is_written_while_the_gateway_is_away_goes_out_with_the_next_run(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(site, LEE, "send", KIM, "before")
    read(site, KIM)
    monkeypatch.setattr(messages, "SEND_SECONDS", 0.3)
    site.stop()
    try:
        away = on(site, LEE, "send", KIM, "meanwhile")
        waiting = on(site, LEE, "outbox", "--json")
        status = on(site, LEE, "status", "--json")
        inbox = on(site, LEE, "inbox")
        contact = on(site, LEE, "contact", "remove", account(site, KIM))
    finally:
        site.start()
    monkeypatch.undo()

    assert away.code == 1
    assert "stays in the outbox and goes out with the next run" in away.err
    assert [(event["event"], event["lane"]) for event in events(waiting)] == [("waiting", "message")]
    assert status.code == 0
    assert (events(status)[0]["reachable"], events(status)[0]["waiting"]) == (False, 1)
    assert (inbox.code, contact.code) == (1, 1)
    assert "goes with the next command" in contact.err
    with client_of(site, LEE) as lee:
        assert len(lee.outbox.pending("command", 10)) == 1

    assert on(site, LEE, "send", KIM, "after").code == 0

    assert [event["text"] for event in read(site, KIM)] == ["meanwhile", "after"]


def test_a_command_that_was_left_behind_goes_with_the_next_one(site: Site) -> None:
    one, other = added(site, "first").account, added(site, "second").account
    with client_of(site, "first") as client:
        client.write("command", Contact, action="request", peer=other)

    assert on(site, "second", "contact", "accept", one).code == 1
    on(site, "first", "contact", "request", account(site, LEE))

    assert on(site, "second", "contact", "accept", one).code == 0

"""
Must hold: who comes back finds everything again, on any browser, with the password or the recovery code; and nobody
else comes in, or stays in.
"""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.browser import Window
from tests.page import Person
from tests.ward import INSECURE_HOST, Ward

LEE, KIM = "Dr.Lee", "Nurse.Kim"
PASSWORD, KIMS_PASSWORD = "correct horse battery", "seven quiet herons"
SAID = ("Bed 4 is free at noon.", "She comes at half past.", "The plan is in the drawer.")
IDLE_MINUTES = 10


@pytest.fixture(scope="module")
def recovery_code(ward: Ward) -> str:
    """Dr. Lee's; the two of them have written to each other before anybody opens a page."""
    code = ward.member("dr.lee", PASSWORD)
    ward.member("nurse.kim", KIMS_PASSWORD)
    ward.admin("link", "dr.lee", "nurse.kim")
    for author, to, text in zip(
        ("dr.lee", "nurse.kim", "dr.lee"), ("nurse.kim", "dr.lee", "nurse.kim"), SAID, strict=True
    ):
        ward.agent(author, "send", to, text)
    return code


@pytest.fixture
def kim(ward: Ward, recovery_code: str) -> Person:
    kim = ward.visitor()
    kim.log_in("nurse.kim", KIMS_PASSWORD)
    return kim


def reads_everything(person: Person, friend: str) -> None:
    person.open_chat(friend)
    person.reads(SAID)
    person.is_proven(SAID[0])


def test_a_wrong_password_and_an_unknown_handle_look_the_same(ward: Ward, recovery_code: str) -> None:
    visitor = ward.visitor()
    answers: list[tuple[str, int]] = []

    def note(answer: Response) -> None:
        if answer.request.method == "POST":
            answers.append((urlsplit(answer.url).path, answer.status))

    visitor.page.on("response", note)

    visitor.try_to_log_in("dr.lee", "wrong horse battery")
    expect(visitor.trouble()).to_have_text("The handle or the password is wrong.")
    to_a_wrong_password = answers.copy()
    answers.clear()
    visitor.reload()
    expect(visitor.trouble()).to_be_hidden()
    visitor.try_to_log_in("dr.nobody", "wrong horse battery")

    expect(visitor.trouble()).to_have_text("The handle or the password is wrong.")
    assert answers == to_a_wrong_password == [("/v1/login/salt", 200), ("/login", 401)]


def test_an_empty_browser_reads_the_whole_history_once_the_password_is_given(kim: Person) -> None:
    reads_everything(kim, LEE)


def test_who_logged_out_is_out_and_who_logs_in_again_has_everything(kim: Person) -> None:
    kim.log_out()
    kim.reload()
    expect(kim.screen("Log in")).to_be_visible()
    expect(kim.page.get_by_label("Handle")).to_have_value("nurse.kim")

    kim.log_in("nurse.kim", KIMS_PASSWORD)

    reads_everything(kim, LEE)


def test_a_browser_that_was_told_to_forget_knows_nobody(kim: Person) -> None:
    kim.log_out(forget=True)

    expect(kim.page.get_by_label("Handle")).to_have_value("")
    kim.reload()
    expect(kim.page.get_by_label("Handle")).to_have_value("")
    assert kim.page.evaluate("indexedDB.databases().then(all => all.length)") == 0


def test_a_browser_that_lost_its_keys_says_so_and_gets_them_back(kim: Person) -> None:
    storage = kim.window.context.new_cdp_session(kim.page)
    kim.page.goto("about:blank")
    storage.send("Storage.clearDataForOrigin", {"origin": kim.window.address, "storageTypes": "indexeddb"})

    kim.page.goto("/")

    expect(kim.screen("Bring your messages to this browser")).to_be_visible()
    expect(kim.page.get_by_text("This browser lost your keys.")).to_be_visible()
    kim.restore("wrong horse battery")
    expect(kim.trouble()).to_have_text(re.compile("password"))
    kim.restore(KIMS_PASSWORD)
    kim.at_home()
    reads_everything(kim, LEE)


def test_a_locked_page_names_nobody_until_the_password_is_given(kim: Person) -> None:
    kim.open_chat(LEE)
    kim.lock()
    for _ in range(2):
        shown = kim.page.locator("body").inner_text()
        assert [word for word in (LEE, KIM, "dr.lee", "nurse.kim", *SAID) if word in shown] == []
        # To load the page again is no way around it.
        kim.reload()
        expect(kim.screen("Locked")).to_be_visible()

    kim.unlock("wrong horse battery")
    expect(kim.trouble()).to_have_text(re.compile("password"))
    expect(kim.screen("Locked")).to_be_visible()
    kim.unlock(KIMS_PASSWORD)

    kim.at_home()
    kim.reads(SAID)


def test_a_page_that_nobody_touches_for_ten_minutes_locks_itself(ward: Ward, recovery_code: str) -> None:
    kim = ward.visitor()
    kim.page.clock.install()
    kim.reload()
    kim.log_in("nurse.kim", KIMS_PASSWORD)

    kim.page.clock.fast_forward(f"{IDLE_MINUTES - 1:02}:00")
    expect(kim.screen("Alerts and messages")).to_be_attached()
    kim.page.clock.fast_forward("01:01")

    expect(kim.screen("Locked")).to_be_visible()


def test_a_session_is_listed_elsewhere_and_ended_from_there(kim: Person, ward: Ward) -> None:
    ward.member("sister.ann", PASSWORD)
    here, elsewhere = ward.visitor(), ward.visitor()
    elsewhere.log_in("sister.ann", PASSWORD)
    here.log_in("sister.ann", PASSWORD)
    here.go_to("My account")
    sessions = here.page.get_by_role("region", name="Where you are logged in")
    expect(sessions.get_by_role("listitem")).to_have_count(2)
    expect(sessions.get_by_role("listitem").filter(has_text="this browser")).to_have_count(1)

    sessions.get_by_role("button", name="End the session").click()
    here.page.get_by_role("dialog").get_by_role("button", name="End session").click()

    expect(sessions.get_by_role("listitem")).to_have_count(1)
    expect(elsewhere.screen("Log in")).to_be_visible()
    expect(elsewhere.page.get_by_role("status").filter(has_text="ended")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.screen("Log in")).to_be_visible()


def test_a_changed_password_ends_the_other_sessions_and_the_old_one_opens_nothing(ward: Ward) -> None:
    ward.member("dr.may", PASSWORD)
    here, elsewhere = ward.visitor(), ward.visitor()
    here.log_in("dr.may", PASSWORD)
    elsewhere.log_in("dr.may", PASSWORD)

    here.change_password(PASSWORD, "a new one, and longer")

    expect(elsewhere.screen("Log in")).to_be_visible()
    elsewhere.try_to_log_in("dr.may", PASSWORD)
    expect(elsewhere.trouble()).to_have_text("The handle or the password is wrong.")
    elsewhere.log_in("dr.may", "a new one, and longer")
    here.go_to("Home")
    here.reload()
    here.at_home()


def test_the_recovery_code_brings_everything_back_and_sets_another_password(
    ward: Ward, recovery_code: str
) -> None:
    lee = ward.visitor()

    lee.recover("dr.lee", recovery_code.lower(), "another one, and longer")

    reads_everything(lee, KIM)
    later = ward.visitor()
    later.try_to_log_in("dr.lee", PASSWORD)
    expect(later.trouble()).to_have_text("The handle or the password is wrong.")
    later.log_in("dr.lee", "another one, and longer")
    reads_everything(later, KIM)


def test_a_wrong_recovery_code_opens_nothing(ward: Ward, recovery_code: str) -> None:
    visitor = ward.visitor()
    wrong = ("B" if recovery_code[0] == "A" else "A") + recovery_code[1:]

    visitor.try_recovery_code("dr.lee", wrong, "another one, and longer")

    expect(visitor.trouble()).to_have_text("The handle or the recovery code is wrong.")


def test_somebody_whose_account_is_ended_is_told_and_is_out(ward: Ward) -> None:
    ward.member("dr.gone", PASSWORD)
    gone = ward.visitor()
    gone.log_in("dr.gone", PASSWORD)

    ward.admin("revoke", "dr.gone", "--reason", "left")

    expect(gone.screen("Log in")).to_be_visible()
    expect(gone.page.get_by_role("status").filter(has_text="ended")).to_be_visible()
    gone.try_to_log_in("dr.gone", PASSWORD)
    expect(gone.trouble()).to_have_text("The handle or the password is wrong.")


def test_from_an_insecure_address_the_page_explains_what_to_do(ward: Ward, browser: Browser) -> None:
    window = Window(browser, f"http://{INSECURE_HOST}:{ward.tap.port}")
    visitor = Person(window)

    expect(visitor.screen("This address is not secure")).to_be_visible()
    expect(visitor.page.get_by_role("link", name=f"https://{INSECURE_HOST}:{ward.tap.port}/")).to_be_visible()
    expect(visitor.page.get_by_role("textbox")).to_have_count(0)
    # The browser itself says that this header means nothing there.
    assert [each for each in window.complaints if "Cross-Origin-Opener-Policy" not in each] == []
    visitor.close()

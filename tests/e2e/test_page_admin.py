"""Must hold: what an admin does at the page is done: who it lets in hears alerts, and who it ends is out."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Locator, expect

from chain import checkpoint, merkle
from chain.encoding import b64url
from device import cli
from device.client import Home
from tests.page import Person
from tests.sites import ran
from tests.ward import ADMIN, DEVICE, DEVICE_TITLE, Ward

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def admin(ward: Ward) -> Person:
    ward.let_in(ADMIN, PASSWORD)
    person = ward.visitor()
    person.log_in(ADMIN, PASSWORD)
    return person


def part(admin: Person, name: str) -> Locator:
    """Go to a part of the administration; its content."""
    admin.go_to("Admin")
    admin.page.get_by_role("navigation", name="Administration").get_by_role("link", name=name).click()
    return admin.page.get_by_role("main")


def row(screen: Locator, *words: str) -> Locator:
    """The row of a table that has all of these words."""
    rows = screen.get_by_role("row")
    for each in words:
        rows = rows.filter(has_text=each)
    return rows


def button(place: Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


def saved(admin: Person, link: Locator) -> Download:
    with admin.page.expect_download() as download:
        link.click()
    return download.value


def test_somebody_joins_by_the_link_that_an_admin_passed_on(ward: Ward, admin: Person) -> None:
    screen = part(admin, "Join codes")
    screen.get_by_label("Handle").fill("nurse.kim")
    button(screen, "Make the code").click()
    expect(screen.get_by_role("img", name="Join code for nurse.kim, as a QR code")).to_be_visible()
    button(screen, "Copy as a link").click()
    button(screen, "I have passed it on").click()
    kim = ward.visitor()

    link = pasted(screen)
    assert re.fullmatch(rf"{re.escape(ward.address)}/#/join/.+/.+/[a-z2-7]{{16}}", link)
    kim.register(link.removeprefix(f"{ward.address}/#/join/"), "Kim Novak", PASSWORD, by_link=True)

    expect(kim.page).to_have_url(f"{ward.address}/#/")
    button(screen, "Refresh").click()
    expect(row(screen, "nurse.kim")).to_contain_text("used by Kim Novak")


def made(admin: Person, handle: str, *, match: bool) -> str:
    """A join string for a person, as an admin copies it from the page."""
    screen = part(admin, "Join codes")
    screen.get_by_label("Handle").fill(handle)
    screen.get_by_label("Compare six digits before they come in").set_checked(match)
    button(screen, "Make the code").click()
    code = screen.get_by_text(re.compile(r"^localhost:[0-9]+/[a-z2-7]+/[a-z2-7]{16}$")).inner_text()
    button(screen, "I have passed it on").click()
    return code


def tell(screen: Locator, handle: str, digits: str) -> None:
    """Type the digits that somebody waits with."""
    screen.get_by_label(f"Six digits that {handle} tells you").fill(digits)
    button(screen, "Let in").click()


@contextmanager
def held(person: Person, path: str) -> Iterator[None]:
    """What their page asks of `path` stays on its way in the meantime, and goes on afterwards."""
    with person.page.expect_request(f"**{path}"):
        person.page.route(f"**{path}", lambda _: None)
    yield
    person.page.unroute(f"**{path}")


def test_somebody_comes_in_once_both_sides_have_compared_six_digits(ward: Ward, admin: Person) -> None:
    code = made(admin, "nurse.max", match=True)
    screen = admin.page.get_by_role("main")
    visitor = ward.visitor()
    visitor.ask_to_join(code, "Max Frisk", PASSWORD)
    digits = visitor.digits()

    wrong = f"{(int(digits.replace(' ', '')) + 1) % 10**6:06d}"
    waiting = screen.get_by_role("list", name="Waiting to come in")
    with held(visitor, "/v1/accounts"):
        tell(screen, "nurse.max", wrong)
        # Nobody waits until the newcomer's page has asked again; it is said all the while what was wrong.
        expect(waiting).to_be_hidden()
        expect(screen.get_by_role("alert")).to_contain_text("These are not the six digits")
    expect(screen.get_by_text("4 tries left")).to_be_visible()
    expect(screen.get_by_role("alert")).to_contain_text("nurse.max did not come in")
    expect(visitor.page.get_by_text(digits, exact=True)).to_be_hidden()
    visitor.reload()
    tell(screen, "nurse.max", visitor.digits())

    expect(waiting).to_be_hidden()
    expect(screen.get_by_role("alert")).to_be_hidden()
    visitor.log_in("nurse.max", PASSWORD)
    expect(row(screen, "nurse.max")).to_contain_text("used by Max Frisk")


def test_who_waits_sees_the_recovery_code_as_soon_as_the_digits_were_typed(ward: Ward, admin: Person) -> None:
    code = made(admin, "nurse.una", match=True)
    visitor = ward.visitor()
    visitor.ask_to_join(code, "Una Blom", PASSWORD)

    tell(admin.page.get_by_role("main"), "nurse.una", visitor.digits())

    visitor.confirm(visitor.recovery_code())
    visitor.at_home()


def test_a_code_that_an_admin_stopped_lets_nobody_in(ward: Ward, admin: Person) -> None:
    code = made(admin, "nurse.pia", match=True)
    screen = admin.page.get_by_role("main")
    visitor = ward.visitor()
    visitor.ask_to_join(code, "Pia Holm", PASSWORD)
    visitor.digits()

    button(row(screen, "nurse.pia"), "Stop the code for nurse.pia").click()

    expect(row(screen, "nurse.pia")).to_contain_text("stopped")
    expect(visitor.page.get_by_text("An admin stopped this join code")).to_be_visible()
    expect(visitor.screen("Log in")).to_be_visible()


def test_who_does_not_want_to_wait_goes_back_to_the_door(ward: Ward, admin: Person) -> None:
    visitor = ward.visitor()
    visitor.ask_to_join(made(admin, "nurse.ole", match=True), "Ole Berg", PASSWORD)
    visitor.digits()

    visitor.press("Do not join")

    expect(visitor.page.get_by_text("You gave up joining")).to_be_visible()
    expect(visitor.screen("Log in")).to_be_visible()


def pasted(screen: Locator) -> str:
    """What is on the clipboard: no page may read it, but a person can paste it."""
    field = screen.get_by_label("Handle")
    field.press("Control+v")
    text = field.input_value()
    field.fill("")
    return text


def test_who_is_put_into_a_group_hears_the_device_that_is_linked_to_it(ward: Ward, admin: Person) -> None:
    ward.member("nurse.ida", PASSWORD)
    ida = ward.visitor()
    ida.log_in("nurse.ida", PASSWORD)
    screen = part(admin, "Contacts & groups")

    button(screen, "New group").click()
    making = admin.dialog("New group")
    making.get_by_label("Name").fill("Ward 3 nights")
    making.get_by_label("Nurse.Ida").check()
    expect(making.get_by_text("1 member chosen")).to_be_visible()
    button(making, "Make the group").click()
    expect(row(screen, "Ward 3 nights", "Nurse.Ida")).to_be_visible()

    button(screen, "New link").click()
    linking = admin.dialog("New link")
    linking.get_by_role("radio", name=DEVICE_TITLE).check()
    button(linking, "Next").click()
    linking.get_by_role("radio", name="Ward 3 nights").check()
    expect(linking.get_by_text(f"{DEVICE_TITLE} reaches 1 member of Ward 3 nights")).to_be_visible()
    button(linking, "Link").click()
    expect(row(screen, DEVICE_TITLE, "Ward 3 nights", "in force")).to_be_visible()

    ward.agent(DEVICE, "send", "Ward 3 nights", "bed 12 rings", "--alert", "low")
    expect(ida.alert("bed 12 rings")).to_contain_text(DEVICE_TITLE)

    button(row(screen, DEVICE_TITLE, "Ward 3 nights"), f"Unlink {DEVICE_TITLE} from Ward 3 nights").click()
    button(admin.dialog(f"Unlink {DEVICE_TITLE} from Ward 3 nights?"), "Unlink").click()
    expect(row(screen, DEVICE_TITLE, "Ward 3 nights")).to_be_hidden()


def test_a_revoked_account_is_out_at_once_wherever_it_is_logged_in(ward: Ward, admin: Person) -> None:
    ward.member("nurse.tom", PASSWORD)
    tom = ward.visitor()
    tom.log_in("nurse.tom", PASSWORD)
    screen = part(admin, "People & devices")
    expect(row(screen, "nurse.tom")).to_contain_text("Online")

    button(screen, "Revoke Nurse.Tom").click()
    dialog = admin.dialog("Revoke Nurse.Tom?")
    button(dialog, "Revoke for good").click()
    expect(dialog.get_by_text("This is not nurse.tom.")).to_be_visible()
    dialog.get_by_label("Type nurse.tom to confirm").fill("nurse.tom")
    button(dialog, "Revoke for good").click()

    expect(row(screen, "nurse.tom")).to_contain_text("revoked")
    expect(tom.screen("Log in")).to_be_visible()
    expect(tom.page.get_by_role("main")).to_contain_text("ended by an administrator")
    tom.try_to_log_in("nurse.tom", PASSWORD)
    expect(tom.trouble()).to_be_visible()
    expect(tom.screen("Log in")).to_be_visible()


def test_a_session_that_an_admin_ends_is_logged_out(ward: Ward, admin: Person) -> None:
    ward.member("nurse.eva", PASSWORD)
    eva = ward.visitor()
    eva.log_in("nurse.eva", PASSWORD)
    screen = part(admin, "Sessions")
    expect(row(screen, "admin")).to_contain_text("this browser")

    row(screen, "nurse.eva").get_by_role("button", name=re.compile("^End Nurse.Eva's session on ")).click()
    button(admin.page.get_by_role("dialog"), "End session").click()

    expect(row(screen, "nurse.eva")).to_be_hidden()
    expect(eva.screen("Log in")).to_be_visible()
    eva.log_in("nurse.eva", PASSWORD)


def test_the_chain_is_checked_and_says_that_it_holds(admin: Person) -> None:
    screen = part(admin, "Chain")

    button(screen, "Check now").click()

    verdict = screen.get_by_text("Everything holds").locator("..")
    expect(verdict).to_contain_text(re.compile(r"[\d,]+ blocks with [\d,]+ entries were checked"))


def test_the_downloaded_log_proves_itself(ward: Ward, admin: Person, tmp_path: Path) -> None:
    screen = part(admin, "Chain")

    log = saved(admin, screen.get_by_role("link", name="Download the log"))
    log.save_as(tmp_path / "log.jsonl")

    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    blocks = [line for line in lines if "header" in line]
    entries = [line for line in lines if "entry" in line]
    assert lines[-1] == {"end": len(blocks) - 1, "size": len(entries)}
    check_links(blocks)
    check_roots(blocks, entries)
    membership = Home(ward.site.home(ADMIN)).book.membership()
    newest = checkpoint.verify(blocks[-1]["checkpoint"], origin=membership.origin, key=membership.gateway_key)
    assert newest.size == len(entries)
    assert b64url(newest.root) == json.loads(blocks[-1]["header"])["root"]
    assert not any("body" in entry or "salt" in entry for entry in entries)


def check_links(blocks: list[dict[str, Any]]) -> None:
    """Each header names the hash of the one before."""
    headers = [block["header"] for block in blocks]
    for before, after in pairwise(headers):
        assert json.loads(after)["previous_hash"] == b64url(sha256(before.encode()).digest())


def check_roots(blocks: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
    """The tree over the entries has, after each block, the root that its header says."""
    nodes: list[bytes] = []
    tree = merkle.Tree(0, nodes.__getitem__)
    roots = {0: merkle.EMPTY_ROOT}
    for entry in entries:
        assert entry["index"] == tree.size
        nodes += tree.append(merkle.leaf_hash(entry["entry"].encode()))
        roots[tree.size] = tree.root()
    for block in blocks:
        header = json.loads(block["header"])
        assert header["root"] == b64url(roots[header["size"]])


def test_the_audit_says_in_words_what_was_done_and_exports_it(
    ward: Ward, admin: Person, tmp_path: Path
) -> None:
    ward.member("nurse.zoe", PASSWORD)
    # Nobody else's word becomes a formula in somebody's spreadsheet.
    ward.admin("group", "=HYPERLINK(1)", "nurse.zoe")
    zoe = Home(ward.site.home("nurse.zoe")).book.membership().account
    ward.admin("link", "nurse.zoe", ADMIN)
    ward.admin("revoke", "nurse.zoe", "--reason", "left")
    screen = part(admin, "Audit")

    for words in (
        "made a join code for nurse.zoe (person, member)",
        "set the group =HYPERLINK(1): 1 member",
        "linked nurse.zoe to admin",
        "ended the account of nurse.zoe (left)",
    ):
        expect(row(screen, "admin", words)).to_be_visible()
    expect(row(screen, "nurse.zoe", "joined as a person (member), invited by admin")).to_be_visible()

    cells = sheet(saved(admin, button(screen, "Export everything")), tmp_path)
    assert cells[0] == ["entry", "time", "type", "author", "author id", "what", "entry id"]
    joined = [line for line in cells[1:] if line[3] == "nurse.zoe"]
    assert [line[2:6] for line in joined] == [
        ["account", "nurse.zoe", zoe, "joined as a person (member), invited by admin"]
    ]
    assert all(datetime.fromisoformat(line[1]).tzinfo == UTC for line in cells[1:])
    assert [int(line[0]) for line in cells[1:]] == sorted((int(line[0]) for line in cells[1:]), reverse=True)

    screen.get_by_label("Type").select_option("Ends of accounts")
    expect(row(screen, "made a join code")).to_have_count(0)
    only = sheet(saved(admin, button(screen, "Export what is shown")), tmp_path)
    assert {line[2] for line in only[1:]} == {"revoke"}


def test_what_was_refused_is_listed_with_its_reason(ward: Ward, admin: Person, tmp_path: Path) -> None:
    nobody_asked = Home(ward.site.home(ADMIN)).book.membership().account
    done = ran(cli.main, "--home", ward.site.home(DEVICE), "contact", "accept", nobody_asked)
    assert done.code == 1
    screen = part(admin, "Audit")

    screen.get_by_role("tab", name="What was refused").click()

    expect(row(screen, DEVICE, "contact").first).to_be_visible()
    cells = sheet(saved(admin, button(screen, "Export everything")), tmp_path)
    assert [line[4] for line in cells[1:] if line[2] == DEVICE] == ["contact"]


def sheet(download: Download, folder: Path) -> list[list[str]]:
    """What a spreadsheet makes of a CSV file: none of its cells is a formula."""
    path = folder / download.suggested_filename
    download.save_as(path)
    cells = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""), strict=True))
    assert {len(line) for line in cells} == {len(cells[0])}
    assert [cell for line in cells for cell in line if cell.startswith(("=", "+", "-", "@"))] == []
    return cells

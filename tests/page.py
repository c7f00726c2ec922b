"""
A person at the page: what they do there, and what they see, in the page's own words.

Everything is found by its role and its name alone, as somebody finds it who does not see the page. Each verb waits for
what it leads to.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser import Window

Deed = Literal["Take", "Take over", "Release", "Resolve", "Snooze"]
Which = Literal["Open", "Snoozed", "Taken"]


class Person:
    """Somebody with a browser of their own, in front of one page of it."""

    def __init__(self, window: Window, page: Page | None = None) -> None:
        self.window = window
        self.page = page or window.page

    def another_tab(self) -> "Person":
        """The same person, in another tab of the same browser."""
        return Person(self.window, self.window.open())

    def reload(self) -> None:
        self.page.reload()

    def close(self) -> None:
        self.window.close()

    # At the door

    def screen(self, title: str) -> Locator:
        """The screen's one heading; it is there or not."""
        return self.page.get_by_role("heading", level=1, name=title, exact=True)

    def trouble(self) -> Locator:
        """What went wrong, as it is said aloud: in a banner, or at a field."""
        return self.page.get_by_role("alert").filter(visible=True, has_text=re.compile(r"\w"))

    def look_up(self, join_string: str, *, by_link: bool = False) -> None:
        """Say what the code is for: typed in, or brought along by a link, as a QR code has it."""
        if by_link:
            self.page.goto(f"/#/join/{join_string}")
        else:
            self.press("I have a join code")
            self._fill("Join code", join_string)
        self.press("Look up the code")

    def join(self, join_string: str, name: str, password: str, *, by_link: bool = False) -> str:
        """Make an account with a join code; return the recovery code that is shown."""
        self.ask_to_join(join_string, name, password, by_link=by_link)
        return self.recovery_code()

    def ask_to_join(self, join_string: str, name: str, password: str, *, by_link: bool = False) -> None:
        """As far as it goes without anybody else."""
        self.look_up(join_string, by_link=by_link)
        self._fill("Your name", name)
        self._choose_password(password)
        self.press("Make my keys and join")

    def digits(self) -> str:
        """The six digits that are to be told to an administrator, as they are shown."""
        expect(self.screen("Tell the administrator these digits")).to_be_visible()
        shown = self.page.get_by_role("main").get_by_text(re.compile(r"^[0-9]{3} [0-9]{3}$"))
        return shown.inner_text()

    def recovery_code(self) -> str:
        """The one that is shown to who has just joined."""
        return _recovery_code_in(self.page.get_by_role("main"))

    def confirm(self, recovery_code: str) -> None:
        """Type the code from the paper. `at_home` says whether it was the right one."""
        written = self._button("I have written it down")
        if written.is_visible():
            written.click()
        self._fill("Recovery code", recovery_code)
        self.press("Confirm")

    def register(self, join_string: str, name: str, password: str, *, by_link: bool = False) -> str:
        """All the way in; return the recovery code."""
        code = self.join(join_string, name, password, by_link=by_link)
        self.confirm(code)
        self.at_home()
        return code

    def try_to_log_in(self, handle: str, password: str) -> None:
        self._fill("Handle", handle)
        self._fill("Password", password)
        self.press("Log in")

    def log_in(self, handle: str, password: str) -> None:
        self.try_to_log_in(handle, password)
        self.at_home()

    def try_recovery_code(self, handle: str, code: str, new_password: str) -> None:
        """For who forgot the password."""
        self.press("I forgot my password")
        self._fill("Handle", handle)
        self._fill("Recovery code", code)
        self._choose_password(new_password)
        self.press("Set password and log in")

    def recover(self, handle: str, code: str, new_password: str) -> None:
        """All the way in, and until the new password is in force: the page logs in with the one, then with the other."""
        logins = itertools.count(1)
        with self.page.expect_response(lambda answer: answer.url.endswith("/login") and next(logins) == 2):
            self.try_recovery_code(handle, code, new_password)
        self.at_home()

    def restore(self, password: str) -> None:
        """On a browser that is logged in and has no keys."""
        self._fill("Password", password)
        self.press("Bring my messages back")

    def unlock(self, password: str) -> None:
        self._fill("Password", password)
        self.press("Unlock")

    def at_home(self) -> None:
        """They are in, and live."""
        expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()
        expect(self.lamp()).to_have_text("Live")

    def lamp(self) -> Locator:
        """`Connecting`, `Live`, `Offline` or `Session ended`."""
        return self.page.get_by_role("status", name="Connection")

    # Friends

    def befriend(self, handle: str) -> None:
        self.press("Add a friend")
        dialog = self.dialog("Add a friend")
        dialog.get_by_label("Handle").fill(handle)
        dialog.get_by_role("button", name="Ask", exact=True).click()
        expect(dialog).to_be_hidden()

    def accept(self, title: str) -> None:
        self.press(f"Accept {title}")
        expect(self.friend(title)).to_be_visible()

    def friend(self, title: str) -> Locator:
        """A person, a device or a group in the list: its text has presence and unread messages, too."""
        friends = self.page.get_by_role("list", name="Friends", exact=True)
        return friends.get_by_role("link").filter(has_text=title)

    def safety_words(self, title: str) -> list[str]:
        """Open the dialog of the safety code, and read it."""
        self.press("Safety code")
        words = self.dialog(f"Safety code with {title}").get_by_role("list", name="Safety words")
        expect(words.get_by_role("listitem")).to_have_count(12)
        return words.get_by_role("listitem").all_inner_texts()

    # Conversations

    def open_chat(self, title: str) -> None:
        self.friend(title).click()
        expect(self.page.get_by_role("heading", level=2, name=title, exact=True)).to_be_visible()

    def say(self, text: str) -> None:
        """It is sent, or waits for that: `message` says how far it got."""
        self._composer().fill(text)
        self._composer().press("Enter")
        expect(self._composer()).to_have_value("")

    def reply(self, to: str, text: str) -> None:
        self.message(to).hover()
        self.message(to).get_by_role("button", name="Reply").click()
        self.say(text)

    def attach(self, file: Path | FilePayload) -> None:
        """Choose a file for the next message."""
        self.page.get_by_label("File to attach").set_input_files(file)

    def save(self, name: str, path: Path) -> bytes:
        """Save a file that came with a message, and read it."""
        with self.page.expect_download() as download:
            self.press(f"Save {name}")
        assert download.value.suggested_filename == name
        download.value.save_as(path)
        return path.read_bytes()

    def messages(self) -> Locator:
        """Those of the open conversation that are in sight, oldest first."""
        return self.page.get_by_role("region", name="Messages with").get_by_role("article")

    def message(self, text: str) -> Locator:
        return self.messages().filter(has=self.page.get_by_text(text, exact=True))

    def reads(self, texts: Sequence[str]) -> None:
        """These are the messages, in this order, and no others."""
        expect(self.messages()).to_have_text([re.compile(re.escape(text)) for text in texts])

    def texts(self) -> list[str]:
        """What the messages in sight say, without who and when, once they are opened."""
        expect(self.messages().get_by_text("Opening…")).to_have_count(0)
        paragraphs = "each => [...each.querySelectorAll('p')].slice(1).map(p => p.innerText).join('\\n')"
        texts = self.messages().evaluate_all(f"all => all.map({paragraphs})")
        return [str(text) for text in texts]

    def is_proven(self, text: str) -> None:
        """Its receipt was verified, in the page."""
        expect(self.message(text).get_by_role("link", name="Proof verified")).to_be_visible()

    def open_proof(self, text: str) -> Locator:
        """The detail view of a message's proof, with what was checked in it."""
        self.message(text).hover()
        self.message(text).get_by_role("link", name="Proof verified").click()
        proof = self.page.get_by_role("region", name="Proof", exact=True)
        expect(proof.get_by_role("heading", name="This page checked")).to_be_visible()
        return proof

    def fact(self, where: Locator, name: str) -> Locator:
        """What stands beside a name, in a list of facts."""
        term = where.get_by_role("term").filter(has_text=re.compile(f"^{re.escape(name)}$"))
        return term.locator("xpath=following-sibling::dd")

    # Alerts

    def alerts(self, which: Which = "Open") -> Locator:
        return self.page.get_by_role("list", name=f"{which} alerts", exact=True).get_by_role("article")

    def alert(self, text: str) -> Locator:
        """The card on the board, open or taken, that says this."""
        board = self.page.get_by_role("region", name=re.compile("^Alerts"))
        return board.get_by_role("article").filter(has_text=text)

    def take(self, text: str, deed: Deed = "Take") -> None:
        self.alert(text).get_by_role("button", name=deed, exact=True).click()

    # One's own account

    def go_to(self, place: Literal["Home", "Friends", "Admin", "My account"]) -> None:
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()

    def change_password(self, old: str, new: str) -> None:
        self.go_to("My account")
        self._fill("Current password", old)
        self._choose_password(new)
        self.press("Change password")
        expect(self.page.get_by_text("Your password is changed.")).to_be_visible()

    def renew_recovery_code(self, password: str) -> str:
        """Make another one; return it."""
        self.go_to("My account")
        self.press("Make a new recovery code")
        self._fill("Password", password)
        self.press("Make a new code")
        code = _recovery_code_in(self.dialog("Your new recovery code"))
        self.press("I have written it down")
        return code

    def lock(self) -> None:
        self._choose_in_own_menu("Lock now")
        expect(self.screen("Locked")).to_be_visible()

    def log_out(self, *, forget: bool = False) -> None:
        self._choose_in_own_menu("Log out")
        dialog = self.dialog("Log out?")
        dialog.get_by_label("Forget this browser").set_checked(forget)
        dialog.get_by_role("button", name="Log out", exact=True).click()
        expect(self.screen("Log in")).to_be_visible()

    # Parts

    def dialog(self, title: str) -> Locator:
        return self.page.get_by_role("dialog", name=title, exact=True)

    def _choose_in_own_menu(self, entry: str) -> None:
        self.page.get_by_role("button", name=re.compile("^Menu of ")).click()
        self.page.get_by_role("region", name="Your menu").get_by_role("button", name=entry).click()

    def _composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message to ")

    def _button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        self._button(name).click()

    def _fill(self, label: str, value: str) -> None:
        self.page.get_by_role("textbox", name=label, exact=True).fill(value)

    def _choose_password(self, password: str) -> None:
        self._fill("New password", password)
        self._fill("New password again", password)


def _recovery_code_in(where: Locator) -> str:
    return where.get_by_role("region", name="Recovery code").inner_text().replace("\n", "")

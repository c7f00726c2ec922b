"""Must hold: two people join at the page, become friends, and write to each other what they alone can open."""

import re
import secrets
import shlex
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import FilePayload, expect

from chain import cli, entry, merkle
from chain.chain import Chain
from chain.encoding import b64url
from tests.page import Person
from tests.sites import ran
from tests.ward import Ward

LEE, KIM = "Dr. Mary Lee", "Kim Novak"
PASSWORD = "correct horse battery"
MOST_BYTES = 40_960
TALL = {"width": 1280, "height": 2400}
"""Only the messages in sight are in the page: these are all of them."""


class Pair(NamedTuple):
    lee: Person
    kim: Person


@pytest.fixture(scope="module")
def pair(ward: Ward) -> Pair:
    """Two people who joined, each on a browser of their own, and have the other's conversation open."""
    lee, kim = ward.visitor(viewport=TALL), ward.visitor(viewport=TALL)
    lee.register(ward.code("dr.lee"), LEE, PASSWORD)
    kim.register(ward.code("nurse.kim"), KIM, PASSWORD, by_link=True)
    lee.befriend("nurse.kim")
    kim.accept(LEE)
    lee.open_chat(KIM)
    kim.open_chat(LEE)
    return Pair(lee, kim)


def test_a_recovery_code_that_was_written_down_wrong_is_refused_and_the_right_one_in_any_spelling_lets_in(
    ward: Ward,
) -> None:
    newcomer = ward.visitor()
    code = newcomer.join(ward.code("newcomer"), "New Comer", PASSWORD)
    wrong = ("B" if code[0] == "A" else "A") + code[1:]

    newcomer.confirm(wrong)
    expect(newcomer.trouble()).to_contain_text("another code")
    newcomer.confirm(code.lower().replace("-", " "))

    newcomer.at_home()


def test_a_code_that_came_with_a_link_is_used_up_by_joining(pair: Pair) -> None:
    expect(pair.kim.page.get_by_text("You followed a link with a join code")).to_be_hidden()


def test_a_join_code_works_once(ward: Ward, pair: Pair) -> None:
    code = ward.code("only.once")
    ward.agent("only.once", "join", code)
    late = ward.visitor()

    late.look_up(code)

    expect(late.trouble()).to_contain_text("code")
    expect(late.screen("Join with a code")).to_be_visible()


def test_nobody_can_write_to_somebody_who_has_not_accepted(ward: Ward, pair: Pair) -> None:
    ward.member("dr.who", PASSWORD)

    pair.lee.befriend("dr.who")

    expect(pair.lee.friend("Dr.Who")).to_contain_text("Has not accepted yet")


def test_what_one_says_the_other_reads_and_answers(pair: Pair) -> None:
    lee, kim = pair

    lee.say("Bed 4 is free at noon.")
    expect(kim.message("Bed 4 is free at noon.")).to_be_visible()
    kim.reply("Bed 4 is free at noon.", "Then I will bring her at half past.")

    answer = lee.message("Then I will bring her at half past.")
    expect(answer.get_by_role("button", name="Answers You Bed 4 is free at noon.")).to_be_visible()
    expect(lee.message("Bed 4 is free at noon.")).to_contain_text(f"Seen by {KIM}")


def test_a_file_of_the_full_size_is_saved_again_byte_for_byte(pair: Pair, tmp_path: Path) -> None:
    lee, kim = pair
    content = secrets.token_bytes(MOST_BYTES)

    lee.attach(FilePayload(name="bed plan.bin", mimeType="application/octet-stream", buffer=content))
    lee.say("The plan.")

    expect(kim.message("The plan.")).to_contain_text("bed plan.bin")
    assert kim.save("bed plan.bin", tmp_path / "saved") == content


def test_a_file_that_is_too_big_is_refused_before_it_is_sent(pair: Pair) -> None:
    too_big = FilePayload(name="film.mp4", mimeType="video/mp4", buffer=bytes(MOST_BYTES + 1))

    pair.lee.attach(too_big)

    expect(pair.lee.trouble()).to_contain_text("film.mp4 is too big")
    pair.lee.say("Then without it.")
    expect(pair.kim.message("Then without it.")).not_to_contain_text("film.mp4")


def test_what_looks_like_a_script_is_shown_as_it_was_written(pair: Pair) -> None:
    lee, _ = pair
    text = "<script>window.ran = 1</script><img src=x onerror='window.ran = 1'> **not bold** &amp;"

    lee.say(text)

    for person in pair:
        expect(person.message(text)).to_be_visible()
        assert person.page.evaluate("window.ran") is None
    lee.reload()
    expect(lee.message(text)).to_be_visible()
    assert lee.page.evaluate("window.ran") is None


def test_the_page_itself_proves_where_a_message_stands_and_who_signed_it(ward: Ward, pair: Pair) -> None:
    lee, kim = pair
    lee.say("Prove this.")
    for person in pair:
        person.is_proven("Prove this.")

    proof = kim.open_proof("Prove this.")
    index = int(kim.fact(proof, "Entry").inner_text())
    with closing(Chain.open(ward.site.chain_file)) as chain:
        leaf = chain.store.leaf(index)
        block = chain.store.block(chain.store.height_of(index))
    signed = entry.parse(leaf)

    expect(kim.fact(proof, "Entry id")).to_contain_text(signed.entry.id)
    expect(kim.fact(proof, "Leaf hash")).to_contain_text(merkle.leaf_hash(leaf).hex())
    expect(kim.fact(proof, "Block")).to_have_text(str(block.id))
    expect(kim.fact(proof, "Block hash")).to_contain_text(b64url(block.hash))
    expect(kim.fact(proof, "Signer")).to_have_text(LEE)
    expect(kim.fact(proof, "Account")).to_contain_text(signed.entry.author)
    expect(kim.fact(proof, "Signing key")).to_contain_text(signed.kid)
    expect(proof.get_by_role("list").first.get_by_role("listitem")).to_have_count(5)
    kim.open_chat(LEE)


def test_a_proof_that_was_taken_along_is_checked_by_the_command_that_the_page_names(
    pair: Pair, tmp_path: Path
) -> None:
    lee, kim = pair
    lee.say("Take this to the auditor.")
    proof = kim.open_proof("Take this to the auditor.")

    for button in ("Save the receipt", "Save the entry"):
        with kim.page.expect_download() as download:
            proof.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
    command = proof.get_by_text(re.compile("^blockpost chain check ")).inner_text()
    receipt, leaf, *key = shlex.split(command)[3:]
    done = ran(cli.main, "check", tmp_path / receipt, tmp_path / leaf, *key)

    assert done.code == 0, done.err
    kim.open_chat(LEE)


def test_both_read_the_same_safety_words_and_a_contact_whose_words_were_compared_is_marked(
    pair: Pair,
) -> None:
    lee, kim = pair

    words = lee.safety_words(KIM)
    lee.press("We compared them and they are the same")

    assert kim.safety_words(LEE) == words
    kim.press("Not now")
    expect(lee.friend(KIM)).to_contain_text("verified")
    expect(kim.friend(LEE)).not_to_contain_text("verified")


def test_the_first_press_on_a_page_does_what_it_says_although_it_also_turns_the_sound_on(pair: Pair) -> None:
    fresh = pair.lee.another_tab()
    expect(fresh.friend(KIM)).to_be_visible()
    expect(fresh.page.get_by_text("Sound is off")).to_be_visible()

    fresh.open_chat(KIM)

    expect(fresh.page.get_by_text("Sound is off")).to_be_hidden()


def test_a_page_that_is_reloaded_or_opened_again_has_all_of_it(pair: Pair) -> None:
    lee, _ = pair
    before = lee.texts()
    assert len(before) >= 2

    lee.reload()
    lee.reads(before)
    opened_again = lee.another_tab()

    opened_again.open_chat(KIM)
    opened_again.reads(before)
    expect(opened_again.friend(KIM)).to_contain_text("verified")
    opened_again.is_proven(re.sub(r".*\n", "", before[-1]))

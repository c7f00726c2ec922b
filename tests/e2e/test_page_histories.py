"""
Must hold: a page that is shown a shorter or another history than before stops, and says so. That gateway is played by
the real one, with its own key, over a file that was tampered with.
"""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from provisioning.admin import cli as admin
from tests.sites import copied_chain, ran, run_on
from tests.ward import ADMIN, Ward

LEE, KIM = "Dr.Lee", "Nurse.Kim"
PASSWORD = "correct horse battery"
STOPPED = "Stopped: the gateway showed two histories"


@pytest.fixture(scope="module")
def chains(ward: Ward) -> dict[str, Path]:
    """What the gateway may show: the honest chain, its beginning, and another one that begins the same."""
    for handle in ("dr.lee", "nurse.kim"):
        ward.member(handle, PASSWORD)
    ward.admin("link", "dr.lee", "nurse.kim")
    shorter = copied_chain(ward.site, "shorter")
    elsewhere = shutil.copytree(ward.site.home(ADMIN), ward.site.home("admin-elsewhere"))
    for text in ("one", "two"):
        ward.agent("nurse.kim", "send", "dr.lee", text)
    honest = copied_chain(ward.site, "honest")
    run_on(ward.site, shorter)
    for number in range(4):
        assert ran(admin.main, "--home", elsewhere, "invite", f"nobody-{number}").code == 0
    return {"shorter": shorter, "honest": honest, "longer": copied_chain(ward.site, "longer")}


@pytest.mark.parametrize("history", ["shorter", "longer"])
def test_a_page_that_is_shown_another_history_stops_for_good_and_keeps_the_evidence(
    ward: Ward, chains: dict[str, Path], history: str
) -> None:
    run_on(ward.site, chains["honest"])
    lee = ward.visitor()
    lee.log_in("dr.lee", PASSWORD)
    lee.open_chat(KIM)
    lee.reads(["one", "two"])

    run_on(ward.site, chains[history])

    expect(lee.screen(STOPPED)).to_be_visible()
    for said in ("What was wrong", "Held by this browser", "Shown by the gateway"):
        expect(lee.fact(lee.page.get_by_role("main"), said)).to_have_text(re.compile(r"\w"))
    for again in (lee, lee.another_tab()):
        again.reload()
        expect(again.screen(STOPPED)).to_be_visible()
        expect(again.page.get_by_role("textbox")).to_have_count(0)


def test_the_true_history_is_still_believed_after_the_gateway_was_away(
    ward: Ward, chains: dict[str, Path]
) -> None:
    run_on(ward.site, chains["honest"])
    lee = ward.visitor()
    lee.log_in("dr.lee", PASSWORD)

    run_on(ward.site, copied_chain(ward.site, "as-it-is"))
    ward.agent("nurse.kim", "send", "dr.lee", "three")

    lee.open_chat(KIM)
    lee.reads(["one", "two", "three"])

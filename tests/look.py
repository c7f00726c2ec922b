"""
A look at a screen: drawn wide and narrow, light and dark, each drawing kept, and each gone over by axe.

The drawings lie in `tests/screenshots/`, which git ignores: for somebody's own eyes.
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from playwright.sync_api import Page

DRAWINGS = Path(__file__).parent / "screenshots"
AXE = Path(__file__).parents[1] / "gateway" / "web" / "node_modules" / "axe-core" / "axe.min.js"

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """async rules => {
    const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) =>
        ({ id, help, nodes: nodes.map(node => node.html.slice(0, 200) + ' | ' + node.failureSummary) }));
}"""

NARROWEST = 320
"""CSS pixels: 1280 at 400 percent, which WCAG 1.4.10 asks for."""

OVERFLOW = """most => [...document.querySelectorAll('body, body *')]
    .filter(each => each.getBoundingClientRect().right > most + 1 && !each.closest('.visually-hidden, [hidden]'))
    // What lies in something that scrolls by itself does not make the page scroll.
    .filter(each => {
        for (let around = each.parentElement; around !== document.body && around; around = around.parentElement)
            if (getComputedStyle(around).overflowX !== 'visible') return false;
        return true;
    })
    .map(each => each.outerHTML.slice(0, 200))"""


class Form(NamedTuple):
    """How a screen is drawn."""

    scheme: Literal["light", "dark"]
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.scheme}-{self.width}"


FORMS = [Form(scheme, *size) for size in ((1280, 800), (390, 844)) for scheme in ("light", "dark")]


def look_at(page: Page, name: str) -> None:
    """Draw what the page shows in every form; raise `AssertionError` if axe or a narrow page minds anything."""
    minded: list[Any] = []
    for form in FORMS:
        turn(page, form)
        draw(page, f"{name}-{form}")
        minded += [{"form": str(form), **each} for each in minds(page)]
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    minded += [{"too wide": each} for each in too_wide(page)]
    turn(page, FORMS[0])
    assert minded == []


def turn(page: Page, form: Form) -> None:
    page.set_viewport_size({"width": form.width, "height": form.height})
    page.emulate_media(color_scheme=form.scheme)


def draw(page: Page, name: str) -> Path:
    """Things that move are drawn as they are in the end."""
    path = DRAWINGS / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    return path


def minds(page: Page) -> list[Any]:
    """What axe has to say against what the page shows."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    violations = page.evaluate(CHECK, RULES)
    assert isinstance(violations, list)
    return violations


def too_wide(page: Page) -> list[Any]:
    """What would make the page scroll sideways."""
    width = page.evaluate("document.documentElement.clientWidth")
    scrolls = page.evaluate("document.documentElement.scrollWidth")
    beyond = page.evaluate(OVERFLOW, width)
    assert isinstance(beyond, list)
    return [f"the page: {scrolls} px of {width}", *beyond] if scrolls > width else beyond

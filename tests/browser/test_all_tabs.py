"""What holds for every tab, on one page that shows one after another: accessible, legible, and nothing cut off."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import PATIENCE, PHONE
from .shared import as_at_first
from .tabs import SHOWN, open_tab

pytestmark = pytest.mark.browser
# What draws 3,000 elements comes last: Axe looks at them from then on.
TABS = sorted(SHOWN, key=lambda tab: tab == "Architecture")
SCREEN = {"width": 1920, "height": 1080}
# 1440 x 900 at 200 %.
ENLARGED = {"width": 720, "height": 450}
# Rules that another colour scheme can break.
OF_COLOUR = ["color-contrast", "link-in-text-block"]
# Until nothing moves or fades any more, and what is drawn anew for another width has been.
SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame(), await frame();
  const ending = (one) => Number.isFinite(one.effect?.getComputedTiming().endTime) && one.playState === "running";
  await Promise.allSettled(document.getAnimations().filter(ending).map((one) => one.finished));
  await frame(), await frame();
}"""
# Everything with a text or a function that is cut off at the side of the window.
CUT = """() => [...document.querySelectorAll(".gradio-container :is(button, input, img, svg, h1, p, li, label)")]
  .filter((element) => element.checkVisibility() && !element.closest(".table, .tab-wrapper, [role=status], .tour"))
  .filter((element) => { const {left, right, width} = element.getBoundingClientRect();
    return width > 2 && (left < -1 || right > innerWidth + 1); })
  .map((element) => element.outerHTML.slice(0, 90))"""
# Texts of less than 20 pixels, as they are on the screen.
SMALL_TEXTS = """() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, range = document.createRange();
    range.selectNode(texts.currentNode);
    const {width, height} = range.getBoundingClientRect();
    if (!texts.currentNode.textContent.trim() || width < 2 || height < 2) continue;
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const matrix = element.getScreenCTM?.();
    const scale = matrix ? Math.hypot(matrix.a, matrix.b) : element.currentCSSZoom;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < 20) found.push([size, texts.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def opened(stay) -> Page:
    return stay()


@pytest.fixture
def page(opened) -> Page:
    """Without the talk view, in which a test may have left it."""
    button = as_at_first(opened).get_by_role("button", name="Talk view")
    if button.get_attribute("aria-pressed") == "true":
        button.click()
    return opened


def walk(page: Page) -> Iterator[str]:
    """The name of every tab, while it is shown and has its results."""
    for tab in TABS:
        open_tab(page, tab)
        page.evaluate(SETTLED)
        yield tab


def width_of(page: Page) -> int:
    """Of everything, what has to be scrolled to included."""
    return page.evaluate("document.documentElement.scrollWidth")


def test_no_tab_has_a_critical_or_serious_fault(page):
    page.evaluate(Axe().axe_script)
    for tab in walk(page):
        for scheme, rules in (("light", {}), ("dark", {"runOnly": {"type": "rule", "values": OF_COLOUR}})):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
            page.evaluate(SETTLED)  # One colour fades into the other.
            found = page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **rules})
            grave = {
                fault["id"]: [node["html"] for node in fault["nodes"]]
                for fault in found["violations"]
                if fault["impact"] in ("critical", "serious")
            }
            assert (tab, scheme, grave) == (tab, scheme, {})
            # It has looked.
            assert "color-contrast" in [rule["id"] for rule in found["passes"]]


def test_every_tab_is_as_wide_as_every_other_and_none_scrolls_sideways(page):
    for width in (1440, 1024, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = []
        for tab in TABS:
            page.get_by_role("tab", name=tab, exact=True).click()
            for _ in ("at once", "when its results are there"):
                box = page.locator(".tabs").first.bounding_box()
                boxes.append((box["x"], box["width"]))
                expect(page.locator(SHOWN[tab]).first).to_be_visible(timeout=PATIENCE)
                page.evaluate(SETTLED)
            assert (tab, width_of(page)) <= (tab, width)
        assert len(set(boxes)) == 1
        assert boxes[0][1] > min(width, 1560) - 90


@pytest.mark.parametrize("size", [PHONE, ENLARGED], ids=["phone", "200 %"])
def test_nothing_is_cut_off(page, size):
    page.set_viewport_size(size)
    for tab in walk(page):
        assert (tab, page.evaluate(CUT)) == (tab, [])
        assert width_of(page) <= size["width"]


def test_nothing_is_too_small_for_the_back_of_a_room(page):
    page.set_viewport_size(SCREEN)
    footer = page.locator("footer")
    expect(footer).to_be_visible()
    # Without the talk view, texts are too small for that.
    assert page.evaluate(SMALL_TEXTS) != []
    page.get_by_role("button", name="Talk view").click()
    expect(footer).to_be_hidden()
    for tab in walk(page):
        assert (tab, page.evaluate(SMALL_TEXTS)) == (tab, [])
        assert width_of(page) <= SCREEN["width"]
    expect(footer).to_be_hidden()

"""The page without a mouse and without seeing it, in a real Chromium."""

import pytest
from playwright.sync_api import Page, expect

from .conftest import PATIENCE
from .explore import SMALL, wait_for_facts
from .shared import as_at_first
from .tabs import open_tab

pytestmark = pytest.mark.browser
# What has the focus, and whether it or what is around it has an outline.
FOCUSED = """() => {
  const focused = document.activeElement, outlined = (element) => {
    const style = getComputedStyle(element);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  };
  if (!focused || focused === document.body) return null;
  let around = focused;
  for (let i = 0; i < 3 && around && !outlined(around); i++) around = around.parentElement;
  const ring = focused.closest(".stack, [data-block]");  // They draw their own.
  return [focused.outerHTML.slice(0, 90), Boolean(ring || (around && outlined(around)))];
}"""


@pytest.fixture(scope="module")
def opened(stay) -> Page:
    return stay(f"{SMALL}&photo=cat")


@pytest.fixture
def page(opened) -> Page:
    """For one test after another: it shows what ResNet-20 says, whatever a test has opened."""
    open_tab(as_at_first(opened), "Explore")
    opened.get_by_label("residual", exact=True).check()
    wait_for_facts(opened, "ResNet-20")
    return opened


def test_arrow_keys_go_through_radio_buttons(page):
    page.get_by_label("residual", exact=True).focus()
    page.keyboard.press("ArrowRight")
    wait_for_facts(page, "plain-20")
    expect(page.get_by_label("plain", exact=True)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    wait_for_facts(page, "ResNet-20")
    # One stop of the Tab key for all of them.
    page.keyboard.press("Tab")
    expect(page.locator("#twins button").first).to_be_focused()


def test_pictures_say_what_they_show(page):
    alt = page.locator("#heatmap .photo").get_attribute("alt")
    assert alt.startswith("Grad-CAM of cat over the photo: strongest ")
    assert "largest in layer" in page.locator("#gradients figure").get_attribute("aria-label")
    thumbnails = page.locator("#photo-examples button")
    assert all(thumbnails.all_inner_texts())
    assert thumbnails.count() == thumbnails.locator("img").count() > 1


def test_a_new_result_is_announced_once_and_in_one_sentence(page):
    told = page.locator("#address [role=status]")
    expect(told).to_contain_text("ResNet-20 says cat", timeout=PATIENCE)
    page.get_by_label("plain", exact=True).check()
    expect(told).to_contain_text("plain-20 says", timeout=PATIENCE)
    open_tab(page, "Lesion")
    expect(told).to_contain_text("1 of 9 blocks out", timeout=PATIENCE)
    open_tab(page, "Gradient flow")
    expect(told).to_contain_text("56 layers, plain: ", timeout=PATIENCE)
    # Beside it, Gradio says that it is loading.
    visible = page.locator("[role=status]:not(.sr-only), [aria-live=polite]:not(.sr-only)").filter(visible=True)
    assert [one.inner_html() for one in visible.all() if one.inner_text().strip()] == [told.inner_html()]


def test_what_has_the_focus_is_seen(page):
    """The last of these tests: it leaves lists open, and Gradio stumbles where their choices change then."""
    hidden, seen = [], set()
    for tab in ("Explore", "Gradient flow", "Degradation"):
        open_tab(page, tab)
        for _ in range(48):
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused:
                seen.add(focused[0])
                hidden += [] if focused[1] else [focused[0]]
    assert len(seen) > 50
    assert hidden == []

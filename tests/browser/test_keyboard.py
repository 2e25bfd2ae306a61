"""The page without a mouse, without seeing it, enlarged, and without motion, in a real Chromium."""

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE, PHONE
from .explore import SMALL, bars, wait_for_facts
from .tabs import SHOWN, open_tab

pytestmark = pytest.mark.browser
# 1440 x 900 at 200 %.
ENLARGED = {"width": 720, "height": 450}
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
# Everything with a text or a function that is cut off at the side of the window.
CUT = """() => [...document.querySelectorAll(".gradio-container :is(button, input, img, svg, h1, p, li, label)")]
  .filter((element) => element.checkVisibility() && !element.closest(".table, .tab-wrapper, [role=status], .tour"))
  .filter((element) => { const {left, right, width} = element.getBoundingClientRect();
    return width > 2 && (left < -1 || right > innerWidth + 1); })
  .map((element) => element.outerHTML.slice(0, 90))"""


def test_what_has_the_focus_is_seen(visit):
    page = visit(SMALL)
    wait_for_facts(page, "ResNet-20")
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


def test_arrow_keys_go_through_radio_buttons(visit):
    page = visit(SMALL)
    wait_for_facts(page, "ResNet-20")
    page.get_by_label("residual", exact=True).focus()
    page.keyboard.press("ArrowRight")
    wait_for_facts(page, "plain-20")
    expect(page.get_by_label("plain", exact=True)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    wait_for_facts(page, "ResNet-20")
    # One stop of the Tab key for all of them.
    page.keyboard.press("Tab")
    expect(page.locator("#twins button").first).to_be_focused()


def test_a_plot_that_is_drawn_anew_keeps_the_focus(visit):
    page = visit("?tab=compare&photo=cat&first=resnet20.cifar10")
    second = page.locator("#compare-plot .panel svg").nth(1)
    expect(second).to_be_visible(timeout=PATIENCE)
    second.focus()
    before = second.element_handle()
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function("(before) => !before.isConnected", arg=before)
    expect(second).to_be_focused()


def test_a_new_result_is_announced_once_and_in_one_sentence(visit):
    page = visit(f"{SMALL}&photo=cat")
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


def test_pictures_say_what_they_show(visit):
    page = visit("?model=resnet20.cifar10&photo=cat")
    wait_for_facts(page, "ResNet-20")
    alt = page.locator("#heatmap .photo").get_attribute("alt")
    assert alt.startswith("Grad-CAM of cat over the photo: strongest ")
    assert "largest in layer" in page.locator("#gradients figure").get_attribute("aria-label")
    thumbnails = page.locator("#photo-examples button")
    assert all(thumbnails.all_inner_texts())
    assert thumbnails.count() == thumbnails.locator("img").count() > 1


@pytest.mark.parametrize("size", [PHONE, ENLARGED], ids=["phone", "200 %"])
def test_nothing_is_cut_off(visit, size):
    page = visit(viewport=size)
    for tab in SHOWN:
        open_tab(page, tab)
        page.wait_for_timeout(300)
        assert (tab, page.evaluate(CUT)) == (tab, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_phone_shows_the_result_before_the_pickers(visit):
    page = visit(viewport=PHONE)
    ends = [page.locator(part).bounding_box() for part in ("#photo", "#top5", "#heatmap", ".pickers")]
    tops = [box["y"] for box in ends]
    assert tops == sorted(tops)
    assert ends[2]["y"] + ends[2]["height"] < 2 * PHONE["height"]


def test_who_wants_no_motion_gets_none(visit):
    page = visit()
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate("""() => [...document.querySelectorAll(".gradio-container *")].filter((element) =>
      [getComputedStyle(element).transitionDuration, getComputedStyle(element).animationDuration]
        .some((times) => times.split(", ").some((time) => parseFloat(time) > 0.01))).length""")
    assert moving == 0
    expect(bars(page).first).to_be_visible()

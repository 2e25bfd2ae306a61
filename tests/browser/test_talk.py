"""A talk: large type, a keyboard or a clicker, and the camera, in a real Chromium with one of its own."""

import re
import time

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .chromium import launch
from .conftest import PATIENCE
from .explore import SMALL, bars, wait_for_facts
from .tabs import SHOWN

pytestmark = pytest.mark.browser
SCREEN = {"width": 1920, "height": 1080}


@pytest.fixture
def camera(playwright):
    """A browser with a camera that shows a test picture."""
    chromium = launch(playwright, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    yield chromium.new_context(viewport=SCREEN)
    chromium.close()


def tab_to(page: Page, what: str, most: int = 60) -> None:
    """Press the Tab key until what has the focus matches the selector."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement?.matches(what) ?? false", what):
            return
    raise AssertionError(f"the Tab key does not lead to {what}")


@pytest.fixture(scope="module")
def opened(stay) -> Page:
    return stay(f"?talk&{SMALL[1:]}", viewport=SCREEN)


def test_a_click_finds_its_point_however_large_the_page_is(opened):
    mark = opened.locator("#gradients .panel .mark").nth(3)
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    names = opened.locator("#gradients .tip")
    expect(names).to_contain_text("layer1.1.conv1")


def test_the_talk_view_goes_and_comes_with_a_button_and_with_the_address(opened):
    controls, button = opened.locator(".pickers").first, opened.get_by_role("button", name="Talk view")
    zoom = "getComputedStyle(document.querySelector('.gradio-container')).zoom"
    if button.get_attribute("aria-pressed") == "true":
        button.click()
    expect(controls).to_be_visible()
    expect(opened).not_to_have_url(re.compile("talk"))
    button.click()
    expect(controls).to_be_hidden()
    expect(opened).to_have_url(re.compile(r"[?&]talk=(&|$)"))
    assert float(opened.evaluate(zoom)) > 1
    opened.get_by_role("button", name="Controls").click()
    expect(controls).to_be_visible()
    button.click()
    expect(opened).not_to_have_url(re.compile("talk"))
    assert opened.evaluate(zoom) == "1"


def go(page: Page, key: str, tab: str) -> None:
    page.keyboard.press(key)
    expect(page.get_by_role("tab", name=tab, exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator(SHOWN[tab]).first).to_be_visible(timeout=PATIENCE)


def test_a_rehearsal_without_a_hand_on_the_mouse(camera: BrowserContext, server):
    page = camera.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}/?talk&{SMALL[1:]}&photo=cat")
    wait_for_facts(page, "ResNet-20")
    # Another photo, from the folded controls, and both twins.
    tab_to(page, ".fold")
    page.keyboard.press("Enter")
    tab_to(page, "#photo-examples button:nth-of-type(2)")
    page.keyboard.press("Enter")
    expect(page.locator("#address [role=status]")).not_to_contain_text("says cat", timeout=PATIENCE)
    tab_to(page, "#switch input[type=radio]")
    page.keyboard.press("ArrowRight")
    wait_for_facts(page, "plain-20")
    page.keyboard.press("ArrowLeft")
    wait_for_facts(page, "ResNet-20")
    # A lesion.
    tab_to(page, "#twins button")
    go(page, "PageDown", "Compare")
    go(page, "PageDown", "Lesion")
    expect(page.locator("#lesion-effect")).to_contain_text("1 of 9 blocks out")
    tab_to(page, "#lesion-drawing [data-block]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#lesion-effect")).to_contain_text("2 of 9 blocks out", timeout=PATIENCE)
    # The six stops of the tour, from the first one.
    tab_to(page, "#lesion-drawing .restore")
    go(page, "PageDown", "Gradient flow")
    for stop in ("3", "2", "1"):
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#tour [aria-current] b")).to_have_text(stop, timeout=PATIENCE)
    for stop in ("2", "3", "4", "5", "6"):
        page.keyboard.press("PageDown")
        expect(page.locator("#tour [aria-current] b")).to_have_text(stop, timeout=PATIENCE)
        expect(page.locator("#tour-text")).to_contain_text(f"{stop}. ", timeout=PATIENCE)
    go(page, "PageDown", "Degradation")
    go(page, "PageDown", "Architecture")
    # The camera.
    go(page, "PageDown", "Live")
    tab_to(page, "#camera button")
    page.keyboard.press("Enter")
    expect(page.locator("#camera video")).to_be_visible(timeout=PATIENCE)
    tab_to(page, "#camera .button-wrap button")
    page.keyboard.press("Enter")
    expect(page.locator("#live-status")).to_contain_text("frames a second", timeout=PATIENCE)
    first = page.locator("#live-heat-1 .photo")
    expect(first).to_be_visible(timeout=PATIENCE)
    before = first.get_attribute("src")
    expect(first).not_to_have_attribute("src", before, timeout=PATIENCE)
    for i, name in enumerate(("ResNet-20", "plain-20"), 1):
        expect(page.locator(f"#live-title-{i}")).to_contain_text(name)
        expect(page.locator(f"#live-top-{i} li").first).to_be_visible()
    expect(page.locator("#live-plot .panel svg")).to_have_count(1)
    # It stops; what its button says follows a frame that was on its way, at times.
    page.keyboard.press("Enter")
    deadline, shown = time.monotonic() + 20, ""
    while shown != first.get_attribute("src"):
        assert time.monotonic() < deadline, "the camera goes on"
        shown = first.get_attribute("src")
        page.wait_for_timeout(2000)
    assert server.trouble() == []
    assert bars(page).count() >= 5

"""The Degradation tab as a visitor uses it, in a real Chromium: curves, table, and races that end."""

import re
import subprocess
import time

import pytest
from playwright.sync_api import Page, expect

from resnet_demo.zoo import open_catalogue
from resnet_demo.zoo.results import all_results, trained_cards

from .conftest import PATIENCE, PHONE, choose

pytestmark = pytest.mark.browser
# A race has a lower priority than everything else on the machine.
RACE_PATIENCE = 240_000
CIFAR = [card for card in trained_cards(open_catalogue()) if card.dataset == "cifar10"]


def races() -> int:
    """The race processes that run on this machine."""
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return len(re.findall(r"resnet_demo race", listing))


@pytest.fixture
def page(visit) -> Page:
    opened = visit("?tab=degradation")
    expect(opened.locator("#curves svg")).to_be_visible(timeout=PATIENCE)
    return opened


def start(page: Page, seconds: int, one: str = "resnet20", other: str = "plain20") -> None:
    for label, name in (("First racer", one), ("Second racer", other)):
        choose(page, label, name)
    page.locator("#seconds input[type=number]").fill(str(seconds))
    page.locator("#seconds input[type=number]").press("Enter")
    page.get_by_role("button", name="Start the race").click()


def state(page: Page):
    return page.locator("#race-state")


def lines_of(page: Page) -> int:
    """The number of lines that matplotlib has drawn, about ten of them for the axes."""
    return page.locator("#curves svg [id^=line2d]").count()


def test_the_solution_that_training_does_not_find_is_legible_on_a_phone_too(visit):
    page = visit("?tab=degradation", PHONE)
    picture = page.locator("#solution svg")
    expect(picture).to_be_visible(timeout=PATIENCE)
    assert "plain-56 folded from ResNet-56: 7.59 percent" in picture.get_attribute("aria-label")
    box, room = picture.bounding_box(), page.locator("#solution").bounding_box()
    assert room["x"] <= box["x"] and box["x"] + box["width"] <= room["x"] + room["width"] <= PHONE["width"]
    assert box["width"] > 280
    # What training makes of it, with both errors on the screen.
    table = page.locator("#solution .table")
    assert table.evaluate("element => element.scrollWidth <= element.clientWidth")
    expect(table).to_contain_text("plain56.cifar10 from plain20.cifar10")
    page.set_viewport_size({"width": 1440, "height": 900})
    assert picture.bounding_box()["width"] <= 520


def test_the_address_opens_the_tab_with_every_curve_and_result(page):
    label = page.locator("#curves svg").get_attribute("aria-label")
    for card in CIFAR:
        assert f"{card.name}: {card.test_error:.2f} percent test error" in label
    table = page.locator("#results table")
    for summary in all_results(open_catalogue()):
        row = table.locator("tr", has_text=summary.name).first
        expect(row).to_contain_text(f"{summary.test_error:.2f}")
        for value in summary.references.values():
            expect(row).to_contain_text(f"{value:.2f}")


def test_depths_are_switched_off_and_on(page):
    box = page.locator("#depths").get_by_label("20", exact=True)
    before = lines_of(page)
    box.uncheck()
    expect(page.locator("#curves svg")).not_to_have_attribute("aria-label", re.compile(r"resnet20\.cifar10"))
    assert lines_of(page) < before
    box.check()
    expect(page.locator("#curves svg")).to_have_attribute("aria-label", re.compile(r"resnet20\.cifar10"))
    assert lines_of(page) == before


def test_a_race_of_twenty_seconds_ends_by_itself(page):
    start(page, 20)
    expect(state(page)).to_contain_text("Getting ready")
    expect(page.locator("#race svg")).to_be_visible(timeout=RACE_PATIENCE)
    expect(state(page)).to_contain_text(re.compile(r"Finished\. \d+ of 20 s"), timeout=RACE_PATIENCE)
    expect(page.locator("#race svg")).to_have_attribute(
        "aria-label", re.compile("Training loss of resnet20 and plain20")
    )
    assert races() == 0


def test_a_race_is_stopped_early_and_another_can_start(page):
    start(page, 120)
    expect(page.locator("#race svg")).to_be_visible(timeout=RACE_PATIENCE)
    page.get_by_role("button", name="Stop").click()
    expect(state(page)).to_contain_text("Stopped.")
    wait_for_no_race()
    start(page, 5, other="preresnet20")
    expect(state(page)).to_contain_text("Finished.", timeout=RACE_PATIENCE)


def test_closing_the_page_ends_its_race_and_the_next_visitor_gets_theirs(visit):
    first = visit("?tab=degradation")
    start(first, 120)
    expect(first.locator("#race svg")).to_be_visible(timeout=RACE_PATIENCE)
    second = visit("?tab=degradation")
    start(second, 5)
    time.sleep(3)
    assert races() == 1
    first.close()
    expect(state(second)).to_contain_text("Finished.", timeout=RACE_PATIENCE)
    assert races() == 0


def test_an_analysis_is_answered_during_a_race(page):
    start(page, 30, "resnet56", "plain56")
    expect(page.locator("#race svg")).to_be_visible(timeout=RACE_PATIENCE)
    page.get_by_role("tab", name="Explore").click()
    page.locator("#photo-examples button").first.click()
    expect(page.locator("#gradients svg")).to_be_visible(timeout=20_000)
    page.get_by_role("tab", name="Degradation").click()
    page.get_by_role("button", name="Stop").click()
    wait_for_no_race()


def wait_for_no_race() -> None:
    deadline = time.monotonic() + 30
    while races():
        assert time.monotonic() < deadline, "a race went on after it was stopped"
        time.sleep(0.2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_downwards_only(visit, scheme):
    page = visit("?tab=degradation", viewport=PHONE, color_scheme=scheme)
    expect(page.locator("#curves svg")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

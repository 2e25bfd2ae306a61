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


@pytest.fixture(scope="module")
def opened(stay) -> Page:
    page = stay("?tab=degradation")
    expect(page.locator("#curves .panel svg")).to_have_count(2, timeout=PATIENCE)
    return page


@pytest.fixture
def page(opened) -> Page:
    """For one test after another: what it shows is of CIFAR-10 again."""
    opened.bring_to_front()
    choose_dataset(opened, "CIFAR-10")
    expect(lines(opened, "plain56, test error: 15.49 %")).to_have_count(1)
    return opened


def start(page: Page, seconds: int, one: str = "resnet20", other: str = "plain20") -> None:
    for label, name in (("First racer", one), ("Second racer", other)):
        choose(page, label, name)
    page.locator("#seconds input[type=number]").fill(str(seconds))
    page.locator("#seconds input[type=number]").press("Enter")
    page.get_by_role("button", name="Start the race").click()


def state(page: Page):
    return page.locator("#race-state")


def lines(page: Page, name: str = "%"):
    """The curves whose names contain this."""
    return page.locator(f"#curves g[data-name*='{name}']")


def choose_dataset(page: Page, title: str) -> None:
    page.locator("#trained-on").get_by_label(title, exact=True).check()


def test_the_solution_that_training_does_not_find_is_legible_on_a_phone_too(visit):
    page = visit("?tab=degradation", PHONE)
    bar = page.locator("#solution li.plain.hollow", has_text="plain-56 folded from ResNet-56")
    expect(bar).to_contain_text("7.59 %", timeout=PATIENCE)
    expect(page.locator("#solution li:not(.hollow)", has_text="plain-56 trained")).to_contain_text("15.49 %")
    label = bar.locator(".label")
    assert label.evaluate("element => element.scrollWidth <= element.clientWidth")
    assert bar.locator(".fill").bounding_box()["width"] > 50
    # What training makes of it, with both errors on the screen.
    table = page.locator("#continued .table")
    assert table.evaluate("element => element.scrollWidth <= element.clientWidth")
    expect(table).to_contain_text("plain56.cifar10 from plain20.cifar10")
    expect(page.locator("#curves .panel svg")).to_have_count(2, timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_address_opens_the_tab_with_every_curve_and_result(page):
    label = page.locator("#curves figure").get_attribute("aria-label")
    for card in CIFAR:
        assert f"{card.spec.name}: {card.test_error:.2f} % test error" in label
        kind = card.spec.connection
        expect(
            page.locator(f"#curves g.{kind}[data-name='{card.spec.name}, test error: {card.test_error:.2f} %']")
        ).to_have_count(1)
    table = page.locator("#results table")
    for summary in all_results(open_catalogue()):
        if summary.dataset != "cifar10":
            continue
        row = table.locator("tr", has_text=summary.name).first
        expect(row).to_contain_text(f"{summary.test_error:.2f}")
        assert summary.references
        for value in summary.references.values():
            expect(row).to_contain_text(f"{value:.2f}")


def test_the_pointer_on_a_curve_says_network_epoch_and_error(page):
    svg, tip = page.locator("#curves .panel svg").first, page.locator("#curves .panel .tip").first
    expect(tip).to_be_empty()
    # The last epoch is at the right edge of the plot; plain-56's error is the highest there.
    mark = lines(page, "plain56, test").locator(".line")
    end = mark.evaluate("path => { const p = path.getPointAtLength(path.getTotalLength()); return [p.x, p.y]; }")
    box = svg.bounding_box()
    page.mouse.move(box["x"] + end[0], box["y"] + end[1])
    expect(tip).to_have_text(re.compile(r"plain56\s+epoch 40\s+test error 15\.49 %"))
    page.mouse.move(box["x"] - 20, box["y"] - 40)
    expect(tip).to_be_empty()


def test_depths_are_switched_off_and_on(page):
    box = page.locator("#depths").get_by_label("20", exact=True)
    expect(lines(page)).to_have_count(8)
    box.uncheck()
    expect(lines(page)).to_have_count(4)
    expect(lines(page, "resnet20")).to_have_count(0)
    box.check()
    expect(lines(page, "resnet20")).to_have_count(2)


def test_everything_follows_the_data_set(page):
    notes = page.locator("#curves .note")
    expect(notes).to_have_text(
        re.compile(r"Cut at \d+ %: errors above it, up to 82 % and the last of them in epoch 23")
    )
    expect(page.locator("#results th", has_text="He et al. 2016")).to_have_count(1)
    paper = page.locator("#results .note a", has_text="He et al. 2016")
    assert paper.get_attribute("href") == "https://arxiv.org/abs/1512.03385"
    assert (paper.get_attribute("target"), paper.get_attribute("rel")) == ("_blank", "noopener")
    expect(page.locator("#continued h3")).to_have_text("Does training keep it?")

    choose_dataset(page, "CIFAR-100")
    expect(lines(page, "plain56, test error: 50.28 %")).to_have_count(1)
    # Nothing is cut, so nothing is said: every epoch of every curve is drawn.
    expect(notes).to_have_count(0)
    drawn = lines(page, "plain56, test").locator(".line").get_attribute("d") or ""
    assert (drawn.count("M"), drawn.count("L")) == (1, 39)
    expect(page.locator("#solution li", has_text="plain-56 trained")).to_contain_text("50.28 %")
    expect(page.locator("#continued h3")).to_have_count(0)
    names = page.locator("#results td:first-child")
    expect(names).to_have_text([re.compile(r"\.cifar100$")] * 4)
    expect(page.locator("#results th")).to_have_count(5)
    expect(page.locator("#results")).to_contain_text("Not trained yet: resnet32.cifar100")
    expect(page.locator("#results")).not_to_contain_text("He et al.")

    choose_dataset(page, "Fashion-MNIST")
    expect(lines(page)).to_have_count(4)
    expect(page.locator("#depths label")).to_have_text(["20"])
    expect(page.locator("#results td:first-child")).to_have_text([re.compile(r"\.fashion_mnist$")] * 2)


def test_during_a_race_the_page_answers_and_it_is_stopped_at_once_and_stopped_again(page):
    start(page, 120)
    expect(page.locator("#race .panel svg")).to_be_visible(timeout=RACE_PATIENCE)
    page.get_by_role("tab", name="Explore").click()
    page.locator("#photo-examples button").first.click()
    expect(page.locator("#gradients .panel svg")).to_be_visible(timeout=20_000)
    page.get_by_role("tab", name="Degradation").click()
    stop = page.get_by_role("button", name="Stop")
    stop.click()
    ended = page.locator("#race-ended")
    expect(ended).to_have_text("Stopped.")
    wait_for_no_race(page)
    # No update of the race that was still on its way has overwritten it.
    expect(ended).to_have_text("Stopped.")

    # At once again, even though the process may not have ended yet.
    for _ in range(3):
        page.get_by_role("button", name="Start the race").click()
        expect(ended).to_be_empty()
        expect(state(page)).to_contain_text("Getting ready")
        stop.click()
        expect(ended).to_have_text("Stopped.")
    start(page, 10)
    expect(ended).to_be_empty()
    expect(state(page)).to_contain_text("Getting ready")
    stop.click()
    expect(ended).to_have_text("Stopped.")
    wait_for_no_race(page)
    page.wait_for_timeout(500)
    expect(state(page)).not_to_contain_text(re.compile("Getting ready|Error"))


def test_closing_the_page_ends_its_race_and_the_next_visitor_gets_theirs(visit):
    first = visit("?tab=degradation")
    start(first, 120)
    expect(state(first)).to_contain_text("Getting ready")
    second = visit("?tab=degradation")
    start(second, 5)
    expect(state(second)).to_contain_text("Another visitor's race is running")
    # Stopped while it waits, that is not said any more; and asked for again, it waits again.
    second.get_by_role("button", name="Stop").click()
    expect(state(second)).not_to_contain_text("Another visitor's race is running")
    second.get_by_role("button", name="Start the race").click()
    expect(state(second)).to_contain_text("Another visitor's race is running")
    second.wait_for_timeout(1000)
    assert races() == 1
    first.close()
    expect(state(second)).to_contain_text(re.compile(r"Finished\. \d+ of 5 s"), timeout=RACE_PATIENCE)
    expect(second.locator("#race-ended")).to_be_empty()
    drawn = second.locator("#race figure")
    expect(drawn).to_have_attribute("aria-label", re.compile("Training loss of resnet20, plain20 over"))
    expect(second.locator("#race g.residual[data-name=resnet20]")).to_have_count(1)
    expect(second.locator("#race g.plain[data-name=plain20]")).to_have_count(1)
    assert races() == 0


def wait_for_no_race(page: Page) -> None:
    deadline = time.monotonic() + 30
    while races():
        assert time.monotonic() < deadline, "a race went on after it was stopped"
        page.wait_for_timeout(200)

"""The address follows the page, in a real Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.pictures import encode, quadrants

from .conftest import PATIENCE
from .explore import SMALL, bars, send_and_wait, wait_for_facts

pytestmark = pytest.mark.browser


def reads(page: Page, *parts: str) -> None:
    """Until the address has all of these, in this order."""
    expect(page).to_have_url(re.compile(".*".join(map(re.escape, parts))), timeout=PATIENCE)


def test_what_is_shown_can_be_copied_from_the_address_bar(visit):
    page = visit(f"{SMALL}&photo=rocket&__theme=light")
    wait_for_facts(page, "ResNet-20")
    opened = page.url
    page.get_by_label("plain", exact=True).check()
    wait_for_facts(page, "plain-20")
    # What others have put there stays.
    reads(page, "__theme=light", "tab=explore&photo=rocket&model=plain20.cifar10")
    assert page.url != opened
    bars(page).nth(2).get_by_role("button").first.click()
    name = bars(page).nth(2).locator(".label").inner_text()
    reads(page, f"model=plain20.cifar10&target={name}")
    page.get_by_role("tab", name="Lesion").click()
    reads(page, "tab=lesion&photo=rocket&model=plain20.cifar10&removed=layer3.1")
    page.get_by_role("button", name="Restore all blocks").click()
    expect(page).to_have_url(re.compile("removed=$"), timeout=PATIENCE)
    page.get_by_role("tab", name="Compare").click()
    reads(page, "tab=compare&photo=rocket&first=", "second=")
    page.get_by_role("tab", name="Gradient flow").click()
    reads(page, "tab=flow&tour=residual")
    page.get_by_role("tab", name="Architecture").click()
    reads(page, "tab=architecture&model=")


def test_back_shows_again_what_was_shown_before(visit):
    page = visit(f"{SMALL}&photo=rocket", listen=False)
    wait_for_facts(page, "ResNet-20")
    page.get_by_label("plain", exact=True).check()
    reads(page, "model=plain20.cifar10")
    page.wait_for_timeout(2500)  # What follows sooner is of the same step.
    page.get_by_role("tab", name="Degradation").click()
    reads(page, "tab=degradation")
    page.go_back()
    wait_for_facts(page, "plain-20")
    reads(page, "photo=rocket&model=plain20.cifar10")
    page.go_back()
    wait_for_facts(page, "ResNet-20")


def test_a_photo_of_ones_own_is_found_again_by_this_browser_until_it_is_removed(visit, server, tmp_path):
    page = visit(f"{SMALL}&photo=rocket")
    wait_for_facts(page, "ResNet-20")
    (tmp_path / "cat.png").write_bytes(encode(quadrants(), "PNG"))
    send_and_wait(page, tmp_path / "cat.png")
    own = re.compile(r"\?tab=explore&photo=own-[0-9a-f]{6}&model=resnet20\.cifar10$")
    expect(page).to_have_url(own, timeout=PATIENCE)
    address = page.url
    query = address.removeprefix(server.url).lstrip("/")
    # Not a reload: of the answers that one cuts off, Gradio complains in the console.
    again = visit(query)
    expect(again.locator("#photo img")).to_have_attribute("src", re.compile(r"/cat\.png$"), timeout=PATIENCE)
    wait_for_facts(again, "ResNet-20")
    expect(again.get_by_role("alert")).to_have_count(0)
    assert again.url == address
    # It may yet be about to tell the browser that it shows this photo.
    again.close()
    # Removed, it is in no other tab either.
    page.locator("#photo").get_by_role("button", name="Remove Image").click()
    expect(page.locator("#facts p")).to_have_count(0)
    page.get_by_role("tab", name="Lesion", exact=True).click()
    expect(page.locator("#lesion-study .panel svg").first).to_be_visible()
    expect(page.locator("#lesion-effect .facts")).to_have_count(0)
    missed = visit(query)
    expect(missed.get_by_role("alert")).to_contain_text("never part of an address")
    wait_for_facts(missed, "ResNet-20")


@pytest.mark.parametrize("tab", ["lesion", "degradation"])
def test_what_the_page_opens_with_stays_as_it_was_written(visit, tab):
    page = visit(f"?tab={tab}", new=True)
    opened = page.url
    expect(page.get_by_role("tab", selected=True).first).not_to_have_text("Explore", timeout=PATIENCE)
    expect(page.locator(f"#{'lesion-effect .facts' if tab == 'lesion' else 'curves .panel svg'}").first).to_be_visible()
    page.wait_for_timeout(1500)
    # Only now: to the browser, a script of a test is something that the visitor does.
    assert page.url == opened
    steps = page.evaluate("history.length")
    assert steps == 2  # The empty page comes first.
    page.get_by_role("tab", name="Architecture").click()
    reads(page, "tab=architecture&model=")
    assert page.evaluate("history.length") == steps + 1
    # The first tab has a result all the same.
    page.get_by_role("tab", name="Explore").click()
    wait_for_facts(page, "ResNet-56")

"""The laboratory's tabs as a visitor uses them, in a real Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from resnet_demo.images import EXAMPLES
from resnet_demo.laboratory.tour import TOUR

from .conftest import DESKTOP, PATIENCE, PHONE, choose

pytestmark = pytest.mark.browser
CAT = EXAMPLES / "cat.jpg"
TABS = {
    "compare&photo=cat": "#compare-plot svg",
    "lesion&photo=cat": "#lesion-drawing svg",
    "flow&networks=resnet20,plain20": "#flow svg",
    "degradation": "#curves svg",
    "architecture&model=resnet152": "#architecture-drawing svg",
}


def open_closer(visit, tab: str, query: str = "?photo=cat&model=resnet20.cifar10") -> Page:
    page = visit(query)
    expect(page.locator("#gradients svg")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("tab", name=tab).click()
    return page


@pytest.mark.parametrize(("query", "shows"), TABS.items())
@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_every_tab_opens_by_its_address_and_never_scrolls_sideways(visit, query, shows, viewport, scheme):
    page = visit(f"?tab={query}", viewport=viewport, color_scheme=scheme)
    expect(page.locator(shows)).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_compare_shows_both_and_takes_a_class_and_another_network(visit):
    page = visit("?tab=compare&photo=cat&target=dog&first=resnet56.cifar10&second=plain56.cifar10")
    expect(page.locator("#compare-plot svg")).to_be_visible(timeout=PATIENCE)
    for i in (1, 2):
        expect(page.locator(f"#compare-title-{i}")).to_contain_text("dog", timeout=PATIENCE)
        expect(page.locator(f"#compare-heat-{i} .photo")).to_be_visible()
        assert page.locator(f"#compare-top-{i} .confidence-set").count() == 5
    label = page.locator("#compare-plot svg").get_attribute("aria-label")
    assert all(name in label for name in ("resnet56.cifar10", "plain56.cifar10"))
    choose(page, "Second network", "Highway-20, untrained")
    name = re.compile(r"highway20\.untrained")
    expect(page.locator("#compare-plot svg")).to_have_attribute("aria-label", name, timeout=PATIENCE)


def test_the_photo_follows_to_the_next_tab(visit):
    page = visit()
    page.locator("#photo input[type=file]").set_input_files(str(CAT))
    expect(page.locator("#gradients svg")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#compare-plot svg")).to_be_visible(timeout=PATIENCE)


def test_blocks_are_clicked_out_of_a_network_and_put_back(visit):
    page = visit("?tab=lesion&photo=cat&model=plain20.cifar10")
    expect(page.locator("#lesion-after .confidence-set").first).to_be_visible(timeout=PATIENCE)
    before, after = (page.locator(f"#lesion-{side} .confidence-set") for side in ("before", "after"))
    whole = before.all_inner_texts()
    assert after.all_inner_texts() == whole
    block = page.locator("#lesion-drawing [data-block='layer1.0']")
    block.click()
    expect(block).to_have_attribute("aria-pressed", "true")
    expect(after.nth(4)).not_to_have_text(whole[4].replace("\n", ""), timeout=PATIENCE)
    page.locator("#lesion-drawing [data-block='layer2.1']").press("Enter")
    expect(page.locator("#lesion-drawing [aria-pressed='true']")).to_have_count(2)
    page.get_by_role("button", name="Restore all blocks").click()
    expect(page.locator("#lesion-drawing [aria-pressed='true']")).to_have_count(0)
    expect(page.locator("#lesion-study svg")).to_be_visible()


@pytest.mark.parametrize("stop", TOUR, ids=lambda stop: stop.key)
def test_every_stop_of_the_tour_opens_by_its_address(visit, stop):
    page = visit(f"?tab=flow&tour={stop.key}")
    expect(page.locator("#tour-text")).to_contain_text(stop.title)
    last = page.locator("#flow-table td", has_text=re.compile(rf"^{re.escape(stop.networks[-1])}$"))
    expect(last).to_be_visible(timeout=2 * PATIENCE)


def test_a_network_of_ones_own_is_added_to_the_flow(visit):
    page = visit("?tab=flow&networks=resnet20")
    expect(page.locator("#flow svg")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Build another network").click()
    for choice in ("20", "plain", "none", "tanh"):
        page.get_by_role("radio", name=choice, exact=True).last.check()
    page.get_by_role("button", name="Add this network").click()
    expect(page.locator("#flow-table")).to_contain_text("plain20-nonorm-tanh", timeout=PATIENCE)
    page.get_by_role("radio", name="deviation of the response").check()
    expect(page.locator("#flow svg")).to_have_attribute("aria-label", re.compile("deviation"), timeout=PATIENCE)


def test_an_unknown_network_is_one_sentence(visit):
    page = visit("?tab=flow&networks=resnet21")
    expect(page.get_by_role("alert").first).to_contain_text("has 21 layers", timeout=PATIENCE)


def test_an_architecture_is_drawn_by_name_and_the_three_forms_are_computed(visit):
    page = visit("?tab=architecture&model=resnet56.cifar10")
    expect(page.locator("#architecture-table")).to_contain_text("853,018", timeout=PATIENCE)
    box = page.get_by_label("Network (choose one, or type any other)", exact=True)
    box.fill("resnet34-C")  # Not in the list: typed, as a visitor would.
    box.press("Enter")
    expect(page.locator("#architecture-table")).to_contain_text("22,716,840", timeout=PATIENCE)
    page.get_by_role("button", name="Compute the three forms").click()
    expect(page.locator("#resnext-forms")).to_contain_text("early concatenation", timeout=PATIENCE)


def test_the_top_three_classes_have_a_map_each_and_others_can_be_chosen(visit):
    page = open_closer(visit, "Other classes")
    for i in (1, 2, 3):
        expect(page.locator(f"#class-map-{i} .photo")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#class-caption-1")).to_contain_text("cat")
    page.locator("#classes input").fill("ship")
    page.locator("#classes input").press("Enter")
    expect(page.locator("#class-caption-1")).to_contain_text("ship", timeout=PATIENCE)


def test_pixels_are_attributed_with_the_cost_shown_before(visit):
    page = open_closer(visit, "Pixel attributions")
    expect(page.locator("#method")).to_contain_text("50 passes, about", timeout=PATIENCE)
    page.locator("#method label", has_text="Occlusion").click()
    expect(page.locator("#pixels-state")).to_contain_text("Occlusion (Zeiler and Fergus 2014) of cat", timeout=PATIENCE)
    expect(page.locator("#pixels .photo")).to_be_visible()
    page.locator("#method label", has_text="Guided").click()
    expect(page.locator("#pixels-state")).to_contain_text("Guided Grad-CAM", timeout=PATIENCE)
    page.locator("#photo-examples button").last.click()
    expect(page.locator("#pixels-state")).not_to_contain_text("Guided", timeout=PATIENCE)


def test_features_and_shares_follow_the_model(visit):
    page = open_closer(visit, "Feature maps")
    expect(page.locator("#features .photo")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#features-caption")).to_contain_text("layer3.2")
    page.get_by_role("tab", name="Branch ratios").click()
    expect(page.locator("#branch-ratios svg")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("plain", exact=True).first.check()
    expect(page.locator("#branch-ratios")).to_contain_text("adds nothing to a shortcut", timeout=PATIENCE)

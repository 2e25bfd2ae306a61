"""The laboratory's tabs as a visitor uses them, in a real Chromium."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import DESKTOP, PATIENCE, PHONE, choose, visiting
from .shared import as_at_first, shares

pytestmark = pytest.mark.browser
SECOND = "Second network, of the same classes"
# What several tests have in common: the page on which they go on with one another's.
COMPARE = shares("?tab=compare&photo=cat")
LESIONS = shares("?tab=lesion&photo=cat&model=resnet20.cifar10&removed=")
DEEP = shares("?tab=lesion&photo=cat&model=resnet56.cifar10")
ARCHITECTURE = shares("?tab=architecture")
CLOSER = shares("?photo=cat&model=resnet20.cifar10")


@pytest.fixture(scope="module")
def shared(request, context, server, left) -> Iterator[Page]:
    with visiting(context, server, left) as visit:
        yield visit(request.param)


@pytest.fixture
def page(shared) -> Page:
    return as_at_first(shared)


def test_compare_shows_both_and_takes_a_class_and_another_network(visit):
    page = visit("?tab=compare&photo=cat&target=dog&first=resnet56.cifar10&second=plain56.cifar10")
    plot = page.locator("#compare-plot figure")
    expect(plot).to_have_attribute("aria-label", re.compile(r"resnet56\.cifar10.*plain56\.cifar10"), timeout=PATIENCE)
    for i in (1, 2):
        expect(page.locator(f"#compare-title-{i}")).to_contain_text("dog", timeout=PATIENCE)
        expect(page.locator(f"#compare-heat-{i} .photo")).to_be_visible()
        expect(page.locator(f"#compare-top-{i} li.marked")).to_contain_text("dog")
    choose(page, SECOND, "CIFAR-10: plain-20")
    expect(plot).to_have_attribute("aria-label", re.compile(r"plain20\.cifar10"), timeout=PATIENCE)
    # A click on a class of either network is a question to both.
    page.locator("#compare-top-2 li").nth(1).get_by_role("button").first.click()
    name = page.locator("#compare-top-2 li").nth(1).locator(".label").inner_text()
    for i in (1, 2):
        expect(page.locator(f"#compare-title-{i}")).to_contain_text(f"for {name}", timeout=PATIENCE)


@COMPARE
def test_the_plots_of_compare_are_seen_without_scrolling(page):
    panels = page.locator("#compare-plot .panel svg")
    expect(panels).to_have_count(2, timeout=PATIENCE)
    for panel in panels.all():
        expect(panel).to_be_visible(timeout=PATIENCE)
        box = panel.bounding_box()
        assert box["y"] + box["height"] <= DESKTOP["height"]


@COMPARE
def test_a_plot_that_is_drawn_anew_keeps_the_focus(page):
    second = page.locator("#compare-plot .panel svg").nth(1)
    expect(second).to_be_visible(timeout=PATIENCE)
    second.focus()
    before = second.element_handle()
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function("(before) => !before.isConnected", arg=before)
    expect(second).to_be_focused()


@COMPARE
def test_compare_pairs_networks_of_the_same_classes_only_and_finds_them_by_typing(page):
    second = page.get_by_label(SECOND, exact=True)
    second.click()
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    assert {option.inner_text().strip("✓ \n").partition(":")[0] for option in options.all()} == {"CIFAR-100"}
    page.keyboard.press("Escape")
    first = page.get_by_label("First network: type to search", exact=True)
    first.click()
    first.press_sequentially("Fashion-MNIST: Res")
    expect(page.get_by_role("option")).to_have_count(1)
    page.get_by_role("option").click()
    expect(second).to_have_value("Fashion-MNIST: plain-20", timeout=PATIENCE)
    expect(page.locator("#compare-title-2")).to_contain_text("Fashion-MNIST", timeout=PATIENCE)


def block(page: Page, name: str):
    return page.locator(f"#lesion-drawing [data-block='{name}']")


def says(page: Page, out: str) -> None:
    expect(page.locator("#lesion-effect")).to_contain_text(f"{out} blocks out", timeout=PATIENCE)


def restore_all(page: Page) -> None:
    """Every block is in its place, whatever was removed before, and the errors of all of them are there."""
    # They come with the tab itself.
    expect(page.locator("#lesion-drawing .scale")).to_be_visible(timeout=PATIENCE)
    restore = page.get_by_role("button", name="Restore all blocks")
    if restore.is_enabled():
        restore.click()
    says(page, "0 of 9")


def test_blocks_are_clicked_out_of_a_network_and_put_back(visit):
    page = visit("?tab=lesion&photo=cat&model=plain20.cifar10")
    expect(page.locator("#lesion-drawing .scale")).to_be_visible(timeout=PATIENCE)
    says(page, "1 of 9")
    expect(page.locator("#lesion-drawing .out")).to_have_attribute("data-block", "layer3.1")
    before, after = (page.locator(f"#lesion-{side} li") for side in ("before", "after"))
    restore = page.get_by_role("button", name="Restore all blocks")
    restore.focus()
    page.keyboard.press("Enter")
    says(page, "0 of 9")
    expect(restore).to_be_disabled()
    expect(restore).to_be_focused()
    whole = before.all_inner_texts()
    assert after.all_inner_texts() == whole
    block(page, "layer1.0").click()
    expect(block(page, "layer1.0")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#lesion-drawing .readout")).to_contain_text(re.compile(r"layer1\.0: \d+\.\d\d % test error"))
    says(page, "1 of 9")
    assert after.all_inner_texts() != whole
    expect(page.locator("#lesion-study .panel svg").first).to_be_visible()


@LESIONS
def test_blocks_are_removed_by_keyboard(page):
    restore_all(page)
    assert page.locator("#lesion-drawing [tabindex='0']").count() == 1
    focused = "document.activeElement.dataset.block"
    page.locator("#lesion-drawing [tabindex='0']").focus()
    assert page.evaluate(focused) == "layer2.0"
    for key, there in (("ArrowRight", "layer2.1"), ("ArrowDown", "layer3.1"), ("ArrowLeft", "layer3.0")):
        page.keyboard.press(key)
        assert page.evaluate(focused) == there
    assert page.locator("#lesion-drawing [tabindex='0']").count() == 1
    stroke = "getComputedStyle(document.activeElement.querySelector('.ring')).stroke"
    assert page.evaluate(stroke) != "none"
    for key, pressed in (("Enter", "true"), ("Space", "false"), ("Space", "true")):
        page.keyboard.press(key)
        expect(block(page, "layer3.0")).to_have_attribute("aria-pressed", pressed, timeout=5_000)
    assert page.evaluate(focused) == "layer3.0"


@LESIONS
def test_the_tint_uses_its_range_and_the_stages_are_joined(page):
    restore_all(page)
    fills = page.locator("#lesion-drawing .box").evaluate_all("boxes => boxes.map(box => getComputedStyle(box).fill)")
    reds = [float(number) for fill in fills for number in re.findall(r"srgb ([\d.]+)", fill)]  # Of red, in a blue.
    assert len(reds) == 9
    assert max(reds) - min(reds) > 0.6
    # One line without a gap, through every block, from the first to the last.
    joined = """wire => [
        wire.getAttribute("d").split("M").length - 1,
        ...[...wire.ownerSVGElement.querySelectorAll(".box, .layer")]
        .map(box => box.getBBox()).map(at => wire.isPointInStroke(new DOMPoint(at.x + 1, at.y + at.height / 2)))]"""
    assert page.locator("#lesion-drawing .wire").evaluate(joined) == [1] + [True] * 12


@LESIONS
def test_plot_and_drawing_of_lesions_point_at_one_another(page):
    restore_all(page)
    tip = page.locator("#lesion-study .tip").first
    expect(tip).to_be_attached(timeout=PATIENCE)
    block(page, "layer2.1").hover()
    expect(tip).to_contain_text(re.compile(r"without layer2\.1: \d+\.\d\d % test error"))
    mark = page.locator("#lesion-study .panel g.residual .mark").nth(7)
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(tip).to_contain_text("without layer3.1")
    expect(page.locator("#lesion-drawing .pointed")).to_have_attribute("data-block", "layer3.1")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#lesion-drawing .out")).to_have_attribute("data-block", "layer3.1", timeout=5_000)
    says(page, "1 of 9")


@LESIONS
def test_of_quick_clicks_none_is_lost_and_none_is_undone(page):
    restore_all(page)
    names = [f"layer{stage}.{i}" for stage in (1, 2, 3) for i in (0, 1, 2)][:7]
    for name in names:
        block(page, name).click()
    expect(page.locator("#lesion-drawing .out")).to_have_count(7, timeout=5_000)
    says(page, "7 of 9")
    # In one go, faster than any visitor, and what is out comes back.
    press = "blocks => blocks.slice(0, 5).forEach(block => block.dispatchEvent(new Event('click', {bubbles: true})))"
    page.locator("#lesion-drawing [data-block]").evaluate_all(press)
    says(page, "2 of 9")
    # The server's view of the tab, asked for again, leaves clicks alone: not even one that it does not know yet.
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("tab", name="Lesion").click()
    block(page, names[4]).click()
    page.wait_for_timeout(1500)
    says(page, "3 of 9")
    assert [out.get_attribute("data-block") for out in page.locator("#lesion-drawing .out").all()] == names[4:]
    # The twin keeps them too, to compare.
    choose(page, "Network", "CIFAR-10: plain-20")
    expect(page.locator("#lesion-drawing .plain svg")).to_be_visible(timeout=PATIENCE)
    assert [out.get_attribute("data-block") for out in page.locator("#lesion-drawing .out").all()] == names[4:]


@DEEP
def test_what_removing_many_blocks_does_is_measured_for_both_twins(page):
    several = page.locator("#lesion-study .panel svg").nth(1)
    expect(several).to_be_visible(timeout=PATIENCE)
    assert [several.locator(f"g.{kind}[data-name]").count() for kind in ("residual", "plain")] == [1, 1]
    expect(page.locator("#lesion-study")).to_contain_text("the mean of 5 random draws, on 1,000 test images")


def fits_a_phone_and_is_drawn_anew_for_another_width(page: Page, drawing: Locator) -> None:
    """Legibly."""
    element = drawing.element_handle()
    width = "drawing => drawing.querySelector('.networks svg')?.getBoundingClientRect().width"
    page.set_viewport_size(PHONE)
    page.wait_for_function(f"([drawing, most]) => ({width})(drawing) < most", arg=[element, PHONE["width"]])
    # Found and measured in one step: it may be drawn anew in between.
    right, smallest = drawing.evaluate("""drawing => {
        const all = (selector) => [...drawing.querySelectorAll(selector)];
        const size = (text) => text.getScreenCTM().a * parseFloat(getComputedStyle(text).fontSize);
        return [Math.max(...all("rect, path, text").map((part) => part.getBoundingClientRect().right)),
                Math.min(...all("text").map(size))];
    }""")
    assert right <= PHONE["width"]
    assert smallest >= 11
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    narrow = page.wait_for_function(width, arg=element).json_value()
    page.set_viewport_size(DESKTOP)
    wider = f"([drawing, narrow]) => ({width})(drawing) > 1.2 * narrow"
    page.wait_for_function(wider, arg=[element, narrow])


@DEEP
def test_a_drawing_of_lesions_fits_a_phone(page):
    drawing = page.locator("#lesion-drawing")
    expect(drawing.locator(".networks svg")).to_be_visible(timeout=PATIENCE)
    fits_a_phone_and_is_drawn_anew_for_another_width(page, drawing)


def type_architecture(page: Page, name: str) -> None:
    box = page.get_by_label("Network (choose one, or type any other)", exact=True)
    box.fill(name)
    box.press("Enter")


@ARCHITECTURE
def test_a_network_stands_beside_its_twin_and_a_block_shows_its_inside(page):
    networks, insides = (page.locator(f"#architecture-drawing .{part} svg") for part in ("networks", "insides"))
    expect(networks).to_have_count(2, timeout=PATIENCE)
    one, other = (network.bounding_box() for network in networks.all())
    assert (one["y"], one["height"]) == (other["y"], other["height"])
    assert one["x"] + one["width"] <= other["x"]
    assert [network.locator(".shortcut").count() for network in networks.all()] == [16, 0]
    first, second = insides.all()
    expect(first).to_have_attribute(
        "aria-label", re.compile(r"^3x3 conv, 128, /2, .* projection shortcut, .* \+, ReLU$")
    )
    expect(second).to_have_attribute("aria-label", re.compile(r"3x3 conv, 128, batch norm, ReLU$"))
    networks.first.locator("[data-block='layer4.2']").hover()
    expect(insides.first).to_have_attribute("aria-label", re.compile("3x3 conv, 512.* identity shortcut"))
    type_architecture(page, "resnet35")
    expect(page.get_by_role("alert").first).to_contain_text("35 layers", timeout=PATIENCE)
    expect(networks).to_have_count(0)
    expect(page.locator("#architecture-table table")).to_have_count(0)


@ARCHITECTURE
@pytest.mark.parametrize("name", ["resnet34", "resnet152"])
def test_the_drawing_of_an_architecture_fits_a_phone(page, name):
    type_architecture(page, name)
    drawing = page.locator("#architecture-drawing")
    expect(drawing.locator(".networks h4").first).to_contain_text(name, timeout=PATIENCE)
    fits_a_phone_and_is_drawn_anew_for_another_width(page, drawing)


def test_an_architecture_is_drawn_by_name_and_the_three_forms_are_computed(visit):
    page = visit("?tab=architecture&model=resnet56.cifar10")
    expect(page.locator("#architecture-table")).to_contain_text("853,018", timeout=PATIENCE)
    type_architecture(page, "resnet34-C")  # Not in the list.
    expect(page.locator("#architecture-table")).to_contain_text("22,716,840", timeout=PATIENCE)
    page.get_by_role("button", name="Compute the three forms").click()
    expect(page.locator("#resnext-forms")).to_contain_text("early concatenation", timeout=PATIENCE)


@CLOSER
def test_the_top_three_classes_have_a_map_each_and_others_can_be_chosen(page):
    page.get_by_role("tab", name="Other classes").click()
    for i in (1, 2, 3):
        expect(page.locator(f"#class-map-{i} .photo")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#class-caption-1")).to_contain_text("cat")
    page.locator("#classes input").fill("ship")
    page.locator("#classes input").press("Enter")
    expect(page.locator("#class-caption-1")).to_contain_text("ship", timeout=PATIENCE)


@CLOSER
def test_pixels_are_attributed_with_the_cost_shown_before(page):
    page.get_by_role("tab", name="Pixel attributions").click()
    expect(page.locator("#method")).to_contain_text("50 passes, about", timeout=PATIENCE)
    page.locator("#method label", has_text="Occlusion").click()
    expect(page.locator("#pixels-state")).to_contain_text("Occlusion (Zeiler and Fergus 2014): cat", timeout=PATIENCE)
    expect(page.locator("#pixels .photo")).to_be_visible()
    page.locator("#method label", has_text="Guided").click()
    expect(page.locator("#pixels-state")).to_contain_text("Guided Grad-CAM", timeout=PATIENCE)
    page.locator("#photo-examples button").last.click()
    expect(page.locator("#pixels-state")).not_to_contain_text("Guided", timeout=PATIENCE)


@CLOSER
def test_features_and_shares_follow_the_model(page):
    page.get_by_role("tab", name="Feature maps").click()
    expect(page.locator("#features .photo")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#features-caption")).to_contain_text("layer3.2")
    page.get_by_role("tab", name="Branch ratios").click()
    expect(page.locator("#branch-ratios .panel svg")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("plain", exact=True).first.check()
    expect(page.get_by_text("adds nothing to a shortcut")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#branch-ratios .panel svg")).to_have_count(0)

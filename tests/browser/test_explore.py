"""What the Explore tab shows of a photo, in a real Chromium."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from .conftest import DESKTOP, PATIENCE, PHONE, choose, visiting
from .explore import CAT, CLASSES, SMALL, bars, dots, send_and_wait, wait_for_facts
from .shared import as_at_first, shares

pytestmark = pytest.mark.browser
# What several tests have in common: the page on which they go on with one another's.
CAT_PAGE = shares(f"{SMALL}&photo=cat")
HUNDRED = shares("?photo=raccoon&model=resnet56.cifar100&target=possum")


@pytest.fixture(scope="module")
def shared(request, context, server, left) -> Iterator[Page]:
    with visiting(context, server, left) as visit:
        page = visit(request.param)
        wait_for_facts(page, "ResNet-")
        yield page


@pytest.fixture
def page(shared) -> Page:
    return as_at_first(shared)


def test_a_photo_gets_classes_heatmap_and_gradients_and_the_plain_twin_does_too(visit, tmp_path):
    page = visit(f"{SMALL}&photo=rocket")
    wait_for_facts(page, "ResNet-20")
    send_and_wait(page, CAT)
    expect(bars(page)).to_have_count(5)
    assert all(any(name in text for name in CLASSES) for text in bars(page).all_inner_texts())
    expect(page.locator("#heatmap img").first).to_be_visible()
    assert dots(page) >= 20
    expect(page.locator(".seen")).to_contain_text("32x32 pixels")
    residual = page.locator("#facts").inner_text()

    page.get_by_label("plain", exact=True).check()
    wait_for_facts(page, "plain-20")
    expect(bars(page)).to_have_count(5)
    plain = page.locator("#facts").inner_text()
    errors = [re.search(r"([\d.]+) % CIFAR-10 top-1 error", text)[1] for text in (residual, plain)]
    assert errors[0] != errors[1]


def test_a_new_photo_goes_back_to_its_own_class(visit):
    page = visit(f"{SMALL}&photo=cat&target=dog")
    expect(page.locator("#explanation")).to_contain_text("Evidence for dog", timeout=PATIENCE)
    page.locator("#photo-examples button").nth(1).click()
    expect(page.get_by_label("Class to explain")).to_have_value("predicted", timeout=PATIENCE)
    expect(page.locator("#top5 li").first).to_have_class(re.compile("marked"))
    expect(bars(page).first).not_to_contain_text("cat", timeout=PATIENCE)
    first = bars(page).first.locator(".label").inner_text()
    photo = page.locator("#heatmap .stack .photo")
    expect(photo).to_have_attribute("alt", re.compile(f"^Grad-CAM of {first} over"), timeout=PATIENCE)


def test_class_and_layer_can_be_chosen(visit):
    page = visit(f"{SMALL}&photo=coffee")
    wait_for_facts(page, "ResNet-20")
    choose(page, "Class to explain", "ship (8)")
    expect(page.locator("#explanation")).to_contain_text("ship", timeout=PATIENCE)
    choose(page, "Layer to explain", "layer1.0")
    expect(page.locator("#explanation")).to_contain_text("layer1.0 (32x32 cells)", timeout=PATIENCE)


def test_a_phone_shows_one_column_with_the_result_before_the_pickers_without_scrolling_sideways(visit):
    page = visit(f"{SMALL}&photo=cat", viewport=PHONE)
    wait_for_facts(page, "ResNet-20")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    # The five classes need no scrolling of their own, and their bars are whole.
    for bar in bars(page).all():
        box = bar.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    ends = [page.locator(part).bounding_box() for part in ("#photo", "#top5", "#heatmap", ".pickers")]
    tops = [box["y"] for box in ends]
    assert tops == sorted(tops)
    assert ends[2]["y"] + ends[2]["height"] < 2 * PHONE["height"]


@shares("")
def test_the_page_is_alive_before_anything_is_clicked(page):
    """The first result is there within a second of the page being interactive; longer here, where tests run beside."""
    expect(bars(page)).to_have_count(5, timeout=PATIENCE)
    expect(page.locator("#heatmap .stack .photo")).to_have_attribute("alt", re.compile("^Grad-CAM of raccoon over"))
    assert dots(page) >= 56


@shares("")
def test_who_wants_no_motion_gets_none(page):
    moving = """() => [...document.querySelectorAll(".gradio-container *")].filter((element) =>
      [getComputedStyle(element).transitionDuration, getComputedStyle(element).animationDuration]
        .some((times) => times.split(", ").some((time) => parseFloat(time) > 0.01))).length"""
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0
    expect(bars(page).first).to_be_visible()


@HUNDRED
def test_a_map_of_a_weak_class_does_not_glow_like_that_of_the_top_class(page):
    expect(page.locator("#explanation")).to_contain_text(
        "of that for raccoon, and it is drawn on the scale of that one", timeout=PATIENCE
    )
    weak = page.locator("#heatmap .veil").get_attribute("src")
    page.get_by_label("on its own scale").check()
    expect(page.locator("#explanation")).to_contain_text("drawn on its own scale", timeout=PATIENCE)
    assert len(page.locator("#heatmap .veil").get_attribute("src")) > len(weak)  # More colours.


@HUNDRED
def test_an_explained_class_that_is_not_among_the_five_is_listed_below_them(page):
    choose(page, "Class to explain", "tractor (89)")
    expect(bars(page)).to_have_count(6, timeout=PATIENCE)
    expect(bars(page).last).to_have_class(re.compile("marked"))
    expect(bars(page).last).to_contain_text("tractor")
    # Probabilities that would round to nothing are not written as nothing.
    texts = page.locator("#top5 .text").all_inner_texts()
    assert "<1 %" in texts
    assert "0 %" not in texts


@HUNDRED
def test_a_hundred_classes_are_listed_only_when_asked_for(page):
    listed = page.get_by_text("aquarium fish, baby, bear")
    expect(page.locator(".seen")).to_contain_text("It knows 100 classes", timeout=PATIENCE)
    expect(listed).to_be_hidden()
    page.get_by_text("Which ones?").click()
    expect(listed).to_be_visible()


@CAT_PAGE
def test_the_main_job_fits_on_one_screen(page):
    for part in ("#facts", "#top5", "#heatmap .stack", "#explanation", "#gradients .panel svg"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= DESKTOP["height"], part


def luminance(colour: str) -> float:
    """Of an rgb() or rgba() colour, after WCAG 2."""
    channels = [float(value) / 255 for value in re.findall(r"[\d.]+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@CAT_PAGE
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_line_stands_out_from_its_ground(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
    ink = page.locator("#gradients svg text").first.evaluate("text => getComputedStyle(text).fill")
    assert (luminance(ink) < 0.2) == (scheme == "light")
    read = """() => {
      const probe = document.querySelector("#gradients").appendChild(document.createElement("i"));
      const value = name => {
        probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color;
      };
      const colours = ["--residual", "--plain", "--gated", "--body-text-color"].map(value);
      const grounds = ["--background-fill-primary", "--background-fill-secondary", "--body-background-fill"].map(value);
      probe.remove();
      return [colours, grounds];
    }"""
    colours, grounds = page.evaluate(read)
    assert len(set(colours)) == 4
    for colour in colours:
        for ground in grounds:
            dark, light = sorted((luminance(colour), luminance(ground)))
            assert (light + 0.05) / (dark + 0.05) >= 3, (colour, ground)


def unfold_more(page: Page) -> None:
    """What only some visitors need, which stays unfolded."""
    precision = page.get_by_label("float32", exact=True)
    if not precision.is_visible():
        page.get_by_text("Numbers, downloads, precision").click()
    expect(precision).to_be_visible()


@CAT_PAGE
def test_what_is_shown_can_be_downloaded(page, tmp_path):
    unfold_more(page)
    for button, kind in (("JSON", "json"), ("CSV", "csv"), ("Plot SVG", "plot.svg"), ("Overlay", "overlay.png")):
        with page.expect_download(timeout=PATIENCE) as download:
            page.get_by_role("button", name=button, exact=True).click()
        assert download.value.suggested_filename == f"cat.resnet20.cifar10.{kind}"
        download.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).stat().st_size > 1000
    assert json.loads((tmp_path / "json").read_bytes())["model"] == "resnet20.cifar10"


@CAT_PAGE
def test_a_faster_precision_shows_its_error(page):
    unfold_more(page)
    page.get_by_label("bfloat16", exact=True).check()
    wait_for_facts(page, "bfloat16: probabilities differ from float32 by up to")
    page.get_by_label("float32", exact=True).check()
    expect(page.locator("#facts").first).not_to_contain_text("bfloat16", timeout=PATIENCE)


@CAT_PAGE
def test_a_click_on_a_prediction_explains_that_class(page):
    second = bars(page).nth(1)
    name = next(name for name in CLASSES if name in second.inner_text())
    second.get_by_role("button").first.click()
    expect(page.locator("#explanation")).to_contain_text(f"Evidence for {name}", timeout=PATIENCE)
    expect(page.locator("#explanation")).to_contain_text("of that for")
    expect(page.get_by_label("Class to explain")).to_have_value(re.compile(name))
    marked = page.locator("#top5 li.marked")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text(name)
    page.get_by_role("button", name="Back to the most probable class").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Class to explain")).to_have_value("predicted")
    expect(page.locator("#explanation")).not_to_contain_text(f"Evidence for {name}", timeout=PATIENCE)
    expect(marked).to_have_count(1)
    # The button is gone, but the keyboard goes on from there.
    expect(marked.locator("button")).to_be_focused()


@CAT_PAGE
def test_a_point_of_the_plot_says_what_it_is_and_a_click_explains_its_block(page):
    plot, tip = page.locator("#gradients svg").first, page.locator("#gradients .tip")
    page.locator("#gradients .panel .mark").nth(8).scroll_into_view_if_needed()
    mark = page.locator("#gradients .panel .mark").nth(8).bounding_box()
    page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    expect(tip).to_contain_text(re.compile(r"layer2\.0\.conv2\s+weight 32x32x3x3\s+gradient norm \d"))
    page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    expect(page.locator("#explanation")).to_contain_text("in layer2.0 (16x16 cells)", timeout=PATIENCE)
    expect(page.get_by_label("Layer to explain")).to_have_value("layer2.0")
    # By keyboard: the first point, then the second one.
    page.mouse.move(0, 0)
    page.get_by_role("tab", name="Gradient norms").focus()
    for _ in range(8):  # Past the other tabs.
        page.keyboard.press("Tab")
        if plot.evaluate("plot => plot === document.activeElement"):
            break
    expect(plot).to_be_focused()
    expect(tip).to_contain_text("conv1")
    page.keyboard.press("ArrowRight")
    expect(tip).to_contain_text("layer1.0.conv1")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Layer to explain")).to_have_value("layer1.0", timeout=PATIENCE)

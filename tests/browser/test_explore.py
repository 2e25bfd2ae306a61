"""What the Explore tab shows of a photo, in a real Chromium."""

import json
import re

import pytest
from playwright.sync_api import expect

from .conftest import DESKTOP, PATIENCE, PHONE, choose
from .explore import CAT, CLASSES, SMALL, bars, dots, send_and_wait, wait_for_facts

pytestmark = pytest.mark.browser


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


def test_a_click_on_a_prediction_explains_that_class(visit):
    page = visit(f"{SMALL}&photo=cat")
    wait_for_facts(page, "ResNet-20")
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


def test_an_explained_class_that_is_not_among_the_five_is_listed_below_them(visit):
    page = visit("?photo=raccoon&model=resnet56.cifar100&target=tractor")
    expect(bars(page)).to_have_count(6, timeout=PATIENCE)
    expect(bars(page).last).to_have_class(re.compile("marked"))
    expect(bars(page).last).to_contain_text("tractor")
    # Probabilities that would round to nothing are not written as nothing.
    texts = page.locator("#top5 .text").all_inner_texts()
    assert "<1 %" in texts
    assert "0 %" not in texts


def test_a_map_of_a_weak_class_does_not_glow_like_that_of_the_top_class(visit):
    page = visit("?photo=raccoon&model=resnet56.cifar100&target=possum")
    expect(page.locator("#explanation")).to_contain_text(
        "of that for raccoon, and it is drawn on the scale of that one", timeout=PATIENCE
    )
    weak = page.locator("#heatmap .veil").get_attribute("src")
    page.get_by_label("on its own scale").check()
    expect(page.locator("#explanation")).to_contain_text("drawn on its own scale", timeout=PATIENCE)
    assert len(page.locator("#heatmap .veil").get_attribute("src")) > len(weak)  # More colours.


def test_the_page_is_alive_before_anything_is_clicked(visit):
    """The first result is there within a second of the page being interactive; longer here, where tests run beside."""
    page = visit()
    expect(bars(page)).to_have_count(5, timeout=PATIENCE)
    expect(page.locator("#heatmap .stack .photo")).to_have_attribute("alt", re.compile("^Grad-CAM of raccoon over"))
    assert dots(page) >= 56


def test_a_point_of_the_plot_says_what_it_is_and_a_click_explains_its_block(visit):
    page = visit(f"{SMALL}&photo=cat")
    wait_for_facts(page, "ResNet-20")
    plot, tip = page.locator("#gradients svg").first, page.locator("#gradients .tip")
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


def test_every_tab_is_as_wide_as_every_other(visit):
    page = visit(SMALL)
    for width in (1440, 1024, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = []
        for tab in ("Compare", "Lesion", "Gradient flow", "Degradation", "Architecture", "Explore"):
            page.get_by_role("tab", name=tab, exact=True).click()
            box = page.locator(".tabs").first.bounding_box()
            boxes.append((box["x"], box["width"]))
            page.wait_for_timeout(300)
            box = page.locator(".tabs").first.bounding_box()
            boxes.append((box["x"], box["width"]))
        assert len(set(boxes)) == 1
        assert boxes[0][1] > min(width, 1560) - 90


def test_class_and_layer_can_be_chosen(visit):
    page = visit(f"{SMALL}&photo=coffee")
    wait_for_facts(page, "ResNet-20")
    choose(page, "Class to explain", "ship (8)")
    expect(page.locator("#explanation")).to_contain_text("ship", timeout=PATIENCE)
    choose(page, "Layer to explain", "layer1.0")
    expect(page.locator("#explanation")).to_contain_text("layer1.0 (32x32 cells)", timeout=PATIENCE)


def test_a_hundred_classes_are_listed_only_when_asked_for(visit):
    page = visit("?photo=rocket&model=resnet56.cifar100")
    listed = page.get_by_text("aquarium fish, baby, bear")
    expect(page.locator(".seen")).to_contain_text("It knows 100 classes", timeout=PATIENCE)
    expect(listed).to_be_hidden()
    page.get_by_text("Which ones?").click()
    expect(listed).to_be_visible()


def test_a_faster_precision_shows_its_error(visit):
    page = visit(f"{SMALL}&photo=cat")
    wait_for_facts(page, "ResNet-20")
    page.get_by_text("Numbers, downloads, precision").click()
    page.get_by_label("bfloat16", exact=True).check()
    wait_for_facts(page, "bfloat16: probabilities differ from float32 by up to")
    page.get_by_label("float32", exact=True).check()
    expect(page.locator("#facts").first).not_to_contain_text("bfloat16", timeout=PATIENCE)


def test_what_is_shown_can_be_downloaded(visit, tmp_path):
    page = visit(f"{SMALL}&photo=cat")
    wait_for_facts(page, "ResNet-20")
    page.get_by_text("Numbers, downloads, precision").click()
    for button, kind in (("JSON", "json"), ("CSV", "csv"), ("Plot SVG", "plot.svg"), ("Overlay", "overlay.png")):
        with page.expect_download(timeout=PATIENCE) as download:
            page.get_by_role("button", name=button, exact=True).click()
        assert download.value.suggested_filename == f"cat.resnet20.cifar10.{kind}"
        download.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).stat().st_size > 1000
    assert json.loads((tmp_path / "json").read_bytes())["model"] == "resnet20.cifar10"


def test_the_main_job_fits_on_one_screen(visit):
    page = visit(f"{SMALL}&photo=cat")
    wait_for_facts(page, "ResNet-20")
    for part in ("#facts", "#top5", "#heatmap .stack", "#explanation", "#gradients .panel svg"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= DESKTOP["height"], part


def test_a_phone_shows_one_column_without_scrolling_sideways(visit):
    page = visit(f"{SMALL}&photo=cat", viewport=PHONE)
    wait_for_facts(page, "ResNet-20")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    # The five classes need no scrolling of their own, and their bars are whole.
    for bar in bars(page).all():
        box = bar.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]


def luminance(colour: str) -> float:
    """Of an rgb() or rgba() colour, after WCAG 2."""
    channels = [float(value) / 255 for value in re.findall(r"[\d.]+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_line_stands_out_from_its_ground(visit, scheme):
    page = visit(f"{SMALL}&photo=cat", color_scheme=scheme)
    wait_for_facts(page, "ResNet-20")
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

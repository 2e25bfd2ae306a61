"""Every picture is complete, undistorted and in its place: measured in a real Chromium, by boxes and by pixels."""

import io
import re
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from resnet_demo import analyze, plots
from resnet_demo.images import load_image

from .conftest import DESKTOP, PATIENCE, PHONE
from .explore import CAT, SMALL, wait_for_facts

pytestmark = pytest.mark.browser
SHAPES = {
    "landscape": (900, 600), "portrait": (500, 1000), "square": (640, 640), "panorama": (6000, 400), "tiny": (20, 20),
}  # fmt: skip
SIZES = ((390, 844), (720, 450), (1024, 768), (1280, 800), (1440, 900), (1920, 1080))
# For each picture of a component: its box, its natural size, and the box of the component.
MEASURE = """selector => [...document.querySelectorAll(`${selector} .stack img`)].map(image => {
  const flat = box => [box.left, box.top, box.right, box.bottom];
  return {
    box: flat(image.getBoundingClientRect()),
    own: [image.naturalWidth, image.naturalHeight],
    room: flat(document.querySelector(selector).getBoundingClientRect()),
  };
})"""


@pytest.fixture(scope="module")
def opened(stay) -> Page:
    return stay(f"{SMALL}&photo=cat")


@pytest.fixture
def page(opened) -> Page:
    """On a desktop, with whatever photo the test before has left."""
    opened.bring_to_front()
    opened.set_viewport_size(DESKTOP)
    opened.emulate_media(color_scheme="light")
    return opened


@pytest.fixture
def cat(page) -> Page:
    """With the cat, explained by ResNet-20."""
    page.get_by_role("tab", name="Explore").click()
    page.locator("#photo-examples button").first.click()
    expect(page.locator("#heatmap .photo")).to_have_attribute("alt", re.compile("cat"), timeout=PATIENCE)
    page.get_by_label("residual", exact=True).check()
    wait_for_facts(page, "ResNet-20")
    return page


def grid(path: Path, size: tuple[int, int]) -> Path:
    """A photo of thin lines."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    step = max(4, max(size) // 40)
    for x in range(0, size[0], step):
        draw.line((x, 0, x, size[1]), fill="black")
    for y in range(0, size[1], step):
        draw.line((0, y, size[0], y), fill="black")
    image.save(path)
    return path


def send(page: Page, path: Path) -> None:
    remove = page.locator("#photo").get_by_label("Remove Image")
    if remove.count():
        remove.click()
        expect(page.locator("#heatmap .stack")).to_have_count(0, timeout=PATIENCE)
    page.locator("#photo input[type=file]").set_input_files(str(path))
    expect(page.locator("#heatmap .stack .photo")).to_be_visible(timeout=PATIENCE)


def pictures(page: Page, selector: str, count: int) -> list[dict]:
    """The measured pictures of a component, once they are decoded; asserts that each is inside it and undistorted."""
    expect(page.locator(f"{selector} .stack img")).to_have_count(count, timeout=PATIENCE)
    loaded = "s => [...document.querySelectorAll(`${s} .stack img`)].every(image => image.naturalWidth > 0)"
    page.wait_for_function(loaded, arg=selector)
    found = page.evaluate(MEASURE, selector)
    for picture in found:
        left, top, right, bottom = picture["box"]
        room = picture["room"]
        assert room[0] - 0.5 <= left < right <= room[2] + 0.5, picture
        assert room[1] - 0.5 <= top < bottom <= room[3] + 0.5, picture
        width, height = picture["own"]
        assert abs((right - left) * height / width - (bottom - top)) < 1, picture
    return found


def test_the_divider_has_a_name_obeys_the_keyboard_and_stays(cat):
    divider = cat.get_by_role("slider", name="Divider between photo and heatmap")
    expect(divider).to_have_value("50", timeout=PATIENCE)
    divider.focus()
    for _ in range(3):
        cat.keyboard.press("ArrowRight")
    expect(divider).to_have_value("53")
    expect(cat.locator("#heatmap .veil")).to_have_css("clip-path", "inset(0px 0px 0px 53%)")
    cat.get_by_label("plain", exact=True).check()
    expect(cat.locator("#facts")).to_contain_text("plain-20", timeout=PATIENCE)
    expect(cat.locator("#heatmap .veil")).to_have_css("clip-path", "inset(0px 0px 0px 53%)")
    box = cat.locator("#heatmap .stack").bounding_box()
    cat.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 20)
    assert abs(float(divider.input_value()) - 25) <= 1


def test_fullscreen_shows_the_whole_photo_under_its_heatmap(cat):
    pictures(cat, "#heatmap", 2)
    cat.get_by_role("button", name="Full screen").first.focus()
    cat.keyboard.press("Enter")
    cat.wait_for_function("document.fullscreenElement !== null")
    photo, veil = cat.evaluate(MEASURE, "#heatmap")
    assert np.abs(np.subtract(photo["box"], veil["box"])).max() < 0.01
    left, top, right, bottom = photo["box"]
    assert (left, right) == pytest.approx((1440 - right, 1440 - left), abs=1)
    assert bottom - top == pytest.approx(DESKTOP["height"], abs=1)
    assert (right - left) / (bottom - top) == pytest.approx(photo["own"][0] / photo["own"][1], abs=0.01)
    cat.evaluate("document.exitFullscreen()")
    cat.wait_for_function("document.fullscreenElement === null")


def screenshot(page: Page, at: int, opacity: float) -> np.ndarray:
    """The pixels of the heatmap with the divider at `at` percent; the divider itself is hidden."""
    hidden = page.add_style_tag(content=".stack .line, .stack .fullscreen { visibility: hidden !important }")
    page.locator("#opacity input[type=number]").fill(str(opacity))
    page.locator("#opacity input[type=number]").press("Enter")
    stack = page.locator("#heatmap .stack")
    expect(stack).to_have_css("--opacity", str(opacity), timeout=PATIENCE)
    page.locator("#heatmap .divider").fill(str(at))
    picture = stack.screenshot()
    hidden.evaluate("style => style.remove()")
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_the_heat_is_where_the_analysis_says(cat):
    """At full opacity, the screenshot equals the computed picture, not shifted by a single pixel."""
    pictures(cat, "#heatmap", 2)
    shown = screenshot(cat, at=0, opacity=1)
    veil = plots.veil(analyze(load_image(CAT), "resnet20.cifar10"))
    expected = np.asarray(veil.resize(shown.shape[1::-1], Image.Resampling.BILINEAR)).astype(int)
    inner = slice(2, -2)  # Its edges fall between pixels of the screen.
    shown, expected = (picture[inner, inner] for picture in (shown, expected))
    assert np.abs(shown - expected).mean() < 4
    # The white lines left and right of the crop.
    lines = [np.flatnonzero(picture.min(2).mean(0) > 100) for picture in (shown, expected)]
    assert [len(line) > 0 for line in lines] == [True, True]
    assert [lines[0].min(), lines[0].max()] == pytest.approx([lines[1].min(), lines[1].max()], abs=1)


def test_every_other_picture_is_whole_and_in_proportion(cat):
    def at_all_widths(selector: str, count: int) -> None:
        expect(cat.locator(f"{selector} .stack")).to_be_visible(timeout=PATIENCE)
        for viewport in (PHONE, DESKTOP):
            cat.set_viewport_size(viewport)
            pictures(cat, selector, count)

    shown = {"Other classes": ("#class-map-3", 2), "Feature maps": ("#features", 1)}
    for tab, (selector, count) in shown.items():
        cat.get_by_role("tab", name=tab).click()
        at_all_widths(selector, count)
    cat.get_by_role("tab", name="Pixel attributions").click()
    cat.locator("#method label", has_text="Saliency").click()
    at_all_widths("#pixels", 2)
    cat.get_by_role("tab", name="Compare").click()
    for i in (1, 2):
        at_all_widths(f"#compare-heat-{i}", 2)
    cat.get_by_role("tab", name="Explore").click()


def test_the_heatmap_lies_exactly_on_the_whole_photo_whatever_its_shape_and_the_window(page, tmp_path):
    for scheme, (name, size) in zip(cycle(("light", "dark")), SHAPES.items(), strict=False):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(DESKTOP)
        send(page, grid(tmp_path / f"{name}.png", size))
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            photo, veil = pictures(page, "#heatmap", 2)
            assert np.abs(np.subtract(photo["box"], veil["box"])).max() < 0.01, (name, width)
            assert photo["own"] == veil["own"]
            assert photo["box"][2] <= width


def test_lines_run_on_across_the_divider(page, tmp_path):
    """By pixels instead of boxes: where the photo alone is shown, and where it lies under the heatmap."""
    send(page, grid(tmp_path / "grid.png", SHAPES["landscape"]))
    whole, half, none = (screenshot(page, at, opacity=0) for at in (0, 50, 100))
    assert whole.std() > 20  # The lines are visible.
    assert np.array_equal(whole, half)
    assert np.array_equal(whole, none)


def test_photo_thumbnails_and_what_the_network_sees_are_not_cut(page, tmp_path):
    send(page, grid(tmp_path / "portrait.png", SHAPES["portrait"]))
    for selector in ("#photo img", "#photo-examples img"):
        images = page.locator(selector).all()
        assert images, selector
        for image in images:
            assert image.evaluate("image => getComputedStyle(image).objectFit") in ("contain", "scale-down"), selector
    box = page.locator(".seen img").bounding_box()
    assert box["width"] == box["height"]

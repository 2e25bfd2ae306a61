"""README's pictures of the page, taken from the page itself: `python -m docs.screenshots`. It takes a minute."""

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from tests.browser.chromium import launch
from tests.page_server import running_page

HERE = Path(__file__).parent
PATIENCE = 60_000
MOST_BYTES = 400_000
DESKTOP = 1440, 900
# Gradio's sign that an answer is still to come, over each component that waits for one.
WORKING = "[data-testid=status-tracker]:not(.hide)"
# Everything in sight is decoded.
DECODED = (
    "() => [...document.images].every(image => !image.checkVisibility() || (image.complete && image.naturalWidth))"
)


@dataclass(frozen=True)
class Picture:
    """A tab to photograph, or the part of it at the selector `part`; ready once all of the selectors `ready` show
    something."""

    name: str
    query: str
    ready: tuple[str, ...]
    viewport: tuple[int, int] = DESKTOP
    part: str = ""


PAIR = "first=resnet56.cifar10&second=plain56.cifar10"
PICTURES = (
    Picture("explore", "?photo=raccoon", ("#heatmap .stack .veil", "#top5 li", "#gradients svg", "#facts p")),
    Picture(
        "compare",
        f"?tab=compare&{PAIR}&photo=cat",
        ("#compare-heat-1 .stack .veil", "#compare-heat-2 .stack .veil", "#compare-plot svg"),
    ),
    Picture(
        "lesion",
        "?tab=lesion&model=resnet56.cifar10&removed=layer1.4,layer2.5&photo=cat",
        ("#lesion-drawing [aria-pressed=true]", "#lesion-before li", "#lesion-after li", "#lesion-study svg"),
        (1440, 1150),
    ),
    Picture("degradation", "?tab=degradation", ("#curves svg", "#ladder svg"), part="#trained"),
    Picture("solution", "?tab=degradation", ("#solution li",), part="#solution"),
)


def take(browser: Browser, url: str, picture: Picture) -> bytes:
    """A PNG of the page at `url`, as `picture` wants it, once all its results are there."""
    width, height = picture.viewport
    viewport = ViewportSize(width=width, height=height)
    context = browser.new_context(viewport=viewport, device_scale_factor=1, color_scheme="light")
    try:
        page = context.new_page()
        page.goto(f"{url}/{picture.query}")
        for selector in picture.ready:
            expect(page.locator(selector).first).to_be_visible(timeout=PATIENCE)
        expect(page.locator(WORKING)).to_have_count(0, timeout=PATIENCE)
        page.wait_for_function(DECODED, timeout=PATIENCE)
        shown = page.locator(picture.part) if picture.part else page
        return shown.screenshot(animations="disabled")
    finally:
        context.close()


def save(png: bytes, path: Path) -> None:
    """In as many bits a channel as keep the file small. A palette would show: in heatmaps, and in pale tints."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for bits in (8, 7, 6):
        most = 2**bits - 1
        image.point([round(value * most / 255) * 255 // most for value in range(256)] * 3).save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            break
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {bits} bits a channel")


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        # Without the networks that whoever runs this has trained.
        running_page(Path(folder), RESNET_DEMO_WEIGHTS=folder) as server,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for picture in PICTURES:
            save(take(browser, server.url, picture), HERE / f"{picture.name}.png")
        browser.close()


if __name__ == "__main__":
    main()

"""The Explore tab in the hands of a test."""

from pathlib import Path

from playwright.sync_api import Page, expect

from resnet_demo.images import EXAMPLES
from resnet_demo.zoo import find_entry

from .conftest import PATIENCE

CAT = EXAMPLES / "cat.jpg"
CLASSES = find_entry("resnet20.cifar10").labels
# The smallest network, for what would be the same with any other one.
SMALL = "?model=resnet20.cifar10"


def send(page: Page, path: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(str(path))


def send_and_wait(page: Page, path: Path) -> None:
    """Until another picture is explained than before."""
    picture = page.locator("#heatmap img").first
    before = picture.get_attribute("src")
    send(page, path)
    expect(picture).not_to_have_attribute("src", before, timeout=PATIENCE)


def wait_for_facts(page: Page, text: str) -> None:
    # At every frame; what `expect` waits for, it looks at once a second after the first two.
    said = "text => document.querySelector('#facts')?.innerText.includes(text)"
    page.wait_for_function(said, arg=text, timeout=PATIENCE)


def bars(page: Page):
    return page.locator("#top5 li")


def dots(page: Page) -> int:
    """Marks of the gradient plot: one for each layer."""
    return page.locator("#gradients .panel .mark").count()

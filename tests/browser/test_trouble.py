"""When the server has a problem, a visitor sees one sentence, and the page works again afterwards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from resnet_demo.images import EXAMPLES
from resnet_demo.ui.sentences import DISK_FULL
from tests.hostile.client import event_of, join, photo, post, upload

from .conftest import BUSY, FULL, PATIENCE, SLOW

pytestmark = pytest.mark.browser
CAT = EXAMPLES / "cat.jpg"


@pytest.fixture(scope="module")
def page(stay) -> Iterator[Page]:
    """Nothing listens to its console, which is full of what the server cannot answer."""
    page = stay("?photo=cat&model=resnet20.cifar10", listen=False)
    yield page
    page.context.set_offline(False)


@contextmanager
def trouble(server, name: str) -> Iterator[None]:
    """While the block runs, there is the file of this name that makes the server have trouble."""
    marker = server.log_path.parent / name
    marker.touch()
    try:
        yield
    finally:
        marker.unlink()


def says(page: Page, sentence: str) -> None:
    expect(page.get_by_text(sentence).first).to_be_visible(timeout=PATIENCE)


def send(page: Page) -> None:
    page.locator("#photo").get_by_label("Remove Image").click()
    page.locator("#photo input[type=file]").set_input_files(str(CAT))


def test_a_full_disk(page, server):
    expect(page.locator("#heatmap .stack")).to_be_visible(timeout=PATIENCE)
    with trouble(server, FULL):
        send(page)
        says(page, DISK_FULL)
    page.locator("#photo input[type=file]").set_input_files(str(CAT))
    expect(page.locator("#heatmap .stack")).to_be_visible(timeout=PATIENCE)
    assert server.trouble() == []


def test_a_full_queue_and_a_lost_connection(page, server):
    facts, depth = page.locator("#facts"), page.get_by_label("Depth", exact=True)

    def pick(connection: str, title: str) -> None:
        page.get_by_label(connection, exact=True).first.check()
        expect(depth).to_have_value(title, timeout=PATIENCE)

    page.locator("#photo-examples button").first.click()
    expect(page).to_have_url(re.compile("photo=cat"), timeout=PATIENCE)
    event = event_of(server.url, "analyze")
    data = [photo(upload(server.url, Path(CAT).read_bytes())), SLOW, "", "", "float32"]
    with trouble(server, BUSY):
        joined = [join(server.url, event, data, f"{i}")[1] for i in range(70)]
        pick("plain", "plain-20")
        says(page, "This application is currently busy. Please try again.")
        for i, answer in enumerate(joined):
            if "event_id" in answer:
                post(server.url, "/gradio_api/cancel", answer | {"session_hash": f"{i}", "fn_index": event})
    pick("residual", "ResNet-20")
    pick("plain", "plain-20")
    expect(facts).to_contain_text("plain-20", timeout=PATIENCE)

    page.context.set_offline(True)
    page.get_by_label("residual", exact=True).first.check()
    says(page, "Connection to the server was lost.")
    with page.expect_event("load", timeout=PATIENCE):  # Gradio opens the page again as soon as it can.
        page.context.set_offline(False)
    # By its address, where the visitor was before.
    expect(facts).to_contain_text("plain-20", timeout=PATIENCE)
    pick("residual", "ResNet-20")
    expect(facts).to_contain_text("ResNet-20", timeout=PATIENCE)

    page.context.set_offline(True)
    send(page)
    says(page, "Connection errored out.")
    page.context.set_offline(False)
    assert server.trouble() == []

"""When the server has a problem, a visitor sees one sentence, and the page works again afterwards."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from resnet_demo.images import EXAMPLES
from resnet_demo.ui.sentences import DISK_FULL
from tests.hostile.client import event_of, join, photo, post, upload
from tests.page_server import running_page

from .conftest import PATIENCE

pytestmark = pytest.mark.browser
CAT = EXAMPLES / "cat.jpg"
MARKER = "full"
# Simulates a full disk while a marker file exists: everything that Python writes into a new temporary file fails.
FULL_DISK = """
import errno, os, pathlib, tempfile
def new(*args, original=tempfile.NamedTemporaryFile, **options):
    if pathlib.Path({marker!r}).exists():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return original(*args, **options)
tempfile.NamedTemporaryFile = new
"""


def open_page(browser, url: str, query: str = "?photo=cat&model=resnet20.cifar10") -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{url}/{query}")
    expect(page.locator("#heatmap .stack")).to_be_visible(timeout=PATIENCE)
    return page


def says(page: Page, sentence: str) -> None:
    expect(page.get_by_text(sentence).first).to_be_visible(timeout=PATIENCE)


def send(page: Page) -> None:
    page.locator("#photo").get_by_label("Remove Image").click()
    page.locator("#photo input[type=file]").set_input_files(str(CAT))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_page(folder, patch=FULL_DISK.format(marker=str(folder / MARKER))) as running:
        yield running


def test_a_full_disk(browser, server):
    marker = server.log_path.parent / MARKER
    page = open_page(browser, server.url)
    marker.touch()
    send(page)
    says(page, DISK_FULL)
    marker.unlink()
    page.locator("#photo input[type=file]").set_input_files(str(CAT))
    expect(page.locator("#heatmap .stack")).to_be_visible(timeout=PATIENCE)
    assert server.trouble() == []
    page.context.close()


def test_a_full_queue_and_a_lost_connection(browser, server):
    page = open_page(browser, server.url)
    facts, depth = page.locator("#facts"), page.get_by_label("Depth", exact=True)

    def pick(connection: str, title: str) -> None:
        page.get_by_label(connection, exact=True).first.check()
        expect(depth).to_have_value(title, timeout=PATIENCE)

    event = event_of(server.url, "analyze")
    data = [photo(upload(server.url, Path(CAT).read_bytes())), "resnet152.untrained", "", "", "float32"]
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
    page.context.close()

"""The page in a real Chromium, for every file of browser tests."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.page_server import PageServer, running_page
from tests.stripes import save_stripes

from .chromium import launch

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 60_000
# Other tests run on the same cores: what takes a moment for a visitor can take seconds here.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="package")
def server(tmp_path_factory) -> Iterator[PageServer]:
    folder = tmp_path_factory.mktemp("server")
    # A race needs images; these few take the place of CIFAR-10.
    data = save_stripes(folder / "cifar10.npz", train=256)
    with running_page(folder, "--data", str(data)) as running:
        yield running


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright) -> Iterator[Browser]:
    chromium = launch(playwright)
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def context(browser) -> Iterator[BrowserContext]:
    """One visitor's browser for all tests: with a new one, Gradio's hundred scripts were fetched and compiled again."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture(scope="package")
def left() -> list[Page]:
    """Pages that tests have left: the next test goes on with one of them, in a process that has warmed up."""
    return []


@pytest.fixture
def visit(context, server, left) -> Iterator[Callable[..., Page]]:
    """Opens the page with a query; at the end neither the console nor the server's log may contain an error. `new` has
    no history."""
    complaints: list[str] = []
    pages: list[Page] = []
    heard = {
        "pageerror": lambda error: complaints.append(str(error)),
        "console": lambda message: complaints.append(message.text) if message.type == "error" else None,
    }

    def opened(query: str = "", viewport=DESKTOP, color_scheme="light", new=False) -> Page:
        page = left.pop() if left and not new else context.new_page()
        pages.append(page)
        page.bring_to_front()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, reduced_motion="null")
        page.set_default_timeout(PATIENCE)
        for event, hear in heard.items():
            page.on(event, hear)
        page.goto(f"{server.url}/{query}")
        expect(page.locator("#photo input[type=file]")).to_be_attached(timeout=PATIENCE)
        if "tab=" not in query:
            # It opens with a result, or with the sentence that says why there is none.
            expect(page.locator("#facts p, [role=alert]").first).to_be_visible(timeout=PATIENCE)
        return page

    yield opened
    for page in pages:
        if page.is_closed():
            continue
        for event, hear in heard.items():
            page.remove_listener(event, hear)
        page.goto("about:blank")
        left.append(page)
    assert complaints == []
    assert server.trouble() == []


def choose(page: Page, label: str, option: str) -> None:
    """Pick an option of a dropdown."""
    box = page.get_by_label(label, exact=True)
    box.click()
    # The list of the previous dropdown may still be closing.
    own = page.locator(f'[id^="{box.get_attribute("aria-controls")}-"]')
    own.and_(page.get_by_role("option", name=option, exact=True)).click()
    expect(box).to_have_value(option)

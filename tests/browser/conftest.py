"""The page in a real Chromium, for every file of browser tests."""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.page_server import PageServer, running_page
from tests.stripes import save_stripes

from .chromium import launch

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 60_000
# Other tests run on the same cores: what takes a moment for a visitor can take seconds here.
expect.set_options(timeout=20_000)
# Names of files in the server's folder: as long as one is there, the disk is full, or this network takes its time.
FULL, BUSY, SLOW = "full", "busy", "resnet8.untrained"
# In the page's process: a full disk fails everything that Python writes into a new temporary file. A network that takes
# its time takes none of the processor's, which other tests need. It waits in a method that is replaced once the program
# itself imports it: nothing is imported here that would be slow.
SIMULATED = """
import errno, importlib.util, os, sys, tempfile, time


def new(*args, original=tempfile.NamedTemporaryFile, **options):
    if os.path.exists({full!r}):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return original(*args, **options)


class Slowed:
    def find_spec(name, *args):
        if name != "resnet_demo.zoo.models":
            return None
        sys.meta_path.remove(Slowed)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            real = module.ModelCache.get

            def get(self, name, progress=None):
                while name == {slow!r} and os.path.exists({busy!r}):
                    time.sleep(0.05)
                return real(self, name, progress)

            module.ModelCache.get = get

        spec.loader.exec_module = exec_module
        return spec


tempfile.NamedTemporaryFile = new
sys.meta_path.insert(0, Slowed)
"""


@pytest.fixture(scope="package")
def server(tmp_path_factory) -> Iterator[PageServer]:
    folder = tmp_path_factory.mktemp("server")
    # A race needs images; these few take the place of CIFAR-10.
    data = save_stripes(folder / "cifar10.npz", train=256)
    patch = SIMULATED.format(full=str(folder / FULL), busy=str(folder / BUSY), slow=SLOW)
    with running_page(folder, "--data", str(data), patch=patch) as running:
        yield running


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # Playwright asks for the stack at every call. For each frame without a file, as those below pytest, `inspect` then
    # looks through all 3,000 modules, unless it knows what to find: a seventh of what these tests took.
    for frame, _ in traceback.walk_stack(None):
        if not Path(frame.f_code.co_filename).exists():
            inspect.modulesbyfile.setdefault(frame.f_code.co_filename, "builtins")
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


@contextmanager
def visiting(context: BrowserContext, server: PageServer, left: list[Page]) -> Iterator[Callable[..., Page]]:
    """Gives what opens the page with a query; at the end neither the console nor the server's log may contain an error.

    new      a page without history
    listen   whether the console is listened to: when a page is left while it is answered, Gradio complains there
    """
    complaints: list[str] = []
    pages: list[tuple[Page, dict[str, Callable]]] = []
    heard = {
        "pageerror": lambda error: complaints.append(error.stack or str(error)),
        "console": lambda message: complaints.append(message.text) if message.type == "error" else None,
    }

    def opened(query: str = "", viewport=DESKTOP, color_scheme="light", new=False, listen=True) -> Page:
        page = left.pop() if left and not new else context.new_page()
        hearing = heard if listen else {}
        pages.append((page, hearing))
        page.bring_to_front()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, reduced_motion="null")
        page.set_default_timeout(PATIENCE)
        for event, hear in hearing.items():
            page.on(event, hear)
        page.goto(f"{server.url}/{query}")
        expect(page.locator("#photo input[type=file]")).to_be_attached(timeout=PATIENCE)
        if "tab=" not in query:
            # It opens with a result, or with the sentence that says why there is none.
            expect(page.locator("#facts p, [role=alert]").first).to_be_visible(timeout=PATIENCE)
        return page

    yield opened
    for page, hearing in pages:
        if page.is_closed():
            continue
        for event, hear in hearing.items():
            page.remove_listener(event, hear)
        page.goto("about:blank")
        left.append(page)
    assert complaints == []
    assert server.trouble() == []


@pytest.fixture
def visit(context, server, left) -> Iterator[Callable[..., Page]]:
    """As `visiting`, for one test."""
    with visiting(context, server, left) as opened:
        yield opened


@pytest.fixture(scope="module")
def stay(context, server, left) -> Iterator[Callable[..., Page]]:
    """As `visiting`, for pages that several tests of a file use one after the other: to open one costs more than most
    of them do. Each test puts its page into the state that it needs."""
    with visiting(context, server, left) as opened:
        yield opened


def choose(page: Page, label: str, option: str) -> None:
    """Pick an option of a dropdown."""
    box = page.get_by_label(label, exact=True)
    box.click()
    # The list of the previous dropdown may still be closing.
    own = page.locator(f'[id^="{box.get_attribute("aria-controls")}-"]')
    own.and_(page.get_by_role("option", name=option, exact=True)).click()
    expect(box).to_have_value(option)

"""Networks that have to be fetched, and a visitor who changes their mind meanwhile, in a real Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page_server import running_page

from .conftest import DESKTOP, PATIENCE
from .explore import wait_for_facts

pytestmark = pytest.mark.browser
# In the page's process, the plain networks of CIFAR take four seconds to arrive.
PRETENDED = """
import time
from resnet_demo.zoo import weights
weights.is_offline = lambda asked=False: False
from resnet_demo import zoo
from resnet_demo.ui import choices
from resnet_demo.zoo import ModelCache
from resnet_demo.zoo.weights import WeightState

real_state, real_get = zoo.weight_state, ModelCache.get
arrived = set()


class ToFetch(WeightState):
    megabytes = 50.0


def state(entry):
    away = entry.architecture in ("plain20", "plain56") and "cifar" in entry.tag and entry.name not in arrived
    return ToFetch("to fetch", entry) if away else real_state(entry)


def get(self, name, progress=None):
    if name.startswith("plain") and name not in arrived:
        for step in range(8):
            time.sleep(0.5)
            progress(step * 5_000_000, 50_000_000)
        arrived.add(name)
    return real_get(self, name, progress)


choices.weight_state, ModelCache.get = state, get
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_page(folder, patch=PRETENDED) as running:
        yield running
        assert running.trouble() == []


@pytest.fixture
def opened(browser, server):
    """Opens the page with the ResNet-20 of a data set, of which nothing has been fetched yet."""
    context = browser.new_context(viewport=DESKTOP)

    def opened(dataset: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.url}/?model=resnet20.{dataset}&photo=cat")
        wait_for_facts(page, "ResNet-20")
        return page

    yield opened
    context.close()


def depth(page: Page, name: str) -> None:
    """As a mouse does, without waiting for anything."""
    page.get_by_label("Depth", exact=True).click()
    page.get_by_role("option", name=name).first.click()


def test_the_last_picked_of_several_downloads_is_shown_and_no_other(opened):
    page = opened("cifar10")
    page.get_by_label("plain", exact=True).check()
    expect(page.locator("#facts")).to_contain_text("plain20.cifar10", timeout=PATIENCE)  # How far it has come.
    depth(page, "plain-56")
    wait_for_facts(page, "plain-56")
    expect(page.get_by_label("Depth", exact=True)).to_have_value(re.compile("^plain-56"))
    page.wait_for_timeout(2000)
    wait_for_facts(page, "plain-56")


def test_a_download_is_left_for_a_network_that_is_here(opened):
    page = opened("cifar100")
    page.get_by_label("plain", exact=True).check()
    expect(page.locator("#facts")).to_contain_text("plain20.cifar100", timeout=PATIENCE)
    page.get_by_label("residual", exact=True).check()
    depth(page, "ResNet-56")
    wait_for_facts(page, "ResNet-56")
    page.wait_for_timeout(5000)  # It has arrived by now.
    wait_for_facts(page, "ResNet-56")
    expect(page.get_by_label("Depth", exact=True)).to_have_value("ResNet-56")

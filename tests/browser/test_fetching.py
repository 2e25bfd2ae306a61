"""Networks that have to be fetched, and a visitor who changes their mind meanwhile, in a real Chromium."""

import base64
import hashlib
import io
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect
from torchvision.models import resnet18

from tests.page_server import PageServer, running_page
from tests.zoo.torchvision_files import torch_bytes

from .conftest import PATIENCE
from .explore import wait_for_facts

pytestmark = pytest.mark.browser
# In the page's process, fetching is allowed, and torchvision's address of any network is that of the server below. The
# plain networks of CIFAR only seem to be fetched: they take four seconds to arrive, and then say so in the log.
PRETENDED = """
import time
from resnet_demo.zoo import torchvision_weights, weights
torchvision_weights.url = lambda architecture, tag: {url!r}
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
    if name.startswith("plain") and "cifar" in name and name not in arrived:
        for step in range(8):
            time.sleep(0.5)
            progress(step * 5_000_000, 50_000_000)
        arrived.add(name)
        print("arrived:", name, flush=True)
    return real_get(self, name, progress)


choices.weight_state, ModelCache.get = state, get
"""


@pytest.fixture(scope="module")
def weights_host():
    """Serves a ResNet-18 whose weights and statistics make no layer trivial; counts the downloads."""
    torch.manual_seed(0)
    network = resnet18()
    network(torch.randn(4, 3, 64, 64))
    body, asked = torch_bytes(network.state_dict()), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = f"resnet18-{hashlib.sha256(body).hexdigest()[:8]}.pth"
        yield f"http://127.0.0.1:{server.server_port}/{name}", asked
        server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory, weights_host):
    folder = tmp_path_factory.mktemp("server")
    own = {"RESNET_DEMO_CACHE": str(folder / "cache"), "TORCH_HOME": str(folder)}
    with running_page(folder, patch=PRETENDED.format(url=weights_host[0]), **own) as running:
        yield running


def opened(visit, dataset: str) -> Page:
    """The page with the ResNet-20 of a data set, of which nothing has been fetched yet."""
    page = visit(f"?model=resnet20.{dataset}&photo=cat")
    wait_for_facts(page, "ResNet-20")
    return page


def depth(page: Page, name: str) -> None:
    """As a mouse does, without waiting for anything."""
    page.get_by_label("Depth", exact=True).click()
    page.get_by_role("option", name=name).first.click()


def has_arrived(page: Page, server: PageServer, name: str) -> None:
    """Waits until a network has been fetched, and as long as its answer could then take to be shown."""
    deadline = time.monotonic() + PATIENCE / 1000
    while f"arrived: {name}" not in server.log_path.read_text():
        assert time.monotonic() < deadline, f"{name} does not arrive"
        page.wait_for_timeout(100)
    page.wait_for_timeout(1000)


def test_the_last_picked_of_several_downloads_is_shown_and_no_other(visit, server):
    page = opened(visit, "cifar10")
    page.get_by_label("plain", exact=True).check()
    expect(page.locator("#facts")).to_contain_text("plain20.cifar10", timeout=PATIENCE)  # How far it has come.
    depth(page, "plain-56")
    wait_for_facts(page, "plain-56")
    expect(page.get_by_label("Depth", exact=True)).to_have_value(re.compile("^plain-56"))
    has_arrived(page, server, "plain20.cifar10")
    wait_for_facts(page, "plain-56")


def test_a_download_is_left_for_a_network_that_is_here(visit, server):
    page = opened(visit, "cifar100")
    page.get_by_label("plain", exact=True).check()
    expect(page.locator("#facts")).to_contain_text("plain20.cifar100", timeout=PATIENCE)
    page.get_by_label("residual", exact=True).check()
    depth(page, "ResNet-56")
    wait_for_facts(page, "ResNet-56")
    has_arrived(page, server, "plain20.cifar100")
    wait_for_facts(page, "ResNet-56")
    expect(page.get_by_label("Depth", exact=True)).to_have_value("ResNet-56")


def answer(page: Page, title: str) -> tuple[str, np.ndarray]:
    """The five classes as they are shown, and the veil over the photo (H, W, 4)."""
    expect(page.locator("#facts")).to_contain_text(title, timeout=PATIENCE)
    veil = page.locator("#heatmap .stack img").nth(1).get_attribute("src").partition(",")[2]
    return page.locator("#top5 ol").inner_text(), np.asarray(
        Image.open(io.BytesIO(base64.b64decode(veil))).convert("RGBA")
    )


def test_a_folded_network_answers_as_the_one_with_shortcuts(visit, weights_host):
    """A plain network that sees photographs: torchvision's ResNet-18, fetched once, its shortcuts folded away."""
    _, asked = weights_host
    page = visit("?model=resnet18.tv_in1k&photo=cat")
    classes, veil = answer(page, "ResNet-18")
    assert page.get_by_text("Not trained as a plain network").count() == 0
    page.get_by_label("plain", exact=True).first.check()
    plain_classes, plain_veil = answer(page, "plain-18 folded")
    assert plain_classes == classes
    assert np.abs(plain_veil.astype(int) - veil).max() <= 2
    assert veil[..., 3].std() > 0 or veil[..., :3].std() > 5  # There is something to see.
    expect(page.get_by_text("Not trained as a plain network")).to_be_visible()
    expect(page.get_by_label("Depth", exact=True)).to_have_value("plain-18 folded (cached)")
    assert len(asked) == 1

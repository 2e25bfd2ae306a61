"""A plain network that sees photographs: torchvision's ResNet-34, fetched by the page, its shortcuts folded away."""

import base64
import hashlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect
from torchvision.models import resnet34

from tests.page_server import running_page
from tests.zoo.torchvision_files import torch_bytes

from .conftest import DESKTOP, PATIENCE

pytestmark = pytest.mark.browser
# In the page's process, torchvision's address of ResNet-34 is that of the server below, and fetching is allowed.
REDIRECTED = """
from resnet_demo.zoo import torchvision_weights, weights
torchvision_weights.url = lambda architecture, tag: {url!r}
weights.is_offline = lambda asked=False: False
"""


@pytest.fixture(scope="module")
def weights_host():
    """Serves a ResNet-34 whose weights and statistics make no layer trivial; counts the downloads."""
    torch.manual_seed(0)
    network = resnet34()
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
        name = f"resnet34-{hashlib.sha256(body).hexdigest()[:8]}.pth"
        yield f"http://127.0.0.1:{server.server_port}/{name}", asked
        server.shutdown()


def answer(page: Page, title: str) -> tuple[str, np.ndarray]:
    """The five classes as they are shown, and the veil over the photo (H, W, 4)."""
    expect(page.locator("#facts")).to_contain_text(title, timeout=PATIENCE)
    veil = page.locator("#heatmap .stack img").nth(1).get_attribute("src").partition(",")[2]
    return page.locator("#top5 ol").inner_text(), np.asarray(
        Image.open(io.BytesIO(base64.b64decode(veil))).convert("RGBA")
    )


def test_a_folded_network_answers_as_the_one_with_shortcuts(browser, weights_host, tmp_path):
    url, asked = weights_host
    own = {"RESNET_DEMO_CACHE": str(tmp_path / "cache"), "TORCH_HOME": str(tmp_path)}
    with running_page(tmp_path, patch=REDIRECTED.format(url=url), **own) as server:
        page = browser.new_context(viewport=DESKTOP).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.url}/?model=resnet34.tv_in1k&photo=cat")
        classes, veil = answer(page, "ResNet-34")
        assert page.get_by_text("Not trained as a plain network").count() == 0
        page.get_by_label("plain", exact=True).first.check()
        plain_classes, plain_veil = answer(page, "plain-34 folded")
        assert plain_classes == classes
        assert np.abs(plain_veil.astype(int) - veil).max() <= 2
        assert veil[..., 3].std() > 0 or veil[..., :3].std() > 5  # There is something to see.
        expect(page.get_by_text("Not trained as a plain network")).to_be_visible()
        expect(page.get_by_label("Depth", exact=True)).to_have_value("plain-34 folded (cached)")
        assert len(asked) == 1
        page.context.close()
        assert server.trouble() == []

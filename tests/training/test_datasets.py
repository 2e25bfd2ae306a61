"""Downloads of data sets, from a local server with a tiny CIFAR-10 in the format of the real one."""

import hashlib
import io
import pickle
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import gradio as gr
import numpy as np
import pytest
from torchvision.datasets import CIFAR10

from resnet_demo.errors import InputError
from resnet_demo.training import data, fetch_cifar10, has_cifar10, load_split
from resnet_demo.ui.address import Address
from resnet_demo.ui.tabs.degradation import Degradation
from resnet_demo.ui.tabs.race import Ticket
from resnet_demo.zoo import find_entry, open_catalogue

pytestmark = pytest.mark.usefixtures("own_folders")
LABELS = find_entry("resnet20.cifar10").labels
BATCHES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def tiny_cifar10(tmp_path, monkeypatch):
    """Ten images per batch, served as the archive that torchvision expects; checksums are replaced accordingly."""
    draw, members = np.random.default_rng(0), {}
    for name in BATCHES:
        pixels = draw.integers(0, 256, (10, 3072), dtype=np.uint8)
        members[name] = pickle.dumps({"data": pixels, "labels": list(range(10))})
    members["batches.meta"] = pickle.dumps({"label_names": list(LABELS)})
    folder = tmp_path / "served"
    folder.mkdir()
    with tarfile.open(folder / CIFAR10.filename, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(f"{CIFAR10.base_folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    whole = (folder / CIFAR10.filename).read_bytes()
    sums = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in members.items()}
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(whole, usedforsecurity=False).hexdigest())
    monkeypatch.setattr(CIFAR10, "train_list", [[name, sums[name]] for name in BATCHES[:5]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": sums["batches.meta"]})
    monkeypatch.setattr(data, "CIFAR10_SHA256", hashlib.sha256(whole).hexdigest())
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{server.server_port}/{CIFAR10.filename}")
        yield whole
        server.shutdown()


def test_cifar10_is_fetched_with_progress_and_then_found(tiny_cifar10):
    assert not has_cifar10()
    seen = []
    fetch_cifar10(lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(tiny_cifar10), len(tiny_cifar10))
    assert has_cifar10()
    train, test = (load_split("cifar10", split, offline=True) for split in ("train", "test"))
    assert (len(train.labels), len(test.labels), train.classes) == (50, 10, LABELS)
    assert train.images.shape[1:] == (3, 32, 32)


def test_another_archive_is_thrown_away(tiny_cifar10, monkeypatch, assert_clear_sentence):
    monkeypatch.setattr(data, "CIFAR10_SHA256", "0" * 64)
    with pytest.raises(InputError) as raised:
        fetch_cifar10()
    assert_clear_sentence(str(raised.value))
    assert not has_cifar10()


def test_offline_fetches_nothing(tiny_cifar10):
    with pytest.raises(InputError, match="this is offline"):
        fetch_cifar10(offline=True)


def tab(**options):
    made = Degradation(**{"catalogue": open_catalogue(), "data": None, "device": "cpu", "offline": False} | options)
    with gr.Blocks():
        made.build(gr.State(None), Address())
    return made.race


def test_without_images_the_page_offers_to_fetch_them_and_says_what_there_is_instead(tiny_cifar10, monkeypatch):
    page = tab()
    assert page.fetch.visible
    assert "fetch them once to start a race" in page.state.value
    updates = page._fetch(lambda share, desc: None)
    assert "Only one race runs at a time" in updates[page.state]
    assert updates[page.start]["interactive"] is True
    assert updates[page.fetch]["visible"] is False
    assert not tab().fetch.visible


def test_without_images_and_connection_the_recorded_curves_are_offered():
    page = tab(offline=True)
    assert not page.fetch.visible
    assert "and it is offline. The curves above show" in page.state.value
    updates = page._fetch(lambda share, desc: None)
    assert "and it is offline. The curves above show" in updates[page.state]
    updates = page._entered(None, "resnet20", "plain20", 5)
    assert "and it is offline. The curves above show" in updates[page.state]


def test_a_path_to_the_images_is_enough(tmp_path):
    assert not tab(data=tmp_path).fetch.visible


def test_only_what_is_on_offer_races(tmp_path):
    page = tab(data=tmp_path)
    *_, updates = page._race(Ticket(("resnet1202", "plain20"), 5))
    assert "A race is between" in updates[page.state]
    *_, updates = page._race(Ticket(("resnet20", "plain20"), 100_000))
    assert "5 to 120 seconds" in updates[page.state]

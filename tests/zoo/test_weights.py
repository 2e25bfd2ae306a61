"""Finding, fetching, verifying and refusing weights, with a server on the loopback interface."""

import hashlib
import pickle
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import torch
from torchvision.models import resnet18

from resnet_demo.errors import InputError
from resnet_demo.ui.choices import available
from resnet_demo.zoo import ModelCache, fetching, find_entry, is_offline, load_model, open_catalogue, weight_state
from resnet_demo.zoo import torchvision_weights as tv
from resnet_demo.zoo.fetching import fetch
from resnet_demo.zoo.paths import cache_folders
from resnet_demo.zoo.weights import fetch_entry
from tests.zoo.torchvision_files import RESNET18, cached_in, torch_bytes

pytestmark = pytest.mark.usefixtures("own_folders")

BODY = np.random.default_rng(0).bytes(3_000_000)
PREFIX = hashlib.sha256(BODY).hexdigest()[:8]
NAME = f"resnet18-{PREFIX}.pth"


class Handler(BaseHTTPRequestHandler):
    """Sends the body of its server, or fails in the way that the server is configured to."""

    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked.append(asked)
        start = int(asked[len("bytes=") : -1]) if asked and server.ranges else 0
        if server.raw is not None:
            self.wfile.write(server.raw)
        elif server.status or start >= len(server.body):
            self.send_error(server.status or 416)
        else:
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(server.body) - start))
            self.end_headers()
            self.wfile.write(server.body[start : server.cut])
            time.sleep(server.pause)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """ranges: supports resuming. cut, pause: disconnects after so many bytes and seconds. status, raw: the answer."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.body, server.ranges, server.cut, server.status, server.raw = BODY, True, None, None, None
        server.asked, server.pause = [], 0
        server.url = f"http://127.0.0.1:{server.server_port}/models/{NAME}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / NAME


def partial_of(path):
    return path.with_name(path.name + ".partial")


def believed(path):
    return [file.name for file in path.parent.glob("*") if file.suffix not in (".partial", ".lock")]


def test_a_fetched_file_is_whole_and_its_progress_only_rises(server, path):
    steps = []
    assert fetch(server.url, path, PREFIX, lambda *step: steps.append(step)) == path
    assert path.read_bytes() == BODY
    done = [step[0] for step in steps]
    assert len(done) > 1
    assert done == sorted(set(done))
    assert steps[-1] == (len(BODY), len(BODY))
    assert {total for _, total in steps} == {len(BODY)}
    assert not partial_of(path).exists()


def test_progress_in_words():
    assert fetching.progress_text("resnet18", 12_300_000, 45_000_000) == "Fetching resnet18: 12 of 45 MB"
    assert fetching.progress_text("resnet18", 12_300_000, 0) == "Fetching resnet18: 12 MB"


def test_a_file_that_is_there_is_not_fetched_again(server, path):
    for _ in range(2):
        fetch(server.url, path, PREFIX)
    assert server.asked == [None]


def test_a_file_with_the_wrong_hash_is_thrown_away(server, path, assert_clear_sentence):
    with pytest.raises(InputError, match=f"{NAME} arrived damaged") as caught:
        fetch(server.url, path, "00000000")
    assert_clear_sentence(str(caught.value))
    assert believed(path) == []
    assert not partial_of(path).exists()
    assert fetch(server.url, path, PREFIX).read_bytes() == BODY


@pytest.mark.parametrize("ranges", [True, False], ids=["server can resume", "server cannot resume"])
def test_a_broken_connection_leaves_a_partial_file_that_the_next_fetch_finishes(server, path, ranges):
    server.cut, server.ranges = 1_500_000, ranges
    with pytest.raises(InputError, match="connection was interrupted"):
        fetch(server.url, path, PREFIX)
    assert believed(path) == []
    assert partial_of(path).read_bytes() == BODY[:1_500_000]
    server.cut, steps = None, []
    fetch(server.url, path, PREFIX, lambda *step: steps.append(step))
    assert path.read_bytes() == BODY
    assert server.asked == [None, "bytes=1500000-"]
    assert (steps[0][0] > 1_500_000) == ranges
    assert steps[-1] == (len(BODY), len(BODY))


@pytest.mark.parametrize("size", [len(BODY), len(BODY) + 1], ids=["as long as the file", "longer than the file"])
def test_a_partial_file_that_is_too_long_is_fetched_anew(server, path, size):
    path.parent.mkdir()
    partial_of(path).write_bytes(bytes(size))
    assert fetch(server.url, path, PREFIX).read_bytes() == BODY
    assert server.asked == [f"bytes={size}-", None]


def test_a_partial_file_of_something_else_is_never_believed(server, path):
    path.parent.mkdir()
    partial_of(path).write_bytes(bytes(1000))
    with pytest.raises(InputError, match="arrived damaged"):
        fetch(server.url, path, PREFIX)
    assert believed(path) == []
    assert fetch(server.url, path, PREFIX).read_bytes() == BODY


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nabc"
# Name: how the server fails, and the reason in the message.
FAILURES = {
    "not found": ({"status": 404}, "Not Found"),
    "server error": ({"status": 503}, "Service Unavailable"),
    "no HTTP at all": ({"raw": b"welcome to the hotel's network\r\n"}, "welcome to the hotel's network"),
    "broken in a chunk": ({"raw": CHUNKED}, "IncompleteRead"),
    "hung up at once": ({"raw": b""}, "closed connection without response"),
    "silence": ({"cut": 1000, "pause": 1}, "timed out"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_fetch_says_what_to_do(server, path, monkeypatch, assert_clear_sentence, failure):
    fault, reason = FAILURES[failure]
    vars(server).update(fault)
    if failure == "silence":
        monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.2)
    assert reason in failed_fetch(server.url, path, assert_clear_sentence)
    assert len(server.asked) == 1


def test_a_refused_connection_says_what_to_do(path, assert_clear_sentence):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert "refused" in failed_fetch(f"http://127.0.0.1:{port}/{NAME}", path, assert_clear_sentence)


def test_a_cache_folder_that_cannot_be_made_is_a_clear_sentence(server, path, assert_clear_sentence):
    path.parent.write_text("a file where the folder should be")
    assert "File exists" in failed_fetch(server.url, path, assert_clear_sentence)
    assert server.asked == []


def failed_fetch(url, path, assert_clear_sentence):
    """The reason given in the message."""
    with pytest.raises(InputError) as caught:
        fetch(url, path, PREFIX)
    message = str(caught.value)
    head, tail = f"{NAME} could not be downloaded (", f"or put the file from {url} into {path.parent}."
    assert (message.startswith(head), message.endswith(tail)) == (True, True), message
    assert_clear_sentence(message, paths=[path.parent])
    assert believed(path) == []
    return message.removeprefix(head).removesuffix(tail)


def test_fetches_of_one_file_at_once_download_it_once(server, path):
    server.pause = 0.3
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: fetch(server.url, path, PREFIX), range(4)))
    assert results == [path] * 4
    assert server.asked == [None]
    assert path.read_bytes() == BODY


@pytest.fixture
def no_network(monkeypatch):
    def connect(*args):
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)


@pytest.mark.parametrize(("asked", "setting"), [(True, ""), (False, "1"), (False, "true"), (False, "Yes")])
def test_offline_opens_no_socket_and_says_what_to_run(monkeypatch, no_network, assert_clear_sentence, asked, setting):
    monkeypatch.setenv("RESNET_DEMO_OFFLINE", setting)
    for use in (lambda: load_model(RESNET18, offline=asked), lambda: ModelCache(offline=asked).get(RESNET18)):
        with pytest.raises(InputError, match=f"`python -m resnet_demo download {RESNET18}`") as caught:
            use()
        assert_clear_sentence(str(caught.value))


@pytest.mark.parametrize("setting", ["", "0", "no"])
def test_other_settings_are_not_offline(monkeypatch, setting):
    monkeypatch.setenv("RESNET_DEMO_OFFLINE", setting)
    assert not is_offline()


def test_the_cache_is_where_it_was_asked_for_or_the_users_own(tmp_path, monkeypatch, shipped):
    assert cache_folders() == (tmp_path / "cache",)
    monkeypatch.delenv("RESNET_DEMO_CACHE")
    kept, *also_read = cache_folders()
    assert kept == platformdirs.user_cache_path("resnet_demo", appauthor=False)
    assert also_read == [shipped / "cache"]  # For a clone with downloads there.


@pytest.fixture(scope="module")
def reference():
    """torchvision's network, with weights and statistics such that no layer is trivial."""
    torch.manual_seed(0)
    network = resnet18()
    network(torch.randn(4, 3, 64, 64))
    return network.eval()


def assert_same_logits(model, reference):
    photo = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(model.network(photo), reference(photo), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("folder", ["cache", "torch/hub/checkpoints"], ids=["our cache", "torchvision's cache"])
def test_a_cached_torchvision_file_gives_torchvisions_logits(tmp_path, monkeypatch, reference, no_network, folder):
    assert str(weight_state(find_entry(RESNET18))) == "45 MB to fetch"
    # Files of 2016, some of which torchvision still serves, have no num_batches_tracked.
    old = {name: value for name, value in reference.state_dict().items() if not name.endswith("num_batches_tracked")}
    cached_in(tmp_path / folder, torch_bytes(old if folder == "cache" else reference.state_dict()), monkeypatch)
    assert str(weight_state(find_entry(RESNET18))) == "cached"
    model = load_model(RESNET18, "cpu")
    assert_same_logits(model, reference)
    assert (model.trained, len(model.labels), model.labels[207]) == (True, 1000, "golden retriever")


def test_a_cached_file_with_another_hash_is_refused(tmp_path, monkeypatch, reference):
    cached_in(tmp_path / "cache", torch_bytes(reference.state_dict()), monkeypatch)
    monkeypatch.undo()
    monkeypatch.setenv("RESNET_DEMO_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="is not the file its name promises"):
        load_model(RESNET18, "cpu")


def test_a_torchvision_file_is_fetched_by_its_name_and_then_found(server, tmp_path, monkeypatch, reference):
    server.body = torch_bytes(reference.state_dict())
    url = server.url.replace(PREFIX, hashlib.sha256(server.body).hexdigest()[:8])
    monkeypatch.setattr(tv, "url", lambda *entry: url)
    steps = []
    assert_same_logits(load_model(RESNET18, "cpu", progress=lambda *step: steps.append(step)), reference)
    assert steps[-1] == (len(server.body), len(server.body))
    assert fetch_entry(find_entry(RESNET18), offline=True) == tmp_path / "cache" / url.rsplit("/", 1)[-1]
    assert server.asked == [None]


class Harmful:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("kind", ["pickle", "pickle in torch's zip", "half a file", "empty", "text"])
def test_a_file_that_is_no_weights_is_refused_and_never_run(
    tmp_path, monkeypatch, reference, assert_clear_sentence, kind
):
    mark = tmp_path / "the code ran"
    whole = torch_bytes({"fc.bias": reference.fc.bias})
    data = {
        "pickle": pickle.dumps(Harmful(mark), protocol=2),
        "pickle in torch's zip": torch_bytes({"fc.bias": Harmful(mark)}),
        "half a file": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"version https://git-lfs.github.com/spec/v1",
    }[kind]
    cached_in(tmp_path / "cache", data, monkeypatch)
    with pytest.raises(InputError, match="is damaged or holds no weights: delete") as caught:
        load_model(RESNET18, "cpu")
    assert_clear_sentence(str(caught.value), paths=[tmp_path / "cache"])
    assert not mark.exists()


def test_shipped_weights_are_loaded(shipped):
    assert str(weight_state(find_entry("resnet20"))) == "shipped"
    assert find_entry("plain20").name == "plain20.untrained"
    model = load_model("resnet20", "cpu")
    assert (model.name, model.trained, model.labels[3]) == ("resnet20.cifar10", True, "cat")


def test_shipped_weights_that_were_changed_are_refused(shipped, assert_clear_sentence):
    file = shipped / "resnet20.cifar10.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match=f"^{file.name} is not the file its card describes") as caught:
        load_model("resnet20.cifar10", "cpu")
    assert_clear_sentence(str(caught.value))


@pytest.mark.parametrize("missing", [".safetensors", ".json"])
def test_weights_without_their_card_or_a_card_without_its_weights_are_not_trained_yet(shipped, missing):
    (shipped / f"resnet20.cifar10{missing}").unlink()
    assert "resnet20.cifar10" not in {entry.name for entry in available(open_catalogue())}
    with pytest.raises(InputError, match=r"no trained weights in this copy: pick resnet20\.untrained"):
        load_model("resnet20.cifar10")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"curve": [{"epoch": 1}]}', "\xff"])
def test_a_damaged_card_is_a_clear_sentence(shipped, assert_clear_sentence, text):
    (shipped / "resnet20.cifar10.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"^resnet20.cifar10.json is not a weights card") as caught:
        load_model("resnet20.cifar10")
    assert_clear_sentence(str(caught.value))

"""The page over HTTP, without a browser: its endpoint, its behaviour as a server, its choices."""

import gzip
import io
import json
import re
import urllib.error
import urllib.request

import brotli
import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from resnet_demo import analyze
from resnet_demo.analysis.comparison import compare
from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES, MAX_BYTES
from resnet_demo.laboratory.flow import gradient_flow
from resnet_demo.records import Question
from resnet_demo.ui import build_page, choices, share_cores
from resnet_demo.ui.answers import look
from resnet_demo.ui.downloads import export
from resnet_demo.ui.photo import SHOWN
from resnet_demo.zoo import ModelCache, find_entry, open_catalogue
from resnet_demo.zoo.results import missing
from tests.page_server import running_page

CAT = EXAMPLES / "cat.jpg"
# In the page's process: a connection to anywhere but loopback is an error, and slow imports are told.
WATCHED = """
import socket, sys

for name in ("connect", "connect_ex", "sendto"):
    def guarded(self, *args, original=getattr(socket.socket, name)):
        address = args[-1]
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            print("Error: left loopback for", address, flush=True)
            raise OSError("no network")
        return original(self, *args)
    setattr(socket.socket, name, guarded)

def resolve(host, *args, original=socket.getaddrinfo, **options):
    if host not in ("127.0.0.1", "::1", "localhost", None):
        print("Error: looked up", host, flush=True)
        raise OSError("no network")
    return original(host, *args, **options)

class Slow:
    def find_spec(name, *args):
        if name in ("torchvision", "torch._dynamo", "captum", "matplotlib.pyplot", "sympy"):
            print("slow:", name, flush=True)

socket.getaddrinfo = resolve
sys.meta_path.insert(0, Slow)
print("watched", flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def threads():
    """The number of threads that an analysis of the page uses, as it affects the rounding of sums."""
    before = torch.get_num_threads()
    share_cores()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """The page, and its log when nobody has visited it yet."""
    folder = tmp_path_factory.mktemp("page")
    with running_page(folder, patch=WATCHED) as server:
        yield server, server.log_path.read_text()


@pytest.fixture(scope="module")
def page(started):
    return started[0]


@pytest.fixture(scope="module")
def client(page):
    return Client(page.url, verbose=False)


def ask(client, path, **options):
    return client.predict(image=handle_file(str(path)), api_name="/analyze", **options)


def timeless(values):
    return {key: value for key, value in values.items() if key not in ("milliseconds", "image")}


@pytest.mark.parametrize(
    "options",
    [{}, {"model": "plain20.cifar10"}, {"model": "plain20.cifar10", "target": "dog", "layer": "layer2"}],
)
def test_the_endpoint_answers_as_the_library_does(client, options):
    answer = ask(client, CAT, **options)
    expected = analyze(CAT, options.get("model", "resnet56.cifar100"), options.get("target"), options.get("layer"))
    assert timeless(answer) == json.loads(json.dumps(timeless(expected.to_dict())))
    assert answer["image"] == "cat.jpg"
    assert len(answer["predictions"]) == 5


def test_a_faster_precision_comes_with_its_error(client):
    answer = ask(client, CAT, precision="bfloat16")
    assert answer["precision"] == "bfloat16"
    assert 0 < answer["precision_error"]["gradient_norm"] < 0.5
    assert "precision_error" not in ask(client, CAT)


def test_the_page_starts_without_slow_imports_and_tells_nobody(client, page, started):
    _, log = started
    assert "watched" in log
    assert "slow" not in log
    assert ask(client, CAT)["predictions"]
    assert client.predict(networks="resnet8", api_name="/gradient_flow")
    # Gradio imports pyplot at the first event; no analysis needs any of the others.
    assert set(re.findall("slow: (.*)", page.log_path.read_text())) <= {"matplotlib.pyplot"}
    assert page.trouble() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": "resnet21"}, "There is no model 'resnet21'"),
        ({"target": "zebra"}, "No class is called 'zebra'"),
        ({"target": "100"}, "from 0 to 99"),
        ({"layer": "layer4"}, "There is no layer 'layer4'"),
        ({"model": "resnet50.tv_in1k"}, "this is offline"),
        ({"model": "resnet110.cifar10"}, "has no trained weights in this copy"),
    ],
)
def test_a_question_without_an_answer_gets_one_sentence(client, page, options, says):
    if (model := options.get("model", "")) == "resnet110.cifar10" and model not in missing(open_catalogue()):
        pytest.skip("it has been trained by now")
    with pytest.raises(AppError, match=says) as raised:
        ask(client, CAT, **options)
    assert "\n" not in str(raised.value)
    assert page.trouble() == []


@pytest.mark.parametrize(
    "content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n half a header", CAT.read_bytes()[:5000]]
)
def test_a_broken_file_gets_one_sentence_and_the_page_goes_on(client, page, tmp_path, content):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(content)
    with pytest.raises(AppError, match=r"broken\.jpg"):
        ask(client, broken)
    assert ask(client, CAT)["predictions"]
    assert page.trouble() == []


def status(url, **headers):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../app.py", "..%2F..%2Fetc%2Fpasswd", f"{EXAMPLES.parent / 'page.py'}"]
)
def test_files_of_the_machine_are_not_served(page, path):
    assert status(f"{page.url}/gradio_api/file={path}") in (403, 404)


def test_nobody_is_told_what_visitors_do(page):
    assert status(f"{page.url}/monitoring/summary") == 403


@pytest.mark.parametrize(
    ("encoding", "unpacked", "most"), [("br", brotli.decompress, 100), ("gzip", gzip.decompress, 300)]
)
def test_the_page_travels_compressed(page, encoding, unpacked, most):
    """Browsers ask for Brotli from a secure address or this machine only."""
    asked = urllib.request.Request(page.url, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(page.url) as plain, urllib.request.urlopen(asked) as packed:
        text, body = plain.read(), packed.read()
        assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == (encoding, "Accept-Encoding")
    assert unpacked(body) == text
    assert len(body) < most * 1000 < len(text)


def test_a_large_upload_is_refused(page):
    boundary = "limit"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'.encode()
    body = head + bytes(MAX_BYTES + 1) + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(
        f"{page.url}/gradio_api/upload", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=60)
    assert raised.value.code == 413


def test_only_the_endpoints_are_public(client):
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/analyze", "/compare", "/gradient_flow"]


def test_compare_answers_as_the_library_does(client):
    networks = {"first": "resnet20.cifar10", "second": "plain20.cifar10"}
    answer = client.predict(image=handle_file(str(CAT)), **networks, target="dog", api_name="/compare")
    expected = compare(CAT, *networks.values(), Question("dog")).to_dict()
    for side in ("first", "second"):
        assert timeless(answer[side]) == json.loads(json.dumps(timeless(expected[side])))
    assert answer["same_class"] is True
    with pytest.raises(AppError, match="There is no model"):
        client.predict(image=handle_file(str(CAT)), first="resnet21", second="plain20.cifar10", api_name="/compare")


def test_gradient_flow_answers_as_the_library_does(client):
    answer = client.predict(networks="resnet8, plain8-nonorm-tanh", api_name="/gradient_flow")
    expected = [gradient_flow(name).to_dict() for name in ("resnet8", "plain8-nonorm-tanh")]
    assert answer == json.loads(json.dumps(expected))
    for name, says in (
        ("resnet9", "9 layers"),
        ("resnet200", "at most 110 layers"),
        ("resnet18", "too large for this page"),
    ):
        with pytest.raises(AppError, match=says):
            client.predict(networks=name, api_name="/gradient_flow")


def test_the_page_does_not_open_with_a_model_that_it_does_not_have():
    with pytest.raises(InputError, match=r"There is no model 'resnet21'"):
        build_page(ModelCache(), "resnet21")
    with pytest.raises(InputError, match="has no trained weights in this copy"):
        build_page(ModelCache(), "resnet1202.cifar10")


def test_pickers_offer_only_what_exists():
    catalogue = open_catalogue()
    for _, tag in choices.dataset_choices(catalogue):
        for _, connection in choices.connection_choices(catalogue, tag):
            depths = choices.depth_choices(catalogue, tag, connection)
            assert depths
            for _, name in depths:
                entry = find_entry(name)
                assert (entry.tag, choices.connection_of(entry)) == (tag, connection)


def test_depth_is_kept_when_the_connection_changes():
    assert choices.nearest_depth(open_catalogue(), "untrained", "plain", "resnet56.untrained") == "plain56.untrained"
    assert choices.nearest_depth(open_catalogue(), "tv_in1k", "residual", "resnet20.cifar10") == "resnet18.tv_in1k"


def test_a_fetched_model_tells_its_size_beforehand(monkeypatch, tmp_path):
    monkeypatch.setenv("RESNET_DEMO_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    titles = {name: title for title, name in choices.depth_choices(open_catalogue(), "tv_in1k", "residual")}
    assert titles["resnet50.tv_in1k"] == "ResNet-50 (98 MB to fetch)"


@pytest.mark.parametrize("kind", ["overlay.png", "plot.png", "plot.svg", "json", "csv"])
def test_downloads(kind):
    shown, _ = look(ModelCache(), str(CAT), "resnet20.untrained")
    name, content = export(shown, kind, 0.5)
    assert name == f"cat.resnet20.untrained.{kind}"
    if kind.endswith("png"):
        assert Image.open(io.BytesIO(content)).size[0] > 400
    elif kind == "json":
        assert len(json.loads(content)["gradients"]) == 20
    elif kind == "csv":
        assert content.decode().splitlines()[1].startswith("conv1,stem,main,16x3x3x3,")
    else:
        assert content.startswith(b"<svg")


def test_examples_are_small_photos_with_credits():
    photos = sorted(EXAMPLES.glob("*.jpg"))
    credits = (EXAMPLES / "CREDITS.md").read_text()
    assert {photo.stem for photo in photos} == set(SHOWN)
    for photo in photos:
        assert photo.name in credits
        assert photo.stat().st_size < 100_000
        assert np.asarray(Image.open(photo)).ndim == 3

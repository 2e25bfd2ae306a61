"""The Live tab: frames of a camera, one after the other."""

import base64
import time

import gradio as gr
import pytest
from gradio.data_classes import ImageData

from resnet_demo.analysis.comparison import compare
from resnet_demo.images import EXAMPLES
from resnet_demo.ui import choices
from resnet_demo.ui.components import FRAME, Camera
from resnet_demo.ui.sentences import Sentence
from resnet_demo.ui.tabs.live import Live, Rate
from resnet_demo.ui.tabs.tab import Current
from resnet_demo.zoo import Catalogue, ModelCache
from tests.ui.tabs import CAT, MODEL, TWIN, built

JPEG = (EXAMPLES / "cat.jpg").read_bytes()


def sent(data, head=FRAME):
    return ImageData(url=f"{head},{base64.b64encode(data).decode()}")


def test_a_frame_reaches_the_handler_as_the_bytes_of_a_jpeg():
    camera = Camera(sources=["webcam"], streaming=True)
    assert camera.preprocess(sent(JPEG)) == JPEG
    assert camera.preprocess(None) is None


@pytest.mark.parametrize(
    "payload",
    [
        ImageData(path="/etc/passwd"),
        ImageData(url="http://127.0.0.1/x.jpg"),
        ImageData(url="data:image/jpeg;base64,not base64!"),
        sent(JPEG, "data:image/svg+xml;base64"),
    ],
    ids=["a path", "an address", "no base64", "another format"],
)
def test_what_is_no_frame_of_a_camera_is_refused(payload):
    with pytest.raises(Sentence):
        Camera(sources=["webcam"], streaming=True).preprocess(payload)


def test_a_frame_is_shown_as_both_twins_see_it(cache):
    live = built(Live(cache))
    updates = live._frame(Rate(), JPEG, TWIN)
    expected = compare(CAT, MODEL, TWIN)
    for side, analysis in zip(live.sides, (expected.first, expected.second), strict=True):
        bars = updates[side.top].bars
        assert [bar.label for bar in bars][:5] == [p.label for p in analysis.predictions]
        assert bars[0].share == pytest.approx(analysis.predictions[0].probability, abs=1e-6)
        assert not any(bar.key for bar in bars)  # Nothing to click on what is gone in a moment.
    assert [line.name for line in updates[live.plot].panels[0].lines] == [MODEL, TWIN]
    assert "0.0 frames a second" in updates[live.status]
    assert updates[live.address] == {"tab": "live", "model": MODEL}


def test_what_cannot_be_shown_is_said_and_the_camera_goes_on(cache):
    live = built(Live(cache))
    assert live._frame(Rate(), None, MODEL) == gr.skip()
    for frame, name, says in (
        (b"x", MODEL, "not an image"),
        (JPEG, "resnet18.tv_in1k", "no trained twin"),
        (JPEG, "x", "no model"),
    ):
        updates = live._frame(Rate(), frame, name)
        assert list(updates) == [live.message]
        assert says in updates[live.message]["value"]


def test_it_opens_with_the_photo_and_network_of_the_tab_before_if_that_has_a_twin(cache):
    live = built(Live(cache))
    opened = live._opened(None, MODEL)
    assert opened[live.name] == MODEL
    assert opened[live.sides[0].top].bars[0].label
    other, stays = ("plain20.cifar100", "resnet20.cifar100"), ("resnet18.tv_in1k", "resnet56.cifar10")
    for name, shown in ((TWIN, MODEL), (MODEL, MODEL), other, stays):
        updates = live._opened(Current(CAT, name), "resnet56.cifar10")
        assert updates[live.name] == shown
        assert updates[live.address]["model"] == shown
        assert updates[live.plot].panels[0].lines[0].name == shown
    # What the page would have opened with is not followed.
    assert live._opened(Current(CAT, TWIN, seen=False), "resnet56.cifar10")[live.name] == "resnet56.cifar10"
    assert "cannot be read" in live._opened(Current("nowhere.jpg", MODEL), MODEL)[live.message]["value"]
    assert live.ask({"model": TWIN}) == {live.name: MODEL}
    assert "no trained twin" in live.ask({"model": "resnet18.tv_in1k"})[live.notice]["value"]


def test_pairs_are_trained_twins_that_need_no_download(cache):
    offered = dict(choices.pairs(cache.catalogue))
    assert offered["CIFAR-100: ResNet-56"] == "resnet56.cifar100"
    assert all(name.startswith("resnet") and "-" not in name for name in offered.values())
    # Without any, the tab is there all the same.
    assert choices.pairs(Catalogue(())) == []
    empty = built(Live(ModelCache("cpu", offline=True, catalogue=Catalogue(()))))
    assert empty.name.value == "resnet56.untrained"


def test_frames_a_second_are_those_of_the_last_ones():
    rate = Rate()
    assert rate.count(10.0) == 0
    assert rate.count(10.2) == pytest.approx(5)
    for i in range(30):
        now = rate.count(10.3 + i / 10)
    assert now == pytest.approx(10)
    assert rate.count(20.0) == 0  # A pause is not a slow frame.


def test_a_picked_network_shows_the_photo_of_the_other_tabs_unless_frames_come(cache):
    live, rate, current = built(Live(cache)), Rate(), Current(CAT, TWIN)
    updates = live._pick(rate, MODEL, current)
    assert updates[live.current] == Current(CAT, MODEL)
    assert updates[live.plot].panels[0].lines[0].name == MODEL
    rate.count(time.monotonic())
    assert set(live._pick(rate, MODEL, current)) == {live.notice, live.current}

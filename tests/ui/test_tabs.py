"""The tabs' event handlers, called as Gradio calls them: the components they update, and the cost."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from resnet_demo.images import EXAMPLES, loading
from resnet_demo.ui import build_page
from resnet_demo.ui.answers import look
from resnet_demo.ui.downloads import export
from resnet_demo.ui.photo import SHOWN, UNKNOWN, example, examples_for
from resnet_demo.ui.tabs.closer import Closer
from resnet_demo.ui.tabs.compare import Compare
from resnet_demo.ui.tabs.construction import continued, solution
from resnet_demo.ui.tabs.degradation import Degradation
from resnet_demo.ui.tabs.explore import Explore
from resnet_demo.ui.tabs.gradient_flow import GradientFlow
from resnet_demo.ui.tabs.lesion import Lesion
from resnet_demo.zoo import Catalogue, ModelCache, find_entry, results
from resnet_demo.zoo.paths import CONTINUED
from tests.cards import put_weights

CAT = str(EXAMPLES / "cat.jpg")
MODEL, TWIN = "resnet20.cifar10", "plain20.cifar10"


@pytest.fixture(scope="module")
def cache():
    return ModelCache("cpu", offline=True)


@pytest.fixture(scope="module")
def shown(cache):
    return look(cache, CAT, MODEL)[0]


def built(tab):
    with gr.Blocks():
        tab.build()
    return tab


@pytest.fixture(scope="module")
def closer(cache):
    with gr.Blocks():
        shown, open_ = gr.State(None), gr.State("")
        with gr.Tabs():
            return Closer(cache, shown, open_)


def address(**query):
    return SimpleNamespace(query_params=query)


EVENTS = {
    "explore": lambda cache, closer, shown: built(Explore(cache, MODEL))._show(CAT, MODEL, "", "", 0.5, "float32"),
    "explore, faster": lambda cache, closer, shown: built(Explore(cache, MODEL))._show(
        CAT, MODEL, "dog", "layer2", 0.5, "bfloat16"
    ),
    "compare": lambda cache, closer, shown: built(Compare(cache))._show(CAT, MODEL, TWIN, ""),
    "lesion": lambda cache, closer, shown: built(Lesion(cache))._show(CAT, MODEL, ["layer1.0"]),
    "classes": lambda cache, closer, shown: closer._classes("classes", shown, []),
    "pixels": lambda cache, closer, shown: list(closer._pixels(shown, "saliency"))[-1],
    "overlay": lambda cache, closer, shown: export(shown, "overlay.png", 0.5),
}
WITHOUT_PHOTO = {
    "features": lambda cache, closer, shown: closer._features("features", shown),
    "branch ratios": lambda cache, closer, shown: closer._branch_ratios("branch-ratios", shown),
    "plot": lambda cache, closer, shown: export(shown, "plot.svg", 0.5),
    "json": lambda cache, closer, shown: export(shown, "json", 0.5),
}


@pytest.mark.parametrize(("event", "times"), [*((e, 1) for e in EVENTS), *((e, 0) for e in WITHOUT_PHOTO)])
def test_an_event_decodes_its_photo_once(cache, closer, shown, monkeypatch, event, times):
    decoded, decode = [], loading._decoded
    monkeypatch.setattr(loading, "_decoded", lambda data, side: (decoded.append(1), decode(data, side))[1])
    assert (EVENTS | WITHOUT_PHOTO)[event](cache, closer, shown)
    assert len(decoded) == times


def handlers(page, name):
    return [event for event in page.fns.values() if event.name == name and event.outputs]


def test_the_endpoints_decode_a_photo_once_too(monkeypatch):
    page = build_page(ModelCache("cpu", offline=True), MODEL)
    decoded, decode = [], loading._decoded
    monkeypatch.setattr(loading, "_decoded", lambda data, side: (decoded.append(1), decode(data, side))[1])
    for name, inputs in (("analyze", [CAT, MODEL, "", "", "bfloat16"]), ("compare", [CAT, MODEL, TWIN, ""])):
        (event,) = handlers(page, name)
        decoded.clear()
        assert event.fn(*inputs)
        assert len(decoded) == 1


def test_every_tab_says_by_name_what_the_address_changes():
    """Whatever the address contains, the handler returns updates of the event's outputs, or none."""
    page = build_page(ModelCache("cpu", offline=True), MODEL)
    addresses = [address(tab=tab, photo="cat") for tab in ("explore", "compare", "lesion", "flow", "architecture")]
    addresses += [
        address(),
        address(tab="nothing"),
        *(address(tab=a.query_params["tab"], model="x") for a in addresses),
    ]
    loads = handlers(page, "_chosen")
    assert len(loads) == 5
    for event in loads:
        for request in addresses:
            updates = event.fn(request)
            assert updates == gr.skip() or set(updates) <= set(event.outputs)


def test_a_photo_that_is_taken_away_empties_the_page(cache):
    explore = built(Explore(cache, MODEL))
    updates = explore._show(None, MODEL, "", "", 0.5, "float32")
    assert updates[explore.shown] is updates[explore.heatmap] is None
    assert updates[explore.message] == gr.update(visible=False)


def test_an_untrained_network_has_one_sentence_in_place_of_explanations(cache, closer):
    untrained, _ = look(cache, CAT, "resnet20.untrained")
    updates = closer._classes("classes", untrained, [])
    assert "does not look for any class" in updates[closer.captions[0]]
    assert "no prediction to explain" in closer._methods("pixels", untrained)[closer.state]
    assert list(closer._pixels(untrained, "saliency")) == []
    lesion = built(Lesion(cache))
    assert "is untrained" in lesion._show(CAT, "resnet20.untrained", [])[lesion.message]["value"]
    assert "is untrained" in lesion._opened("resnet20.untrained", [])[lesion.study]


def test_a_photo_that_is_gone_is_one_sentence(closer, shown, tmp_path):
    gone = replace(shown, photo=str(tmp_path / "gone.jpg"))
    assert 'role="alert"' in closer._classes("classes", gone, [])[closer.captions[0]]
    (updates,) = closer._pixels(gone, "saliency")
    assert 'role="alert"' in updates[closer.state]


def test_no_more_networks_are_added_than_are_drawn():
    flow = built(GradientFlow("cpu"))
    six = [f"resnet{depth}" for depth in (8, 14, 20, 26, 32, 38)]
    updates = flow._added(six, "20", "plain", "none", "tanh", "he")
    assert "At most 6 networks: remove one first." in updates[flow.message]["value"]
    updates = flow._added(six[:1], "20", "plain", "none", "tanh", "he")
    assert updates[flow.networks]["value"] == ["resnet8", "plain20-nonorm-tanh"]


def test_every_tab_works_without_trained_weights(tmp_path):
    cache = ModelCache("cpu", offline=True, catalogue=Catalogue((tmp_path,)))
    assert len(build_page(cache).fns) > 50
    degradation = built(Degradation(cache.catalogue, tmp_path, "cpu", offline=True))
    assert degradation.cards == ()
    assert "<svg" in degradation._curves(None, [])
    lesion = built(Lesion(cache))
    assert "is untrained" in lesion._opened(lesion.default.name, [])[lesion.study]
    compare = built(Compare(cache))
    updates = compare._show(CAT, compare.first.value, compare.second.value, compare.target.value)
    assert "<svg" in updates[compare.plot]


def test_the_solution_is_shown_with_the_errors_of_the_cards_and_told_as_it_is(tmp_path):
    catalogue = ModelCache("cpu").catalogue
    text = solution(catalogue, "cifar10")
    for name in ("plain20", "plain56", "resnet56"):
        assert f"{catalogue.find(f'{name}.cifar10').test_error:.2f}" in text
    assert "training does not find it" in text
    assert "training does not find it" in solution(catalogue, "cifar100")
    assert solution(Catalogue(()), None) == ""
    put_weights(tmp_path, "plain8.mine")
    own = Catalogue((tmp_path,))
    assert solution(own, "mine") == ""  # Nothing can be made of it.
    card = put_weights(tmp_path, "resnet8.mine")
    replace(card, test_error=95.0).write(tmp_path / "resnet8.mine.json")
    assert "one with 95.00 % test error is ResNet-8 with its shortcuts folded away" in solution(own, "mine")
    assert "Training finds it" in solution(own, "mine")


def test_what_training_makes_of_a_construction_is_read_from_the_cards(tmp_path):
    catalogue = ModelCache("cpu").catalogue
    text, card = continued(catalogue, "cifar10"), results.continued(catalogue)[0]
    assert f"{catalogue.find(card.start).test_error:.2f} → {card.test_error:.2f}" in text
    assert "plain56.cifar10 from plain20.cifar10" in text
    assert "10 epochs at a learning rate of 0.01" in text
    assert f"to {card.test_error:.2f} % test error" in text
    assert continued(catalogue, "cifar100") == ""
    # A run whose start is not here has no errors from before.
    put_weights(tmp_path, "plain8.mine")
    folder = tmp_path / CONTINUED
    folder.mkdir()
    replace(card, dataset="mine").write(folder / "plain56.mine.json")
    assert continued(Catalogue((tmp_path,)), "mine") == ""
    own = replace(card, dataset="mine", start="plain8.mine", test_error=43.21)
    own.write(folder / "plain56.mine.json")
    assert "→ 43.21" in continued(Catalogue((tmp_path,)), "mine")


def test_examples_are_named_by_what_the_network_can_know():
    def captions(name):
        return re.findall(r'data-example="(\w+)".*?>([^<]+)</button>', examples_for(find_entry(name)))

    assert captions("resnet20.cifar10")[:2] == [("cat", "cat"), ("moose", "deer")]
    assert [caption for _, caption in captions("resnet20.cifar10")[2:]] == [UNKNOWN] * 2
    assert ("goldfish", "goldfish") in captions("resnet18.tv_in1k")
    assert {caption for _, caption in captions("resnet20.fashion_mnist")} == {UNKNOWN}
    assert captions("resnet20.untrained") == [(name, name) for name in SHOWN]
    assert len(examples_for(find_entry("resnet18.tv_in1k"))) < 60_000


def test_a_click_names_an_example_and_nothing_else():
    assert Path(example("cat")).name == "cat.jpg"
    for name in ("", "../app", "cat.jpg", "/etc/passwd", "CAT"):
        assert "path" not in example(name)

"""The tabs Compare, Lesion, Gradient flow and Architecture: what they answer."""

import re
from dataclasses import replace

import gradio as gr

from resnet_demo.laboratory import studies
from resnet_demo.laboratory.tour import TOUR
from resnet_demo.networks.architecture import describe
from resnet_demo.records import Flow, LayerFlow, Prediction, TrainedFlow
from resnet_demo.ui import choices
from resnet_demo.ui.tabs.architecture import Architecture, twin
from resnet_demo.ui.tabs.compare import Compare
from resnet_demo.ui.tabs.gradient_flow import GradientFlow, flow_table
from resnet_demo.ui.tabs.lesion import Lesion, effect
from resnet_demo.zoo import Catalogue, find_entry, open_catalogue
from tests.ui.tabs import CAT, MODEL, TWIN, built


def test_networks_of_different_classes_are_not_compared(cache):
    compare = built(Compare(cache))
    first = find_entry(MODEL)
    offered = [name for _, name in choices.partners(cache.catalogue, first)]
    assert TWIN in offered
    assert all(find_entry(name).labels == first.labels for name in offered)
    assert choices.partner(cache.catalogue, first, "resnet56.cifar100") == TWIN
    updates = compare._switch(MODEL, "plain56.cifar100", "8", "resnet56.cifar100", None)
    assert updates[compare.second]["value"] == TWIN
    assert updates[compare.target]["value"] == ""
    updates = compare._switch(MODEL, "plain56.cifar10", "8", TWIN, None)
    assert (updates[compare.second]["value"], updates[compare.target]["value"]) == ("plain56.cifar10", "8")
    # Leaving the box without a choice undoes nothing that is clicked meanwhile.
    assert compare._switch(MODEL, TWIN, "8", MODEL, None) == gr.skip()
    refused = compare._show(None, MODEL, CAT, MODEL, "plain56.cifar100", "")
    assert "different classes" in refused[compare.message]["value"]
    assert refused[compare.plot] is None


def test_the_lesion_tab_opens_with_one_block_out_and_reads_its_study_once(cache, monkeypatch):
    lesion, read, find = built(Lesion(cache)), [], studies.find_study
    monkeypatch.setattr(
        "resnet_demo.ui.tabs.lesion.find_study",
        lambda kind, entry, folders: (read.append(entry.name), find(kind, entry, folders))[1],
    )
    view = lesion._opened(MODEL, None)[lesion.drawing]
    assert view.removed == ("layer3.1",)  # The first one of the last stage that keeps its input's shape.
    assert sorted(read) == [TWIN, MODEL]
    # Another network keeps what was removed, as far as it has it; and what a client makes up is nothing.
    assert lesion._switch(TWIN, ["layer2.1", "layer3.8", "x"])[lesion.drawing].removed == ("layer2.1",)
    assert lesion._opened(MODEL, [])[lesion.drawing].removed == ()


def test_the_effect_of_lesions_is_a_sentence(cache):
    lesion = built(Lesion(cache))
    updates = lesion._show(None, CAT, MODEL, ["layer1.0", "nothing", "layer2.1", "layer2.1"])
    assert re.search(r"2 of 9 blocks out: cat \d+ % \(whole network: (&gt;)?\d+ %\)", updates[lesion.effect])
    assert len(updates[lesion.before].bars) == len(updates[lesion.after].bars) == 5
    assert "0 of 9" in lesion._show(None, CAT, MODEL, [])[lesion.effect]
    assert lesion._show(None, CAT, MODEL, None)[lesion.effect] == ""
    named = effect(1, 9, [Prediction(0, "a<b", 1.0)], [Prediction(1, "c", 0.999), Prediction(0, "a<b", 0.001)])
    assert named == "1 of 9 blocks out: a<b <1 % (whole network: 100 %); the most probable class is now c, >99 %."


def test_a_network_that_does_not_exist_is_not_drawn_and_no_other_one_is_left():
    tab = built(Architecture(Catalogue(())))
    updates = tab._show("resnet34")
    assert [spec.name for spec in updates[tab.drawing].specs] == ["resnet34", "plain34"]
    updates = tab._show("resnet35")
    assert "has 35 layers" in updates[tab.message]["value"]
    assert updates[tab.drawing] is None
    assert updates[tab.table] == ""
    assert tab.ask({"model": "resnet35"}) == {tab.name: "resnet35"}


def test_twins_differ_by_their_shortcuts_alone():
    for name, other in (("resnet34-C", "plain34"), ("plain20", "resnet20"), ("plain50-v1", "resnet50-v1")):
        assert twin(name).name == other
        assert [row.layers for row in describe(other).rows] == [row.layers for row in describe(name).rows]
    for name in ("highway20", "preresnet20", "plain20-folded", "resnext50_32x4d"):
        assert twin(name) is None


def test_no_more_networks_are_added_than_are_drawn():
    flow = built(GradientFlow(open_catalogue(), "cpu"))
    six = [f"resnet{depth}" for depth in (8, 14, 20, 26, 32, 38)]
    updates = flow._added(six, "gradient_norm", "20", "plain", "none", "tanh", "he")
    assert "At most 6 networks: remove one first." in updates[flow.notice]["value"]
    updates = flow._added(six[:1], "gradient_norm", "20", "plain", "none", "tanh", "he")
    assert updates[flow.networks]["value"] == ["resnet8", "plain20-nonorm-tanh"]
    # A sentence goes with the networks it is about.
    assert updates[flow.notice] == flow._beside([], "gradient_norm")[flow.notice] == gr.update(visible=False)
    assert next(flow._show([], "gradient_norm"))[flow.message] == gr.update(visible=False)


def test_the_gradient_flow_opens_at_a_stop_unless_something_is_asked_for():
    flow = built(GradientFlow(open_catalogue(), "cpu"))
    opened = flow._opened(False, [])
    assert opened[flow.networks]["value"] == ["plain56", "resnet56", "preresnet56"]
    assert opened[flow.tour].current == "residual"
    assert flow._opened(True, []) == flow._opened(False, ["resnet20"]) == gr.skip()
    assert flow.ask({}) == {}
    # An address that is wrong is answered, and nothing else takes the answer's place.
    assert flow.ask({"tour": "x"})[flow.settled]
    assert flow.ask({"networks": "resnet20", "measure": "response_std"})[flow.tour].current == ""


def test_every_stop_of_the_tour_can_be_asked_for_by_its_address():
    flow = built(GradientFlow(open_catalogue(), "cpu"))
    for stop in TOUR:
        updates = flow.ask({"tour": stop.key})
        assert updates[flow.settled]
        assert updates[flow.networks]["value"] == list(stop.networks)
        assert updates[flow.measure] == stop.measure
        assert updates[flow.tour].current == stop.key
        assert stop.title in updates[flow.text]


def test_an_unknown_network_stop_or_measure_in_the_address_is_one_sentence_and_nothing_is_drawn():
    flow = built(GradientFlow(open_catalogue(), "cpu"))
    seven = ",".join(f"resnet{depth}" for depth in range(8, 50, 6))
    for query, says in (
        ({"networks": "resnet21"}, "has 21 layers"),
        ({"tour": "x"}, "no stop of that name"),
        ({"networks": "resnet20", "measure": "x"}, "no measure &#x27;x&#x27;"),
        ({"networks": seven}, "At most 6"),
    ):
        updates = flow.ask(query)
        assert says in updates[flow.notice]["value"]
        assert updates.keys() == {flow.settled, flow.notice}


def test_trained_networks_are_shown_as_they_were_measured_beforehand():
    flow = built(GradientFlow(open_catalogue(), "cpu"))
    assert {MODEL, TWIN, "plain56.cifar100"} <= set(flow.offered)
    shown = {key: value for answer in flow._show([TWIN, "plain8"], "gradient_norm") for key, value in answer.items()}
    trained, fresh = shown[flow.plot].panels[0].lines
    assert (trained.name, fresh.name) == ("plain-20, trained on CIFAR-10", "8 layers, plain")
    study = studies.find_study(TrainedFlow, find_entry(TWIN), open_catalogue().folders)
    assert [point.y for point in trained.points] == [layer.gradient_norm for layer in study.layers]
    assert re.search(r"gradient norm [\d.]+ ± [\d.]+$", trained.points[0].says)
    assert "1,000 test images" in shown[flow.status]
    assert "64 images" in shown[flow.status]
    # Figure 7 of the paper: in their order, and by magnitude.
    *_, last = flow._show([TWIN], "response_std")
    in_order, by_magnitude = ([point.y for point in panel.lines[0].points] for panel in last[flow.plot].panels)
    assert by_magnitude == sorted(in_order, reverse=True) != in_order


def test_a_trained_network_that_was_not_measured_is_one_sentence():
    flow = built(GradientFlow(open_catalogue(), "cpu"))
    for name, says in (
        ("plain56-grown.cifar10", "plain56-grown.cifar10 were not measured after training"),
        ("plain21.cifar10", "There is no"),
        ("../../etc.passwd", "There is no"),
    ):
        (answer,) = flow._show([name], "gradient_norm")
        assert says in answer[flow.message]["value"]
        assert answer[flow.plot] is None


def test_a_flow_without_numbers_is_tabulated_in_words():
    layers = [
        LayerFlow(f"conv{i}", "layer1", norm, std, 0.0) for i, (norm, std) in enumerate(((0.0, 1), (2e9, 2), (1, None)))
    ]
    rows = flow_table([Flow("plain8", 0, 64, float("inf"), tuple(layers))], ["eight"])
    assert re.findall("<td>(?:<i[^>]*></i>)?(.*?)</td>", rows) == ["eight", "not finite", "0", "2·10⁹", "0", "1", "2"]
    for first, last, says in (
        (0.0, 0.0, "both are 0"),
        (1.0, 0.0, "the last is 0"),
        (float("nan"), 1.0, "both are finite"),
    ):
        ends = [replace(layer, gradient_norm=norm) for layer, norm in zip(layers, (first, last, 1.0), strict=True)]
        assert says in flow_table([Flow("plain8", 0, 64, 1.0, tuple(ends))], ["eight"])

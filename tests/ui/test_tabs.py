"""The tabs' event handlers, called as Gradio calls them: the components they update, and the cost."""

import re
from dataclasses import replace
from html import escape
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.components import Component

from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES, loading
from resnet_demo.laboratory import lesion as laboratory
from resnet_demo.networks.architecture import describe
from resnet_demo.records import Flow, LayerFlow, Prediction
from resnet_demo.ui import build_page, choices, html
from resnet_demo.ui.answers import look
from resnet_demo.ui.downloads import export
from resnet_demo.ui.layer_plots import block_of, gradient_plot
from resnet_demo.ui.photo import SHOWN, UNKNOWN, example, examples_for, first_example
from resnet_demo.ui.tabs.architecture import Architecture, twin
from resnet_demo.ui.tabs.closer import Closer
from resnet_demo.ui.tabs.compare import Compare
from resnet_demo.ui.tabs.construction import continued, solution
from resnet_demo.ui.tabs.degradation import Degradation
from resnet_demo.ui.tabs.explore import Explore
from resnet_demo.ui.tabs.gradient_flow import GradientFlow, flow_table
from resnet_demo.ui.tabs.lesion import Lesion, effect
from resnet_demo.ui.tabs.race import GETTING_READY, status
from resnet_demo.ui.tabs.tab import Current
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
        tab.build(gr.State(None))
    return tab


@pytest.fixture(scope="module")
def closer(cache):
    with gr.Blocks():
        shown, open_ = gr.State(None), gr.State("")
        with gr.Tabs():
            return Closer(cache, shown, open_)


def explored(cache, *question, before=None, own=False):
    """The updates of Explore's one event, by the name of the attribute that holds the component."""
    explore = built(Explore(cache, MODEL))
    updates = explore._show(before, question[1], *question, own)
    names = {**{value: name for name, value in vars(explore).items() if isinstance(value, Component)}}
    names |= {value: name for name, value in vars(explore.pickers).items() if isinstance(value, Component)}
    return updates if updates == gr.skip() else {names[component]: value for component, value in updates.items()}


def address(**query):
    return SimpleNamespace(query_params=query)


EVENTS = {
    "explore": lambda cache, closer, shown: explored(cache, CAT, MODEL, "", "", "float32"),
    "explore, faster": lambda cache, closer, shown: explored(cache, CAT, MODEL, "dog", "layer2", "bfloat16"),
    "compare": lambda cache, closer, shown: built(Compare(cache))._show(MODEL, CAT, MODEL, TWIN, ""),
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
    (event,) = handlers(page, "ask")
    for request in addresses:
        updates = event.fn(request)
        assert updates == gr.skip() or set(updates) <= set(event.outputs)
    # A tab that there is none of is the first one.
    assert event.fn(address(tab="nothing")).keys() == event.fn(address()).keys()


def test_a_photo_that_is_taken_away_empties_the_page(cache):
    updates = explored(cache, None, MODEL, "", "", "float32")
    assert updates["shown"] is updates["heatmap"] is updates["plot"] is None
    assert updates["message"] == gr.update(visible=False)


def test_the_same_question_is_not_answered_twice_and_a_new_photo_gets_its_own_class(cache):
    first = explored(cache, CAT, MODEL, "8", "", "float32")
    assert first["shown"].analysis.target.label == "ship"
    assert "target" not in first
    assert explored(cache, CAT, MODEL, "8", "", "float32", before=first["shown"]) == gr.skip()
    rocket = str(EXAMPLES / "rocket.jpg")
    second = explored(cache, rocket, MODEL, "8", "", "float32", before=first["shown"])
    assert second["target"] == ""
    analysis = second["shown"].analysis
    assert analysis.target.index == analysis.predictions[0].index
    assert (second["current"].photo, second["current"].model) == (rocket, MODEL)


def test_what_is_explained_is_marked_and_said_with_its_probability_and_strength(cache):
    top = explored(cache, CAT, MODEL, "", "", "float32")
    assert [bar.marked for bar in top["top"].bars] == [True, False, False, False, False]
    assert top["top"].back == ""
    assert "as strong as" not in top["explanation"]
    names = [bar.label for bar in top["top"].bars]
    other = next(label for label in find_entry(MODEL).labels if label not in names)
    updates = explored(cache, CAT, MODEL, other, "layer2", "float32")
    analysis, bars = updates["shown"].analysis, updates["top"].bars
    assert [(bar.label, bar.marked) for bar in bars] == [*((name, False) for name in names), (other, True)]
    assert updates["top"].back
    probability = escape(html.percent(analysis.target.probability, 1))
    assert f"<b>{other}</b>, {probability}, in layer2.2" in updates["explanation"]
    # The map is drawn on the scale of the most probable class: its strength is the ratio of both maxima.
    (whole,) = explain_classes(CAT, cache.get(MODEL), [names[0]], "layer2.2")
    assert updates["shown"].strength == pytest.approx(analysis.cam_max / whole.cam_max, rel=1e-4)
    assert updates["shown"].heat.max() == pytest.approx(min(updates["shown"].strength, 1), rel=1e-4)
    own = explored(cache, CAT, MODEL, other, "layer2", "float32", own=True)
    assert own["shown"].heat.max() == 1


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [(0, 0, "0 %"), (0.004, 0, "<1 %"), (0.004, 1, "0.4 %"), (0.5, 0, "50 %"), (0.9999, 0, ">99 %"), (1, 1, "100.0 %")],
)
def test_no_probability_looks_like_nothing_or_like_certainty(share, digits, text):
    assert html.percent(share, digits) == text


def test_a_clicked_layer_is_its_block_and_nothing_else(shown):
    layers = shown.analysis.gradients
    keys = {point.key for line in gradient_plot(shown.analysis).panels[0].lines for point in line.points}
    assert keys == {"", *shown.analysis.layers}
    assert block_of(layers[0], shown.analysis.layers) == "stem"
    assert block_of(layers[-1], shown.analysis.layers) == ""


def test_networks_of_different_classes_are_not_compared(cache):
    compare = built(Compare(cache))
    first = find_entry(MODEL)
    offered = [name for _, name in choices.partners(cache.catalogue, first)]
    assert TWIN in offered
    assert all(find_entry(name).labels == first.labels for name in offered)
    assert choices.partner(cache.catalogue, first, "resnet56.cifar100") == TWIN
    updates = compare._switch(MODEL, "plain56.cifar100", "8", "resnet56.cifar100")
    assert updates[compare.second]["value"] == TWIN
    assert updates[compare.target]["value"] == ""
    updates = compare._switch(MODEL, "plain56.cifar10", "8", TWIN)
    assert (updates[compare.second]["value"], updates[compare.target]["value"]) == ("plain56.cifar10", "8")
    refused = compare._show(MODEL, CAT, MODEL, "plain56.cifar100", "")
    assert "different classes" in refused[compare.message]["value"]
    assert refused[compare.plot] is None


def test_what_cannot_be_fetched_is_marked_and_cannot_be_picked(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("RESNET_DEMO_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    titles = {tag: title for title, tag in choices.dataset_choices(cache.catalogue, offline=True)}
    assert titles["tv_in1k"].endswith("(not on this machine)")
    assert titles["cifar10"] == "CIFAR-10: 10 classes"
    pickers = built(Explore(cache, MODEL)).pickers
    updates = pickers._pick_dataset("tv_in1k", MODEL, MODEL)
    assert "is not on this machine" in updates[pickers.message]["value"]
    assert updates[pickers.name]["value"] == MODEL
    updates = pickers._pick_dataset("fashion_mnist", MODEL, MODEL)
    assert updates[pickers.message] == gr.update(visible=False)
    assert find_entry(updates[pickers.name]["value"]).tag == "fashion_mnist"


def test_a_visitor_is_followed_from_tab_to_tab(cache):
    explore, compare = built(Explore(cache, MODEL)), built(Compare(cache))
    current = Current(CAT, "plain20.cifar100")
    updates = explore._follow(current, None, MODEL)
    assert (updates[explore.photo], updates[explore.pickers.name]["value"]) == (CAT, current.model)
    assert set(explore._follow(current, None, current.model)) == {explore.photo}
    assert explore._follow(explore.first, None, MODEL) == {explore.photo: explore.first.photo}
    updates = compare._follow(current, MODEL, TWIN)
    assert (updates[compare.first], updates[compare.second]["value"]) == (current.model, "resnet20.cifar100")
    assert set(compare._follow(current, "resnet20.cifar100", current.model)) == {compare.photo}


def test_an_answer_that_comes_late_undoes_nothing(cache):
    """The tab is selected when the page opens; that may be answered after the first result, or a second one."""
    explore = built(Explore(cache, MODEL))
    shown, _ = look(cache, CAT, TWIN)
    assert explore._follow(None, None, MODEL) == gr.skip()
    assert explore._follow(Current(CAT, TWIN), shown, TWIN) == gr.skip()


def test_an_untrained_network_has_one_sentence_in_place_of_explanations(cache, closer):
    untrained, _ = look(cache, CAT, "resnet20.untrained")
    updates = closer._classes("classes", untrained, [])
    assert "does not look for any class" in updates[closer.captions[0]]
    assert "no prediction to explain" in closer._methods("pixels", untrained)[closer.state]
    assert list(closer._pixels(untrained, "saliency")) == []
    lesion = built(Lesion(cache))
    assert "is untrained" in lesion._show(CAT, "resnet20.untrained", [])[lesion.message]["value"]
    opened = lesion._opened("resnet20.untrained", [])
    assert "is untrained" in opened[lesion.study]
    assert opened[lesion.drawing] is None


def test_the_lesion_tab_opens_with_one_block_out_and_reads_its_study_once(cache, monkeypatch):
    lesion, read, find = built(Lesion(cache)), [], laboratory.find_study
    monkeypatch.setattr(
        laboratory, "find_study", lambda entry, folders: (read.append(entry.name), find(entry, folders))[1]
    )
    view = lesion._opened(MODEL, None)[lesion.drawing]
    assert view.removed == ("layer3.1",)  # The first one of the last stage that keeps its input's shape.
    assert sorted(read) == [TWIN, MODEL]
    # Another network keeps what was removed, as far as it has it; and what a client makes up is nothing.
    assert lesion._switch(TWIN, ["layer2.1", "layer3.8", "x"])[lesion.drawing].removed == ("layer2.1",)
    assert lesion._opened(MODEL, [])[lesion.drawing].removed == ()


def test_the_effect_of_lesions_is_a_sentence(cache):
    lesion = built(Lesion(cache))
    updates = lesion._show(CAT, MODEL, ["layer1.0", "nothing", "layer2.1", "layer2.1"])
    assert re.search(r"<b>2 of 9 blocks out:</b> cat \d+ % \(whole network: (&gt;)?\d+ %\)", updates[lesion.effect])
    assert len(updates[lesion.before].bars) == len(updates[lesion.after].bars) == 5
    assert "<b>0 of 9" in lesion._show(CAT, MODEL, [])[lesion.effect]
    assert lesion._show(CAT, MODEL, None)[lesion.effect] == ""
    named = effect(1, 9, [Prediction(0, "a<b", 1.0)], [Prediction(1, "c", 0.999), Prediction(0, "a<b", 0.001)])
    assert "a&lt;b &lt;1 % (whole network: 100 %); the most probable class is now c, &gt;99 %." in named


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


def test_a_photo_that_is_gone_is_one_sentence(closer, shown, tmp_path):
    gone = replace(shown, photo=str(tmp_path / "gone.jpg"))
    assert 'role="alert"' in closer._classes("classes", gone, [])[closer.captions[0]]
    (updates,) = closer._pixels(gone, "saliency")
    assert 'role="alert"' in updates[closer.state]


def test_no_more_networks_are_added_than_are_drawn():
    flow = built(GradientFlow("cpu"))
    six = [f"resnet{depth}" for depth in (8, 14, 20, 26, 32, 38)]
    updates = flow._added(six, "gradient_norm", "20", "plain", "none", "tanh", "he")
    assert "At most 6 networks: remove one first." in updates[flow.message]["value"]
    updates = flow._added(six[:1], "gradient_norm", "20", "plain", "none", "tanh", "he")
    assert updates[flow.networks]["value"] == ["resnet8", "plain20-nonorm-tanh"]


def test_the_gradient_flow_opens_at_a_stop_unless_something_is_asked_for():
    flow = built(GradientFlow("cpu"))
    opened = flow._opened(False, [])
    assert opened[flow.networks]["value"] == ["plain56", "resnet56", "preresnet56"]
    assert opened[flow.tour].current == "residual"
    assert flow._opened(True, []) == flow._opened(False, ["resnet20"]) == gr.skip()
    assert flow.ask({}) == {}
    # An address that is wrong is answered, and nothing else takes the answer's place.
    assert flow.ask({"tour": "x"})[flow.settled]
    assert flow.ask({"networks": "resnet20", "measure": "response_std"})[flow.tour].current == ""


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


def test_every_tab_works_without_trained_weights(tmp_path):
    cache = ModelCache("cpu", offline=True, catalogue=Catalogue((tmp_path,)))
    assert len(build_page(cache).fns) > 50
    degradation = built(Degradation(cache.catalogue, tmp_path, "cpu", offline=True))
    assert degradation.cards == ()
    assert degradation._opened("", []) == gr.skip()
    lesion = built(Lesion(cache))
    assert "is untrained" in lesion._opened(lesion.default.name, [])[lesion.study]
    compare = built(Compare(cache))
    updates = compare._show(compare.first.value, CAT, compare.first.value, compare.second.value, compare.target.value)
    assert len(updates[compare.plot].panels) == 2


def test_the_solution_is_shown_with_the_errors_of_the_cards_and_told_as_it_is(tmp_path):
    catalogue = ModelCache("cpu").catalogue
    text, bars = solution(catalogue, "cifar10")
    shown = {bar.label: bar for bar in bars.bars}
    for name, label in (
        ("plain20", "plain-20 trained"),
        ("plain56", "plain-56 trained"),
        ("resnet56", "plain-56 folded from ResNet-56"),
    ):
        assert shown[label].text == f"{catalogue.find(f'{name}.cifar10').test_error:.2f} %"
        assert shown[label].kind == "plain"
        assert shown[label].hollow == ("trained" not in label)
    assert "training does not find it" in text
    assert "training does not find it" in solution(catalogue, "cifar100")[0]
    assert solution(Catalogue(()), "") == ("", None)
    put_weights(tmp_path, "plain8.mine")
    own = Catalogue((tmp_path,))
    assert solution(own, "mine") == ("", None)  # Nothing can be made of it.
    card = put_weights(tmp_path, "resnet8.mine")
    replace(card, test_error=95.0).write(tmp_path / "resnet8.mine.json")
    text, _ = solution(own, "mine")
    assert "one with 95.00 % test error is ResNet-8 with its shortcuts folded away" in text
    assert "Training finds it" in text


def told(catalogue, dataset):
    return continued(catalogue, dataset, results.continued(catalogue))


def test_what_training_makes_of_a_construction_is_read_from_the_cards(tmp_path):
    catalogue = ModelCache("cpu").catalogue
    text, card = told(catalogue, "cifar10"), results.continued(catalogue)[0]
    assert f"{catalogue.find(card.start).test_error:.2f} → {card.test_error:.2f}" in text
    assert "plain56.cifar10 from plain20.cifar10" in text
    assert "10 epochs at a learning rate of 0.01" in text
    assert f"to {card.test_error:.2f} % test error" in text
    assert told(catalogue, "cifar100") == ""
    # A run whose start is not here has no errors from before.
    put_weights(tmp_path, "plain8.mine")
    folder = tmp_path / CONTINUED
    folder.mkdir()
    replace(card, dataset="mine").write(folder / "plain56.mine.json")
    assert told(Catalogue((tmp_path,)), "mine") == ""
    own = replace(card, dataset="mine", start="plain8.mine", test_error=43.21)
    own.write(folder / "plain56.mine.json")
    assert "→ 43.21" in told(Catalogue((tmp_path,)), "mine")
    for recipe in ({}, {"learning_rate": "<b>high</b>"}, {"learning_rate": 10**400}):
        replace(own, recipe=recipe).write(folder / "plain56.mine.json")
        assert "10 epochs at an unknown learning rate" in told(Catalogue((tmp_path,)), "mine")


@pytest.fixture
def degradation():
    tab = Degradation(ModelCache("cpu").catalogue, None, "cpu", offline=True)
    with gr.Blocks():
        tab.build(gr.State(None))
    return tab


def test_what_follows_the_data_set_is_of_that_data_set_alone(degradation):
    tab = degradation
    updates = tab._switch("cifar100")
    assert updates[tab.depths]["value"] == [20, 56]
    assert all(len(panel.lines) == 4 for panel in updates[tab.curves].panels)
    assert "cifar10." not in updates[tab.results] + " ".join(bar.label for bar in updates[tab.solution].bars)
    assert "He et al." not in updates[tab.results]
    assert "He et al. 2016" in tab._switch("cifar10")[tab.results]


def test_a_data_set_or_a_depth_that_does_not_exist_changes_nothing(degradation):
    tab = degradation
    assert tab._switch("odd") == tab._opened("odd", []) == tab._redraw("odd", [20]) == gr.skip()
    updates = tab._redraw("cifar10", [999])
    assert [panel.lines for panel in updates[tab.curves].panels] == [(), ()]
    assert tab.depths.preprocess([20, "x", None, [56], 56]) == [20, 56]
    for sent in (None, "20", {"a": 1}, list(range(1000))):
        with pytest.raises(gr.Error):
            tab.depths.preprocess(sent)


def test_an_impossible_race_is_one_sentence(degradation, tmp_path):
    race = degradation.race
    race.data = tmp_path
    for entrants in (("resnet20", "plain20", float("nan")), ("resnet20", "../x", 30)):
        *_, last = race._race(*entrants)
        assert 'role="alert"' in last[race.state]
    race.data = tmp_path / "gone"
    (only,) = race._race("resnet20", "plain20", 30)
    assert "No race here" in only[race.state]
    assert race._ready()[race.start]["interactive"] is False


def test_stop_leaves_how_the_race_stood_and_nothing_untrue(degradation):
    race = degradation.race
    assert set(race._stopped(status("3 of 120 s"))) == {race.ended}
    assert race._stopped(status(GETTING_READY))[race.state] == ""


def test_examples_are_named_by_what_the_network_can_know():
    def captions(name):
        return [(key, caption) for key, _, caption in examples_for(find_entry(name))]

    assert captions("resnet20.cifar10")[:2] == [("cat", "cat"), ("moose", "deer")]
    assert [caption for _, caption in captions("resnet20.cifar10")[2:]] == [UNKNOWN] * 2
    assert ("goldfish", "goldfish") in captions("resnet18.tv_in1k")
    assert {caption for _, caption in captions("resnet20.fashion_mnist")} == {UNKNOWN}
    assert captions("resnet20.untrained") == [(name, name) for name in SHOWN]
    assert sum(len(source) for _, source, _ in examples_for(find_entry("resnet18.tv_in1k"))) < 60_000


def test_an_address_names_an_example_and_nothing_else():
    entry = find_entry(MODEL)
    assert Path(example({"photo": "moose"}, entry)).name == "moose.jpg"
    assert example({}, entry) == example({"photo": ""}, entry) == first_example(entry)
    for name in ("../app", "cat.jpg", "/etc/passwd", "CAT"):
        with pytest.raises(InputError, match="no such example photo: use one of raccoon"):
            example({"photo": name}, entry)


def test_a_wrong_address_is_one_sentence_beside_what_the_page_would_have_opened_with(cache):
    explore = built(Explore(cache, MODEL))
    for query in ({"model": "resnet21"}, {"target": "nothing"}, {"layer": "layer9"}, {"photo": "nothing"}):
        updates = explore.ask(query)
        assert 'role="alert"' in updates.pop(explore.notice)["value"]
        assert updates == explore.ask({})


def test_while_another_network_is_fetched_the_one_that_is_shown_is_not_asked_for_its_classes(cache):
    explore = built(Explore(cache, MODEL))
    updates = explore._show(None, "resnet18.tv_in1k", CAT, MODEL, "281", "layer4.1", "float32", False)
    assert updates[explore.shown].analysis.predictions[0].index == updates[explore.shown].analysis.target.index
    assert updates[explore.shown].entry.name == MODEL
    assert updates[explore.current] == Current(CAT, "resnet18.tv_in1k")
    picked = explore.pickers.picked
    assert explore._choose("resnet18.tv_in1k") == {picked: "resnet18.tv_in1k", explore.fetching: "resnet18.tv_in1k"}
    assert explore._choose(MODEL) == {picked: MODEL, explore.ready: MODEL, explore.fetching: ""}
    failed = explore._fetch("resnet18.tv_in1k", MODEL, updates[explore.current])
    assert failed[explore.current] == Current(CAT, MODEL)
    assert (failed[explore.fetching], failed[explore.pickers.name]["value"]) == ("", MODEL)
    assert 'role="alert"' in failed[explore.notice]["value"]


def test_a_network_that_is_here_is_asked_before_its_choice_has_been_answered(cache):
    explore = built(Explore(cache, MODEL))
    updates = explore._show(None, TWIN, CAT, MODEL, "3", "layer2.0", "float32", False)
    assert updates[explore.shown].entry.name == TWIN
    assert updates[explore.shown].analysis.target.index == 3
    assert updates[explore.current] == Current(CAT, TWIN)


def test_a_photo_that_is_taken_away_takes_its_class_along(cache):
    updates = explored(cache, None, MODEL, "5", "", "float32")
    assert updates["target"] == ""
    updates = explored(cache, None, "resnet20.untrained", "5", "", "float32")
    assert updates["target"] == "0"


def test_leaving_the_box_of_data_sets_changes_nothing(cache):
    pickers = built(Explore(cache, MODEL)).pickers
    assert pickers._pick_dataset("cifar10", MODEL, "plain56-folded.cifar10") == gr.skip()

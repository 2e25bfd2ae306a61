"""What the Explore tab answers, and what it costs."""

from dataclasses import replace
from html import escape

import gradio as gr
import pytest

from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.images import EXAMPLES
from resnet_demo.ui import choices, html
from resnet_demo.ui.answers import look
from resnet_demo.ui.layer_plots import block_of, gradient_plot
from resnet_demo.ui.tabs.explore import Explore
from resnet_demo.ui.tabs.lesion import Lesion
from resnet_demo.ui.tabs.tab import Current
from resnet_demo.zoo import ModelCache, find_entry
from tests.ui.tabs import CAT, MODEL, TWIN, built, explored


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


def test_after_a_photo_that_cannot_be_read_the_next_one_is_asked_what_it_shows(cache, tmp_path):
    shown = explored(cache, CAT, MODEL, "5", "", "float32")["shown"]
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    assert explored(cache, str(tmp_path / "broken.jpg"), MODEL, "5", "", "float32", before=shown)["target"] == ""


def test_what_is_explained_is_marked_and_said_with_its_probability_and_strength(cache):
    top = explored(cache, CAT, MODEL, "", "", "float32")
    assert [bar.marked for bar in top["top"].bars] == [True, False, False, False, False]
    assert top["top"].back == ""
    assert "of that for" not in top["explanation"]
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


def test_leaving_a_box_and_confirming_a_click_leave_the_buttons_alone(cache):
    pickers = built(Explore(cache, MODEL)).pickers
    assert (
        pickers._pick_depth(MODEL, MODEL, MODEL, "", "") == pickers._pick_dataset("cifar10", MODEL, MODEL) == gr.skip()
    )
    deeper = pickers._pick_depth(MODEL, MODEL, "resnet56.cifar10", "", "")
    assert deeper[pickers.settled] == "resnet56.cifar10"
    plain = pickers._pick_connection("cifar10", "plain", MODEL, MODEL, "", "")
    assert ["value" in updates[pickers.connection] for updates in (deeper, plain)] == [False, False]
    assert pickers._pick_dataset("fashion_mnist", MODEL, MODEL)[pickers.connection]["value"] == "residual"


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
    assert "is untrained" in lesion._show(None, CAT, "resnet20.untrained", [])[lesion.message]["value"]
    opened = lesion._opened("resnet20.untrained", [])
    assert "is untrained" in opened[lesion.study]
    assert opened[lesion.drawing] is None


def test_a_photo_that_is_gone_is_one_sentence(closer, shown, tmp_path):
    gone = replace(shown, photo=str(tmp_path / "gone.jpg"))
    assert 'role="alert"' in closer._classes("classes", gone, [])[closer.captions[0]]
    (updates,) = closer._pixels(gone, "saliency")
    assert 'role="alert"' in updates[closer.state]


def test_while_another_network_is_fetched_the_one_that_is_shown_is_not_asked_for_its_classes(cache):
    explore = built(Explore(cache, MODEL))
    updates = explore._show(None, None, "resnet18.tv_in1k", CAT, MODEL, "281", "layer4.1", "float32", False)
    assert updates[explore.shown].analysis.predictions[0].index == updates[explore.shown].analysis.target.index
    assert updates[explore.shown].entry.name == MODEL
    assert updates[explore.current] == Current(CAT, "resnet18.tv_in1k")
    picked = explore.pickers.picked
    assert explore._choose("resnet18.tv_in1k") == {picked: "resnet18.tv_in1k", explore.fetching: "resnet18.tv_in1k"}
    assert explore._choose(MODEL) == {picked: MODEL, explore.ready: MODEL, explore.fetching: ""}
    failed = explore._fetch("resnet18.tv_in1k", MODEL, "5", "layer2.0", updates[explore.current])
    assert failed[explore.current] == Current(CAT, MODEL)
    assert (failed[explore.fetching], failed[explore.pickers.name]["value"]) == ("", MODEL)
    assert (failed[explore.pickers.target]["value"], failed[explore.pickers.layer]["value"]) == ("5", "layer2.0")
    assert 'role="alert"' in failed[explore.notice]["value"]


def test_a_network_that_is_here_is_asked_before_its_choice_has_been_answered(cache):
    explore = built(Explore(cache, MODEL))
    updates = explore._show(None, None, TWIN, CAT, MODEL, "3", "layer2.0", "float32", False)
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


def test_a_wrong_address_is_one_sentence_beside_what_the_page_would_have_opened_with(cache):
    explore = built(Explore(cache, MODEL))
    for query in ({"model": "resnet21"}, {"target": "nothing"}, {"layer": "layer9"}, {"photo": "nothing"}):
        updates = explore.ask(query)
        assert 'role="alert"' in updates.pop(explore.notice)["value"]
        assert updates == explore.ask({})


def test_an_answer_does_not_move_the_button_that_was_clicked(own_folders):
    """The visitor may have clicked again: a button moved back made the next click on it no change, and lost it."""
    pickers = built(Explore(ModelCache(offline=True), MODEL)).pickers
    clicked = pickers._pick_connection("cifar10", "plain", MODEL, MODEL, "", "")
    assert clicked[pickers.picked] == clicked[pickers.name]["value"] == TWIN
    assert "value" not in clicked[pickers.connection]
    # Where it cannot be picked, the button goes back.
    refused = pickers._pick_connection("tv_in1k", "plain", MODEL, MODEL, "", "")
    assert refused[pickers.connection]["value"] == "residual"

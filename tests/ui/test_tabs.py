"""What all tabs have in common: their events, addresses, and what follows a visitor."""

from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.queueing import Queue

from resnet_demo.errors import InputError
from resnet_demo.images import loading
from resnet_demo.ui import build_page
from resnet_demo.ui.address import Address
from resnet_demo.ui.downloads import export
from resnet_demo.ui.photo import SHOWN, UNKNOWN, example, examples_for, first_example
from resnet_demo.ui.tabs.architecture import Architecture
from resnet_demo.ui.tabs.compare import Compare
from resnet_demo.ui.tabs.degradation import Degradation
from resnet_demo.ui.tabs.explore import Explore
from resnet_demo.ui.tabs.lesion import Lesion
from resnet_demo.ui.tabs.live import Live
from resnet_demo.ui.tabs.tab import Current, without_photo
from resnet_demo.ui.turns import Turn, in_turn
from resnet_demo.zoo import Catalogue, ModelCache, find_entry
from tests.ui.tabs import CAT, MODEL, TWIN, built, explored


def address(**query):
    return SimpleNamespace(query_params=query)


EVENTS = {
    "explore": lambda cache, closer, shown: explored(cache, CAT, MODEL, "", "", "float32"),
    "explore, faster": lambda cache, closer, shown: explored(cache, CAT, MODEL, "dog", "layer2", "bfloat16"),
    "compare": lambda cache, closer, shown: built(Compare(cache))._show(None, MODEL, CAT, MODEL, TWIN, ""),
    "lesion": lambda cache, closer, shown: built(Lesion(cache))._show(None, CAT, MODEL, ["layer1.0"]),
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


@pytest.mark.parametrize("tab", [lambda cache: Explore(cache, MODEL), Compare, Lesion])
def test_a_photo_that_was_removed_is_removed_from_every_tab(cache, tab):
    tab, current = built(tab(cache)), without_photo(Current(CAT, MODEL))
    assert current == Current("", MODEL)
    asked = {Explore: (None, MODEL), Compare: (MODEL, TWIN), Lesion: (MODEL, None)}[type(tab)]
    assert tab._follow(current, *asked)[tab.photo] is None
    assert without_photo(None) is None
    live = built(Live(cache))
    opened = live._opened(current, MODEL)
    assert opened[live.plot] is None
    assert all(opened[part] is None for side in live.sides for part in side.all)


@pytest.mark.parametrize("tab", [lambda cache: Explore(cache, MODEL), Compare, Lesion])
def test_the_analysis_of_a_photo_that_is_removed_meanwhile_does_not_count(cache, tab):
    with gr.Blocks() as page:
        tab(cache).build(gr.State(None), Address())
    shows, removes = (next(e for e in page.fns.values() if e.name == name) for name in ("_show", "without_photo"))
    assert removes.inputs[1] is shows.inputs[1]
    number, turn, current = 2, Turn(), Current(CAT, MODEL)

    def removed_meanwhile(*inputs):
        assert removes.fn(number, turn, current) == Current("", MODEL)
        return current

    assert in_turn(removed_meanwhile)(1, turn, CAT) == gr.skip()


@pytest.mark.parametrize(
    ("tab", "opens", "picks"),
    [
        (Lesion, "_follow", "_pick"),
        (lambda cache: Architecture(cache.catalogue), "_opened", "_picked"),
        (Live, "_opened", "_pick"),
    ],
    ids=["lesion", "architecture", "live"],
)
def test_a_network_that_is_picked_before_the_tab_has_opened_stays(cache, tab, opens, picks):
    with gr.Blocks() as page:
        tab = tab(cache)
        with gr.Tab() as panel:
            tab.build(gr.State(None), Address())
        tab.open(panel)
    opened, picked = (next(event for event in page.fns.values() if event.name == name) for name in (opens, picks))
    assert picked.inputs[1] is opened.inputs[1]
    assert tab.name in opened.outputs
    turn = Turn()

    def picked_meanwhile(*inputs):
        assert in_turn(lambda name: name)(2, turn, TWIN) == TWIN
        return MODEL

    assert in_turn(picked_meanwhile)(1, turn, MODEL) == gr.skip()


def test_a_network_picked_in_a_tab_that_has_not_opened_brings_the_photo(cache):
    lesion, before = built(Lesion(cache)), Current("moose.jpg", TWIN)
    assert lesion._pick(None, MODEL, [], before)[lesion.photo] == "moose.jpg"
    # One that is there stays, and so does the one that a visitor sends just now.
    assert lesion.photo not in lesion._pick(CAT, MODEL, [], before)
    assert lesion.photo not in lesion._pick(None, MODEL, [], without_photo(before))


def test_architecture_follows_another_tab_once(cache):
    tab, current = built(Architecture(cache.catalogue)), Current(CAT, MODEL)
    assert tab._opened(current, "", "resnet34")[tab.name] == "resnet20"
    assert tab._opened(current, MODEL, "resnet34")[tab.name] == "resnet34"
    # What is picked before that, too.
    assert tab._picked(current, "", "resnet34")[tab.followed] == MODEL
    assert tab._picked(Current(CAT, MODEL, seen=False), "", "resnet34")[tab.followed] == ""


@pytest.mark.parametrize("tab", [Compare, Lesion])
def test_a_sentence_about_a_photo_goes_with_it(cache, tab):
    tab = built(tab(cache))
    asked = (None, MODEL, None, MODEL, TWIN, "") if isinstance(tab, Compare) else (None, None, MODEL, [])
    assert tab._show(*asked)[tab.message] == gr.update(visible=False)


def handlers(page, name):
    return [event for event in page.fns.values() if event.name == name and event.outputs]


@pytest.fixture(scope="module")
def page():
    return build_page(ModelCache("cpu", offline=True), MODEL)


def test_the_endpoints_decode_a_photo_once_too(page, monkeypatch):
    decoded, decode = [], loading._decoded
    monkeypatch.setattr(loading, "_decoded", lambda data, side: (decoded.append(1), decode(data, side))[1])
    for name, inputs in (("analyze", [CAT, MODEL, "", "", "bfloat16"]), ("compare", [CAT, MODEL, TWIN, ""])):
        (event,) = handlers(page, name)
        decoded.clear()
        assert event.fn(*inputs)
        assert len(decoded) == 1


def test_nothing_sums_up_what_visitors_do(page):
    """After each event, Gradio would, in a table of the last 10,000."""
    assert Queue.compute_analytics_summary
    assert page._queue.compute_analytics_summary([{"function": "ask"}]) == {}


def test_every_tab_says_by_name_what_the_address_changes(page):
    """Whatever the address contains, the handler returns updates of the event's outputs, or none."""
    addresses = [address(tab=tab, photo="cat") for tab in ("explore", "compare", "lesion", "flow", "architecture")]
    addresses += [
        address(),
        address(tab="nothing"),
        *(address(tab=a.query_params["tab"], model="x") for a in addresses),
    ]
    (event,) = handlers(page, "ask")
    for request in addresses:
        updates = event.fn([], request)
        assert updates == gr.skip() or set(updates) <= set(event.outputs)
    # A tab that there is none of is the first one, which says so.
    plainly, oddly = event.fn([], address()), event.fn([], address(tab="nothing"))
    (notice,) = (update for component, update in oddly.items() if component not in plainly)
    assert "There is no such tab: use explore, compare," in notice["value"]
    assert set(event.fn([], address(tab="Lesion", photo="cat"))) == set(
        event.fn([], address(tab="lesion", photo="cat"))
    )


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


def test_a_network_that_a_tab_cannot_show_or_shows_second_is_gone_on_with(cache):
    compare, lesion = built(Compare(cache)), built(Lesion(cache))
    for model in (TWIN, "plain110.untrained"):
        before = Current("moose.jpg", model)
        assert compare._show(before, MODEL, CAT, MODEL, TWIN, "")[compare.current] == Current(CAT, model)
        assert lesion._show(before, CAT, MODEL, [])[lesion.current] == Current(CAT, model)
        # Until another one is picked.
        assert compare._switch(MODEL, TWIN, "", TWIN, before)[compare.current] == Current("moose.jpg", MODEL)
        assert lesion._pick(CAT, MODEL, [], before)[lesion.current] == Current("moose.jpg", MODEL)
    assert lesion._show(None, CAT, MODEL, [])[lesion.current] == Current(CAT, MODEL)
    # A network that was picked during an analysis of the same photo stays picked.
    same = Current(CAT, TWIN)
    assert lesion._show(same, CAT, MODEL, [])[lesion.current] == gr.skip()
    assert compare._show(same, MODEL, CAT, MODEL, TWIN, "")[compare.current] == gr.skip()


def test_every_tab_works_without_trained_weights(tmp_path):
    cache = ModelCache("cpu", offline=True, catalogue=Catalogue((tmp_path,)))
    assert len(build_page(cache).fns) > 50
    degradation = built(Degradation(cache.catalogue, tmp_path, "cpu", offline=True))
    assert degradation.cards == ()
    assert degradation._opened("", []) == gr.skip()
    lesion = built(Lesion(cache))
    assert "is untrained" in lesion._opened(lesion.default.name, [])[lesion.study]
    compare = built(Compare(cache))
    first, second = compare.first.value, compare.second.value
    updates = compare._show(None, first, CAT, first, second, compare.target.value)
    assert len(updates[compare.plot].panels) == 2


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

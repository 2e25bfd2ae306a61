"""The address that shows the same again."""

import json
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from resnet_demo.images import EXAMPLES
from resnet_demo.ui import choices
from resnet_demo.ui.address import Address
from resnet_demo.ui.components import Remembered
from resnet_demo.ui.photo import OWN, SHOWN, example_name, recalled, remembered
from resnet_demo.ui.tabs.compare import Compare
from resnet_demo.ui.tabs.explore import Explore
from resnet_demo.ui.tabs.lesion import Lesion
from resnet_demo.ui.tabs.tab import Current, without_photo
from resnet_demo.zoo import find_entry
from tests.ui.tabs import CAT, MODEL, TWIN, built


def test_what_is_not_chosen_is_left_out_but_no_blocks_are_a_choice():
    view = {"tab": "lesion", "photo": "", "model": MODEL, "layer": None, "removed": ""}
    assert json.loads(Address().postprocess(view)) == {"tab": "lesion", "model": MODEL, "removed": ""}
    assert Address().postprocess(None) is None


def test_only_examples_are_named(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(b"another cat")
    assert example_name(CAT, str(tmp_path)) == "cat"
    assert example_name(str(tmp_path / "cat.jpg"), str(tmp_path)) == f"{OWN}{tmp_path.name[:6]}"
    assert example_name(str(EXAMPLES / "CREDITS.md"), str(tmp_path)) == f"{OWN}exampl"


def test_an_own_photo_is_found_again_by_the_browser_that_sent_it_alone(tmp_path):
    folder, paths = str(tmp_path), []
    for name in ("abcdef1", "fedcba1"):
        path = tmp_path / name / "photo.jpg"
        path.parent.mkdir()
        path.write_bytes(b"a photo")
        paths.insert(0, str(path))
    own = remembered(paths[1:], Current(paths[0], MODEL), folder)
    assert own == remembered(own, Current(paths[0], MODEL), folder) == paths
    assert len(remembered([f"{i}" for i in range(20)], Current(paths[0], MODEL), folder)) == Remembered.MOST
    assert remembered(own, Current(CAT, MODEL), folder) == gr.skip()
    assert recalled({"photo": "own-abcdef"}, own, folder) == paths[1]
    # Neither another browser, nor another photo, nor a file that was not uploaded, nor one that was deleted since.
    assert recalled({"photo": "own-abcdef"}, [], folder) == ""
    assert recalled({"photo": "own-123456"}, own, folder) == recalled({}, own, folder) == ""
    assert recalled({"photo": "own-exampl"}, [str(EXAMPLES / "CREDITS.md")], folder) == ""
    Path(paths[1]).unlink()
    assert recalled({"photo": "own-abcdef"}, own, folder) == ""
    assert (
        remembered(own, without_photo(Current(paths[0], MODEL)), folder) == remembered(own, None, folder) == gr.skip()
    )
    # Not everything in the folder of uploads is one.
    (tmp_path / ".lock").write_bytes(b"")
    assert recalled({"photo": example_name(str(tmp_path / ".lock"), folder)}, [str(tmp_path / ".lock")], folder) == ""


def test_what_a_browser_remembers_is_a_few_short_texts_or_nothing():
    own = Remembered([])
    for sent in (None, "x", 5, {"path": "/etc/passwd"}, [None, 5, ["x"], "x" * 1000]):
        assert own.preprocess(sent) == []
    assert own.preprocess(["x"] * 1000) == ["x"] * Remembered.MOST


@pytest.mark.parametrize("tab", [lambda cache: Explore(cache, MODEL), Compare, Lesion])
def test_an_own_photo_is_missed_and_not_replaced_without_a_word(cache, tab):
    tab = built(tab(cache))
    told = tab.ask({"photo": f"{OWN}abcdef"})
    assert "never part of an address" in told[tab.notice]["value"]
    assert Path(told[tab.photo]).stem in SHOWN
    assert "value" not in tab.ask({"photo": "moose"})[tab.notice]
    told = tab.ask({"photo": f"{OWN}abcdef", "own": "there.jpg"})
    assert told[tab.photo] == "there.jpg"
    assert "value" not in told[tab.notice]


def test_a_class_is_named_so_that_it_is_found_again():
    for name in (MODEL, "resnet56.cifar100", "resnet20.fashion_mnist", "resnet18.tv_in1k"):
        entry = find_entry(name)
        for index in range(len(entry.labels)):
            assert choices.class_value(entry, choices.class_name(entry, str(index))) == str(index)
    assert choices.class_name(find_entry(MODEL), "5") == "dog"
    assert choices.class_name(find_entry(MODEL), "") == ""


def test_a_class_that_is_called_by_a_number_is_picked_by_its_place():
    entry = SimpleNamespace(trained=True, labels=("3", "2", "1", "0"))
    for index, label in enumerate(entry.labels):
        assert choices.class_name(entry, str(index)) == label
        assert choices.class_value(entry, label) == str(index)
        assert choices.class_picked(str(index)) == index
    assert choices.class_picked("") is None


@pytest.mark.parametrize("target", ["", "5"])
def test_the_view_of_a_tab_is_what_its_address_asks_for(cache, target):
    explore, compare, lesion = built(Explore(cache, MODEL)), built(Compare(cache)), built(Lesion(cache))
    view = explore._show(None, None, TWIN, CAT, TWIN, target, "layer2.0", "float32", False)[explore.address]
    asked = explore.ask(view)
    assert asked[explore.photo] == CAT
    picked = [
        asked[picker]["value"] for picker in (explore.pickers.name, explore.pickers.target, explore.pickers.layer)
    ]
    assert picked == [TWIN, target, "layer2.0"]
    view = compare._show(None, MODEL, CAT, MODEL, TWIN, target)[compare.address]
    asked = compare.ask(view)
    assert (asked[compare.first], asked[compare.second]["value"], asked[compare.photo]) == (MODEL, TWIN, CAT)
    assert asked[compare.target]["value"] == target
    for removed in (["layer1.0", "layer3.1"], []):
        view = lesion._show(None, CAT, TWIN, removed)[lesion.address]
        asked = lesion.ask({key: text for key, text in view.items() if text is not None})
        assert (asked[lesion.name], asked[lesion.photo]) == (TWIN, CAT)
        assert list(asked[lesion.drawing].removed) == removed

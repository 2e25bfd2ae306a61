"""What pictures and results say in words."""

from dataclasses import replace

import numpy as np
import pytest

from resnet_demo.analysis.comparison import compare
from resnet_demo.records import Question
from resnet_demo.ui import spoken
from resnet_demo.ui.answers import look
from resnet_demo.zoo import find_entry
from tests.ui.tabs import CAT, MODEL, TWIN


def lit(analysis, row, column, size=3):
    cam = np.zeros((size, size), np.float32)
    cam[row, column] = 1
    return replace(analysis, cam=cam)


def test_the_place_is_a_third_of_the_photo_and_not_of_what_the_network_saw(shown):
    whole = replace(shown.analysis, photo_size=(300, 300), crop=(0.0, 0.0, 300.0, 300.0))
    for row in range(3):
        for column in range(3):
            assert spoken.place(lit(whole, row, column)) == spoken.PLACES[row][column]
    # The square in the middle of a panorama: none of it is at its left or right.
    wide = replace(shown.analysis, photo_size=(900, 300), crop=(300.0, 0.0, 600.0, 300.0))
    assert {spoken.place(lit(wide, 1, column)) for column in range(3)} == {"in the middle"}


def test_a_heatmap_says_where_it_is_warm_and_how_much_of_it(shown):
    analysis = lit(replace(shown.analysis, photo_size=(10, 10), crop=(0.0, 0.0, 10.0, 10.0)), 0, 1, 2)
    assert spoken.heatmap(analysis) == (
        "Grad-CAM of cat over the photo: strongest at the upper right, and at least half as strong in 25 % of what the "
        "network saw"
    )
    dark = replace(analysis, cam_max=0.0)
    assert spoken.heatmap(dark) == f"The photo; there is no positive evidence for cat in {analysis.layer}"


def test_the_layers_with_the_largest_gradients_come_in_their_order(shown):
    norms = {layer.layer: layer.gradient_norm for layer in shown.analysis.gradients}
    names = spoken.largest(shown.analysis.gradients)
    assert len(names) == 3
    assert [norms[name] for name in names] == sorted(norms.values(), reverse=True)[:3]


def test_a_result_is_one_sentence(cache, shown):
    said = spoken.result(shown.entry, shown.analysis)
    first = shown.analysis.predictions[0]
    assert said.startswith(f"ResNet-20 says {first.label}, ")
    assert said.endswith(f"the largest gradient is in {spoken.largest(shown.analysis.gradients)[0]}.")
    assert ". " not in said
    assert "nothing speaks for" in spoken.result(shown.entry, replace(shown.analysis, cam_max=0.0))
    untrained, _ = look(cache, CAT, "resnet20.untrained")
    assert "is untrained and says nothing" in spoken.result(untrained.entry, untrained.analysis)


@pytest.mark.parametrize("names", [(MODEL, TWIN), ("resnet20.untrained", "plain20.untrained")])
def test_two_results_are_one_sentence(names):
    said = spoken.both([find_entry(name) for name in names], compare(CAT, *names))
    assert "ResNet-20 says" in said
    assert "; plain-20 says" in said
    assert ("heat for cat" in said) == (names[0] == MODEL)


def test_a_map_without_evidence_lies_nowhere():
    names = ("resnet20.cifar10", "plain20.cifar10")
    found = compare(CAT, *names, Question("airplane"))
    dark = [analysis for analysis in (found.first, found.second) if not analysis.positive_evidence]
    assert dark
    said = spoken.both([find_entry(name) for name in names], found)
    assert said.count("nothing speaks for airplane") == len(dark)
    assert said.count("its heat for airplane") == 2 - len(dark)

"""Finding classes and layers by name."""

import pytest

from resnet_demo.analysis.finding import find_class, find_layer
from resnet_demo.errors import InputError

LIKE_IMAGENET = ("tench", "Cardigan", "cardigan", "crane", "crane", "maillot")


@pytest.mark.parametrize(
    ("target", "index"),
    [("Cardigan", 1), ("cardigan", 2), ("TENCH", 0), (4, 4), ("3", 3), (" 5 ", 5)],
)
def test_find_class(target, index):
    assert find_class(target, LIKE_IMAGENET) == index


def test_classes_that_are_called_by_numbers():
    digits = tuple(str(number) for number in range(1, 11))
    assert [find_class(label, digits) for label in digits] == list(range(10))
    assert [find_class(index, digits) for index in range(10)] == list(range(10))
    assert find_class("0", digits) == 0, "no label, so it is an index"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("CARDIGAN", "names the classes 1, 2: give the index"),
        ("crane", "names the classes 3, 4"),
        ("tenhc", "Did you mean tench"),
        (6, "from 0 to 5"),
        (-1, "from 0 to 5"),
        ("-1", "from 0 to 5"),
        ("9" * 5000, "No class is called"),
    ],
)
def test_a_class_that_is_not_clear_is_explained(target, says):
    with pytest.raises(InputError, match=says):
        find_class(target, LIKE_IMAGENET)


def test_find_layer():
    layers = ("stem", "layer1.0", "layer1.1", "layer10.0")
    assert find_layer(None, layers) == "layer10.0"
    assert find_layer("layer1", layers) == "layer1.1"
    assert find_layer("layer1.0", layers) == "layer1.0"
    assert find_layer("stem", layers) == "stem"
    with pytest.raises(InputError, match=r"choose one of stem, layer1\.0"):
        find_layer("layer2", layers)

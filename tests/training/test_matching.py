"""Which images fit a network: classes by name or in order, and the size that it was trained on."""

from dataclasses import replace

import numpy as np
import pytest

from resnet_demo.errors import InputError
from resnet_demo.training import evaluate_model
from resnet_demo.zoo import Card, find_entry

pytestmark = pytest.mark.usefixtures("own_folders")
LABELS = find_entry("resnet20.cifar10").labels


def evaluated(tmp_path, images, labels, classes):
    """The top-1 error of resnet20.cifar10 on these."""
    np.savez(tmp_path / "data.npz", test_x=images, test_y=labels, classes=np.array(classes))
    return evaluate_model("resnet20.cifar10", tmp_path / "data.npz", "cpu").top1


def test_classes_are_matched_by_name_or_by_order_but_not_by_half_of_their_names(shipped, tmp_path):
    labels = np.repeat(range(10), range(1, 11))  # Of each class another number.
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
    in_order = evaluated(tmp_path, images, labels, range(10))
    assert evaluated(tmp_path, images, labels, LABELS) == in_order
    assert evaluated(tmp_path, images, 9 - labels, LABELS[::-1]) == in_order
    assert evaluated(tmp_path, images, 9 - labels, range(10)) != in_order
    with pytest.raises(InputError, match="Of the classes of this data, 'car' is none of the network's: airplane, auto"):
        evaluated(tmp_path, images, labels, [name.replace("automobile", "car") for name in LABELS])


def test_a_folder_can_have_no_slash_in_its_name(shipped, tmp_path):
    path = shipped / "resnet20.cifar10.json"
    replace(Card.read(path), classes=["T-shirt/top", *LABELS[1:]]).write(path)
    labels = np.repeat(range(10), range(1, 11))
    images = np.zeros((len(labels), 32, 32, 3), np.uint8)
    right = evaluated(tmp_path, images, labels, ["T-shirt_top", *LABELS[1:]])
    assert right == evaluated(tmp_path, images, 9 - labels, [*LABELS[:0:-1], "T-shirt top"])


def test_images_of_another_size_than_it_was_trained_on_are_refused(shipped, tmp_path):
    with pytest.raises(InputError, match="was trained on images of 32 pixels; this data has images of 16"):
        evaluated(tmp_path, np.zeros((10, 16, 16, 3), np.uint8), np.arange(10), range(10))

"""Preprocessing and labels agree with torchvision's for each of its entries."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import get_model_weights

from resnet_demo import zoo
from resnet_demo.zoo import Preprocessing, find_entry, list_models
from resnet_demo.zoo.datasets import DATASETS
from resnet_demo.zoo.preprocessing import CIFAR10
from resnet_demo.zoo.torchvision_weights import TAGS

FROM_TORCHVISION = [entry for entry in list_models() if entry.from_torchvision and entry.origin is entry]
SIZES = [(640, 480), (481, 641), (224, 224), (231, 1000), (57, 33), (1000, 257)]


def noise(size):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def reference(entry):
    return get_model_weights(entry.architecture)[TAGS[entry.tag]]


@pytest.mark.parametrize("entry", FROM_TORCHVISION, ids=lambda entry: entry.name)
def test_preprocessing_equals_torchvisions(entry):
    transforms = reference(entry).transforms()
    for size in SIZES:
        photo = noise(size)
        ours = entry.preprocessing.tensor(entry.preprocessing.crop(photo))[0]
        assert (ours - transforms(photo)).abs().max() <= 1e-6, size


@pytest.mark.parametrize("entry", FROM_TORCHVISION, ids=lambda entry: entry.name)
def test_labels_and_errors_are_torchvisions(entry):
    meta = reference(entry).meta
    assert list(entry.labels) == meta["categories"]
    assert entry.test_error == pytest.approx(100 - meta["_metrics"]["ImageNet-1K"]["acc@1"], abs=1e-3)
    assert entry.parameters == meta["num_params"]


def test_every_weight_of_the_architectures_is_in_the_catalogue():
    architectures = {entry.architecture for entry in FROM_TORCHVISION}
    everything = {(a, record.name) for a in architectures for record in get_model_weights(a)}
    assert everything == {(entry.architecture, TAGS[entry.tag]) for entry in FROM_TORCHVISION}


@pytest.mark.parametrize("size", SIZES)
def test_the_box_is_the_part_of_the_photo_that_is_seen(size):
    """A photo that is black outside the box and white inside gives a white crop, except for a pixel at the edge."""
    preprocessing = Preprocessing(32, 32, (0.0,) * 3, (1.0,) * 3)
    left, top, right, bottom = preprocessing.box(*size)
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[round(top) : round(bottom), round(left) : round(right)] = 255
    square = np.asarray(preprocessing.crop(Image.fromarray(pixels)))
    assert square.shape == (32, 32, 3)
    assert square[1:-1, 1:-1].min() > 250
    assert right - left == pytest.approx(bottom - top, rel=0.05)


@pytest.mark.parametrize("size", [(1000, 1), (2, 777), (900, 11), (9, 1000)])
def test_of_an_extreme_panorama_only_what_is_kept_is_resized(monkeypatch, size):
    preprocessing = Preprocessing(256, 224, (0.0,) * 3, (1.0,) * 3)
    monkeypatch.setattr(zoo.preprocessing, "MAX_RESIZED", 10**9)
    whole = np.asarray(preprocessing.crop(noise(size))).astype(int)
    monkeypatch.undo()
    resized = []
    resize = Image.Image.resize
    monkeypatch.setattr(
        Image.Image, "resize", lambda image, to, *rest, **box: resized.append(to) or resize(image, to, *rest, **box)
    )
    assert np.abs(np.asarray(preprocessing.crop(noise(size))) - whole).max() <= 2
    assert resized == [(224, 224)]


def test_grey_networks_get_one_channel():
    preprocessing = DATASETS["fashion_mnist"].preprocessing
    x = preprocessing.tensor(preprocessing.crop(noise((50, 40))))
    assert x.shape == (1, 1, 28, 28)


def test_a_standardized_mean_picture_is_zero():
    mean_color = tuple(round(255 * value) for value in CIFAR10.mean)
    x = CIFAR10.tensor(CIFAR10.crop(Image.new("RGB", (32, 32), mean_color)))
    assert x.abs().max() < 0.01
    assert x.dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("resnet20", "resnet20.cifar10"),
        ("resnet50", "resnet50.tv_in1k"),
        ("resnext101_64x4d.tv_in1k", "resnext101_64x4d.tv_in1k"),
        ("highway56", "highway56.untrained"),
        ("resnet34-C.untrained", "resnet34-C.untrained"),
    ],
)
def test_find_entry(name, found):
    assert find_entry(name).name == found


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet50.cifar10", "Did you mean"),
        ("resnet8.cifar10", r"train it with `python -m resnet_demo train resnet8 --dataset cifar10`"),
        ("highway56.cifar100", r"pick highway56\.untrained"),
        ("resnt20.cifar10", "resnet20.cifar10"),
        ("x.untrained", "no network 'x'"),
        ("plain600002.untrained", "too large"),
        ("resnext50_512x64d.untrained", "too large"),
        (f"plain{'2' * 5000}.untrained", "no network"),
    ],
)
def test_an_unknown_entry_names_the_closest(name, says):
    with pytest.raises(ValueError, match=says):
        find_entry(name)


def test_the_catalogue_is_the_designs_table():
    names = {entry.name for entry in list_models()}
    ours = {f"{kind}{depth}.cifar10" for kind in ("resnet", "plain") for depth in (20, 56)}
    assert ours | {"resnet20.fashion_mnist", "plain20.fashion_mnist", "plain34.untrained"} <= names
    assert len(FROM_TORCHVISION) == 13
    assert len(names) == len(list_models())

"""What several files of tests need."""

import io
import os
import re
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from resnet_demo import create_network
from resnet_demo.__main__ import main
from resnet_demo.networks import parameter_count
from resnet_demo.zoo import Card, paths, sha256_of
from resnet_demo.zoo.preprocessing import CIFAR10

# What whoever runs the tests has trained is not looked for, not even while tests are collected.
os.environ["RESNET_DEMO_WEIGHTS"] = str(Path(tempfile.gettempdir()) / "resnet_demo tests have no weights")

RED, GREEN, BLUE, WHITE, BLACK = (220, 40, 30), (30, 180, 60), (20, 60, 200), (255, 255, 255), (0, 0, 0)


def quadrants(colors=(RED, GREEN, BLUE, WHITE), size=(64, 32)):
    """Top left, top right, bottom left, bottom right."""
    small = Image.new("RGB", (2, 2))
    small.putdata(colors)
    return small.resize(size, Image.Resampling.NEAREST)


def save_photo(path, size=(64, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    quadrants(size=size).save(path)
    return path


@pytest.fixture
def photo(tmp_path):
    return save_photo(tmp_path / "photos" / "photo.png")


def encode(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture
def assert_clear_sentence(tmp_path):
    """A check that a message is made for people: one line, no jargon, no path of this machine but the expected ones."""

    def check(message, *, paths=()):
        assert re.fullmatch(r"[^\n]+[.]", message), message
        assert not re.search(r"Traceback|Error\b|Exception", message), message
        for path in paths:
            message = message.replace(str(path), "")
        assert str(tmp_path) not in message, message

    return check


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    """Caches and the user's weights in `tmp_path`, and no setting or proxy of the machine that runs the tests."""
    monkeypatch.setenv("RESNET_DEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RESNET_DEMO_WEIGHTS", str(tmp_path / "own"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("RESNET_DEMO_OFFLINE", raising=False)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of shipped weights that holds one entry, resnet20.cifar10, with random weights and a card."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(paths, "shipped_folder", lambda: folder)
    put_weights(folder, "resnet20.cifar10")
    return folder


LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def put_weights(folder, name, seed=1):
    """Random weights and their card, as if a network of CIFAR-10 had been trained."""
    folder.mkdir(exist_ok=True)
    architecture, _, dataset = name.partition(".")
    network = create_network(architecture, generator=torch.Generator().manual_seed(seed))
    path = folder / f"{name}.safetensors"
    save_file(network.state_dict(), path)
    card = Card(
        name=name, network=asdict(network.spec), dataset=dataset, dataset_title="CIFAR-10", classes=list(LABELS),
        resize=32, input_size=32, mean=list(CIFAR10.mean), std=list(CIFAR10.std),
        parameters=parameter_count(network), test_error=90.0, test_top5_error=50.0, train_error=90.0, epochs=1, seed=1,
        recipe={}, command="none", torch=torch.__version__, device="CPU", sha256=sha256_of(path), curve=[],
    )  # fmt: skip
    card.write(folder / f"{name}.json")
    return card


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command line; gives its exit code and what it wrote to stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["resnet_demo", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=stopped.value.code, out=out, err=err)

    return run


@pytest.fixture
def npz(tmp_path):
    """64 training and 20 test images of 16 x 16 pixels in three classes, which a network can tell by their colour."""
    path, draw = tmp_path / "tiny.npz", np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 64), ("test", 20)):
        labels = np.arange(count) % 3
        pixels = draw.integers(0, 60, (count, 16, 16, 3)) + 180 * np.eye(3, dtype=int)[labels][:, None, None]
        arrays |= {f"{split}_x": pixels.astype(np.uint8), f"{split}_y": labels}
    np.savez(path, classes=np.array(["red", "green", "blue"]), **arrays)
    return path

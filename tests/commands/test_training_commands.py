"""The commands for training, through the function that `python -m resnet_demo` calls."""

import json
from dataclasses import replace

import numpy as np
import pytest

from resnet_demo import training
from resnet_demo.training import PAPER, loop
from resnet_demo.zoo import Card, sha256_of
from tests.pictures import save_photo

pytestmark = pytest.mark.usefixtures("own_folders")


def train(run, data, out, *options):
    return run("train", "resnet8", "--data", data, "--out", out, "--epochs", 2, "--device", "cpu", *options)


def test_train_writes_weights_and_their_card(run, tmp_path, npz):
    result = train(run, npz, tmp_path / "out")
    assert result.code == 0
    assert [line.split(":")[0] for line in result.err.splitlines()] == [f"resnet8.cifar10 epoch {i}/2" for i in (1, 2)]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "resnet8.cifar10.json",
        "resnet8.cifar10.jsonl",
        "resnet8.cifar10.safetensors",
    ]
    card = Card.read(tmp_path / "out" / "resnet8.cifar10.json")
    assert card.sha256 == sha256_of(tmp_path / "out" / "resnet8.cifar10.safetensors")
    assert (card.classes, card.input_size, card.epochs, len(card.curve)) == (["red", "green", "blue"], 32, 2, 2)
    assert f"test error {card.test_error:.2f} % after 2 epochs" in result.out


def test_a_number_of_epochs_counts_instead_of_the_recipes_iterations(run, tmp_path, npz, monkeypatch):
    monkeypatch.setattr(training, "RECIPES", {"paper": replace(PAPER, iterations=1)})
    assert train(run, npz, tmp_path / "out", "--recipe", "paper").code == 0
    card = Card.read(tmp_path / "out" / "resnet8.cifar10.json")
    assert (card.epochs, card.recipe["iterations"]) == (2, None)
    assert "--recipe paper --epochs 2" in card.command


def interrupt_after(epochs, monkeypatch):
    whole = loop.Trainer.train_epoch

    def train_epoch(trainer, report):
        if len(trainer.curve) == epochs:
            raise KeyboardInterrupt
        return whole(trainer, report)

    monkeypatch.setattr(loop.Trainer, "train_epoch", train_epoch)


def test_an_interrupted_training_goes_on_to_the_same_weights(run, tmp_path, npz):
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(1, patch)
        stopped = train(run, npz, tmp_path / "resumed")
    assert stopped.code == 2
    assert "was stopped: repeat the command with --resume" in stopped.err
    kept = sorted(file.name for file in (tmp_path / "resumed").iterdir())
    assert kept == ["resnet8.cifar10.checkpoint", "resnet8.cifar10.jsonl"]
    again = train(run, npz, tmp_path / "resumed")
    assert (again.code, "is of a run that is not finished: add --resume to go on" in again.err) == (2, True)
    other = train(run, npz, tmp_path / "resumed", "--resume", "--seed", 1)
    assert (other.code, "belongs to a run with another seed" in other.err) == (2, True)
    resumed = train(run, npz, tmp_path / "resumed", "--resume")
    assert (resumed.code, resumed.err.count("epoch")) == (0, 1)
    train(run, npz, tmp_path / "whole")
    resumed, whole = (tmp_path / name / "resnet8.cifar10.safetensors" for name in ("resumed", "whole"))
    assert resumed.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "resumed" / "resnet8.cifar10.checkpoint").exists()


def test_train_reads_folders_of_class_folders(run, tmp_path):
    for split, count in (("train", 4), ("test", 2)):
        for name in ("oak", "ash"):
            for i in range(count):
                save_photo(tmp_path / "trees" / split / name / f"{i}.jpg", size=(40, 60))
    assert train(run, tmp_path / "trees", tmp_path / "out").code == 0
    card = Card.read(tmp_path / "out" / "resnet8.cifar10.json")
    assert (card.classes, card.input_size) == (["ash", "oak"], 32)


def test_evaluate_measures_the_error(run, tmp_path, npz, shipped, assert_clear_sentence):
    wrong = run("evaluate", "resnet20.cifar10", "--data", npz)
    assert (wrong.code, wrong.out) == (2, "")
    assert "distinguishes 10 classes of 3-channel images; this data has 3 classes" in wrong.err
    with np.load(npz) as arrays:
        np.savez(tmp_path / "ten.npz", **dict(arrays) | {"classes": np.array([f"class {i}" for i in range(10)])})
    values = json.loads(run("evaluate", "resnet20.cifar10", "--data", tmp_path / "ten.npz", "--json").out)
    assert (values["model"], values["images"]) == ("resnet20.cifar10", 20)
    assert 0 <= values["top5_error"] <= values["top1_error"] <= 100
    text = run("evaluate", "resnet20.cifar10", "--data", tmp_path / "ten.npz").out
    assert f"on 20 test images: top-1 error {values['top1_error']:.2f} %" in text

"""The trainer: the recipe's schedule, what it feeds, checkpoints, resuming, cards; and the shipped errors."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from resnet_demo.errors import InputError
from resnet_demo.networks import create_network
from resnet_demo.training import Labelled, Recipe, Run, error_rates, evaluate_model, load_split, train
from resnet_demo.training.loop import Trainer
from resnet_demo.zoo import WEIGHTS, Card, find_entry, list_models, sha256_of, weight_state

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.05, warmup_epochs=1)
SHIPPED = [entry for entry in list_models() if weight_state(entry).kind == "shipped"]


def stripes(count, seed=0):
    """Three classes that a small network can learn: red, green or blue on noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = torch.randint(0, 120, (count, 3, 16, 16), generator=generator, dtype=torch.uint8)
    images[torch.arange(count), labels] += 100
    return Labelled(images, labels, ("red", "green", "blue"))


def run_of(recipe=RECIPE, name="resnet8", seed=0):
    return Run.create(name, "stripes", stripes(3), recipe, seed)


def trained(folder, recipe=RECIPE, **options):
    return train(run_of(recipe), stripes(96), stripes(30, seed=1), folder, device=CPU, **options)


def test_learning_rate_rises_and_falls_to_zero():
    recipe = Recipe(epochs=10, learning_rate=0.4, warmup_epochs=2)
    rates = [recipe.learning_rate_at(epoch) for epoch in (0, 1, 2, 6, 10)]
    assert rates == pytest.approx([0, 0.2, 0.4, 0.2, 0])


def test_residual_and_plain_start_from_the_same_recipe():
    cards = {entry.name: entry.card for entry in SHIPPED}
    for name, card in cards.items():
        twin = cards[name.replace("resnet", "plain")]
        assert (card.recipe, card.seed, card.epochs) == (twin.recipe, twin.seed, twin.epochs)


def test_crops_are_shifts_of_the_padded_image_half_of_them_mirrored():
    image = torch.randint(1, 256, (1, 3, 16, 16), dtype=torch.uint8)
    data = Labelled(image.repeat(400, 1, 1, 1), torch.zeros(400, dtype=torch.int64), ("a", "b", "c"))
    trainer = Trainer(run_of(), data, data, CPU)
    crops = trainer.augmented(torch.arange(400), torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(image[0], (4, 4, 4, 4))
    possible = {}
    for top in range(9):
        for left in range(9):
            window = padded[:, top : top + 16, left : left + 16]
            possible[window.numpy().tobytes()] = (top, left, False)
            possible[window.flip(2).contiguous().numpy().tobytes()] = (top, left, True)
    found = [possible[crop.contiguous().numpy().tobytes()] for crop in crops]
    assert len({(top, left) for top, left, _ in found}) > 70
    assert 150 < sum(mirrored for *_, mirrored in found) < 250


def test_training_learns_writes_and_describes(tmp_path):
    seen = []
    card = trained(tmp_path, replace(RECIPE, epochs=8), on_epoch=seen.append)
    assert card.test_error < 10
    assert [epoch.epoch for epoch in seen] == list(range(1, 9))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resnet8.stripes.json", "resnet8.stripes.safetensors"]
    written = Card.read(tmp_path / "resnet8.stripes.json")
    assert written == card
    assert card.sha256 == sha256_of(tmp_path / "resnet8.stripes.safetensors")
    assert card.test_error == card.curve[-1].test_error
    assert (
        card.command == "python -m resnet_demo train resnet8 --dataset stripes --epochs 8 --seed 0 --learning-rate 0.05"
    )
    network = create_network("resnet8", num_classes=3)
    network.load_state_dict(load_file(tmp_path / "resnet8.stripes.safetensors"))
    test = stripes(30, seed=1)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (card.mean, card.std))
    assert error_rates(network, test.images, test.labels, mean, std).top1 == pytest.approx(card.test_error, abs=0.01)


class StoppedError(Exception):
    """Stands for a kill."""


def stop_after(epochs):
    def on_epoch(epoch):
        if epoch.epoch == epochs:
            raise StoppedError

    return on_epoch


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path):
    trained(tmp_path / "whole")
    with pytest.raises(StoppedError):
        trained(tmp_path / "cut", on_epoch=stop_after(1))
    assert (tmp_path / "cut" / "resnet8.stripes.checkpoint").exists()
    trained(tmp_path / "cut", resume=True)
    whole, cut = (load_file(tmp_path / folder / "resnet8.stripes.safetensors") for folder in ("whole", "cut"))
    assert all(torch.equal(whole[key], cut[key]) for key in whole)


def test_a_trained_network_is_not_overwritten(tmp_path):
    trained(tmp_path, replace(RECIPE, epochs=1))
    before = sha256_of(tmp_path / "resnet8.stripes.safetensors")
    with pytest.raises(InputError, match=r"already has a trained resnet8\.stripes"):
        trained(tmp_path)
    assert sha256_of(tmp_path / "resnet8.stripes.safetensors") == before


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(1))
    before = sha256_of(tmp_path / "resnet8.stripes.checkpoint")

    def dies(state, path):
        Path(path).write_bytes(b"half")
        raise StoppedError

    monkeypatch.setattr(torch, "save", dies)
    with pytest.raises(StoppedError):
        trained(tmp_path, resume=True)
    assert sha256_of(tmp_path / "resnet8.stripes.checkpoint") == before


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(1))
    with pytest.raises(InputError, match="another recipe"):
        trained(tmp_path, replace(RECIPE, weight_decay=0.1), resume=True)


def test_a_diverged_run_stops_with_a_sentence_and_keeps_its_checkpoint(tmp_path, monkeypatch):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(1))
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", lambda logits, labels: logits.sum() * float("nan"))
    with pytest.raises(InputError, match="lower --learning-rate"):
        trained(tmp_path, resume=True)
    assert (tmp_path / "resnet8.stripes.checkpoint").exists()


def test_error_rates_are_counted_by_hand():
    class Fixed(torch.nn.Module):
        """Logits that rank the classes 0 to 9 in the order that the first pixels spell."""

        def forward(self, x):
            return -x[:, 0, 0, :10].argsort(dim=1).float()

    ranks = torch.stack([torch.randperm(10) for _ in range(50)])
    images = torch.zeros(50, 1, 12, 12, dtype=torch.uint8)
    images[:, 0, 0, :10] = ranks.to(torch.uint8)
    labels = torch.zeros(50, dtype=torch.int64)
    place = ranks.argsort(dim=1)[:, 0]
    errors = error_rates(Fixed().train(), images, labels, torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1), batch_size=7)
    assert errors.top1 == pytest.approx(100 * (place > 0).float().mean().item())
    assert errors.top5 == pytest.approx(100 * (place > 4).float().mean().item())


def test_npz_and_folders_hold_the_same_images(tmp_path):
    from PIL import Image

    data = stripes(12)
    pixels = data.images.permute(0, 2, 3, 1).numpy()
    order = np.argsort(np.array(data.classes))  # Folders come in alphabetical order.
    for split in ("train", "test"):
        for i, (image, label) in enumerate(zip(pixels, data.labels.tolist(), strict=True)):
            folder = tmp_path / "folder" / split / data.classes[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).resize((32, 32), Image.Resampling.NEAREST).save(folder / f"{i:02}.png")
    arrays = {
        f"{split}_{axis}": value for split in ("train", "test") for axis, value in (("x", pixels), ("y", data.labels))
    }
    np.savez(tmp_path / "data.npz", **arrays, classes=np.array(data.classes))
    from_npz = load_split("stripes", "test", tmp_path / "data.npz")
    from_folder = load_split("stripes", "test", tmp_path / "folder")
    assert torch.equal(from_npz.images, data.images)
    assert from_npz.classes == data.classes
    assert from_folder.classes == tuple(np.array(data.classes)[order])
    assert from_folder.images.shape == (12, 3, 32, 32)
    for label in range(3):
        there = from_folder.images[from_folder.labels == from_folder.classes.index(data.classes[label])]
        assert torch.equal(there[:, :, ::2, ::2], data.images[data.labels == label])


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"train_x": np.zeros((2, 4, 4, 3), np.uint8)}, "is not an .npz"),
        ({"test_x": np.zeros((2, 4, 4, 3)), "test_y": [0, 1], "classes": ["a", "b"]}, "must be uint8"),
        ({"test_x": np.zeros((2, 4, 5, 3), np.uint8), "test_y": [0, 1], "classes": ["a", "b"]}, "squares"),
        ({"test_x": np.zeros((2, 4, 4, 3), np.uint8), "test_y": [0, 2], "classes": ["a", "b"]}, "from 0 to 1"),
        ({"test_x": np.zeros((2, 4, 4, 3), np.uint8), "test_y": [0], "classes": ["a", "b"]}, "as many labels"),
    ],
)
def test_bad_data_is_explained(tmp_path, arrays, says):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(InputError, match=says):
        load_split("cifar10", "test", tmp_path / "data.npz")


def test_missing_data_is_explained(tmp_path):
    with pytest.raises(InputError, match="There is no"):
        load_split("cifar10", "test", tmp_path / "nothing")
    with pytest.raises(InputError, match="There are no images"):
        load_split("cifar10", "test", tmp_path)
    with pytest.raises(InputError, match="nothing to evaluate"):
        evaluate_model("resnet20.untrained")


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_a_shipped_card_describes_its_weights(entry):
    card = entry.card
    assert card.sha256 == sha256_of(WEIGHTS / f"{entry.name}.safetensors")
    assert card.parameters == entry.parameters
    assert tuple(card.classes) == entry.labels
    assert len(card.curve) == card.epochs == card.recipe["epochs"]
    assert card.test_error == card.curve[-1].test_error
    assert json.loads(json.dumps(card.network))["depth"] == entry.spec.depth


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_the_readme_tells_the_error_on_the_card(entry):
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{entry.name}` |"))
    assert f"**{entry.card.test_error:.2f} %**" in row
    assert f"{entry.card.train_error:.2f} %" in row


def test_the_first_pair_is_shipped():
    assert {"resnet20.cifar10", "plain20.cifar10"} <= {entry.name for entry in SHIPPED}


def cifar10_images() -> Path | None:
    path = os.environ.get("RESNET_DEMO_CIFAR10")
    return Path(path) if path else None


@pytest.mark.data
@pytest.mark.parametrize("entry", [e for e in SHIPPED if e.tag == "cifar10"], ids=lambda entry: entry.name)
def test_the_real_test_set_gives_the_error_on_the_card(entry):
    try:
        errors = evaluate_model(entry.name, cifar10_images(), device="cpu")
    except InputError as missing:
        pytest.skip(str(missing))
    assert errors.images == 10_000
    assert errors.top1 == pytest.approx(find_entry(entry.name).card.test_error, abs=0.0101)
    assert errors.top5 == pytest.approx(entry.card.test_top5_error, abs=0.0101)

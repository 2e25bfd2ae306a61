"""Error rates, sources of images, and the errors of the shipped networks."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_demo.errors import InputError
from resnet_demo.training import (
    Run,
    count_errors,
    default_preprocessing,
    evaluate_model,
    evaluate_runs,
    load_split,
    standardized_sample,
    train,
)
from resnet_demo.training.feeds import PhotoFeed
from resnet_demo.zoo import (
    Card,
    Preprocessing,
    find_entry,
    list_models,
    load_model,
    sha256_of,
)
from tests.stripes import CPU, RECIPE, run_of, save_stripes, stripes
from tests.training.answers import answer, images_of, stored

LABELS = find_entry("resnet20.cifar10").labels
SHIPPED = [entry for entry in list_models() if entry.card]


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
    batches = zip(images.split(7), labels.split(7), strict=True)
    errors = count_errors(Fixed().train(), batches, torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    assert errors.images == 50
    assert errors.top1 == pytest.approx(100 * (place > 0).float().mean().item())
    assert errors.top5 == pytest.approx(100 * (place > 4).float().mean().item())


def test_npz_and_folders_hold_the_same_images(tmp_path):
    data = stripes(12)
    pixels = data.images.permute(0, 2, 3, 1).numpy()
    order = np.argsort(np.array(data.classes))  # Folders are in alphabetical order.
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
        ({"test_x": np.zeros((2, 4, 4, 3), np.uint8), "test_y": [0], "classes": ["a", "b"]}, "as many whole numbers"),
        ({"test_x": np.zeros((2, 4, 4, 3), np.uint8), "test_y": [0.0, 1.9], "classes": ["a", "b"]}, "whole numbers"),
        ({"test_x": np.zeros((2, 4, 4, 4), np.uint8), "test_y": [0, 1], "classes": ["a", "b"]}, "3 channels, or 1"),
        ({"test_x": np.zeros((2, 4, 4, 2), np.uint8), "test_y": [0, 1], "classes": ["a", "b"]}, "3 channels, or 1"),
    ],
)
def test_bad_data_is_explained(tmp_path, arrays, says):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(InputError, match=says):
        load_split("cifar10", "test", tmp_path / "data.npz")


def test_labels_may_stand_in_a_column(tmp_path):
    np.savez(tmp_path / "data.npz", test_x=np.zeros((2, 4, 4, 3), np.uint8), test_y=[[1], [0]], classes=["a", "b"])
    assert load_split("mine", "test", tmp_path / "data.npz").labels.tolist() == [1, 0]


def save_photos(folder, count=6, size=(50, 40)):
    """Two classes of photos, dark and light."""
    for split in ("train", "val"):
        for name, level in (("dark", 40), ("light", 200)):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                noise = np.random.default_rng(i).integers(0, 50, (*size, 3), dtype=np.uint8)
                Image.fromarray(noise + np.uint8(level)).save(folder / split / name / f"{i}.png")
    return folder


def photos_of(folder, split, size=32):
    return load_split("mine", split, folder, preprocessing=default_preprocessing("mine", True, size), photos=True)


def test_photos_are_decoded_when_they_are_needed(tmp_path):
    photos = photos_of(save_photos(tmp_path), "test")
    assert (photos.classes, photos.size, photos.channels, len(photos.files)) == (("dark", "light"), 32, 3, 12)
    feed = PhotoFeed(photos, CPU)
    images, labels = next(feed.batches([torch.tensor([11, 0])]))
    assert labels.tolist() == [1, 0]
    assert torch.equal(images, photos.in_memory().images[[11, 0]])


@pytest.mark.parametrize("workers", [0, 2])
def test_crops_of_photos_depend_on_the_generator_alone(tmp_path, workers):
    photos = photos_of(save_photos(tmp_path), "train")
    order = torch.arange(12).split(4)

    def crops(seed, workers=workers):
        state = torch.get_rng_state()
        feed = PhotoFeed(photos, CPU, workers)
        images = torch.cat([x for x, _ in feed.batches(order, torch.Generator().manual_seed(seed))])
        assert torch.equal(torch.get_rng_state(), state)
        return images

    assert torch.equal(crops(0), crops(0, workers=0))
    assert not torch.equal(crops(0), crops(1))


def test_a_photo_that_cannot_be_read_is_named(tmp_path):
    folder = save_photos(tmp_path)
    (folder / "train" / "dark" / "3.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"3\.png: ") as raised:
        list(PhotoFeed(photos_of(folder, "train"), CPU, 2).batches([torch.arange(12)]))
    assert "\n" not in str(raised.value)


def test_a_photo_that_cannot_be_read_into_memory_is_named_with_its_class(tmp_path):
    folder = save_photos(tmp_path)
    (folder / "train" / "dark" / "3.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"dark.3\.png: 3\.png is not an image"):
        load_split("mine", "train", folder)


def test_an_imagenet_network_learns_from_a_folder_of_photos(tmp_path):
    folder = save_photos(tmp_path / "photos", count=16)
    data = [photos_of(folder, split) for split in ("train", "test")]
    run = run_of(replace(RECIPE, epochs=4, learning_rate=0.01), "plain18")
    run = replace(run, spec=replace(run.spec, num_classes=2))
    card = train(run, *data, tmp_path / "out", device=CPU)
    assert card.test_error < 20
    assert card.mean == [0.485, 0.456, 0.406]


def test_every_run_of_a_network_is_evaluated(tmp_path):
    for seed in (1, 0):
        train(run_of(seed=seed), stripes(96), stripes(30, seed=1), tmp_path / str(seed), device=CPU)
    results = evaluate_runs("resnet8.stripes", tmp_path, save_stripes(tmp_path / "data.npz"))
    assert [card.seed for card, _ in results] == [0, 1]
    for card, errors in results:
        assert errors.top1 == pytest.approx(card.test_error, abs=0.01)
    (tmp_path / "1" / "resnet8.stripes.safetensors").write_bytes(b"other")
    with pytest.raises(InputError, match="not the file"):
        evaluate_runs("resnet8.stripes", tmp_path, tmp_path / "data.npz")
    with pytest.raises(InputError, match="There is no"):
        evaluate_runs("resnet8.stripes", tmp_path / "elsewhere", tmp_path / "data.npz")


def test_only_runs_that_differ_in_nothing_but_the_seed_are_averaged(run, tmp_path):
    data = save_stripes(tmp_path / "data.npz")
    for folder, seed, recipe in (("0", 0, RECIPE), ("1", 1, RECIPE), ("longer", 0, replace(RECIPE, epochs=4))):
        train(run_of(recipe, seed=seed), stripes(96), stripes(30, seed=1), tmp_path / folder, device=CPU)
    shutil.copytree(tmp_path / "0", tmp_path / "copy")
    result = run("evaluate", "resnet8.stripes", "--seeds", tmp_path, "--data", data, "--device", "cpu")
    lines = result.out.splitlines()
    assert len(lines) == 5, "four folders, and one mean"
    assert re.fullmatch(r"resnet8\.stripes, fast, 3 epochs, 2 runs: top-1 error [0-9.]+ \+- [0-9.]+ %", lines[-1])


def save_ten_classes(folder, labels, count=3):
    """Photos of ten classes that differ only in the middle; the border is noise."""
    for split in ("train", "test"):
        for k, name in enumerate(labels):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                draw = np.random.default_rng([k, i, split == "test"])
                pixels = draw.integers(0, 256, (90, 110, 3), dtype=np.uint8)
                pixels[20:70, 30:80] = pixels[20:70, 30:80] // 8 + np.array([20 * k, 200 - 20 * k, 10 * k], np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{i}.png")
    return folder


@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize("in_files", [True, False], ids=["photos", "in memory"])
def test_a_network_sees_photos_after_reloading_as_when_it_was_tested(shipped, tmp_path, in_files):
    name, preprocessing = "resnet8.cifar10", Preprocessing(36, 24, (0.5,) * 3, (0.25,) * 3)
    folder = save_ten_classes(tmp_path / "photos", LABELS)
    data = [
        load_split("mine", split, folder, preprocessing=preprocessing, photos=in_files) for split in ("train", "test")
    ]
    run = Run.create("resnet8", "cifar10", data[0], replace(RECIPE, epochs=8, batch_size=10, pad=0), 0, CPU)
    card = train(run, *data, shipped, device=CPU)
    assert 0 < card.test_error < 90  # Neither memorized nor guessed, so the error depends on the cropping.
    seen = load_model(name, "cpu").preprocessing
    assert (seen.resize_size, seen.crop_size, list(seen.mean), list(seen.std)) == (36, 24, card.mean, card.std)
    assert round(evaluate_model(name, folder, "cpu").top1, 2) == card.test_error
    ((_, errors),) = evaluate_runs(name, shipped, folder, "cpu")
    assert round(errors.top1, 2) == card.test_error


@pytest.mark.usefixtures("own_folders")
def test_classes_are_named_in_the_order_that_was_learned(shipped, tmp_path):
    labels = find_entry("resnet20.cifar10").labels[::-1]
    path = shipped / "resnet20.cifar10.json"
    replace(Card.read(path), classes=list(labels)).write(path)
    assert load_model("resnet20.cifar10", "cpu").labels == labels


def test_grey_photos_in_their_files_are_fed_as_those_in_memory(tmp_path):
    folder = save_ten_classes(tmp_path / "photos", LABELS, count=1)
    grey = Preprocessing(36, 24, (0.5,), (0.25,))
    files, memory = (load_split("mine", "test", folder, preprocessing=grey, photos=photos) for photos in (True, False))
    ((images, labels),) = PhotoFeed(files, CPU).batches([torch.arange(10)])
    assert torch.equal(images, memory.images)
    assert torch.equal(labels, memory.labels)


def test_a_hidden_folder_is_no_class(tmp_path):
    folder = save_ten_classes(tmp_path / "photos", LABELS, count=1)
    (folder / "train" / ".ipynb_checkpoints").mkdir()
    assert load_split("mine", "train", folder).classes == load_split("mine", "test", folder).classes


def test_a_channel_that_is_the_same_everywhere_is_named():
    opaque = torch.cat([stripes(9).images, torch.full((9, 1, 16, 16), 255, dtype=torch.uint8)], dim=1)
    with pytest.raises(InputError, match="Channel 4 of the training images is the same everywhere"):
        replace(stripes(9), images=opaque).statistics()


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
    assert card.sha256 == sha256_of(entry.path.with_suffix(".safetensors"))
    assert card.parameters == entry.parameters
    assert tuple(card.classes) == entry.labels
    assert len(card.curve) == card.epochs == card.recipe["epochs"]
    # The curve is measured in the precision of training, the card's error in float32.
    assert card.test_error == pytest.approx(card.curve[-1].test_error, abs=0.2)
    assert json.loads(json.dumps(card.network))["depth"] == entry.spec.depth


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_the_readme_tells_the_error_on_the_card(entry):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{entry.name}` |"))
    assert f"**{entry.card.test_error:.2f} %**" in row
    assert f"{entry.card.train_error:.2f} %" in row


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_residual_and_plain_have_the_same_recipe_and_seed(entry):
    twin = find_entry(entry.name.replace("resnet", "plain"))
    assert twin.card
    for field in ("recipe", "seed", "epochs", "torch"):
        assert getattr(entry.card, field) == getattr(twin.card, field)


def test_the_first_pair_is_shipped():
    assert {"resnet20.cifar10", "plain20.cifar10"} <= {entry.name for entry in SHIPPED}


MADE = [entry for entry in list_models() if entry.origin is not entry and entry.origin.card]


@pytest.mark.data
@pytest.mark.parametrize("entry", MADE, ids=lambda entry: entry.name)
def test_what_a_network_is_rewritten_as_answers_alike_for_real_test_images(entry):
    """36 layers deeper, or without shortcuts: of 100 test images it says the same, but for rounding."""
    try:
        x, _ = standardized_sample(entry, "test", 100, images_of(entry), CPU, offline=True)
    except InputError as missing:
        pytest.skip(str(missing))
    with torch.inference_mode():
        logits, expected = (load_model(one.name, device="cpu").network(x) for one in (entry, entry.origin))
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())
    assert int((logits.argmax(1) != expected.argmax(1)).sum()) <= 1
    assert entry.test_error == entry.origin.card.test_error


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_the_error_on_the_card_is_that_of_every_test_image(entry):
    first, five = 100 - 100 * stored(entry).mean(axis=1)
    assert (round(first, 2), round(five, 2)) == (entry.card.test_error, entry.card.test_top5_error)


@pytest.mark.data
@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_a_shipped_network_gives_its_answers_on_real_test_images(entry):
    """On a twentieth of them, and all but one of these: rounding differs between processors."""
    expected = stored(entry)
    twentieth = expected.shape[1] // 20
    try:
        found = answer(entry, twentieth)
    except InputError as missing:
        pytest.skip(str(missing))
    assert (found != expected[:, :twentieth]).sum() <= 1

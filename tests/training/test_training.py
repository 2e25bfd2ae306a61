"""The trainer: recipes, data feeds, checkpoints, resuming, divergence, cards."""

import json
import math
import multiprocessing
import random
import signal
import time
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from resnet_demo.errors import InputError
from resnet_demo.networks import create_network
from resnet_demo.training import FAST, PAPER, Labelled, Recipe, Run, count_errors, train
from resnet_demo.training.feeds import MemoryFeed
from resnet_demo.training.loop import Trainer
from resnet_demo.zoo import Card, sha256_of
from tests.stripes import CPU, RECIPE, StoppedError, run_of, stop_after, stripes, trained

WEIGHTS_FILE = "resnet8.stripes.safetensors"


def test_paper_recipe_is_section_4_2():
    assert (PAPER.batch_size, PAPER.learning_rate, PAPER.momentum, PAPER.weight_decay) == (128, 0.1, 0.9, 1e-4)
    assert (PAPER.pad, PAPER.flip, PAPER.nesterov, PAPER.precision) == (4, True, False, "float32")
    per_epoch = 50_000 // 128
    assert PAPER.steps(per_epoch) == 64_000
    around = (0, 31_999, 32_000, 47_999, 48_000, 63_999)
    rates = [PAPER.learning_rate_at(step, per_epoch) for step in around]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_a_shortened_paper_recipe_keeps_its_shape():
    short = replace(PAPER, epochs=8)
    assert [short.learning_rate_at(step, 10) for step in (39, 40, 59, 60)] == pytest.approx([0.1, 0.01, 0.01, 0.001])


def test_fast_recipe_rises_and_falls_to_zero():
    recipe = replace(FAST, epochs=10, learning_rate=0.4)
    rates = [recipe.learning_rate_at(step, 100) for step in (0, 100, 200, 600, 1000)]
    assert rates == pytest.approx([0, 0.2, 0.4, 0.2, 0])


@pytest.mark.parametrize("changes", [{"epochs": 0}, {"batch_size": 1}, {"precision": "float16"}])
def test_impossible_recipes_are_refused(changes):
    with pytest.raises(InputError, match=next(iter(changes)).replace("_", ".").replace("epochs", "epoch")[:5]):
        replace(RECIPE, **changes)


def test_only_the_paper_recipe_for_110_layers_has_its_warmup():
    def rate(name, recipe):
        return run_of(recipe, name).recipe.warmup_rate

    assert rate("resnet110", PAPER) == rate("plain110", PAPER) == 0.01
    assert rate("resnet56", PAPER) is rate("resnet110", FAST) is None


def test_the_warmup_ends_when_the_training_error_is_below_its_bound():
    recipe = replace(PAPER, epochs=30, batch_size=8, warmup_rate=0.01, warmup_until=40.0)
    trainer = Trainer(run_of(recipe), stripes(120), stripes(30), CPU)
    epochs = [trainer.train_epoch() for _ in range(6)]
    rates = [epoch.learning_rate for epoch in epochs]
    assert rates[0] == 0.01
    assert rates[-1] == 0.1
    assert rates == sorted(rates)
    ended = rates.index(0.1)
    assert epochs[ended - 1].train_error < 40  # Three classes: guessing has an error of 67 %.


def test_crops_are_shifts_of_the_padded_image_half_of_them_mirrored():
    image = torch.randint(1, 256, (1, 3, 16, 16), dtype=torch.uint8)
    data = Labelled(image.repeat(400, 1, 1, 1), torch.zeros(400, dtype=torch.int64), ("a", "b", "c"))
    feed = MemoryFeed(data, CPU, pad=4, flip=True)
    ((crops, _),) = feed.batches([torch.arange(400)], torch.Generator().manual_seed(0))
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


def test_without_draws_a_feed_gives_the_images_themselves():
    data = stripes(7)
    feed = MemoryFeed(data, CPU, pad=4, flip=True)
    images, labels = zip(*feed.batches(torch.arange(7).split(3)), strict=True)
    assert torch.equal(torch.cat(images), data.images)
    assert torch.equal(torch.cat(labels), data.labels)


def test_every_image_is_seen_once_an_epoch():
    trainer = Trainer(run_of(), stripes(96), stripes(30), CPU)
    seen = []
    step = trainer.learner.step
    trainer.learner.step = lambda images, labels, rate: (seen.append(labels), step(images, labels, rate))[1]
    trainer.train_epoch()
    assert torch.equal(torch.cat(seen).bincount(), torch.tensor([32, 32, 32]))


def test_training_learns_writes_and_describes(tmp_path):
    seen, statuses = [], []
    card = trained(tmp_path, replace(RECIPE, epochs=8), on_epoch=seen.append, on_status=statuses.append)
    assert card.test_error < 10
    assert [epoch.epoch for epoch in seen] == list(range(1, 9))
    assert [status.epoch for status in statuses] == list(range(1, 9))
    assert statuses[-1].train_error == pytest.approx(seen[-1].train_error, abs=0.01)
    files = ["resnet8.stripes.json", "resnet8.stripes.jsonl", WEIGHTS_FILE]
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    log = [json.loads(line) for line in (tmp_path / "resnet8.stripes.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == list(range(1, 9))
    written = Card.read(tmp_path / "resnet8.stripes.json")
    assert written == card
    assert card.curve == seen
    assert card.sha256 == sha256_of(tmp_path / WEIGHTS_FILE)
    assert card.test_error == card.curve[-1].test_error
    assert card.command == (
        "python -m resnet_demo train resnet8 --dataset stripes --recipe fast --epochs 8 --batch-size 16 "
        "--learning-rate 0.05 --precision float32 --image-size 16 --seed 0"
    )
    network = create_network("resnet8", num_classes=3)
    network.load_state_dict(load_file(tmp_path / WEIGHTS_FILE))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (card.mean, card.std))
    test = MemoryFeed(stripes(30, seed=1), CPU)
    errors = count_errors(network, test.batches([torch.arange(30)]), mean, std)
    assert errors.top1 == pytest.approx(card.test_error, abs=0.01)


def test_the_run_stops_at_its_iterations_within_an_epoch(tmp_path):
    card = trained(tmp_path, replace(RECIPE, epochs=9, iterations=14))
    assert card.epochs == 3  # 6 batches an epoch: two whole epochs and two batches.
    trainer = Trainer(run_of(replace(RECIPE, epochs=9, iterations=14)), stripes(96), stripes(30), CPU)
    seen = []
    trainer.curve = card.curve[:2]
    trainer.train_epoch(seen.append)
    assert seen[-1].batches == 2


def test_bfloat16_is_used_where_it_is_asked_for(tmp_path):
    card = trained(tmp_path, replace(RECIPE, epochs=8, precision="bfloat16"))
    assert card.recipe["precision"] == "bfloat16"
    assert card.test_error < 10
    state = load_file(tmp_path / WEIGHTS_FILE)
    assert all(tensor.dtype == torch.float32 for name, tensor in state.items() if "num_batches" not in name)


def assert_equal_weights(one, other):
    one, other = (load_file(folder / WEIGHTS_FILE) for folder in (one, other))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path):
    trained(tmp_path / "whole")
    with pytest.raises(StoppedError):
        trained(tmp_path / "cut", on_epoch=stop_after(1))
    assert (tmp_path / "cut" / "resnet8.stripes.checkpoint").exists()
    trained(tmp_path / "cut", resume=True)
    assert_equal_weights(tmp_path / "whole", tmp_path / "cut")


def test_a_resumed_warmup_goes_on_where_it_was(tmp_path):
    recipe = replace(PAPER, epochs=4, batch_size=16, warmup_rate=0.01, warmup_until=0.0)
    with pytest.raises(StoppedError):
        trained(tmp_path, recipe, on_epoch=stop_after(1))
    assert [epoch.learning_rate for epoch in trained(tmp_path, recipe, resume=True).curve] == [0.01] * 4


KILLS = 10
LONG = replace(RECIPE, epochs=16)


def train_to_be_killed(folder, begun):
    torch.set_num_threads(1)
    trained(folder, LONG, resume=True, on_status=lambda status: begun.set())


def test_ten_kills_at_random_moments_change_nothing(tmp_path):
    """SIGKILL, like a power failure: no clean-up, at any moment of an epoch, an evaluation or a save."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "torch._dynamo"])  # Which every optimizer imports.

    def start(folder):
        begun = context.Event()
        process = context.Process(target=train_to_be_killed, args=(folder, begun))
        process.start()
        assert begun.wait(120)
        return process

    process = start(tmp_path / "whole")
    began = time.monotonic()
    process.join()
    an_epoch = (time.monotonic() - began) / LONG.epochs
    moments, killed = random.Random(0), 0
    for _ in range(KILLS):
        process = start(tmp_path / "cut")
        time.sleep(moments.uniform(0, 1.3) * an_epoch)
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed >= KILLS / 2  # On a machine whose speed changes, the last ones may find it done.
    start(tmp_path / "cut").join()
    assert_equal_weights(tmp_path / "whole", tmp_path / "cut")


def test_a_trained_network_is_not_overwritten(tmp_path):
    trained(tmp_path, replace(RECIPE, epochs=1))
    before = sha256_of(tmp_path / WEIGHTS_FILE)
    with pytest.raises(InputError, match=r"already has a trained resnet8\.stripes"):
        trained(tmp_path)
    assert sha256_of(tmp_path / WEIGHTS_FILE) == before


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(1))
    before = sha256_of(tmp_path / "resnet8.stripes.checkpoint")

    def dies(state, file):
        file.write(b"half")
        raise StoppedError

    monkeypatch.setattr(torch, "save", dies)
    with pytest.raises(StoppedError):
        trained(tmp_path, resume=True)
    assert sha256_of(tmp_path / "resnet8.stripes.checkpoint") == before


def test_a_damaged_checkpoint_is_refused(tmp_path):
    (tmp_path / "resnet8.stripes.checkpoint").write_bytes(b"half")
    with pytest.raises(InputError, match=r"^resnet8\.stripes\.checkpoint is damaged .*: remove it to start anew\.$"):
        trained(tmp_path, resume=True)


@pytest.mark.parametrize("foreign", [{}, [], {"run": 5}])
def test_a_checkpoint_of_another_program_is_refused(tmp_path, foreign):
    torch.save(foreign, tmp_path / "resnet8.stripes.checkpoint")
    with pytest.raises(InputError, match="is damaged or not a checkpoint"):
        trained(tmp_path, resume=True)


def test_the_checkpoint_of_an_unfinished_run_is_not_overwritten(tmp_path):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(2))
    before = sha256_of(tmp_path / "resnet8.stripes.checkpoint")
    with pytest.raises(InputError, match="is of a run that is not finished: add --resume to go on, or remove it"):
        trained(tmp_path)
    assert sha256_of(tmp_path / "resnet8.stripes.checkpoint") == before


@pytest.mark.parametrize("kind", ["checkpoint", "jsonl", "safetensors"])
def test_what_cannot_be_written_is_named(tmp_path, kind):
    (tmp_path / f"resnet8.stripes.{kind}").mkdir()
    with pytest.raises(InputError, match=rf"resnet8\.stripes\.{kind} cannot be written: Is a directory\.$"):
        trained(tmp_path, replace(RECIPE, epochs=1))


def test_a_checkpoint_on_a_full_disk_is_a_sentence(tmp_path):
    (tmp_path / "resnet8.stripes.checkpoint.partial").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"cannot be written: No space left on device\.$"):
        trained(tmp_path, replace(RECIPE, epochs=1))


def test_images_that_no_card_could_describe_are_refused_before_the_training(tmp_path):
    huge = Labelled(torch.zeros(3, 3, 1025, 1025, dtype=torch.uint8), torch.arange(3), ("red", "green", "blue"))
    with pytest.raises(InputError, match="1025 pixels are too large"):
        train(run_of(), huge, huge, tmp_path, device=CPU)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(1))
    with pytest.raises(InputError, match="another recipe"):
        trained(tmp_path, replace(RECIPE, weight_decay=0.1), resume=True)


@pytest.mark.parametrize("changed", ["size", "colours"])
def test_a_checkpoint_of_a_run_on_other_images_is_refused(tmp_path, changed):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(1))
    data = stripes(96)
    images = data.images[:, :, :8, :8] if changed == "size" else data.images // 2
    other = replace(data, images=images.contiguous())
    run = Run.create("resnet8", "stripes", other, RECIPE, 0, CPU)
    says = {"size": "a run with another image_size", "colours": "a run on other images"}[changed]
    with pytest.raises(InputError, match=says):
        train(run, other, other, tmp_path, device=CPU, resume=True)


def test_the_command_of_a_card_repeats_the_size_of_the_images():
    assert "--image-size 16 " in run_of().command, "not the 32 pixels of CIFAR-10"
    usual = Labelled(torch.zeros(3, 3, 32, 32, dtype=torch.uint8), torch.arange(3), ("a", "b", "c"))
    assert "--image-size" not in Run.create("resnet8", "stripes", usual, RECIPE, 0, CPU).command


def test_two_runs_of_one_network_do_not_write_into_one_folder(tmp_path):
    def second(epoch):
        with pytest.raises(InputError, match=r"Another run of resnet8\.stripes is writing into .*: give each its own"):
            trained(tmp_path)

    card = trained(tmp_path, on_epoch=second)
    assert len(card.curve) == RECIPE.epochs
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "resnet8.stripes.json",
        "resnet8.stripes.jsonl",
        WEIGHTS_FILE,
    ]


@pytest.mark.parametrize("factor", [math.nan, math.inf, 1e6])
def test_a_diverged_run_stops_with_a_sentence_and_keeps_its_checkpoint(tmp_path, monkeypatch, factor):
    with pytest.raises(StoppedError):
        trained(tmp_path, on_epoch=stop_after(1))
    before = sha256_of(tmp_path / "resnet8.stripes.checkpoint")
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", lambda logits, labels: logits.square().sum() * factor)
    with pytest.raises(InputError, match="lower --learning-rate"):
        trained(tmp_path, resume=True)
    assert sha256_of(tmp_path / "resnet8.stripes.checkpoint") == before


def test_splits_that_do_not_belong_together_are_refused(tmp_path):
    other = replace(stripes(30), classes=("red", "green", "violet"))
    with pytest.raises(InputError, match="differ in their classes"):
        train(run_of(), stripes(96), other, tmp_path, device=CPU)


def test_a_run_takes_outputs_and_channels_from_the_data():
    grey = Labelled(torch.zeros(4, 1, 28, 28, dtype=torch.uint8), torch.arange(4), ("a", "b", "c", "d"))
    run = Run.create("resnet50-smallstem", "fashion_mnist", grey, RECIPE, 0, CPU)
    assert (run.spec.in_channels, run.spec.num_classes, run.spec.stem) == (1, 4, "3x3")


def test_recipe_is_frozen():
    with pytest.raises(AttributeError):
        FAST.epochs = 1
    assert isinstance(FAST, Recipe)

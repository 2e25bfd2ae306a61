"""Runs that start from a trained network: fine-tuning, and deeper networks by construction."""

import json
from dataclasses import replace

import pytest
import torch

from resnet_demo.errors import InputError
from resnet_demo.networks import create_network, grow
from resnet_demo.training import Labelled, Photos, Run, load_start
from resnet_demo.training.loop import Trainer
from resnet_demo.zoo import Card
from tests.cards import put_weights
from tests.pictures import save_photo
from tests.stripes import CPU, RECIPE, save_stripes, stripes, trained

pytestmark = pytest.mark.usefixtures("own_folders")
# No step at all: what is evaluated after it is what the run started from.
STILL = replace(RECIPE, epochs=1, learning_rate=1e-30, weight_decay=0.0)


def ten(count, seed=0):
    """The stripes as images of ten classes, of which seven are empty."""
    return replace(stripes(count, seed), classes=tuple(f"class {i}" for i in range(10)))


def trainer_from(name, start, data, recipe=STILL):
    run = Run.create(name, "mine", data, recipe, 0, CPU, start)
    return Trainer(run, data, data, CPU, start=start)


@pytest.mark.parametrize(("source", "name"), [("plain8", "plain14"), ("resnet8", "resnet14"), ("resnet8", "resnet8")])
def test_a_run_starts_as_what_it_starts_from(tmp_path, source, name):
    put_weights(tmp_path / "own", f"{source}.mine")
    start = load_start(f"{source}.mine")
    trainer = trainer_from(name, start, ten(60))
    assert trainer.learner.network.training
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(trainer.learner.network.eval()(x), start.model.network(x), rtol=1e-4, atol=1e-4)
    assert trainer.run.to_dict()["start"] == f"{source}.mine"
    assert trainer.statistics == start.statistics


@pytest.mark.parametrize("name", ["plain8", "resnet8-C"])
def test_a_grown_network_keeps_its_function_in_training_mode_for_the_images_it_has_seen(name):
    network = create_network(name, generator=torch.Generator().manual_seed(0)).eval()
    x = torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = network(x)
        seen, unseen = grow(network, 20, x), grow(network, 20)
        torch.testing.assert_close(seen.eval()(x), wanted, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(unseen.eval()(x), wanted, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(seen.train()(x), network.train()(x), rtol=1e-2, atol=1e-2)
        assert (unseen.train()(x) - network(x)).abs().max() > 0.1


def test_a_network_of_other_classes_gets_a_new_fc_and_keeps_the_rest(tmp_path):
    put_weights(tmp_path / "own", "resnet8.mine")
    start = load_start("resnet8.mine")
    network = start.network(replace(start.spec, num_classes=3), 5, lambda: torch.zeros(1, 3, 16, 16))
    state, source = network.state_dict(), start.model.network.state_dict()
    assert state["fc.weight"].shape == (3, 64)
    assert state["fc.weight"].equal(create_network("resnet8", num_classes=3, generator=seeded(5)).fc.weight)
    assert all(state[key].equal(source[key]) for key in source if not key.startswith("fc."))


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_fine_tuning_needs_fewer_epochs(tmp_path):
    first = trained(tmp_path / "first")
    start = load_start(str(tmp_path / "first" / "resnet8.stripes.safetensors"))
    assert start.sha256 == first.sha256
    again = trainer_from("resnet8", start, stripes(96), replace(RECIPE, epochs=1, learning_rate=0.001))
    fresh = trainer_from_scratch(replace(RECIPE, epochs=1, learning_rate=0.001))
    assert again.train_epoch().train_loss < 0.5 * fresh.train_epoch().train_loss


def trainer_from_scratch(recipe):
    return Trainer(Run.create("resnet8", "mine", stripes(96), recipe, 0, CPU), stripes(96), stripes(96), CPU)


def test_a_grown_network_is_grown_anew_for_the_images_of_the_run():
    start = load_start("plain56-grown.cifar10")
    assert (start.name, start.spec.depth) == ("plain20.cifar10", 20)


def test_photos_in_files_can_be_the_sample(tmp_path):
    put_weights(tmp_path / "own", "plain8.mine")
    for i in range(6):
        save_photo(tmp_path / "photos" / f"{i}.png", size=(40, 40))
    start = load_start("plain8.mine")
    files = tuple(sorted((tmp_path / "photos").iterdir()))
    data = Photos(files, torch.tensor([0, 0, 0, 1, 1, 1]), tuple("abcdefghij"), start.model.preprocessing)
    trainer = trainer_from("plain14", start, data, replace(STILL, batch_size=2))
    assert trainer.learner.network.spec.depth == 14


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("resnet14", "plain8.mine", "cannot start from plain8.mine"),
        ("plain8", "plain14.mine", "more layers than 14 only"),
        ("plain8", "plain8.untrained", "is not trained"),
        ("plain8", "plain9.mine", "no model 'plain9.mine'"),
        ("plain8", "nothing.safetensors", "There is no nothing.safetensors"),
        ("resnet18", "plain8.mine", "cannot start from plain8.mine"),
        ("plain8", f"{'d' * 300}/plain8.mine.safetensors", "There is no d"),
        ("plain8", "no/where/plain8.mine.safetensors", "There is no no/where"),
    ],
)
def test_what_a_run_cannot_start_from_is_refused(tmp_path, name, source, reason, assert_clear_sentence):
    for architecture in ("plain8", "plain14"):
        put_weights(tmp_path / "own", f"{architecture}.mine")
    with pytest.raises(InputError, match=reason) as raised:
        Run.create(name, "mine", ten(10), STILL, 0, CPU, load_start(source))
    assert_clear_sentence(str(raised.value))


def test_gray_images_cannot_start_from_colour(tmp_path):
    put_weights(tmp_path / "own", "plain8.mine")
    gray = Labelled(torch.zeros(4, 1, 16, 16, dtype=torch.uint8), torch.arange(4) % 2, ("a", "b"))
    with pytest.raises(InputError, match=r"with 1 channels cannot start from plain8\.mine"):
        Run.create("plain8", "mine", gray, STILL, 0, CPU, load_start("plain8.mine"))


def test_the_command_line_grows_trains_and_says_what_it_started_from(run, tmp_path):
    data = save_stripes(tmp_path / "data.npz")
    options = ["--data", data, "--dataset", "mine", "--epochs", 1, "--batch-size", 16, "--device", "cpu"]
    assert run("train", "plain8", *options, "--out", tmp_path / "own").code == 0
    result = run("train", "plain14", *options, "--from", "plain8.mine", "--out", tmp_path / "deeper")
    assert result.code == 0, result.err
    card = Card.read(tmp_path / "deeper" / "plain14.mine.json")
    assert (card.start, card.spec.depth) == ("plain8.mine", 14)
    assert card.start_sha256 == json.loads((tmp_path / "own" / "plain8.mine.json").read_text())["sha256"]
    assert "--from plain8.mine" in card.command
    other = run("train", "plain14", *options, "--from", "resnet20.cifar10", "--out", tmp_path / "other")
    assert (other.code, "cannot start from resnet20.cifar10" in other.err) == (2, True)

"""Catalogue entries that are rewritten from trained networks: folded ones, and deeper ones by construction."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from resnet_demo import analyze, load_model
from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES
from resnet_demo.zoo import Card, Catalogue, ModelCache, find_entry, list_models, open_catalogue, weight_state
from tests.cards import put_weights
from tests.zoo.torchvision_files import cached_in, torch_bytes

pytestmark = pytest.mark.usefixtures("own_folders")
CAT = EXAMPLES / "cat.jpg"
MADE = [entry for entry in list_models() if entry.origin is not entry]


def made(catalogue):
    return {entry.name: entry.origin.name for entry in catalogue.entries() if entry.origin is not entry}


def test_what_the_shipped_networks_and_torchvisions_are_rewritten_as():
    found = made(open_catalogue())
    assert found["plain56-folded.cifar10"] == "resnet56.cifar10"
    assert found["plain20-folded.fashion_mnist"] == "resnet20.fashion_mnist"
    assert found["plain56-grown.cifar10"] == "plain20.cifar10"
    assert found["resnet56-grown.cifar10"] == "resnet20.cifar10"
    of_torchvision = {name: source for name, source in found.items() if name.endswith("in1k")}
    assert of_torchvision == {
        "plain18-folded.tv_in1k": "resnet18.tv_in1k",
        "plain34-folded.tv_in1k": "resnet34.tv_in1k",
    }


def test_a_users_networks_are_rewritten_too(tmp_path):
    for name in ("resnet8.mine", "resnet8-C.mine", "resnet14.mine", "plain14.mine", "preresnet14.mine"):
        put_weights(tmp_path / "own", name)
    mine = {name: source for name, source in made(open_catalogue()).items() if name.endswith(".mine")}
    # Two shortcut options give networks of the same name: the usual one is taken. Only what was trained is beside them.
    assert mine == {
        "plain8-folded.mine": "resnet8.mine",
        "plain14-folded.mine": "resnet14.mine",
        "resnet14-grown.mine": "resnet8.mine",
    }


@pytest.mark.parametrize("entry", [e for e in MADE if not e.from_torchvision], ids=lambda entry: entry.name)
def test_its_answer_is_that_of_its_source(entry):
    model, source = load_model(entry, "cpu"), load_model(entry.origin, "cpu")
    assert (model.labels, model.preprocessing) == (source.labels, source.preprocessing)
    assert sum(p.numel() for p in model.network.parameters()) == entry.parameters
    one, other = analyze(CAT, model), analyze(CAT, source)
    assert one.model == entry.name
    assert [p.label for p in one.predictions] == [p.label for p in other.predictions]
    assert [p.probability for p in one.predictions] == pytest.approx(
        [p.probability for p in other.predictions], abs=1e-4
    )
    assert abs(one.cam - other.cam).max() < 1e-3
    assert entry.test_error == entry.origin.test_error
    assert str(weight_state(entry)) == str(weight_state(entry.origin)) == "shipped"


@pytest.mark.parametrize("layer", ["stem", "layer1.1", "layer2", "layer3.8"])
def test_grad_cam_of_a_folded_network_is_that_of_the_original_at_every_depth(layer):
    one, other = (analyze(CAT, name, layer=layer) for name in ("plain56-folded.cifar10", "resnet56.cifar10"))
    assert abs(one.cam - other.cam).max() < 1e-3
    assert one.cam.max() == 1


def test_gradients_of_folded_weights_differ():
    one, other = (analyze(CAT, name) for name in ("plain20-folded.cifar10", "resnet20.cifar10"))
    assert one.gradients[1].gradient_norm != pytest.approx(other.gradients[1].gradient_norm, rel=0.05)
    assert {gradient.role for gradient in one.gradients} == {"main"}


def test_torchvisions_weights_are_fetched_once_for_both(tmp_path, monkeypatch):
    entry = find_entry("plain18-folded.tv_in1k")
    assert str(weight_state(entry)) == "45 MB to fetch"
    with pytest.raises(InputError, match=r"download resnet18\.tv_in1k"):
        load_model(entry, "cpu", offline=True)
    torch.manual_seed(0)
    reference = resnet18()
    reference(torch.randn(4, 3, 64, 64))
    cached_in(tmp_path / "cache", torch_bytes(reference.state_dict()), monkeypatch)
    model = load_model(entry, "cpu", offline=True)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.network.modules())
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(x), reference.eval()(x), rtol=1e-5, atol=1e-5)


def test_a_network_whose_source_is_damaged_says_so_once(tmp_path, caplog):
    put_weights(tmp_path / "own", "resnet8.mine")
    (tmp_path / "own" / "resnet8.mine.json").write_text("{}")
    entry = find_entry("plain8-folded.mine")
    assert weight_state(entry).kind == "damaged"
    assert entry.problem.startswith("resnet8.mine.json is not a weights card")
    with pytest.raises(InputError, match=r"resnet8\.mine\.json is not a weights card"):
        load_model(entry)
    assert len(caplog.records) == 1


def test_a_retrained_source_is_loaded_anew(tmp_path):
    put_weights(tmp_path / "own", "resnet8.mine", seed=1)
    cache = ModelCache("cpu")
    first = cache.get("plain8-folded.mine")
    assert cache.get("plain8-folded.mine") is first
    put_weights(tmp_path / "own", "resnet8.mine", seed=2)
    assert cache.get("plain8-folded.mine") is not first


def test_the_list_of_models_tells_what_they_are_made_of(run):
    rows = {row["name"]: row for row in json.loads(run("models", "--json").out)}
    assert rows["plain56-grown.cifar10"]["made_from"] == "plain20.cifar10"
    assert rows["plain56.cifar10"]["made_from"] is None


def test_a_bare_name_means_the_shipped_one(tmp_path):
    put_weights(tmp_path / "own", "resnet20.aaa")
    assert find_entry("plain20-folded").name == "plain20-folded.cifar10"
    assert find_entry("plain20-folded.aaa").weights_hash == find_entry("resnet20.aaa").card.sha256


def test_a_users_network_never_changes_what_is_made_of_the_shipped_ones(tmp_path):
    put_weights(tmp_path / "own", "plain8.cifar10")
    put_weights(tmp_path / "own", "plain56-folded.cifar10")
    (tmp_path / "own" / "plain8.cifar10.json").write_text("{}")  # Not even a damaged one.
    catalogue = open_catalogue()
    assert catalogue.find("plain56-grown.cifar10").origin.name == "plain20.cifar10"
    trained = catalogue.find("plain56-folded.cifar10")
    assert trained.origin is trained
    names = [entry.name for entry in catalogue.entries()]
    assert len(names) == len(set(names))


def test_a_folded_network_that_is_not_there_asks_for_its_source():
    with pytest.raises(InputError, match="train resnet32 --dataset cifar10"):
        find_entry("plain32-folded.cifar10")


def test_what_is_made_is_worked_out_once_and_again_when_a_card_changes(shipped):
    catalogue = Catalogue((shipped,))

    def folded():
        return next(entry for entry in catalogue.entries() if entry.name == "plain20-folded.cifar10")

    first = folded()
    assert folded() is first
    path = shipped / "resnet20.cifar10.json"
    replace(Card.read(path), test_error=12.34).write(path)
    assert folded().test_error == 12.34
    path.unlink()
    assert all(entry.name != first.name for entry in catalogue.entries())

"""Removed blocks, against a network rebuilt without them; and stored studies, against a direct count."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from resnet_demo import create_network, load_model
from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES, load_image
from resnet_demo.laboratory.lesion import (
    draw_blocks,
    lesion_errors,
    predict_lesioned,
    several_errors,
)
from resnet_demo.laboratory.studies import find_study, read_study, write_study
from resnet_demo.networks.architecture import block_summaries
from resnet_demo.networks.blocks import ZeroPadShortcut
from resnet_demo.records import LesionStudy
from resnet_demo.zoo import find_entry, list_models

CAT = EXAMPLES / "cat.jpg"


def seeded(name):
    network = create_network(name, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():  # Non-trivial statistics, so that normalization is not the identity.
        network.train()(torch.randn(32, 3, 32, 32, generator=torch.Generator().manual_seed(1)))
    return network.eval()


def rebuilt(network, stage, i, replacement):
    """The network with one block replaced by another module, in the ordinary forward pass."""
    other = copy.deepcopy(network)
    getattr(other, f"layer{stage}")[i] = replacement
    return other


X = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", ["resnet14", "plain14", "preresnet14", "highway14", "resnet14-B"])
def test_a_removed_block_of_equal_shape_is_the_identity(name):
    network = seeded(name)
    with torch.no_grad():
        expected = rebuilt(network, 2, 1, nn.Identity())(X)
        torch.testing.assert_close(network.lesioned(X, {"layer2.1"}), expected)
        assert not torch.allclose(network(X), expected)


@pytest.mark.parametrize("name", ["resnet14", "plain14"])
def test_a_removed_block_that_changes_the_shape_is_option_a(name):
    network = seeded(name)
    with torch.no_grad():
        expected = rebuilt(network, 3, 0, ZeroPadShortcut(32, 2))(X)
        torch.testing.assert_close(network.lesioned(X, {"layer3.0"}), expected)


def test_a_removed_block_with_a_projection_keeps_it():
    network = seeded("resnet14-B")
    block = network.layer3[0]
    with torch.no_grad():
        expected = rebuilt(network, 3, 0, nn.Sequential(block.downsample, nn.ReLU()))(X)
        torch.testing.assert_close(network.lesioned(X, {"layer3.0"}), expected)


def test_several_blocks_and_none():
    network = seeded("resnet14")
    with torch.no_grad():
        torch.testing.assert_close(network.lesioned(X, set()), network(X))
        twice = rebuilt(rebuilt(network, 1, 1, nn.Identity()), 3, 1, nn.Identity())(X)
        torch.testing.assert_close(network.lesioned(X, {"layer1.1", "layer3.1"}), twice)


def test_beginning_and_finishing_are_the_forward_pass():
    network = seeded("resnet14")
    with torch.no_grad():
        for name in ("stem", "layer1.0", "layer2.1", "layer3.1"):
            torch.testing.assert_close(network.finish(network.begin(X, name), name), network(X))


@pytest.mark.parametrize(
    "use", [lambda n: n.lesioned(X, ["layer9.9"]), lambda n: n.begin(X, "layer9.9"), lambda n: n.finish(X, "layer9.9")]
)
def test_a_block_that_is_not_there_is_named(use):
    with pytest.raises(InputError, match=r"^resnet14 has no block 'layer9\.9': they are layer1\.0 and so on\.$"):
        use(seeded("resnet14"))


def test_errors_without_each_block_are_those_of_the_lesioned_network():
    network, labels = seeded("plain14"), torch.arange(4) % 10
    whole, wrong, total = lesion_errors(network, [(X[:2], labels[:2]), (X[2:], labels[2:])])
    assert total == 4
    with torch.no_grad():
        assert whole == (network(X).argmax(1) != labels).sum()
        assert list(wrong) == [name for name, _ in network.named_blocks()]
        for name, count in wrong.items():
            assert count == (network.lesioned(X, {name}).argmax(1) != labels).sum()


def test_errors_without_several_blocks_are_those_of_the_lesioned_network():
    network = seeded("plain14")
    labels = torch.arange(4) % 10
    wrong, total = several_errors(network, iter([(X[:3], labels[:3]), (X[3:], labels[3:])]))
    blocks = [name for name, _ in network.named_blocks()]
    assert total == 4
    assert list(wrong) == [2, 3, 4, 5]
    with torch.no_grad():
        for count, draws in draw_blocks(blocks).items():
            lesioned = [network.lesioned(X, set(removed)) for removed in draws]
            assert wrong[count] == [(logits.argmax(1) != labels).sum() for logits in lesioned]


def test_twins_lose_the_same_random_blocks_and_all_numbers_of_them():
    one, other = ([block.name for block in block_summaries(name)] for name in ("resnet56", "plain56"))
    drawn = draw_blocks(one)
    assert drawn == draw_blocks(other)
    assert list(drawn) == [2, 5, 8, 11, 14, 17, 20, 23, 26]
    for count, draws in drawn.items():
        assert [len(set(removed)) for removed in draws] == [count] * 5
        assert len(set(draws)) > 1
    assert draw_blocks(one, seed=1) != drawn
    assert draw_blocks(["layer1.0"]) == {}


@pytest.mark.parametrize(
    "impossible",
    [{"several": {"2": [101.0]}}, {"several": {"2": []}}, {"several": {"9": [5.0]}}, {"several": {"x": [5.0]}},
     {"several_images": 0}],
)  # fmt: skip
def test_an_impossible_study_is_refused(impossible):
    possible = {"several": {"2": [50.0]}, "several_images": 10}
    errors = {f"layer1.{i}": 12.5 for i in range(9)}
    assert LesionStudy("resnet20.cifar10", "", 100, 9.0, errors, **possible).several == {"2": [50.0]}
    with pytest.raises(InputError):
        LesionStudy("resnet20.cifar10", "", 100, 9.0, errors, **possible | impossible)


def state_of(network):
    modes = [module.training for module in network.modules()]
    return modes, {name: value.clone() for name, value in network.state_dict().items()}


def assert_same_state(network, before):
    modes, values = state_of(network)
    assert modes == before[0]
    for name, value in values.items():
        assert torch.equal(value, before[1][name]), name


def test_a_network_in_training_mode_is_measured_as_in_evaluation_and_left_as_it_was():
    labels = torch.arange(4) % 10
    expected = lesion_errors(seeded("resnet14"), [(X, labels)])
    network = seeded("resnet14").train()
    network.layer1[0].bn1.eval()
    before = state_of(network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert lesion_errors(network, [(X, labels)]) == expected
    assert_same_state(network, before)


def test_a_photo_in_training_mode_too():
    model = load_model("resnet20.cifar10")
    expected = predict_lesioned(CAT, model, ["layer1.0"])
    model.network.train()
    before = state_of(model.network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert predict_lesioned(CAT, model, ["layer1.0"]) == expected
    assert_same_state(model.network, before)


def test_predictions_of_a_photo():
    model = load_model("resnet20.cifar10")
    x = model.preprocessing.tensor(model.preprocessing.crop(load_image(CAT)))
    with torch.no_grad():
        expected = model.network.lesioned(x, {"layer1.0"})[0].softmax(0)
    top = predict_lesioned(CAT, model, ["layer1.0"])
    assert top[0].probability == pytest.approx(expected.max().item(), abs=1e-5)
    assert [p.probability for p in top] == sorted((p.probability for p in top), reverse=True)
    with pytest.raises(InputError, match=r"no block 'layer9\.0'"):
        predict_lesioned(CAT, model, ["layer9.0"])


def test_a_study_belongs_to_its_weights(tmp_path):
    entry, blocks = find_entry("resnet20.cifar10"), block_summaries("resnet20")
    study = LesionStudy(entry.name, entry.weights_hash, 100, 9.0, {block.name: 12.5 for block in blocks})
    write_study(study, tmp_path)
    assert read_study(LesionStudy, entry, tmp_path) == study
    assert read_study(LesionStudy, find_entry("plain20.cifar10"), tmp_path) is None
    write_study(replace(study, sha256="of other weights"), tmp_path)
    assert read_study(LesionStudy, entry, tmp_path) is None


def test_a_rewritten_network_has_a_study_of_its_own(tmp_path):
    entry = find_entry("plain56-grown.cifar10")
    study = LesionStudy(entry.name, entry.weights_hash, 100, 9.0, {b.name: 12.5 for b in block_summaries("plain56")})
    write_study(study, tmp_path)
    assert read_study(LesionStudy, entry, tmp_path) == study
    assert read_study(LesionStudy, find_entry("plain56.cifar10"), tmp_path) is None


PAIRS = [e for e in list_models() if e.card and e.tag in ("cifar10", "cifar100") and e.spec.connection == "residual"]


@pytest.mark.parametrize("entry", PAIRS, ids=lambda entry: entry.name)
def test_the_shipped_studies_are_of_the_shipped_weights(entry):
    twin = next(e for e in list_models() if e.name == entry.name.replace("resnet", "plain"))
    studies = {e.name: find_study(LesionStudy, e, [e.path.parent]) for e in (entry, twin)}
    if not any(studies.values()):
        pytest.skip("not measured yet")
    for name, study in studies.items():
        card = entry.card if name == entry.name else twin.card
        assert study.images == 10_000
        assert study.test_error == pytest.approx(card.test_error, abs=0.011)
    # Veit et al. 2016: a residual network survives the removal of blocks, a plain one does not. By the median block.
    residual, plain = (sorted(study.errors.values())[len(study.errors) // 2] for study in studies.values())
    assert residual < plain

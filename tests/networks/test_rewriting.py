"""Networks that compute the same function: shortcuts folded away, and deeper ones by construction."""

import pytest
import torch
import torchvision
from torch import nn

from resnet_demo.errors import InputError
from resnet_demo.networks import create_network, empty_network, fold_shortcuts, grow, parameter_count, parse_name
from resnet_demo.networks.architecture import describe
from resnet_demo.networks.blocks import Projection

# The most by which tensors may differ, as a share of the largest value: rounding over many layers.
SAME = 1e-5
FOLDABLE = [f"resnet{depth}{option}" for depth in (8, 20, 56) for option in ("", "-B", "-C")]
FOLDABLE += [f"resnet{depth}{option}" for depth in (18, 34) for option in ("", "-A", "-C")]
FOLDABLE += ["resnet20-nonorm", "resnet18-smallstem"]
GROWABLE = [("plain20", 56), ("resnet20", 56), ("resnet20-C", 32), ("preresnet20", 44), ("resnet20-nonorm", 26)]
GROWABLE += [("plain20-nonorm", 26), ("plain18", 34), ("resnet18", 34), ("resnet50", 101), ("plain20-folded", 32)]
GROWABLE += [("preresnet20-tanh", 26)]


def as_trained(name):
    """A network in evaluation mode whose normalizations all differ, as after training."""
    generator = torch.Generator().manual_seed(0)
    network = create_network(name, generator=generator, num_classes=7).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            nn.init.uniform_(module.weight, 0.2, 0.6, generator=generator)
            nn.init.normal_(module.bias, 0, 0.2, generator=generator)
    return network


def images(network, images=2):
    size = 64 if network.spec.stem == "7x7" else 32
    return torch.randn(images, 3, size, size, generator=torch.Generator().manual_seed(1))


def assert_same(one, other):
    assert one.shape == other.shape
    assert (one - other).abs().max() <= SAME * other.abs().max()


def blocks_of(network, x):
    """The output A of every block, d logit / d A for class 3, and Grad-CAM without its final ReLU, by the block's name.
    In some random networks no evidence is positive."""
    trace = network.trace(x.clone().requires_grad_())
    gradients = torch.autograd.grad(trace.logits[:, 3].sum(), list(trace.outputs.values()))
    return {
        name: (a.detach(), gradient, (gradient.mean((2, 3), keepdim=True) * a.detach()).sum(1))
        for (name, a), gradient in zip(trace.outputs.items(), gradients, strict=True)
    }


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("name", FOLDABLE)
def test_a_folded_network_computes_the_same_logits_block_outputs_and_grad_cam(name):
    # In float64, as rounding moves some inputs of a ReLU across 0, where its gradient jumps.
    network = as_trained(name).double()
    folded, x = fold_shortcuts(network), images(network).double()
    with torch.no_grad():
        assert_same(folded(x), network(x))
    before, after = blocks_of(network, x), blocks_of(folded, x)
    assert before.keys() == after.keys()
    for block in before:
        for one, other in zip(after[block], before[block], strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("name", FOLDABLE)
def test_single_precision_suffices_for_a_folded_network(name):
    network = as_trained(name)
    x = images(network)
    with torch.no_grad():
        one, other = fold_shortcuts(network).trace(x), network.trace(x)
    assert_same(one.logits, other.logits)
    for block, output in other.outputs.items():
        assert_same(one.outputs[block], output)


@pytest.mark.parametrize("name", ["resnet18", "resnet34"])
def test_torchvisions_weights_can_be_folded(name):
    reference = torchvision.models.get_model(name, weights=None).eval()
    network = empty_network(parse_name(name))
    network.load_state_dict(reference.state_dict(), strict=True, assign=True)
    x = images(network)
    with torch.no_grad():
        assert_same(fold_shortcuts(network).eval()(x), reference(x))


@pytest.mark.parametrize("name", ["resnet20", "resnet34", "resnet18-C"])
def test_nothing_but_convolutions_is_left(name):
    folded = fold_shortcuts(as_trained(name))
    assert not any(isinstance(module, (nn.BatchNorm2d, Projection)) for module in folded.modules())
    assert all(block.downsample is None for _, block in folded.named_blocks())
    assert not any("downsample" in key or "bn" in key for key in folded.state_dict())
    assert {layer.role for layer in folded.layers()} == {"main"}
    assert len(folded.trace(images(folded)).branches) == 0


# As tried out for ResNet-18, 34, 20 and 56 by whoever asked for this.
@pytest.mark.parametrize(
    ("name", "ratio"), [("resnet18", 1.73), ("resnet34", 1.85), ("resnet20", 1.86), ("resnet56", 1.95)]
)
def test_a_folded_network_has_almost_twice_the_parameters_and_its_name_tells_them(name, ratio):
    network = create_network(name).eval()
    folded = fold_shortcuts(network)
    assert parameter_count(folded) / parameter_count(network) == pytest.approx(ratio, abs=0.01)
    assert folded.spec.name == name.replace("resnet", "plain") + "-folded"
    assert parse_name(folded.spec.name) == folded.spec
    assert describe(folded.spec.name).parameters == parameter_count(folded)


def test_folding_leaves_the_network_and_its_mode_alone():
    network = as_trained("resnet20")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert not fold_shortcuts(network).training
    assert fold_shortcuts(network.train()).training
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("resnet50", "five times as wide"),
        ("resnext50_32x4d", "five times as wide"),
        ("plain20", "not a residual network"),
        ("preresnet20", "not a residual network"),
        ("highway20", "not a residual network"),
        ("resnet20-tanh", "no ReLUs"),
    ],
)
def test_what_cannot_be_folded_is_refused_with_the_reason(name, reason, assert_clear_sentence):
    with pytest.raises(InputError, match=reason) as raised:
        fold_shortcuts(create_network(name))
    assert_clear_sentence(str(raised.value))


def test_a_network_without_statistics_cannot_be_folded(assert_clear_sentence):
    network = create_network("resnet8")
    network.bn1.running_mean = None
    for rewrite in (fold_shortcuts, lambda network: grow(network, 14)):
        with pytest.raises(InputError, match="statistics of each input") as raised:
            rewrite(network)
        assert_clear_sentence(str(raised.value))


def test_rewriting_keeps_the_precision():
    network = create_network("resnet8").double().eval()
    assert fold_shortcuts(network).fc.weight.dtype == grow(network, 14).fc.weight.dtype == torch.float64


@pytest.mark.parametrize(("name", "depth"), GROWABLE)
def test_a_grown_network_computes_the_same_at_every_block_it_had(name, depth):
    network = as_trained(name)
    grown, x = grow(network, depth), images(network)
    assert grown.spec.depth == depth and grown.spec.connection == network.spec.connection
    with torch.no_grad():
        before, after = network.trace(x), grown.trace(x)
    assert_same(after.logits, before.logits)
    assert before.outputs.keys() < after.outputs.keys()
    for block, output in before.outputs.items():
        assert_same(after.outputs[block], output)


@pytest.mark.parametrize("name", ["plain20", "resnet20"])
def test_the_blocks_that_were_added_hand_their_input_on_exactly(name):
    network = as_trained(name)
    outputs = grow(network, 32).eval().trace(images(network)).outputs
    assert outputs["layer1.4"].equal(outputs["layer1.2"])
    assert outputs["layer3.4"].equal(outputs["layer3.2"])


def test_a_grown_residual_network_can_learn_in_every_layer_it_got():
    network = grow(as_trained("resnet8"), 14).train()
    network(images(network, 4)).square().sum().backward()
    assert network.layer1[1].bn2.weight.grad.abs().sum() > 0
    assert network.layer1[1].conv1.weight.std() > 0.01


@pytest.mark.parametrize(
    ("name", "depth", "reason"),
    [
        ("plain56", 20, "more layers than 56 only"),
        ("plain20", 20, "more layers than 20 only"),
        ("resnet34", 50, "different blocks"),
        ("plain50", 101, "cannot be an identity"),
        ("highway20", 56, "gates"),
        ("plain20-tanh", 56, "no ReLUs"),
        ("plain20", 55, "No network of the cifar family has 55 layers"),
    ],
)
def test_what_cannot_grow_is_refused_with_the_reason(name, depth, reason, assert_clear_sentence):
    with pytest.raises(InputError, match=reason) as raised:
        grow(create_network(name), depth)
    assert_clear_sentence(str(raised.value))

"""Gradient flow, against a hand-written network and `backward()`; and every claim of the tour, on three seeds: the
page's, 0, on all of the sample's images as there, and two more on its first sixteen."""

import math
import statistics
from functools import cache

import pytest
import torch
import torch.nn.functional as F

from resnet_demo import create_network, load_model
from resnet_demo.errors import InputError
from resnet_demo.laboratory.flow import gradient_flow, sample_images
from resnet_demo.laboratory.studies import find_study
from resnet_demo.laboratory.tour import TOUR, find_stop
from resnet_demo.networks import parse_name
from resnet_demo.plots import MEASURES
from resnet_demo.records import TrainedFlow
from resnet_demo.zoo import find_entry, list_models, open_catalogue

SEEDS = (0, 1, 2)


@cache
def flow(name, seed):
    # A quarter of the images takes a quarter of the time.
    return gradient_flow(name, None if seed == 0 else sample_images()[:16], seed=seed)


def ratios(name):
    """Gradient norm of the first convolution divided by that of the last, for each seed."""
    return [flow(name, seed).ratio for seed in SEEDS]


@pytest.mark.parametrize("name", ["resnet8", "plain8-nonorm", "preresnet8", "highway8-tanh"])
def test_norms_are_those_of_backward(name):
    found = gradient_flow(name, sample_images()[:8], seed=3)
    generator = torch.Generator().manual_seed(3)
    network = create_network(name, generator=generator).train()
    labels = torch.randint(0, 10, (8,), generator=generator)
    loss = F.cross_entropy(network(sample_images()[:8]), labels)
    loss.backward()
    assert found.loss == pytest.approx(loss.item(), rel=1e-5)
    weights = {layer.name: layer.module.weight for layer in network.layers()}
    assert [layer.layer for layer in found.layers] == [n for n in weights if "gate" not in n and "downsample" not in n]
    for layer in found.layers:
        assert layer.gradient_norm == pytest.approx(weights[layer.layer].grad.norm().item(), rel=1e-4)


def test_a_network_written_by_hand():
    """plain8 without normalization, written independently: seven convolutions with ReLUs, a mean and a matrix."""
    x = sample_images()[:8]
    generator = torch.Generator().manual_seed(5)
    weights = create_network("plain8-nonorm", generator=generator)
    labels = torch.randint(0, 10, (8,), generator=generator)
    kernels = [
        p.detach().clone().requires_grad_() for name, p in weights.named_parameters() if "conv" in name and p.ndim == 4
    ]
    strides, h, responses = (1, 1, 1, 2, 1, 2, 1), x, []
    for kernel, stride in zip(kernels, strides, strict=True):
        responses.append(F.conv2d(h, kernel, stride=stride, padding=1))
        h = responses[-1].clamp(min=0)
    logits = h.mean((2, 3)) @ weights.fc.weight.detach().T + weights.fc.bias.detach()
    gradients = torch.autograd.grad(F.cross_entropy(logits, labels), kernels)
    found = gradient_flow("plain8-nonorm", x, seed=5).layers[:-1]
    for layer, gradient, response in zip(found, gradients, responses, strict=True):
        assert layer.gradient_norm == pytest.approx(gradient.norm().item(), rel=1e-4)
        assert layer.response_std == pytest.approx(response.std(correction=0).item(), rel=1e-4)
        dead = (response.clamp(min=0).amax((0, 2, 3)) == 0).float().mean().item()
        assert layer.dead_or_saturated == pytest.approx(dead)


def test_saturated_units_are_counted():
    wide = sample_images()[:4] * 1000
    assert gradient_flow("plain8-nonorm-tanh", wide).layers[0].dead_or_saturated > 0.9
    assert gradient_flow("plain8-nonorm-sigmoid", wide).layers[0].dead_or_saturated > 0.9
    assert gradient_flow("plain8-nonorm-tanh", wide / 1e6).layers[0].dead_or_saturated == 0


def test_it_leaves_nothing_behind_and_comes_back_the_same():
    state = torch.get_rng_state()
    with torch.inference_mode():
        first = gradient_flow("resnet8", seed=1)
    assert first == gradient_flow("resnet8", seed=1)
    assert first != gradient_flow("resnet8", seed=2)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("images", [torch.zeros(4, 1, 32, 32), torch.zeros(1, 3, 32, 32), torch.zeros(3, 32, 32)])
def test_a_batch_that_does_not_fit_is_refused(images):
    with pytest.raises(InputError, match="needs a batch"):
        gradient_flow("resnet8", images)


def test_the_sample_is_natural_and_standardized():
    images = sample_images()
    assert images.shape == (64, 3, 32, 32)
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3)), torch.ones(3), atol=1e-5, rtol=0)
    neighbours = (images[..., 1:] * images[..., :-1]).mean() / images.square().mean()
    assert neighbours > 0.7  # For noise it would be 0.


def test_the_tour_can_be_walked():
    assert [stop.title[0] for stop in TOUR] == ["1", "2", "3", "4", "5", "6"]
    for stop in TOUR:
        assert find_stop(stop.key) is stop
        assert stop.measure in MEASURES
        assert len(stop.networks) <= 6
        for name in stop.networks:
            assert (find_entry(name) if "." in name else parse_name(name)).name == name


# Every claim of the tour. Thresholds leave a margin of a factor of ten, or of two to three for values near 1.


def test_stop_1_sigmoids_fade_by_a_steady_factor():
    """Measured 2e-13 to 5e-13 at 20 layers and 2e-36 to 6e-36 at 56: both a factor of about 0.2 per layer."""
    per_layer = {}
    for depth in (20, 32, 56):
        found = ratios(f"plain{depth}-nonorm-sigmoid-xavier")
        assert all(0 < ratio < 1e-11 for ratio in found)
        per_layer[depth] = statistics.mean(math.log10(ratio) for ratio in found) / (depth - 2)
    assert max(ratios("plain56-nonorm-sigmoid-xavier")) < 1e-34
    assert per_layer[20] == pytest.approx(per_layer[56], abs=0.08)


def test_stop_2_he_initialization_keeps_the_gradient():
    """Measured 0.3 to 0.9; with smaller initial weights no layer gets more than a millionth of it, or nothing."""
    assert all(0.03 < ratio < 30 for ratio in ratios("plain56-nonorm"))
    for seed in SEEDS:
        kept, xavier, normal = (flow(f"plain56-nonorm{init}", seed).layers for init in ("", "-xavier", "-normal"))
        for healthy, weak, lost in zip(kept[:-1], xavier, normal, strict=False):
            assert weak.gradient_norm < 1e-6 * healthy.gradient_norm
            assert lost.gradient_norm < 1e-30


def test_stop_3_with_batch_normalization_it_grows_with_depth():
    """Measured 7 to 11 at 20 layers and 1,300 to 3,500 at 56."""
    assert all(1 < ratio < 100 for ratio in ratios("plain20"))
    assert all(300 < ratio < 30_000 for ratio in ratios("plain56"))
    medians = [statistics.median(ratios(f"plain{depth}")) for depth in (20, 32, 44, 56)]
    assert medians == sorted(medians)


def test_stop_4_shortcuts_keep_it_level():
    """Measured 5 to 12 in ResNet-56, 15 to 21 with pre-activation; in plain-56 a hundred times that."""
    assert all(1 < ratio < 30 for ratio in ratios("resnet56"))
    assert all(1 < ratio < 100 for ratio in ratios("preresnet56"))
    assert min(ratios("plain56")) > 30 * max(ratios("resnet56"))


def test_stop_5_without_normalization_the_signal_grows_from_block_to_block():
    """Measured: losses of 1,900 to 6,000 at 56 layers, where chance is 2.3; deviations that grow by thousands."""
    for seed in SEEDS:
        bare, shallow, normalized = (flow(name, seed) for name in ("resnet56-nonorm", "resnet20-nonorm", "resnet56"))
        assert bare.loss > 100 > 10 * normalized.loss
        growth = [f.layers[-2].response_std / f.layers[1].response_std for f in (bare, shallow)]
        assert growth[0] > 100
        assert growth[0] > 10 * growth[1]
        assert all(layer.response_std == pytest.approx(1, abs=0.01) for layer in normalized.layers[:-1])


def test_stop_6_after_training_no_gradient_of_plain_56_has_vanished_and_its_error_is_higher():
    """Measured 1.1 to 8.5."""
    entries = [find_entry(name) for name in find_stop("trained").networks]
    norms = {}
    for entry in entries:
        study = find_study(TrainedFlow, entry, open_catalogue().folders)
        assert study.images == 1000
        norms[entry.architecture] = [layer.gradient_norm for layer in study.layers]
    assert max(norms["plain56"]) < 10 * min(norms["plain56"])
    errors = {entry.architecture: entry.test_error for entry in entries}
    assert errors["plain56"] > errors["resnet56"]


TRAINED = [e for e in list_models() if e.card and e.tag == "cifar10"]


@pytest.mark.parametrize("entry", TRAINED, ids=lambda entry: entry.name)
def test_after_training_the_gradients_are_healthy(entry):
    """He et al. 2016, section 4.1, for residual and plain networks alike; plain ones are nevertheless worse."""
    network = load_model(entry).network
    x = sample_images()
    logits = network.trace(x).logits
    weights = {layer.name: layer.module.weight for layer in network.layers()}
    loss = F.cross_entropy(logits, torch.arange(len(x)) % 10)
    gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
    norms = [gradient.norm().item() for gradient in gradients.values()]
    assert 1 / 100 < norms[0] / norms[-2] < 100
    assert all(norm > 1e-3 for norm in norms)

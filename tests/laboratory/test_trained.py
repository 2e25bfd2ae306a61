"""Gradients and responses over many images, against one backward pass an image."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from resnet_demo import load_model
from resnet_demo.errors import InputError
from resnet_demo.laboratory import trained
from resnet_demo.laboratory.trained import trained_layers
from resnet_demo.records import LayerFlow, TrainedFlow


@pytest.mark.parametrize("name", ["resnet20.cifar10", "plain20.cifar10", "plain56-folded.cifar10"])
def test_norms_are_those_of_single_backward_passes(name, monkeypatch):
    monkeypatch.setattr(trained, "BATCH_SIZE", 3)  # The last batch is smaller.
    network = load_model(name).network
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(4, 3, 32, 32, generator=draw), torch.tensor([0, 3, 3, 9])
    counts: list[int] = []
    loss, layers = trained_layers(network, x, y, counts.append)
    assert counts == [3, 4]
    main = [layer for layer in network.layers() if layer.is_main]
    assert [(layer.layer, layer.stage) for layer in layers] == [(layer.name, layer.stage) for layer in main]
    norms, losses, responses = [], [], {}
    for weight in network.parameters():
        weight.requires_grad_(True)
    for i in range(4):
        trace = network.trace(x[i : i + 1])
        one = F.cross_entropy(trace.logits, y[i : i + 1])
        gradients = torch.autograd.grad(one, [layer.module.weight for layer in main])
        norms.append([gradient.norm().item() for gradient in gradients])
        losses.append(one.item())
        for layer, response in trace.responses.items():
            responses.setdefault(layer, []).append(response.detach())
    expected = torch.tensor(norms, dtype=torch.float64)
    assert loss == pytest.approx(sum(losses) / 4, rel=1e-5)
    assert [layer.gradient_norm for layer in layers] == pytest.approx(expected.mean(0).tolist(), rel=1e-4)
    assert [layer.gradient_std for layer in layers] == pytest.approx(expected.std(0, correction=0).tolist(), rel=1e-3)
    for layer in layers[:-1]:
        assert layer.response_std == pytest.approx(torch.cat(responses[layer.layer]).std().item(), rel=1e-3)
    assert (layers[-1].response_std, layers[-1].dead_or_saturated) == (None, None)


def test_a_channel_that_no_image_wakes_is_dead():
    network = load_model("resnet20.cifar10").network
    with torch.no_grad():
        network.bn1.bias[:4] = -100
        network.bn1.weight[:4] = 0
    x = torch.randn(3, 3, 32, 32)
    _, layers = trained_layers(network, x, torch.tensor([0, 1, 2]))
    with torch.no_grad():
        awake = int(network.trace(x).activations["conv1"].sum((0, 2, 3)).count_nonzero())
    assert layers[0].dead_or_saturated == 1 - awake / 16 >= 4 / 16


def test_it_leaves_the_network_as_it_is():
    network = load_model("plain20.cifar10").network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        trained_layers(network, torch.zeros(2, 3, 32, 32), torch.tensor([0, 1]))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


def test_an_impossible_study_is_refused():
    layers = [LayerFlow(name, "stem", 2.0, 1.0, 0.0, 1.0) for name in ("conv1", "layer1.0.conv1", "fc")]
    assert TrainedFlow("m", "s", 2, 0.5, layers).flow.ratio == 1
    lost, below = (replace(layers[0], gradient_norm=norm) for norm in (float("nan"), -1.0))
    for images, kept in ((1, layers), (2, layers[:2]), (2, [lost, *layers]), (2, [below, *layers])):
        with pytest.raises(InputError):
            TrainedFlow("m", "s", images, 0.5, kept)

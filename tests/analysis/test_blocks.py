"""Feature maps and branch ratios agree with hooks on the same network."""

import numpy as np
import pytest
import torch

from resnet_demo import analyze, load_model
from resnet_demo.images import EXAMPLES, load_image

CAT = EXAMPLES / "cat.jpg"


def seen_by(model):
    return model.preprocessing.tensor(model.preprocessing.crop(load_image(CAT)))


@pytest.mark.parametrize("name", ["resnet20.cifar10", "preresnet20.untrained", "resnet18.untrained"])
def test_feature_maps_and_branch_ratios_are_those_of_hooks(name):
    model = load_model(name)
    outputs, shortcuts, branches = {}, {}, {}
    handles = []
    for block_name, block in model.network.named_blocks():
        projection = isinstance(block.downsample, torch.nn.Sequential)
        keep = {block: outputs, block.downsample[-1] if projection else block.downsample: shortcuts}
        last = block.conv2 if model.network.spec.connection == "preactivation" else block.bn2
        keep[last] = branches
        for module, store in keep.items():
            handles.append(
                module.register_forward_hook(
                    lambda m, i, o, s=store, n=block_name: s.__setitem__(n, o.detach().clone())
                )
            )
    with torch.no_grad():
        model.network(seen_by(model))
    for handle in handles:
        handle.remove()
    analysis = analyze(CAT, model, layer="layer2")
    assert [block.layer for block in analysis.branch_ratios] == list(branches)
    for block in analysis.branch_ratios:
        expected = branches[block.layer].norm() / shortcuts[block.layer].norm()
        assert block.ratio == pytest.approx(expected.item(), rel=1e-4)
    maps = outputs[analysis.layer][0]
    order = maps.mean((1, 2)).argsort(descending=True)[:16]
    assert analysis.channels == tuple(order.tolist())
    np.testing.assert_allclose(analysis.features, maps[order].numpy(), rtol=1e-4, atol=1e-5)


def test_plain_and_highway_networks_have_no_branch_ratios():
    assert analyze(CAT, "plain20.cifar10").branch_ratios == ()
    assert analyze(CAT, "highway20.untrained").branch_ratios == ()

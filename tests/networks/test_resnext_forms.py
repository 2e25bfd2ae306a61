"""The three forms of a ResNeXt block."""

import pytest
import torch

from resnet_demo import create_network
from resnet_demo.networks.resnext_forms import FORMS, largest_differences


@pytest.mark.parametrize("name", ["resnext50_32x4d", "resnext50_2x40d", "resnext50_32x4d-nonorm"])
@pytest.mark.parametrize("block", ["layer1.0", "layer1.1", "layer2.0"])
def test_the_three_forms_of_a_resnext_block_are_one_function(name, block):
    network = create_network(name, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for bias in (value for name, value in network.named_parameters() if name.endswith("bias")):
            bias.uniform_(-0.1, 0.1)
        network.train()(torch.randn(4, 3, 64, 64))  # Running statistics other than 0 and 1.
        network.eval()
        module = dict(network.named_blocks())[block]
        x = torch.randn(2, module.conv1.in_channels, 14, 14)
        outputs = [form(module, x) for form in FORMS.values()]
    for output in outputs[1:]:
        torch.testing.assert_close(output, outputs[0], rtol=1e-5, atol=1e-5 * outputs[0].std().item())


def test_their_largest_differences_are_roundings():
    differences = largest_differences()
    assert list(differences) == list(FORMS)
    assert differences["grouped convolution"] == 0
    assert 0 < differences["split, transform, merge"] < 1e-4

"""Small models, and a photo, for tests of the analysis."""

import numpy as np
import torch
from PIL import Image

from resnet_demo import Model, create_network
from resnet_demo.zoo import Preprocessing

LABELS = tuple("abcdefg")
PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8))


def make_model(name="resnet20", trained=True, size=64, **overrides):
    """A small model whose batch normalizations have non-trivial running statistics."""
    generator = torch.Generator().manual_seed(0)
    network = create_network(name, generator=generator, num_classes=len(LABELS), **overrides)
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(4, network.spec.in_channels, size, size, generator=generator))
    means = (0.5,) * network.spec.in_channels
    return Model(name, network.eval(), LABELS, Preprocessing(size, size, means, means), trained)

"""Gradient flow at initialization: gradient norms, responses, and dead or saturated units of every layer.

Measured with one batch of images, the network in training mode and the mean cross-entropy as loss; nothing is trained.
"""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES
from resnet_demo.networks import NetworkSpec, create_network, parse_name
from resnet_demo.networks.norms import l2_norms
from resnet_demo.networks.precision import exact_float32
from resnet_demo.records import Flow, LayerFlow

IMAGES = 64
SIZE = 32
# This close to its bounds, the slope of a tanh or sigmoid is less than a fiftieth of its steepest.
SATURATED = 0.005


def gradient_flow(network: str | NetworkSpec, images: Tensor | None = None, seed: int = 0, device: str = "cpu") -> Flow:
    """Measure the gradient flow of one freshly initialized network.

    images   standardized float32 (N, 3, H, W); `sample_images()` unless given
    seed     of the weights and of the labels, which are drawn at random, as no label is more correct at initialization

    Raises `InputError` for an unknown network.
    """
    spec = network if isinstance(network, NetworkSpec) else parse_name(network, num_classes=10)
    x = (sample_images() if images is None else images).to(device)
    if x.ndim != 4 or x.shape[1] != spec.in_channels or len(x) < 2:
        raise InputError(f"Gradient flow needs a batch (N, {spec.in_channels}, H, W) of at least 2 images.")
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode(False), torch.enable_grad(), exact_float32(torch.device(device)):
        x = x.clone()  # It may have been created in a caller's inference mode.
        model = create_network(spec, generator=generator).to(device).train()
        labels = torch.randint(0, spec.num_classes, (len(x),), generator=generator).to(device)
        main = [layer for layer in model.layers() if layer.is_main]
        trace = model.trace(x)
        loss = F.cross_entropy(trace.logits, labels)
        gradients = torch.autograd.grad(loss, [layer.module.weight for layer in main])
    layers = tuple(
        LayerFlow(
            layer=layer.name,
            stage=layer.stage,
            gradient_norm=norm,
            response_std=_deviation(trace.responses.get(layer.name)),
            dead_or_saturated=_dead_or_saturated(trace.activations.get(layer.name), spec.activation),
        )
        for layer, norm in zip(main, l2_norms(gradients), strict=True)
    )
    return Flow(spec.name, seed, len(x), loss.item(), layers)


@functools.cache
@torch.inference_mode(False)
def sample_images(count: int = IMAGES, size: int = SIZE) -> Tensor:
    """A fixed batch of natural images: crops of the example photos, standardized.

    First the largest square of each photo, then smaller ones, all at random positions.
    """
    draw = np.random.default_rng(0)
    photos = [Image.open(path).convert("RGB") for path in sorted(EXAMPLES.glob("*.jpg"))]
    squares = []
    for i in range(count):
        photo = photos[i % len(photos)]
        side = int(min(photo.size) * (1.0 if i < len(photos) else draw.uniform(0.3, 0.9)))
        left, top = (int(draw.integers(0, length - side + 1)) for length in photo.size)
        square = photo.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BILINEAR)
        squares.append(np.asarray(square, dtype=np.float32) / 255)
    x = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).contiguous()
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)


def _deviation(response: Tensor | None) -> float | None:
    return None if response is None else response.detach().std(correction=0).item()


def _dead_or_saturated(activation: Tensor | None, kind: str) -> float | None:
    if activation is None:
        return None
    values = activation.detach()
    if kind == "relu":
        return (values.amax((0, 2, 3)) == 0).float().mean().item()
    low = -1 if kind == "tanh" else 0
    return ((values < low + SATURATED * (1 - low)) | (values > 1 - SATURATED * (1 - low))).float().mean().item()

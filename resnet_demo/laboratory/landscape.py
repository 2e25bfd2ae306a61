"""The shape of the loss around a trained network: on a plane through its weights, spanned by two random directions
(Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets")."""

import copy
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from resnet_demo.networks import TraceableNetwork
from resnet_demo.networks.precision import exact_float32

BATCH_SIZE = 125
# Larger losses, and those that float32 cannot hold, are cut there.
LARGEST_LOSS = 1e9


def random_directions(network: TraceableNetwork, seed: int = 0) -> tuple[list[Tensor], list[Tensor]]:
    """Two random directions in the space of the weights, each as one tensor for each of `network.parameters()`.

    Each filter, and each row of fc, has the norm of the network's own (Li et al. 2018, section 4), so that networks
    whose weights have different scales can be compared. Biases and the parameters of normalizations do not move. Twins
    with parameters of the same names and shapes get the same directions before that.
    """
    generator = torch.Generator().manual_seed(seed)
    one, other = ([_direction(weight, generator) for weight in network.parameters()] for _ in range(2))
    return one, other


def _direction(weight: Tensor, generator: torch.Generator) -> Tensor:
    weight = weight.detach()
    if weight.ndim < 2:
        return torch.zeros_like(weight)
    filters = torch.randn(weight.shape, generator=generator).to(weight.device).flatten(1)
    filters *= (weight.flatten(1).norm(dim=1) / filters.norm(dim=1))[:, None]
    return filters.view(weight.shape)


@torch.inference_mode()
def landscape_rows(
    network: TraceableNetwork,
    images: Tensor,
    labels: Tensor,
    axis: list[float],
    seed: int = 0,
    first: int = 0,
) -> Iterator[tuple[list[float], list[float]]]:
    """Mean cross-entropy and top-1 error in percent of w + a d1 + b d2: for each a of `axis` from its `first`, one row
    with a column for each b.

    images   standardized float32 (N, C, H, W) on the network's device, with labels int64 (N,)

    Computed on a copy in evaluation mode, with the running statistics of the trained network, and in float32.
    """
    moved = copy.deepcopy(network).eval()
    weights = [weight.clone() for weight in network.parameters()]
    plane = list(zip(moved.parameters(), weights, *random_directions(network, seed), strict=True))
    images = images.contiguous(memory_format=torch.channels_last)
    for a in axis[first:]:
        row = []
        for b in axis:
            for parameter, weight, one, other in plane:
                parameter.copy_(weight + a * one + b * other)
            row.append(_loss_and_error(moved, images, labels))
        losses, errors = zip(*row, strict=True)
        yield list(losses), list(errors)


def _loss_and_error(network: TraceableNetwork, images: Tensor, labels: Tensor) -> tuple[float, float]:
    loss, wrong = 0.0, 0
    with exact_float32(images.device):
        for x, y in zip(images.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True):
            logits = network(x).cpu()
            # Summed in float64: the loss at the centre is compared with another computation.
            loss += F.cross_entropy(logits.double(), y.cpu(), reduction="sum").item()
            wrong += int((logits.argmax(1) != y.cpu()).sum())
    loss /= len(labels)
    return (loss if loss < LARGEST_LOSS else LARGEST_LOSS), 100 * wrong / len(labels)

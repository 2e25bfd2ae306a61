"""Exact norms and deviations of many tensors, image by image."""

from collections.abc import Sequence

import torch
from torch import Tensor

from resnet_demo.networks.precision import squared_norm

# Norms outside of this range are summed again in float64: their squares leave, or nearly leave, what float32 holds.
EXACT_RANGE = (1e-16, 1e16)
# A variance below this share of the mean square has lost a digit to the subtraction, and is summed the slow way.
CANCELLED = 0.1


def l2_norms(tensors: Sequence[Tensor]) -> list[float]:
    """The L2 norm of each."""
    return norms_by_image([one_row_each(tensor).reshape(1, -1) for tensor in tensors])[0]


def norms_by_image(tensors: Sequence[Tensor]) -> list[list[float]]:
    """L2 norms of each image of tensors (N, ...): for each image, one for each tensor. Exact to about 1e-6.

    As scalar products, the fastest exact sum there is; stacked, so that a GPU is waited for once and not every time.
    """
    found = torch.stack([squares_by_image(tensor.detach().float()) for tensor in tensors], 1).sqrt().tolist()
    for i, image in enumerate(found):
        for k, norm in enumerate(image):
            if not EXACT_RANGE[0] < norm < EXACT_RANGE[1]:
                # A vanishing gradient must not be taken for none.
                image[k] = torch.linalg.vector_norm(tensors[k][i].detach().cpu(), dtype=torch.float64).item()
    return found


def deviations_by_image(tensors: Sequence[Tensor]) -> list[list[float]]:
    """Standard deviations of all values of each image, as `norms_by_image`."""
    norms = norms_by_image(tensors)
    means = torch.stack([one_row_each(tensor.detach().float()).mean(1) for tensor in tensors], 1).tolist()
    found = []
    for i, image in enumerate(norms):
        deviations = []
        for k, norm in enumerate(image):
            square = norm**2 / tensors[k][i].numel()
            variance = square - means[i][k] ** 2
            if not variance > CANCELLED * square:
                variance = tensors[k][i].detach().float().var(correction=0).item()
            deviations.append(variance**0.5)
        found.append(deviations)
    return found


def squares_by_image(tensor: Tensor) -> Tensor:
    """The squared norm (N,) of each image."""
    # One by one: the sum of a batched product is a hundred times less exact on a CPU.
    return torch.stack([squared_norm(row) for row in one_row_each(tensor)])


def one_row_each(tensor: Tensor) -> Tensor:
    """The values of each image, (N, values), without a copy in either layout, so in no particular order."""
    if tensor.ndim == 4 and not tensor.is_contiguous():
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.reshape(len(tensor), -1)

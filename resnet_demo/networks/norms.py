"""Exact norms and standard deviations of many tensors, per image."""

from collections.abc import Sequence

import torch
from torch import Tensor

# Norms outside of this range are recomputed in float64: their squares are at or beyond the limits of float32.
EXACT_RANGE = (1e-16, 1e16)
# A variance below this fraction of the mean square has lost a digit to cancellation and is recomputed in float64.
CANCELLED = 0.1


# Scalar products of longer rows lose digits on a CPU, more with fewer threads: 3e-5 over two million values.
EXACT_LENGTH = 1 << 18


def squared_norm(row: Tensor) -> Tensor:
    """The sum of squares of float32 (values,), exact to 1e-6, as scalar products, the fastest exact way to sum."""
    if row.device.type != "cpu" or len(row) <= EXACT_LENGTH:
        return row @ row
    return torch.stack([part @ part for part in row.split(EXACT_LENGTH)]).sum()


def l2_norms(tensors: Sequence[Tensor]) -> list[float]:
    """The L2 norm of each tensor."""
    return norms_by_image([one_row_each(tensor).reshape(1, -1) for tensor in tensors])[0]


def norms_by_image(tensors: Sequence[Tensor]) -> list[list[float]]:
    """L2 norms of tensors (N, ...) per image: for each of N images, one norm per tensor. Exact to about 1e-6.

    Computed as scalar products, the fastest exact sum, and stacked so that a GPU is synchronized only once.
    """
    found = torch.stack([squares_by_image(tensor.detach().float()) for tensor in tensors], 1).sqrt().tolist()
    for i, image in enumerate(found):
        for k, norm in enumerate(image):
            if not EXACT_RANGE[0] < norm < EXACT_RANGE[1]:
                # A vanishing gradient must not be reported as 0.
                image[k] = torch.linalg.vector_norm(tensors[k][i].detach().cpu(), dtype=torch.float64).item()
    return found


def deviations_by_image(tensors: Sequence[Tensor]) -> list[list[float]]:
    """Standard deviations of all values of each image, in the form of `norms_by_image`."""
    norms = norms_by_image(tensors)
    means = torch.stack([one_row_each(tensor.detach().float()).mean(1) for tensor in tensors], 1).tolist()
    found = []
    for i, image in enumerate(norms):
        deviations = []
        for k, norm in enumerate(image):
            square = norm**2 / tensors[k][i].numel()
            variance = square - means[i][k] ** 2
            if not variance > CANCELLED * square:
                variance = tensors[k][i].detach().cpu().double().var(correction=0).item()
            deviations.append(variance**0.5)
        found.append(deviations)
    return found


def squares_by_image(tensor: Tensor) -> Tensor:
    """The squared norm (N,) of each image."""
    # One by one: a batched product is a hundred times less exact on a CPU.
    return torch.stack([squared_norm(row) for row in one_row_each(tensor)])


def one_row_each(tensor: Tensor) -> Tensor:
    """The values of each image, (N, values), in no particular order: neither memory layout needs a copy."""
    if tensor.ndim == 4 and not tensor.is_contiguous():
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.reshape(len(tensor), -1)

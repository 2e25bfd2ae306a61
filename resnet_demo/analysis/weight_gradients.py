"""The norm of a layer's weight gradient, without forming the gradient where that is cheaper.

With g_p the gradient at position p of a convolution's output and x_p the patch of its input there, dW is the sum of
g_p x_p^T over p, and its norm needs only scalar products (Goodfellow 2015; Li et al. 2022, "ghost norm"):

    ||dW||^2 = sum_p,q (g_p . g_q) (x_p . x_q)

Both ways are exact. For P positions this one takes P^2 (C_out + C_in) multiply-adds, and forming dW takes
P C_out C_in k^2: it is up to a hundred times cheaper in late layers, with few positions and many channels.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.networks.norms import one_row_each, squares_by_image

# The overhead of the calls that compute scalar products, in multiply-adds: saving fewer than these does not pay.
CALLS = 10_000_000
# Squared norms outside of this range are recomputed from scaled values: some products exceed the range of float32.
EXACT_SQUARES = (1e-12, 1e24)


def weight_gradient_norms(
    layers: Sequence[nn.Conv2d | nn.Linear], inputs: Sequence[Tensor], gradients: Sequence[Tensor]
) -> list[list[float]]:
    """L2 norms of d/dW: for each of N images, a list with one norm per layer.

    layers      convolutions with zero padding given as numbers, and linear layers
    inputs      input of each layer: float32 (N, C_in, H, W), or (N, C_in)
    gradients   gradient of each layer's output: (N, C_out, h, w), or (N, C_out)
    """
    passes = [(layer, x.detach(), g.detach()) for layer, x, g in zip(layers, inputs, gradients, strict=True)]
    # Stacked, so that a GPU is synchronized only once.
    squares = torch.stack([_squared_norms(*one) for one in passes], 1).tolist()
    found = [
        [math.sqrt(s) if EXACT_SQUARES[0] < s < EXACT_SQUARES[1] else math.nan for s in image] for image in squares
    ]
    for k, one in enumerate(passes):
        if any(math.isnan(image[k]) for image in found):
            for image, norm in zip(found, _scaled_norms(*one), strict=True):
                image[k] = norm
    return found


def _scaled_norms(layer: nn.Conv2d | nn.Linear, x: Tensor, gradient: Tensor) -> list[float]:
    """The same norms, from values scaled so that no product exceeds the range of float32."""
    (x, of_x), (gradient, of_gradient) = map(_scaled, (x, gradient))
    scaled = zip(_squared_norms(layer, x, gradient).tolist(), of_x, of_gradient, strict=True)
    # Rounding may turn 0 into a slightly negative value.
    return [math.sqrt(max(square, 0.0)) * one * other for square, one, other in scaled]


def _squared_norms(layer: nn.Conv2d | nn.Linear, x: Tensor, gradient: Tensor) -> Tensor:
    if isinstance(layer, nn.Linear):
        # One position: the weight gradient is an outer product.
        return squares_by_image(x) * squares_by_image(gradient)
    if _gram_is_cheaper(layer, gradient.shape[2:].numel()):
        products = _gram(_rows(gradient, layer.groups)) * _patch_gram(layer, x)
        return products.sum((1, 2)).view(len(x), -1).sum(1)
    return squares_by_image(_weight_gradients(layer, x, gradient))


def _gram_is_cheaper(conv: nn.Conv2d, positions: int) -> bool:
    if not _is_simple(conv):
        return False
    taps = conv.kernel_size[0] ** 2
    forming = conv.out_channels * conv.in_channels // conv.groups * taps
    patch = conv.in_channels * (taps if conv.stride[0] > 1 else 1)
    return positions * (forming - positions * (conv.out_channels + patch)) > CALLS


def _is_simple(conv: nn.Conv2d) -> bool:
    """Whether the kernel is square, odd, undilated and padded by half its size, as in all networks of this project."""
    (kernel, other), (stride, across) = conv.kernel_size, conv.stride
    same = kernel == other and stride == across and kernel % 2 == 1
    return same and conv.padding == (kernel // 2, kernel // 2) and conv.dilation == (1, 1)


def _patch_gram(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """x_p . x_q for all pairs of patches: (N groups, P, P)."""
    (kernel, _), (stride, _) = conv.kernel_size, conv.stride
    if kernel == 1:
        return _gram(_rows(x[:, :, ::stride, ::stride], conv.groups))
    if stride > 1:
        images = x.reshape(-1, x.shape[1] // conv.groups, *x.shape[2:])
        return _gram(F.unfold(images, kernel, padding=kernel // 2, stride=stride).transpose(1, 2))
    # The scalar product of two patches is the sum of the scalar products of their pixels, tap by tap.
    height, width = x.shape[2:]
    pixels = _gram(_rows(x, conv.groups)).view(-1, height, width, height, width)
    pixels = F.pad(pixels, (kernel // 2,) * 8)
    gram = torch.zeros_like(pixels[:, :height, :width, :height, :width])
    for i in range(kernel):
        for j in range(kernel):
            gram += pixels[:, i : i + height, j : j + width, i : i + height, j : j + width]
    return gram.reshape(-1, height * width, height * width)


def _weight_gradients(conv: nn.Conv2d, x: Tensor, gradient: Tensor) -> Tensor:
    """d/dW itself for each image, in no particular shape."""
    if conv.kernel_size == (1, 1) and _is_simple(conv):
        stride = conv.stride[0]
        inputs = _rows(x[:, :, ::stride, ::stride], conv.groups)
        return (_rows(gradient, conv.groups).transpose(1, 2) @ inputs).reshape(len(x), -1)
    form = torch.ops.aten.convolution_backward.default
    rest = (None, conv.stride, conv.padding, conv.dilation, False, (0, 0), conv.groups, (False, True, False))
    formed = [form(gradient[i : i + 1], x[i : i + 1], conv.weight.detach(), *rest)[1] for i in range(len(x))]
    return torch.stack(formed) if len(formed) > 1 else formed[0][None]


def _rows(x: Tensor, groups: int) -> Tensor:
    """(N, C, H, W) as one row of channels per position: (N groups, H W, C / groups)."""
    n, channels, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(n, height * width, groups, channels // groups)
    return rows.transpose(1, 2).reshape(n * groups, height * width, channels // groups)


def _gram(rows: Tensor) -> Tensor:
    return rows @ rows.transpose(1, 2)


def _scaled(x: Tensor) -> tuple[Tensor, list[float]]:
    """Each image divided by its largest absolute value, and these maxima."""
    largest = one_row_each(x).abs().amax(1)
    largest = torch.where(largest > 0, largest, 1)
    return x / largest.view(-1, *[1] * (x.ndim - 1)), largest.tolist()

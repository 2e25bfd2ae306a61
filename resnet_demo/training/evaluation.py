"""Top-1 and top-5 error of a network on labelled images."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Errors:
    """In percent of `images`. With five classes or fewer the top-5 error is 0."""

    top1: float
    top5: float
    images: int


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 (N, C, H, W) to standardized float32, as torchvision's transforms do it."""
    return (images.float() / 255 - mean) / std


@torch.inference_mode()
def error_rates(
    network: nn.Module, images: Tensor, labels: Tensor, mean: Tensor, std: Tensor, batch_size: int = 125
) -> Errors:
    """Errors of `network` in evaluation mode and float32; its mode is restored.

    images   uint8 (N, C, H, W), labels int64 (N,), both on the network's device; mean, std (1, C, 1, 1)
    """
    training = network.training
    network.eval()
    wrong1 = wrong5 = 0
    for start in range(0, len(images), batch_size):
        x = normalize(images[start : start + batch_size], mean, std)
        y = labels[start : start + batch_size, None]
        logits = network(x.contiguous(memory_format=torch.channels_last))
        ranked = logits.topk(min(5, logits.shape[1])).indices
        wrong1 += (ranked[:, :1] != y).sum().item()
        wrong5 += (ranked != y).all(dim=1).sum().item()
    network.train(training)
    return Errors(100 * wrong1 / len(images), 100 * wrong5 / len(images), len(images))

"""Top-1 and top-5 error of a network on labelled images."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from resnet_demo.errors import InputError
from resnet_demo.training.data import Labelled, load_split
from resnet_demo.zoo import find_entry, load_model


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
    for x, y in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        x = normalize(x, mean, std).contiguous(memory_format=torch.channels_last)
        logits = network(x)
        ranked = logits.topk(min(5, logits.shape[1])).indices
        wrong1 += (ranked[:, :1] != y[:, None]).sum().item()
        wrong5 += (ranked != y[:, None]).all(dim=1).sum().item()
    network.train(training)
    return Errors(100 * wrong1 / len(images), 100 * wrong5 / len(images), len(images))


def evaluate_model(name: str, data: Path | None = None, device: str = "auto", offline: bool = False) -> Errors:
    """Errors of a catalogue entry on the test images of its data set, from `data` or torchvision's download.

    Folder names that are the network's labels decide which class is which; otherwise (ImageNet's folders are
    synset numbers) the classes must be as many as its labels and in their order. Raises `InputError`.
    """
    entry = find_entry(name)
    if not entry.trained:
        raise InputError(f"{entry.name} has random weights, so there is nothing to evaluate: pick a trained model.")
    model = load_model(entry, device, offline)
    split = load_split(entry.tag, "test", data, offline=offline, square=model.preprocessing)
    if (len(split.classes), split.channels) != (len(model.labels), len(model.preprocessing.mean)):
        raise InputError(
            f"{entry.name} tells {len(model.labels)} classes of {len(model.preprocessing.mean)}-channel images apart; "
            f"this data has {len(split.classes)} classes and {split.channels} channels."
        )
    mean, std = (
        torch.tensor(values, device=model.device).view(1, -1, 1, 1)
        for values in (model.preprocessing.mean, model.preprocessing.std)
    )
    images, labels = split.images.to(model.device), _in_order(split, model.labels).to(model.device)
    return error_rates(model.network, images, labels, mean, std)


def _in_order(split: Labelled, labels: tuple[str, ...]) -> Tensor:
    """The labels of `split` as indices into `labels`."""
    if set(split.classes) != set(labels):
        return split.labels
    return torch.tensor([labels.index(name) for name in split.classes])[split.labels]

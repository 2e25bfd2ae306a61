"""torchvision's ImageNet weights: facts read from torchvision's own metadata, never copied.

torchvision is imported on the first call of one of these functions, as the import takes seconds and a page with CIFAR
networks does not need it.
"""

from functools import cache
from typing import Any

from resnet_demo.zoo.preprocessing import Preprocessing

# This project's tags to the names of torchvision's weights. resnext101_64x4d has only the newer recipe, under the old
# name.
TAGS = {"tv_in1k": "IMAGENET1K_V1", "tv2_in1k": "IMAGENET1K_V2"}
ARCHITECTURES = {
    "tv_in1k": (
        "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
        "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d",
    ),
    "tv2_in1k": ("resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d"),
}  # fmt: skip


@cache
def weights_record(architecture: str, tag: str) -> Any:
    """torchvision's `Weights` record of one entry: url, transforms, meta."""
    from torchvision.models import get_model_weights

    return get_model_weights(architecture)[TAGS[tag]]


def url(architecture: str, tag: str) -> str:
    return weights_record(architecture, tag).url


def file_name(architecture: str, tag: str) -> str:
    """E.g. resnet50-0676ba61.pth: the name ends in the first eight digits of the file's SHA-256."""
    return url(architecture, tag).rsplit("/", 1)[-1]


def hash_prefix(architecture: str, tag: str) -> str:
    return file_name(architecture, tag).rsplit("-", 1)[-1].removesuffix(".pth")


def megabytes(architecture: str, tag: str) -> float:
    return weights_record(architecture, tag).meta["_file_size"]


def labels(architecture: str, tag: str) -> tuple[str, ...]:
    return tuple(weights_record(architecture, tag).meta["categories"])


def test_error(architecture: str, tag: str) -> float:
    """Top-1 error in percent on the ImageNet validation set, single crop, as published by torchvision."""
    return round(100 - weights_record(architecture, tag).meta["_metrics"]["ImageNet-1K"]["acc@1"], 3)


def preprocessing(architecture: str, tag: str) -> Preprocessing:
    preset = weights_record(architecture, tag).transforms()
    return Preprocessing(
        resize_size=preset.resize_size[0],
        crop_size=preset.crop_size[0],
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )

"""Labelled images in memory, as uint8: from torchvision's download, an .npz, or folders of class folders."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.zoo import DATASETS, Preprocessing, is_offline

FORM = "an .npz with train_x, train_y, test_x, test_y and classes, or a folder with train/<class>/* and test/<class>/*"


@dataclass(frozen=True)
class Labelled:
    """Images uint8 (N, C, size, size), their labels int64 (N,), and the name of each class."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    @property
    def channels(self) -> int:
        return self.images.shape[1]

    @property
    def size(self) -> int:
        return self.images.shape[-1]

    def statistics(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel in [0, 1], to four digits."""
        # Channel by channel: the float copy of a whole training set would take a gigabyte.
        channels = [self.images[:, c].float() / 255 for c in range(self.channels)]
        return [round(c.mean().item(), 4) for c in channels], [round(c.std().item(), 4) for c in channels]


def load_split(
    dataset: str, split: str, path: Path | None = None, *, offline: bool = False, square: Preprocessing | None = None
) -> Labelled:
    """The "train" or "test" images of `dataset`, from `path` (an .npz or a folder) or else torchvision's download.

    square   how the images of a folder are cut to one size; the data set's own size unless given

    Raises `InputError` with one sentence when the data is not there or does not have the expected form.
    """
    if path is None:
        return _from_torchvision(dataset, split, is_offline(offline))
    if not path.exists():
        raise InputError(f"There is no {path}: give --data {FORM}.")
    if path.is_dir():
        return _from_folder(path, split, square or _plain_square(dataset))
    return _from_npz(path, split)


def _from_torchvision(dataset: str, split: str, offline: bool) -> Labelled:
    from torchvision import datasets

    source = {"cifar10": datasets.CIFAR10, "fashion_mnist": datasets.FashionMNIST}.get(dataset)
    if source is None:
        raise InputError(f"The images of {dataset} cannot be downloaded: give --data {FORM}.")
    root = Path(torch.hub.get_dir()).parent / "datasets"
    try:
        data = source(root, train=split == "train", download=not offline)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{dataset} is not in {root} and was not downloaded ({error}): connect to the internet, or give --data "
            f"{FORM}."
        ) from error
    return _labelled(np.asarray(data.data), data.targets, tuple(data.classes))


def _from_npz(path: Path, split: str) -> Labelled:
    """Images (N, H, W) or (N, H, W, C). Read without pickle: a data file must not run code."""
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not {FORM}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            return _labelled(file[f"{split}_x"], file[f"{split}_y"], tuple(str(name) for name in file["classes"]))
    except InputError:
        raise
    except Exception as error:  # Damaged archives and arrays of another kind raise almost anything.
        raise InputError(f"{path} is not {FORM} ({error}).") from error


def _from_folder(path: Path, split: str, square: Preprocessing) -> Labelled:
    """Classes in alphabetical order; each image's middle square, as a network would see it."""
    classes = sorted(folder.name for folder in (path / split).glob("*") if folder.is_dir())
    images, labels = [], []
    for label, name in enumerate(classes):
        for file in sorted(file for file in (path / split / name).iterdir() if file.is_file() and file.name[0] != "."):
            images.append(np.asarray(square.square(load_image(file))))
            labels.append(label)
    if not images:
        raise InputError(f"There are no images in {path}/{split}/<class>/: give --data {FORM}.")
    return _labelled(np.stack(images), labels, tuple(classes))


def _plain_square(dataset: str) -> Preprocessing:
    known = DATASETS.get(dataset, DATASETS["cifar10"])
    return Preprocessing(known.size, known.size, known.mean, known.std)


def _labelled(images: np.ndarray, labels: object, classes: tuple[str, ...]) -> Labelled:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[1] != images.shape[2]:
        raise InputError(f"Images must be uint8 squares, N x H x W [x C], not {images.dtype} {images.shape}.")
    y = torch.as_tensor(np.asarray(labels), dtype=torch.int64)
    if y.shape != images.shape[:1] or not len(y) or y.min() < 0 or y.max() >= len(classes):
        raise InputError(f"{len(images)} images need as many labels, each from 0 to {len(classes) - 1}.")
    x = torch.from_numpy(images if images.ndim == 4 else images[..., None])
    return Labelled(x.permute(0, 3, 1, 2).contiguous(), y, classes)

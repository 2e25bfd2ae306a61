"""Labelled images in memory, as uint8: from torchvision's download, an .npz, or folders of class folders."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.zoo import DATASETS, Preprocessing, is_offline

SPLITS = ("train", "test")


@dataclass(frozen=True)
class ImageData:
    """`*_x` are uint8 (N, C, H, W), `*_y` int64 (N,) with values below `len(classes)`."""

    classes: tuple[str, ...]
    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor

    @property
    def channels(self) -> int:
        return self.test_x.shape[1]

    @property
    def size(self) -> int:
        return self.test_x.shape[-1]

    def statistics(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel of the training images, in [0, 1], to four digits."""
        # Channel by channel: the float copy of a whole training set would take a gigabyte.
        channels = [self.train_x[:, c].float() / 255 for c in range(self.channels)]
        return [round(c.mean().item(), 4) for c in channels], [round(c.std().item(), 4) for c in channels]


def load_data(dataset: str, path: Path | None = None, offline: bool = False) -> ImageData:
    """The images of `dataset`, from `path` (an .npz file or a folder) or else from torchvision's download.

    Raises `InputError` with one sentence when the data is not there or does not have the expected form.
    """
    if path is None:
        return _from_torchvision(dataset, is_offline(offline))
    if not path.exists():
        raise InputError(f"There is no {path}: give --data an .npz file or a folder with train/ and test/.")
    return _from_folder(path, DATASETS[dataset].size) if path.is_dir() else _from_npz(path)


def _from_torchvision(dataset: str, offline: bool) -> ImageData:
    from torchvision import datasets

    source = {"cifar10": datasets.CIFAR10, "fashion_mnist": datasets.FashionMNIST}.get(dataset)
    if source is None:
        raise InputError(f"{dataset} cannot be downloaded: name its files with --data.")
    root = Path(torch.hub.get_dir()).parent / "datasets"
    try:
        train, test = (source(root, train=train, download=not offline) for train in (True, False))
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{dataset} is not in {root} and could not be downloaded ({error}). Connect to the internet without "
            "--offline, or give --data an .npz file or a folder."
        ) from error
    return _image_data(
        tuple(train.classes), (np.asarray(train.data), train.targets), (np.asarray(test.data), test.targets)
    )


def _from_npz(path: Path) -> ImageData:
    """`train_x train_y test_x test_y classes`; images (N, H, W) or (N, H, W, C)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            classes = tuple(str(name) for name in file["classes"])
            splits = [(file[f"{split}_x"], file[f"{split}_y"]) for split in SPLITS]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(
            f"{path} is not an .npz with train_x, train_y, test_x, test_y and classes ({error})."
        ) from error
    return _image_data(classes, *splits)


def _from_folder(path: Path, size: int) -> ImageData:
    """`train/<class>/*` and `test/<class>/*`; each image's middle square is brought to `size` pixels."""
    folders = sorted(folder.name for folder in (path / "test").glob("*") if folder.is_dir())
    if not folders:
        raise InputError(f"{path} has no class folders: expected train/<class>/* and test/<class>/*.")
    prepare = Preprocessing(resize=size, crop=size, mean=(0.0,) * 3, std=(1.0,) * 3)
    splits = []
    for split in SPLITS:
        images, labels = [], []
        for label, name in enumerate(folders):
            for file in sorted((path / split / name).glob("*")):
                images.append(np.asarray(prepare.square(load_image(file))))
                labels.append(label)
        if not images:
            raise InputError(f"{path / split} holds no images in folders named {', '.join(folders)}.")
        splits.append((np.stack(images), labels))
    return _image_data(tuple(folders), *splits)


def _image_data(classes: tuple[str, ...], *splits: tuple[np.ndarray, object]) -> ImageData:
    tensors: list[Tensor] = []
    for x, y in splits:
        if x.dtype != np.uint8 or x.ndim not in (3, 4) or x.shape[1] != x.shape[2]:
            raise InputError(f"Images must be uint8 squares, N x H x W [x C], not {x.dtype} {x.shape}.")
        labels = torch.as_tensor(np.asarray(y), dtype=torch.int64)
        if len(labels) != len(x) or labels.min() < 0 or labels.max() >= len(classes):
            raise InputError(f"{len(x)} images need as many labels, each from 0 to {len(classes) - 1}.")
        images = torch.from_numpy(x if x.ndim == 4 else x[..., None]).permute(0, 3, 1, 2)
        tensors += [images.contiguous(), labels]
    return ImageData(classes, *tensors)

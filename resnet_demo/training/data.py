"""Labelled images from torchvision's download, an .npz file, or a folder with a subfolder per class."""

import os
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal, overload

import numpy as np
import torch
from filelock import FileLock
from PIL.Image import Image
from torch import Tensor

from resnet_demo.errors import InputError, shortened, writing
from resnet_demo.images import load_image
from resnet_demo.zoo import Preprocessing, fetch, is_offline
from resnet_demo.zoo.datasets import DATASETS
from resnet_demo.zoo.preprocessing import CIFAR10, IMAGENET

FORM = "an .npz with train_x, train_y, test_x, test_y and classes, or a folder with train/<class>/* and test/<class>/*"
CIFAR10_BYTES = 170_498_071
CIFAR10_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


@dataclass(frozen=True)
class Labelled:
    """Images uint8 (N, C, size, size), their labels int64 (N,), and the name of each class.

    resized   the shorter side of the photos that the images were cropped from; None if they were not cropped
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    resized: int | None = None

    @property
    def channels(self) -> int:
        return self.images.shape[1]

    @property
    def size(self) -> int:
        return self.images.shape[-1]

    def sample(self, count: int) -> "Labelled":
        """A fixed choice of `count` images, or all if there are fewer: those whose pixels have the smallest SHA-256. It
        depends neither on chance nor on the order in which a copy of the data set has them."""
        hashes = [sha256(image.tobytes()).digest() for image in self.images.numpy()]
        chosen = torch.tensor(sorted(range(len(hashes)), key=hashes.__getitem__)[:count])
        return replace(self, images=self.images[chosen], labels=self.labels[chosen])

    def statistics(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel in [0, 1], to four digits. Raises `InputError` for a channel
        that cannot be standardized, as it has one value everywhere."""
        # Channel by channel, as a float copy of a whole training set would take a gigabyte.
        channels = [self.images[:, c].float() / 255 for c in range(self.channels)]
        mean, std = ([round(f(c).item(), 4) for c in channels] for f in (torch.mean, torch.std))
        for number, deviation in enumerate(std, 1):
            if not deviation > 0:
                raise InputError(f"Channel {number} of the training images is the same everywhere: leave it out.")
        return mean, std


@dataclass(frozen=True)
class Photos:
    """Image files of any size, decoded on demand, for data sets that do not fit into memory.

    preprocessing   preprocessing for evaluation
    """

    files: tuple[Path, ...]
    labels: Tensor
    classes: tuple[str, ...]
    preprocessing: Preprocessing

    @property
    def channels(self) -> int:
        return len(self.preprocessing.mean)

    @property
    def size(self) -> int:
        return self.preprocessing.crop_size

    @property
    def resized(self) -> int:
        """As in `Labelled`."""
        return self.preprocessing.resize_size

    def statistics(self) -> tuple[list[float], list[float]]:
        """Those of `preprocessing`, as measuring them would require reading every file."""
        return list(self.preprocessing.mean), list(self.preprocessing.std)

    def sample(self, count: int) -> Labelled:
        """As `Labelled.sample`, by the photos' names."""
        names = [sha256(f"{file.parent.name}/{file.name}".encode()).digest() for file in self.files]
        chosen = sorted(range(len(names)), key=names.__getitem__)[:count]
        return replace(self, files=tuple(self.files[i] for i in chosen), labels=self.labels[chosen]).in_memory()

    def in_memory(self) -> Labelled:
        """All photos, cropped to squares."""
        images = np.stack([np.asarray(self.preprocessing.crop(_load(file))) for file in self.files])
        return replace(_labelled(images, self.labels, self.classes), resized=self.resized)


def _load(file: Path) -> Image:
    """The photo; in a folder of classes, files have the same names, so an error says the whole path."""
    try:
        return load_image(file)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


@overload
def load_split(
    dataset: str,
    split: str,
    path: Path | None = None,
    *,
    offline: bool = False,
    preprocessing: Preprocessing | None = None,
    photos: Literal[False] = False,
) -> Labelled: ...


@overload
def load_split(
    dataset: str,
    split: str,
    path: Path | None = None,
    *,
    offline: bool = False,
    preprocessing: Preprocessing | None = None,
    photos: bool,
) -> Labelled | Photos: ...


def load_split(
    dataset: str,
    split: str,
    path: Path | None = None,
    *,
    offline: bool = False,
    preprocessing: Preprocessing | None = None,
    photos: bool = False,
) -> Labelled | Photos:
    """The "train" or "test" images of `dataset`, from `path` (an .npz or a folder) or else torchvision's download.

    preprocessing   crops the images of a folder to one size; `default_preprocessing` unless given
    photos   leave the images of a folder in their files, to be decoded on demand and augmented as for ImageNet

    Raises `InputError` with one sentence when the data is missing or does not have the expected form.
    """
    if path is None:
        return _from_torchvision(dataset, split, is_offline(offline))
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a name is too long
        raise InputError(f"There is no {path}: give --data {FORM}.")
    if not path.is_dir():
        return _from_npz(path, split)
    found = _photos(path, split, preprocessing or default_preprocessing(dataset, photos))
    return found if photos else found.in_memory()


def default_preprocessing(dataset: str, photos: bool, size: int | None = None) -> Preprocessing:
    """Preprocessing to `size` pixels (by default the data set's own size, 32, or 224 for photos): small images are used
    whole; a photo is resized to a shorter side of 8/7 of the size and center-cropped."""
    if photos:
        size = size or IMAGENET.crop_size
        return replace(IMAGENET, resize_size=round(size * 8 / 7), crop_size=size)
    known = DATASETS[dataset].preprocessing if dataset in DATASETS else CIFAR10
    size = size or known.crop_size
    return replace(known, resize_size=size, crop_size=size)


def dataset_folder() -> Path:
    """The folder of torchvision's downloads."""
    return Path(torch.hub.get_dir()).parent / "datasets"


def fetch_cifar10(progress: Callable[[int, int], None] | None = None, offline: bool = False) -> None:
    """Download CIFAR-10 (170 MB) into `dataset_folder()`, with progress; torchvision verifies and unpacks it.

    Raises `InputError` when that is not possible.
    """
    from torchvision import datasets

    if is_offline(offline):
        raise InputError("CIFAR-10 is not on this machine, and this is offline.", "Give its path with --data.")
    archive = dataset_folder() / datasets.CIFAR10.filename
    with writing(archive):
        archive.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(archive.with_suffix(".unpacking")):  # Concurrent processes unpack it once.
        if not has_cifar10():
            fetch(datasets.CIFAR10.url, archive, CIFAR10_SHA256, progress, CIFAR10_BYTES)
            _from_torchvision("cifar10", "test", offline=False)


def has_cifar10() -> bool:
    """Whether torchvision's copy is on this machine; it is verified when it is read."""
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"]
    return all((dataset_folder() / "cifar-10-batches-py" / name).exists() for name in names)


def _from_torchvision(dataset: str, split: str, offline: bool) -> Labelled:
    from torchvision import datasets

    if dataset not in DATASETS:
        raise InputError(f"Only {', '.join(DATASETS)} can be downloaded: for {dataset} give --data {FORM}.")
    root = dataset_folder()
    try:
        data = getattr(datasets, DATASETS[dataset].source)(root, train=split == "train", download=not offline)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        hint = f"Connect to the internet, or give --data {FORM}."
        raise InputError(f"{dataset} is not in {root} and was not downloaded ({shortened(error)}).", hint) from error
    return _labelled(np.asarray(data.data), data.targets, in_words(data.classes))


def _from_npz(path: Path, split: str) -> Labelled:
    """Images (N, H, W) or (N, H, W, C). Read without pickle, as a data file must not run code."""
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not {FORM}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            return _labelled(file[f"{split}_x"], file[f"{split}_y"], in_words(file["classes"]))
    except InputError:
        raise
    except Exception as error:  # Damaged archives and unexpected arrays raise almost anything.
        raise InputError(f"{path} is not {FORM} ({error}).") from error


def _photos(path: Path, split: str, preprocessing: Preprocessing) -> Photos:
    """The photos of a split, with the classes in alphabetical order."""
    root = path / split
    if split == "test" and not root.is_dir():
        root = path / "val"  # The name that ImageNet uses.
    classes = sorted(folder.name for folder in root.glob("[!.]*") if folder.is_dir())
    files, labels = [], []
    for label, name in enumerate(classes):
        there = sorted(file for file in (root / name).iterdir() if file.is_file() and file.name[0] != ".")
        files += there
        labels += [label] * len(there)
    if not files:
        raise InputError(f"There are no images in {path}/{split}/<class>/: give --data {FORM}.")
    return Photos(tuple(files), torch.tensor(labels), tuple(classes), preprocessing)


def in_words(names: Iterable[Any]) -> tuple[str, ...]:
    """The names of classes as they are shown: "aquarium fish" for "aquarium_fish"."""
    return tuple(str(name).replace("_", " ") for name in names)


def _labelled(images: np.ndarray, labels: object, classes: tuple[str, ...]) -> Labelled:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[1] != images.shape[2]:
        raise InputError(f"Images must be uint8 squares, N x H x W [x C], not {images.dtype} {images.shape}.")
    if images.ndim == 4 and images.shape[3] not in (1, 3):
        raise InputError(f"Images have 3 channels, or 1, not {images.shape[3]}.")
    given = np.asarray(labels)
    if given.shape == (len(images), 1):
        given = given[:, 0]  # As Keras gives them.
    if given.shape != images.shape[:1] or not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"{len(images)} images need as many whole numbers as labels, not {given.dtype} {given.shape}.")
    y = torch.as_tensor(given, dtype=torch.int64)
    if not len(y) or y.min() < 0 or y.max() >= len(classes):
        raise InputError(f"The labels of {len(images)} images must be from 0 to {len(classes) - 1}.")
    x = torch.from_numpy(images if images.ndim == 4 else images[..., None])
    return Labelled(x.permute(0, 3, 1, 2).contiguous(), y, classes)

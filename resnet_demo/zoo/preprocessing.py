"""From a photo to the network's input: resize the shorter side, take the center crop, standardize.

The steps and their rounding are torchvision's (`transforms._presets.ImageClassification` on a PIL image), so that
its weights get the input they were trained for. Implemented here because the page has to know which part of the photo
was cropped, and because importing torchvision takes seconds and CIFAR networks do not need it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from resnet_demo.errors import InputError

# A shorter side of 256 pixels and a longer side 64 times as long.
MAX_RESIZED = 64 * 256**2


@dataclass(frozen=True)
class Preprocessing:
    """Sizes in pixels; `mean` and `std` of each channel in [0, 1]: three, or one for grey. Raises `InputError` for
    another number."""

    resize_size: int
    crop_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.mean) not in (1, 3) or len(self.std) != len(self.mean):
            raise InputError(
                f"There are {len(self.mean)} means and {len(self.std)} deviations: photos have three channels, or one."
            )

    def resized(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after the shorter side is resized to `resize_size` pixels."""
        short, long = sorted((width, height))
        long = int(self.resize_size * long / short)
        return (self.resize_size, long) if width <= height else (long, self.resize_size)

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The crop's left, top, right and bottom, in pixels of a `width` x `height` photo."""
        new_width, new_height = self.resized(width, height)
        left, top = self._corner(new_width, new_height)
        across, down = width / new_width, height / new_height
        return left * across, top * down, (left + self.crop_size) * across, (top + self.crop_size) * down

    def crop(self, photo: Image.Image) -> Image.Image:
        """The `crop_size` x `crop_size` crop that the network sees, before standardizing."""
        size = self.resized(*photo.size)
        if photo.mode != (mode := "L" if len(self.mean) == 1 else "RGB"):
            photo = photo.convert(mode)
        if size[0] * size[1] > MAX_RESIZED:
            # For a panorama, most of whose resized form would be cut off. Within two of 256 levels of the code below.
            return photo.resize((self.crop_size, self.crop_size), Image.Resampling.BILINEAR, box=self.box(*photo.size))
        if photo.size != size:
            photo = photo.resize(size, Image.Resampling.BILINEAR)
        left, top = self._corner(*size)
        return photo.crop((left, top, left + self.crop_size, top + self.crop_size))

    def tensor(self, crop: Image.Image) -> Tensor:
        """The crop, standardized: float32 (1, C, crop_size, crop_size)."""
        pixels = torch.from_numpy(np.array(crop)).view(self.crop_size, self.crop_size, len(self.mean))
        x = pixels.permute(2, 0, 1).contiguous().float().div_(255)
        mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (self.mean, self.std))
        return x.sub_(mean).div_(std)[None]

    def _corner(self, width: int, height: int) -> tuple[int, int]:
        return round((width - self.crop_size) / 2), round((height - self.crop_size) / 2)


IMAGENET = Preprocessing(256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CIFAR10 = Preprocessing(32, 32, (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616))

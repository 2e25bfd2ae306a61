"""From a photo to a network's input, in the same way for every analysis."""

from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from resnet_demo.images import ImageSource, load_image
from resnet_demo.zoo import Model


@dataclass(frozen=True, eq=False)
class Prepared:
    """photo   RGB, upright, as decoded
    crop    the part that the network sees, `crop_size` x `crop_size` pixels
    x       the crop, standardized: float32 (1, C, crop_size, crop_size), on the network's device
    """

    photo: Image.Image
    crop: Image.Image
    x: Tensor


def prepare(image: ImageSource, model: Model) -> Prepared:
    """Load the photo, crop and standardize it for `model`. Raises `InputError`."""
    photo = load_image(image)
    crop = model.preprocessing.crop(photo)
    return Prepared(photo, crop, model.preprocessing.tensor(crop).to(model.device))

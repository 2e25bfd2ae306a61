"""From a photo to what enters a network: one way for every analysis."""

from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from resnet_demo.images import ImageSource, load_image
from resnet_demo.zoo import Model


@dataclass(frozen=True, eq=False)
class Prepared:
    """photo   RGB, upright, as it was decoded
    crop    the picture that the network sees, `crop_size` pixels a side
    x       the same standardized, float32 (1, C, crop_size, crop_size), on the network's device
    """

    photo: Image.Image
    crop: Image.Image
    x: Tensor


def prepare(image: ImageSource, model: Model) -> Prepared:
    """Load the photo, cut out what `model` sees, standardize it. Raises `InputError`."""
    photo = load_image(image)
    crop = model.preprocessing.crop(photo)
    return Prepared(photo, crop, model.preprocessing.tensor(crop).to(model.device))

"""Which of the real test images each shipped network gets right, image by image: `answers.npz`.

    RESNET_DEMO_CIFAR10=cifar10.npz ... python -m tests.training.answers

evaluates every shipped network on all of its test images, minutes for the deep ones, and writes the file. Tests hold
the cards against it to the image, and each network against its own answers on a twentieth of the images.
Images are in the order of `Labelled.sample`, which is the same for every copy of a data set.
"""

import os
from pathlib import Path

import numpy as np
import torch

from resnet_demo.training import standardized_sample
from resnet_demo.training.evaluation import BATCH_SIZE, right
from resnet_demo.zoo import Entry, list_models, load_model

FILE = Path(__file__).with_name("answers.npz")
EVERY = 1_000_000  # More than there are.


def images_of(entry: Entry) -> Path | None:
    """Where the images of its data set are, from `RESNET_DEMO_CIFAR10` and so on; None for torchvision's copy."""
    path = os.environ.get(f"RESNET_DEMO_{entry.tag.upper()}")
    return Path(path) if path else None


def answer(entry: Entry, count: int = EVERY) -> np.ndarray:
    """Whether the network's first guess is right, and one of its first five: bool (2, count), fewer if there are fewer.

    Raises `InputError` if the images are not here.
    """
    model = load_model(entry.name, device="cpu")
    x, y = standardized_sample(entry, "test", count, images_of(entry), model.device, offline=True)
    batches = x.contiguous(memory_format=torch.channels_last).split(BATCH_SIZE)
    with torch.inference_mode():
        return right(torch.cat(list(map(model.network, batches))), y).numpy()


def stored(entry: Entry) -> np.ndarray:
    """What `answer` gave for all images when the file was written."""
    with np.load(FILE) as file:
        return file[entry.name]


if __name__ == "__main__":
    shipped = [entry for entry in list_models() if entry.card]
    np.savez_compressed(FILE, **{entry.name: answer(entry) for entry in shipped})

"""A data set that a small network learns in seconds, and training runs on it."""

from dataclasses import replace

import numpy as np
import torch

from resnet_demo.training import FAST, Labelled, Run, train

CPU = torch.device("cpu")
CLASSES = ("red", "green", "blue")
RECIPE = replace(FAST, epochs=3, batch_size=16, learning_rate=0.05, warmup_epochs=1, precision="float32")


def stripes(count, seed=0):
    """Three classes: red, green or blue on noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = torch.randint(0, 120, (count, 3, 16, 16), generator=generator, dtype=torch.uint8)
    images[torch.arange(count), labels] += 100
    return Labelled(images, labels, CLASSES)


def save_stripes(path, train=96, test=30):
    """The same images in an .npz file."""
    arrays = {}
    for split, data in (("train", stripes(train)), ("test", stripes(test, seed=1))):
        arrays |= {f"{split}_x": data.images.permute(0, 2, 3, 1).numpy(), f"{split}_y": data.labels.numpy()}
    np.savez(path, **arrays, classes=np.array(CLASSES))
    return path


def run_of(recipe=RECIPE, name="resnet8", seed=0):
    return Run.create(name, "stripes", stripes(3), recipe, seed, CPU)


def trained(folder, recipe=RECIPE, **options):
    return train(run_of(recipe), stripes(96), stripes(30, seed=1), folder, device=CPU, **options)


class StoppedError(Exception):
    """Raised to simulate a killed process."""


def stop_after(epochs):
    def on_epoch(epoch):
        if epoch.epoch == epochs:
            raise StoppedError

    return on_epoch

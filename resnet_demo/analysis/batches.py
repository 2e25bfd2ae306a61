"""Analysis of many photos with one network: in batches, while the next photos are decoded."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from resnet_demo.analysis.explaining import analyze_batch
from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.records import DEFAULT_QUESTION, Analysis, Question
from resnet_demo.zoo import Model

# Pixels in one pass. On a CPU larger passes only need more memory; a GPU needs more work to be busy.
PIXELS = {"cpu": 32 * 32 * 32, "cuda": 16 * 224 * 224}


class Analyzed(NamedTuple):
    """A decoded photo, RGB and upright, and its analysis."""

    photo: Image.Image
    analysis: Analysis


def analyze_files(
    files: Iterable[Path],
    model: Model,
    question: Question = DEFAULT_QUESTION,
    batch_size: int | None = None,
) -> Iterator[tuple[Path, Analyzed | InputError]]:
    """Each file with its photo and analysis, or with the `InputError` that describes what is wrong with it; in order.

    batch_size   photos per pass; `default_batch` unless given

    Raises `InputError` for an unknown target, layer or precision.
    """
    size = batch_size or default_batch(model)
    waiting = iter(files)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ahead = _decoding(pool, waiting, size)
        while ahead:
            # The next photos are decoded while these are computed.
            batch, ahead = [(file, photo.result()) for file, photo in ahead], _decoding(pool, waiting, size)
            photos = [photo for _, photo in batch if not isinstance(photo, InputError)]
            analyses = iter(_analyzed(photos, model, question))
            for file, photo in batch:
                yield file, photo if isinstance(photo, InputError) else Analyzed(photo, next(analyses))


def default_batch(model: Model) -> int:
    """The number of photos in a pass on the model's device, 1 to 64."""
    pixels = PIXELS.get(model.device.type, PIXELS["cpu"])
    return min(64, max(1, pixels // model.preprocessing.crop_size**2))


def _analyzed(photos: list[Image.Image], model: Model, question: Question) -> list[Analysis]:
    """Analyses of the photos, in as many passes as the GPU's memory requires."""
    try:
        return analyze_batch(photos, model, question)
    except torch.OutOfMemoryError:
        if len(photos) == 1:
            raise
    half = len(photos) // 2
    return [a for part in (photos[:half], photos[half:]) for a in _analyzed(part, model, question)]


def _decoding(
    pool: Executor, waiting: Iterator[Path], count: int
) -> list[tuple[Path, Future[Image.Image | InputError]]]:
    return [(file, pool.submit(_decoded, file)) for file in islice(waiting, count)]


def _decoded(file: Path) -> Image.Image | InputError:
    try:
        return load_image(file)
    except InputError as error:
        return error

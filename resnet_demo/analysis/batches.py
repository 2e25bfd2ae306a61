"""Many photos with one network: the next ones are decoded while these are computed, and small ones share a pass."""

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

# Pixels that one pass takes at a time. On a CPU a pass with more only needs more memory; a GPU wants more work.
PIXELS = {"cpu": 32 * 32 * 32, "cuda": 16 * 224 * 224}


class Analyzed(NamedTuple):
    """A photo, RGB and upright, as it was decoded; and what was found."""

    photo: Image.Image
    analysis: Analysis


def analyze_files(
    files: Iterable[Path],
    model: Model,
    question: Question = DEFAULT_QUESTION,
    batch_size: int | None = None,
) -> Iterator[tuple[Path, Analyzed | InputError]]:
    """Each file with its photo and analysis, or with what is wrong with it; in order.

    batch_size   photos of one pass; what suits the network and its device unless given

    Raises `InputError` for a target, layer or precision that does not exist.
    """
    size = batch_size or default_batch(model)
    waiting = iter(files)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ahead = _decoding(pool, waiting, size)
        while ahead:
            # While these are computed, the next ones are decoded.
            batch, ahead = [(file, photo.result()) for file, photo in ahead], _decoding(pool, waiting, size)
            photos = [photo for _, photo in batch if not isinstance(photo, InputError)]
            analyses = iter(_analyzed(photos, model, question))
            for file, photo in batch:
                yield file, photo if isinstance(photo, InputError) else Analyzed(photo, next(analyses))


def default_batch(model: Model) -> int:
    """How many photos a pass takes on the model's device, 1 to 64."""
    pixels = PIXELS.get(model.device.type, PIXELS["cpu"])
    return min(64, max(1, pixels // model.preprocessing.crop_size**2))


def _analyzed(photos: list[Image.Image], model: Model, question: Question) -> list[Analysis]:
    """In as many passes as the GPU's memory needs."""
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

"""Training networks side by side for some seconds, short enough to watch on any machine."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from resnet_demo.errors import InputError
from resnet_demo.networks import parse_name
from resnet_demo.records import Lap
from resnet_demo.training.data import Labelled
from resnet_demo.training.feeds import MemoryFeed
from resnet_demo.training.learner import Learner
from resnet_demo.training.recipe import PAPER, PAPER_WARMUP_RATE
from resnet_demo.training.run import best_precision

MAX_SECONDS = 600
# Seconds between laps, unless one batch of each network takes longer.
LAP_SECONDS = 0.5


def race(names: Sequence[str], data: Labelled, seconds: float, *, device: torch.device, seed: int = 0) -> Iterator[Lap]:
    """Train the networks called `names` on the same batches, one batch each in turn, until the time is up.

    Each is trained with the warm-up settings of the paper's section 4.2: batches of 128, learning rate 0.01. (With 0.1,
    the loss of every network fluctuates for longer than a race lasts.) Raises `InputError` for an unknown name or an
    invalid time.
    """
    if not 1 <= seconds <= MAX_SECONDS:
        raise InputError(f"A race takes from 1 to {MAX_SECONDS} seconds, not {seconds:g}.")
    specs = [parse_name(name, num_classes=len(data.classes), in_channels=data.channels) for name in names]
    batch_size = min(PAPER.batch_size, len(data.labels))
    recipe = replace(PAPER, batch_size=batch_size, learning_rate=PAPER_WARMUP_RATE, precision=best_precision(device))
    statistics = data.statistics()
    learners = [Learner(spec, recipe, seed, statistics, device) for spec in specs]
    for learner in learners:
        learner.network.train()
    feed = MemoryFeed(data, device, recipe.pad, recipe.flip)
    draws = torch.Generator().manual_seed(seed)
    started = reported = time.perf_counter()
    batches, recent = 0, []
    while True:
        order = torch.randperm(len(feed), generator=draws).split(recipe.batch_size)
        for images, labels in feed.batches([batch for batch in order if len(batch) == recipe.batch_size], draws):
            recent.append([learner.step(images, labels, recipe.learning_rate) for learner in learners])
            batches += 1
            now = time.perf_counter()
            over = now - started >= seconds
            if over or now - reported >= LAP_SECONDS:
                yield _lap(batches, now - started, recent, recipe.batch_size)
                recent, reported = [], now
            if over:
                return


def _lap(batches: int, seconds: float, recent: list[list[tuple[torch.Tensor, ...]]], batch_size: int) -> Lap:
    per_network = list(zip(*recent, strict=True))
    losses = tuple(torch.stack([loss for loss, _ in steps]).mean().item() for steps in per_network)
    wrong = [torch.stack([wrong for _, wrong in steps]).float().mean().item() for steps in per_network]
    return Lap(batches, seconds, losses, tuple(100 * count / batch_size for count in wrong))

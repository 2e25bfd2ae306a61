"""Images per second of this project's trainer beside the training loop of most tutorials.

    python -m benchmarks.training [NETWORK] [--rounds 5] [--batches 30]

The tutorials' loop: torchvision's transforms on PIL images in DataLoader workers, float32, no compilation. The network,
the optimizer, the batch size and the images (random ones, of CIFAR-10's shape) are the same. The contestants take turns
in one process, so that noise affects all of them alike.
"""

import os
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import torch
import torch.nn.functional as F
import torchvision
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table
from torchvision.transforms import v2

from resnet_demo.memory import reuse_freed_memory
from resnet_demo.networks import create_network, parse_name
from resnet_demo.training import FAST, Labelled
from resnet_demo.training.feeds import MemoryFeed
from resnet_demo.training.learner import Learner
from resnet_demo.training.run import best_precision
from resnet_demo.zoo import pick_device

BATCH = 128
MEAN, STD = [0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]


class Pictures(torch.utils.data.Dataset):
    """As torchvision's CIFAR10: a PIL image for each index, with transforms applied."""

    def __init__(self, data: Labelled) -> None:
        self.pixels, self.labels = data.images.permute(0, 2, 3, 1).numpy(), data.labels.tolist()
        steps = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip(), v2.ToImage()]
        self.transform = v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def tutorial_steps(name: str, data: Labelled, device: torch.device) -> Iterator[None]:
    """One training step per item, as most tutorials write it."""
    network = create_network(name).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    loader = torch.utils.data.DataLoader(
        Pictures(data), BATCH, shuffle=True, drop_last=True, num_workers=os.cpu_count() or 1, persistent_workers=True
    )
    while True:
        for images, labels in loader:
            loss = F.cross_entropy(network(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
            yield


def our_steps(name: str, data: Labelled, device: torch.device, compiled: bool) -> Iterator[None]:
    """One training step per item, with the parts of `train`."""
    recipe = replace(FAST, precision=best_precision(device), compile=compiled)
    learner = Learner(parse_name(name), recipe, 0, (MEAN, STD), device)
    learner.network.train()
    feed = MemoryFeed(data, device, recipe.pad, recipe.flip)
    draws = torch.Generator().manual_seed(0)
    while True:
        order = torch.randperm(len(feed), generator=draws).split(BATCH)
        for images, labels in feed.batches([batch for batch in order if len(batch) == BATCH], draws):
            loss, _ = learner.step(images, labels, 0.1)
            loss.item()
            yield


def images_per_second(steps: Iterator[None], batches: int) -> float:
    started = time.perf_counter()
    for _ in range(batches):
        next(steps)
    return batches * BATCH / (time.perf_counter() - started)


def main(
    network: Annotated[str, typer.Argument()] = "resnet20", rounds: int = 5, batches: int = 30, device: str = "auto"
) -> None:
    """Print the table."""
    target = pick_device(device)
    data = Labelled(
        torch.randint(0, 256, (12_800, 3, 32, 32), dtype=torch.uint8),
        torch.randint(0, 10, (12_800,)),
        tuple("0123456789"),
    )
    contestants: dict[str, Iterator[None]] = {
        "tutorial: DataLoader, float32": tutorial_steps(network, data, target),
        f"ours: {best_precision(target)}": our_steps(network, data, target, compiled=False),
        f"ours: {best_precision(target)}, --compile": our_steps(network, data, target, compiled=True),
    }
    for steps in contestants.values():
        images_per_second(steps, 3)
    reuse_freed_memory()  # As in `train`; all contestants, the tutorials' loop included, profit from it.
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, steps in contestants.items():
            rates[name].append(images_per_second(steps, batches))
    first = statistics.median(next(iter(rates.values())))
    table = Table("", "images/s, median", "least", "most", "times the tutorial", title=f"Training {network}")
    for name, values in rates.items():
        median = statistics.median(values)
        table.add_row(name, *(f"{v:,.0f}" for v in (median, min(values), max(values))), f"{median / first:.2f}")
    out = Console(width=110)
    out.print(table)
    out.print(
        f"{rounds} rounds of {batches} batches of {BATCH} in turn, {target} with {torch.get_num_threads()} threads; "
        f"torch {torch.__version__}, torchvision {torchvision.__version__}, Python {platform.python_version()}."
    )


if __name__ == "__main__":
    typer.run(main)

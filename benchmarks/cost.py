"""Growth of the cost of an analysis with depth and batch size: time, memory, linear fits, and a plot.

    python -m benchmarks.cost [--rounds 5] [--plot cost.png]

Memory is the peak of a pass: the largest total size of all tensors at one time, as counted by torch's profiler.
"""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from matplotlib.figure import Figure
from PIL import Image
from rich.table import Table
from torch.profiler import ProfilerActivity, profile

from benchmarks.side_by_side import out, print_machine, take_turns
from resnet_demo import Model, analyze, create_network
from resnet_demo.analysis.explaining import analyze_batch
from resnet_demo.images import EXAMPLES, load_image
from resnet_demo.zoo import preprocessing

CIFAR = ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110")
IMAGENET = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
BATCHES = (1, 2, 4, 8, 16, 32)


def make(name: str) -> Model:
    """A network with random weights and frozen normalizations, as in a trained network."""
    network = create_network(name, generator=torch.Generator().manual_seed(0)).eval()
    size = 224 if network.spec.family == "imagenet" else 32
    labels = tuple(map(str, range(network.spec.num_classes)))
    crop = replace(preprocessing.IMAGENET, resize_size=round(size * 8 / 7), crop_size=size)
    return Model(name, network.to(memory_format=torch.channels_last), labels, crop)


def megabytes_kept(photos: Sequence[Image.Image], model: Model) -> float:
    """The peak size of the tensors of one pass, without the weights."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        analyze_batch(photos, model)
    changes = [event for event in profiled.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = np.cumsum([event.nbytes() for event in sorted(changes, key=lambda event: event.start_ns())])
    return float(held.max()) / 1e6


def fit(x: Sequence[float], y: Sequence[float]) -> str:
    """A least-squares line through the points, and the fraction of their variance that it explains."""
    slope, start = np.polyfit(x, y, 1)
    explained = 1 - np.var(np.array(y) - (slope * np.array(x) + start)) / np.var(y)
    return f"{start:.1f} + {slope:.3g} x, R² {explained:.3f}"


def main(rounds: int = 5, plot: Annotated[Path | None, typer.Option(help="A PNG.")] = None) -> None:
    """Print the tables and draw the plot."""
    photo = load_image(EXAMPLES / "cat.jpg")
    figure = Figure(figsize=(13, 4), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, names in zip(panels, (CIFAR, IMAGENET), strict=False):
        models = {name: make(name) for name in names}
        times = take_turns({n: lambda m=m: analyze(photo, m) for n, m in models.items()}, rounds)
        cost = {n: (statistics.median(times[n]), megabytes_kept([photo], m)) for n, m in models.items()}
        table = Table("network", "multiply-adds, G", "ms", "MB kept")
        flops = [analyze(photo, model).multiply_adds / 1e9 for model in models.values()]
        for (name, (ms, mb)), giga in zip(cost.items(), flops, strict=True):
            table.add_row(name, f"{giga:.3f}", f"{ms:.1f}", f"{mb:.1f}")
        out.print(table)
        ms, mb = zip(*cost.values(), strict=True)
        out.print(f"ms = {fit(flops, ms)}; MB = {fit(flops, mb)}; x in G multiply-adds\n")
        _draw(axes, flops, ms, mb, "G multiply-adds", list(names))
    model = make("resnet20")
    times = take_turns({str(n): lambda n=n: analyze_batch([photo] * n, model) for n in BATCHES}, rounds)
    ms = [statistics.median(values) for values in times.values()]
    mb = [megabytes_kept([photo] * n, model) for n in BATCHES]
    table = Table("resnet20, batch", "ms", "ms an image", "MB kept")
    for n, one, kept in zip(BATCHES, ms, mb, strict=True):
        table.add_row(str(n), f"{one:.1f}", f"{one / n:.1f}", f"{kept:.1f}")
    out.print(table)
    out.print(f"ms = {fit(BATCHES, ms)}; MB = {fit(BATCHES, mb)}; x in images\n")
    _draw(panels[2], BATCHES, ms, mb, "images in a batch, resnet20", list(map(str, BATCHES)))
    if plot:
        figure.savefig(plot, dpi=110)
    print_machine()


def _draw(axes, x: Sequence[float], ms: Sequence[float], mb: Sequence[float], label: str, names: list[str]) -> None:
    beside = axes.twinx()
    lines = axes.plot(x, ms, "o-", color="#0072B2", label="ms") + beside.plot(x, mb, "s--", color="#D55E00", label="MB")
    for place, value, name in zip(x, ms, names, strict=True):
        axes.annotate(name, (place, value), (3, -11), textcoords="offset points", fontsize=8)
    axes.set_xlabel(label)
    axes.set_ylabel("ms")
    beside.set_ylabel("MB kept")
    for panel in (axes, beside):
        panel.set_xlim(0)
        panel.set_ylim(0)
    axes.legend(lines, [line.get_label() for line in lines], frameon=False)


if __name__ == "__main__":
    typer.run(main)

"""Overhead of the page over an analysis, for a 12-megapixel JPEG and a CIFAR network, over HTTP.

    python -m benchmarks.page [--rounds 15]

Once as a program calls it, by `/analyze`, and once as the Explore tab does; without the time of the analysis itself,
which the answer contains. Then the parts of the Explore event, called one by one.
"""

import statistics
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import typer
from PIL import Image
from rich.table import Table

from benchmarks import http
from benchmarks.side_by_side import out, print_machine, print_times, take_turns
from resnet_demo import analyze, load_model
from resnet_demo.images import EXAMPLES, load_image
from resnet_demo.records import gradient_rows
from resnet_demo.ui import answers, share_cores
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.explained import facts
from resnet_demo.ui.layer_plots import gradient_plot
from resnet_demo.ui.picture import Picture
from resnet_demo.zoo import find_entry


def phone_photo(path: Path) -> Path:
    """A JPEG of 4032 x 3024 pixels with the detail and noise of a photo."""
    photo = Image.open(EXAMPLES / "cat.jpg").convert("RGB").resize((4032, 3024), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, 6, (3024, 4032, 1))
    Image.fromarray(np.clip(np.asarray(photo) + noise, 0, 255).astype(np.uint8)).save(path, quality=90)
    return path


def added_over_http(url: str, photo: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each event minus those of its analysis."""
    image, scales = http.upload(url, photo), cycle((False, True))
    events = {
        "/analyze": lambda: http.analyze(url, image)["milliseconds"]["total"],
        # The same question is not answered twice: one with another scale takes as long.
        "Explore": lambda: http.milliseconds_shown(http.explore(url, image, "visitor", next(scales))),
    }
    added: dict[str, list[float]] = {name: [] for name in events}
    for i in range(rounds + 3):
        for name, event in events.items():
            started = time.perf_counter()
            analysis = event()
            if i >= 3:
                added[name].append((time.perf_counter() - started) * 1000 - analysis)
    return added


def parts_of_explore(photo: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of the same work in this process, part by part."""
    share_cores()  # As the page does.
    model, entry, decoded = load_model(http.MODEL), find_entry(http.MODEL), load_image(photo)
    analysis = analyze(decoded, model)
    overlaid = answers.overlaid(entry, analysis, decoded)
    picture, chart = Picture(render=False), Chart(render=False)
    parts = {
        "decode the photo": lambda: load_image(photo),
        "the analysis": lambda: analyze(decoded, model),
        "lay the heatmap over it": lambda: answers.overlaid(entry, analysis, decoded),
        "encode both pictures": lambda: picture.postprocess(overlaid),
        "tell what to plot": lambda: chart.postprocess(gradient_plot(analysis)),
        "words and numbers": lambda: (facts(entry, analysis), gradient_rows(analysis)),
    }
    return take_turns(parts, rounds)


def main(rounds: int = 15) -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        photo = phone_photo(Path(folder) / "photo.jpg")
        with http.served() as (url, _):
            added = added_over_http(url, photo, rounds)
        print_times("Over HTTP, less the analysis itself", added)
        parts = parts_of_explore(photo, rounds)
    table = Table("part of an Explore event", "median, ms")
    for name, values in parts.items():
        table.add_row(name, f"{statistics.median(values):.1f}")
    rest = statistics.median(added["Explore"]) - sum(
        statistics.median(values) for name, values in parts.items() if name != "the analysis"
    )
    table.add_row("queue, JSON, HTTP", f"{rest:.1f}")
    out.print(table)
    print_machine("gradio", "pillow", "matplotlib")


if __name__ == "__main__":
    typer.run(main)

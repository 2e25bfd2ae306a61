"""A folder of photos: decoded while others are computed and in batches, beside one photo after the other.

python -m benchmarks.folder [--photos 64] [--rounds 5]
"""

import statistics
import tempfile
from pathlib import Path

import numpy as np
import typer
from PIL import Image
from rich.table import Table

from benchmarks.side_by_side import out, print_machine, take_turns
from resnet_demo import analyze, load_model
from resnet_demo.analysis.batches import analyze_files, default_batch
from resnet_demo.images import EXAMPLES

SIZE = (1280, 960)


def save_photos(folder: Path, count: int) -> list[Path]:
    """The examples at 1280 x 960 with noise, as JPEG: decoding takes about as long as a small network."""
    draw = np.random.default_rng(0)
    examples = [Image.open(path).convert("RGB").resize(SIZE) for path in sorted(EXAMPLES.glob("*.jpg"))]
    files = [folder / f"{i:03}.jpg" for i in range(count)]
    for i, file in enumerate(files):
        noisy = np.asarray(examples[i % len(examples)]) + draw.normal(0, 6, (SIZE[1], SIZE[0], 1))
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, quality=90)
    return files


def main(photos: int = 64, rounds: int = 5, device: str = "auto") -> None:
    """Print the table."""
    title = f"{photos} photos of {SIZE[0]} x {SIZE[1]}: images/s"
    table = Table("", "one by one", "together", "least", "most", "times", "batch", title=title)
    with tempfile.TemporaryDirectory() as folder:
        files = save_photos(Path(folder), photos)
        for name in ("resnet20.cifar10", "resnet56.cifar10", "resnet18.untrained"):
            model = load_model(name, device)
            some = files if model.preprocessing.crop_size < 64 else files[: max(4, photos // 8)]
            times = take_turns(
                {
                    "one by one": lambda model=model, some=some: [analyze(file, model) for file in some],
                    "together": lambda model=model, some=some: list(analyze_files(some, model)),
                },
                rounds,
                warmups=1,
            )
            rates = {kind: [1000 * len(some) / t for t in values] for kind, values in times.items()}
            one, together = (statistics.median(rates[kind]) for kind in ("one by one", "together"))
            ends = (f"{min(rates['together']):.1f}", f"{max(rates['together']):.1f}")
            batch = str(default_batch(model) if model.trained else 1)
            table.add_row(name, f"{one:.1f}", f"{together:.1f}", *ends, f"{together / one:.2f}", batch)
    out.print(table)
    out.print("An untrained network takes one photo a pass: it normalizes by what passes through it.")
    print_machine("pillow")


if __name__ == "__main__":
    typer.run(main)

"""A folder of photos, in batches and with decoding in parallel, beside one photo after the other; and the same with the
files that the command line writes (overlay, plot and JSON), drawn on all cores, beside one after the other.

python -m benchmarks.folder [--photos 64] [--rounds 5]
"""

import io
import itertools
import statistics
import tempfile
from contextlib import redirect_stdout, suppress
from pathlib import Path

import numpy as np
import typer
from PIL import Image
from rich.table import Table

from benchmarks.side_by_side import out, print_machine, take_turns
from resnet_demo import Model, analyze, load_model
from resnet_demo.analysis.batches import analyze_files, default_batch
from resnet_demo.commands.photos import analyze as analyze_command
from resnet_demo.commands.results_of_photos import write_results
from resnet_demo.images import EXAMPLES, load_image

SIZE = (1280, 960)


def save_photos(folder: Path, count: int) -> list[Path]:
    """The example photos at 1280 x 960 with noise, as JPEG: decoding one takes about as long as a small network."""
    draw = np.random.default_rng(0)
    examples = [Image.open(path).convert("RGB").resize(SIZE) for path in sorted(EXAMPLES.glob("*.jpg"))]
    files = [folder / f"{i:03}.jpg" for i in range(count)]
    for i, file in enumerate(files):
        noisy = np.asarray(examples[i % len(examples)]) + draw.normal(0, 6, (SIZE[1], SIZE[0], 1))
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, quality=90)
    return files


def write_each(files: list[Path], model: Model, folder: Path) -> None:
    """One after the other: analyze a photo, draw it, write its three files."""
    folder.mkdir()
    for file in files:
        photo = load_image(file)
        analysis = analyze(photo, model)
        write_results(folder / file.stem, photo, analysis, analysis.to_dict(str(file)))


def write_all(files: list[Path], model: Model, folder: Path) -> None:
    """As `resnet-demo analyze FILES --output FOLDER`, except for its printed output."""
    with redirect_stdout(io.StringIO()), suppress(typer.Exit):
        analyze_command(files, model.name, output=folder, device=str(model.device))


def compare_writing(files: list[Path], model: Model, rounds: int) -> list[str]:
    """Images/s of both ways, with the spread of the second."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = (Path(folder) / str(i) for i in itertools.count())  # The command skips results that exist.
        made = {"one by one": write_each, "command": write_all}
        calls = {name: lambda write=write: write(files, model, next(fresh)) for name, write in made.items()}
        times = take_turns(calls, rounds, warmups=0)
    rates = {kind: [1000 * len(files) / t for t in values] for kind, values in times.items()}
    one, command = (statistics.median(rates[kind]) for kind in made)
    ends = (f"{min(rates['command']):.1f}", f"{max(rates['command']):.1f}")
    return [model.name, f"{one:.1f}", f"{command:.1f}", *ends, f"{command / one:.2f}"]


def main(photos: int = 64, rounds: int = 5, device: str = "auto") -> None:
    """Print the table."""
    title = f"{photos} photos of {SIZE[0]} x {SIZE[1]}: images/s"
    table = Table("", "one by one", "together", "least", "most", "times", "batch", title=title)
    written = Table("", "one by one", "command", "least", "most", "times", title="The same with drawings, written")
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
            written.add_row(*compare_writing(some, model, max(1, rounds // 2)))
    out.print(table)
    out.print(written)
    out.print("An untrained network takes one photo per pass, as it normalizes by the statistics of its input.")
    print_machine("pillow")


if __name__ == "__main__":
    typer.run(main)

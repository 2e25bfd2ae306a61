"""The command line: `python -m resnet_demo --help`."""

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from resnet_demo.errors import InputError

app = typer.Typer(
    name="python -m resnet_demo",
    help="See what residual connections do: the five most probable classes, Grad-CAM and the gradient norm of every "
    "layer, for your own photos and for residual networks and their plain (no-shortcut) twins.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True, highlight=False)

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never touch the network (also RESNET_DEMO_OFFLINE=1).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command()
def models(as_json: Json = False) -> None:
    """List what can be picked: the state of its weights, its parameters and its measured test error."""
    from resnet_demo.zoo import list_models, weight_state

    rows = []
    for entry in list_models():
        row = {"name": entry.name, "state": str(weight_state(entry)), "parameters": entry.parameters}
        rows.append(row | {"test_error": entry.test_error})
    if as_json:
        _print_json(rows)
        return
    table = Table("model", "weights", "parameters", "test error %", title="Models")
    for row in rows:
        error = "-" if row["test_error"] is None else f"{row['test_error']:.2f}"
        table.add_row(row["name"], row["state"], f"{row['parameters']:,}", error)
    _out().print(table, soft_wrap=False)
    _out().print("Any other architecture can be had as NAME.untrained, e.g. resnet34-C.untrained.")


@app.command()
def analyze(
    images: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    model: Annotated[str, typer.Option(help="A name from `models`.")] = "resnet20.cifar10",
    target: Annotated[
        str | None, typer.Option(help="Class to explain, by label or index; the top one unless given.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer to explain, e.g. layer3; the last block unless given.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for overlay PNG, plot PNG and JSON of each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each image.")] = False,
    device: Device = "auto",
    offline: Offline = False,
) -> None:
    """Predict, explain and measure photos. A file that cannot be read is reported, and the others are still done."""
    from resnet_demo.analysis import analyze as analyze_image

    files = _files(images)
    stems = _stems(files)
    if output:
        _make_folder(output)
    with _fetching(model) as progress:
        from resnet_demo.zoo import load_model

        loaded = load_model(model, device, offline, progress)
    failures = 0
    for file in _tracked(files, "analyzing", quiet=as_json):
        try:
            analysis = analyze_image(file, loaded, target, layer)
        except InputError as error:
            errors.print(f"{file}: {error}", markup=False, soft_wrap=True)
            failures += 1
            continue
        values = analysis.to_dict(str(file))
        if output:
            _write_results(output / stems[file], file, analysis, values)
        _print_json(values, one_line=True) if as_json else _print_analysis(file, analysis)
    raise typer.Exit(1 if failures else 0)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A trained name from `models`, e.g. resnet20.cifar10.")],
    data: Annotated[Path | None, typer.Option(help="An .npz, or a folder with train/ and test/.")] = None,
    as_json: Json = False,
    device: Device = "auto",
    offline: Offline = False,
) -> None:
    """Measure top-1 and top-5 error on the test images of a data set, downloaded unless --data names it."""
    from resnet_demo.training import evaluate_model

    result = evaluate_model(model, data, device, offline)
    if as_json:
        values = {"model": model, "images": result.images, "top1_error": result.top1, "top5_error": result.top5}
        _print_json(values, one_line=True)
        return
    _out().print(
        f"{model} on {result.images:,} test images: top-1 error {result.top1:.2f} %, top-5 error {result.top5:.2f} %"
    )


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="An architecture: resnet20, plain20, highway56, resnet32-B, ...")],
    dataset: Annotated[str, typer.Option(help="cifar10 or fashion_mnist.")] = "cifar10",
    data: Annotated[Path | None, typer.Option(help="An .npz, or a folder with train/ and test/.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Of the weights, the order and the crops.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for weights and card; weights/ unless given.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last finished epoch.")] = False,
    learning_rate: Annotated[float | None, typer.Option(help="The highest one.", min=1e-6)] = None,
    compile_: Annotated[bool, typer.Option("--compile", help="Use torch.compile: faster, after a slow start.")] = False,
    device: Device = "auto",
    offline: Offline = False,
) -> None:
    """Train a network from nothing, with a checkpoint every epoch; writes its weights and their card."""
    from resnet_demo.training import Recipe, Run, load_split
    from resnet_demo.training import train as train_run
    from resnet_demo.zoo import WEIGHTS, pick_device

    chosen = {"epochs": epochs, "learning_rate": learning_rate, "compile": compile_ or None}
    recipe = replace(Recipe(), **{key: value for key, value in chosen.items() if value is not None})
    where, target = out or WEIGHTS, pick_device(device)
    splits = [load_split(dataset, split, data, offline=offline) for split in ("train", "test")]
    run = Run.create(name, dataset, splits[0], recipe, seed)
    _make_folder(where)
    with _training_bar(run.name, recipe.epochs) as (on_batch, on_epoch):
        card = train_run(run, *splits, where, device=target, resume=resume, on_batch=on_batch, on_epoch=on_epoch)
    _out().print(f"{card.name}: test error {card.test_error:.2f} % after {card.epochs} epochs, in {where}")


@app.command()
def download(
    names: Annotated[list[str] | None, typer.Argument(help="Names from `models`.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything that can be fetched (2 GB).")] = False,
    offline: Offline = False,
) -> None:
    """Fetch weights now, so that later no connection is needed."""
    from resnet_demo.zoo import fetch_entry, find_entry, list_models

    entries = [entry for entry in list_models() if entry.from_torchvision] if all_ else []
    entries += [find_entry(name) for name in names or []]
    if not entries:
        raise InputError("Name the models to download, or use --all.")
    for entry in entries:
        if not entry.from_torchvision:
            _out().print(f"{entry.name}: nothing to fetch")
            continue
        with _fetching(entry.name) as progress:
            path = fetch_entry(entry, offline, progress)
        _out().print(f"{entry.name}: {path}")


def main() -> None:
    """Run the command line; what its user can mend is one sentence on stderr and exit code 2."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # What Pillow and torch remark about odd files is not for the user.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # A file name need not be text in the terminal's encoding.
    try:
        app()
    except InputError as error:
        errors.print(str(error), markup=False, soft_wrap=True)
        sys.exit(2)


def _out() -> Console:
    """Lines are never broken: what reads them in a pipe should find them whole."""
    return Console(highlight=False, soft_wrap=True)


def _print_json(value: Any, one_line: bool = False) -> None:
    print(json.dumps(value, indent=None if one_line else 1, allow_nan=False), flush=True)


def _files(paths: list[Path]) -> list[Path]:
    """Folders become the images in them; a named file stays, whatever it is, to be done or reported."""
    from resnet_demo.images import SUFFIXES

    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not found:
            raise InputError(f"{path} holds no images ({', '.join(SUFFIXES)}).")
        files += found
    return files


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be made a folder: {error.strerror}.") from error


def _stems(files: list[Path]) -> dict[Path, str]:
    """The name of each file's results: its own without suffix, numbered where several files share it."""
    stems: dict[Path, str] = {}
    taken: set[str] = set()
    for file in files:
        number, stem = 1, file.stem
        while stem in taken:
            number += 1
            stem = f"{file.stem}-{number}"
        taken.add(stem)
        stems[file] = stem
    return stems


def _write_results(stem: Path, file: Path, analysis: Any, values: dict[str, Any]) -> None:
    from resnet_demo import plots
    from resnet_demo.images import load_image

    plots.overlay(load_image(file), analysis).save(f"{stem}.overlay.png")
    Path(f"{stem}.plot.png").write_bytes(plots.to_png(plots.report_figure(analysis)))
    Path(f"{stem}.json").write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _print_analysis(file: Path, analysis: Any) -> None:
    out = _out()
    out.print(f"{file}  {analysis.model}, {analysis.device}, {analysis.milliseconds['total']:.0f} ms", markup=False)
    for prediction in analysis.predictions:
        out.print(f"  {100 * prediction.probability:5.1f} %  {prediction.label} ({prediction.index})", markup=False)
    if not analysis.positive_evidence:
        out.print(f"  no position of {analysis.layer} speaks for {analysis.target.label}", markup=False)
    first, last = analysis.gradients[0], analysis.gradients[-1]
    out.print(f"  gradient norm {first.gradient_norm:.3g} at {first.layer}, {last.gradient_norm:.3g} at {last.layer}")


def _tracked(files: list[Path], what: str, quiet: bool) -> Iterator[Path]:
    """A progress bar on stderr for more than one file, where stderr is a screen."""
    with _progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        yield from bar.track(files, total=len(files)) if len(files) > 1 and not quiet else files


@contextmanager
def _fetching(name: str) -> Iterator[Callable[[int, int], None]]:
    """A download bar that appears when the first bytes do."""
    with _progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()) as bar:
        tasks: list[Any] = []

        def progress(done: int, total: int) -> None:
            if not tasks:
                tasks.append(bar.add_task(name, total=total))
            bar.update(tasks[0], completed=done)

        yield progress


@contextmanager
def _training_bar(name: str, epochs: int) -> Iterator[tuple[Callable[[int, int], None], Callable[[Any], None]]]:
    with _progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(name)

        def on_batch(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        def on_epoch(epoch: Any) -> None:
            bar.console.print(
                f"{name} epoch {epoch.epoch}/{epochs}: loss {epoch.train_loss:.3f}, train error "
                f"{epoch.train_error:.2f} %, test error {epoch.test_error:.2f} %, {epoch.seconds:.0f} s",
                soft_wrap=not bar.console.is_terminal,
            )

        yield on_batch, on_epoch


def _progress(*columns: Any) -> Progress:
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


if __name__ == "__main__":
    main()

"""The command that analyzes photos: analyze."""

import json
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from resnet_demo import analysis, training, zoo
from resnet_demo import images as photos
from resnet_demo.commands.console import Device, Offline, Weights, fetching, make_folder, print_json, say, tracked, warn
from resnet_demo.commands.results_of_photos import (
    PICTURES,
    Writer,
    Writing,
    is_known,
    is_of_another,
    source_of,
    stems_of,
    write_comparison,
    write_results,
)
from resnet_demo.errors import InputError, visible
from resnet_demo.memory import reuse_freed_memory
from resnet_demo.records import Question

if TYPE_CHECKING:
    from resnet_demo.zoo import Entry, Model

WEEK = timedelta(days=7)


def analyze(
    images: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    model: Annotated[str, typer.Option(help="A name from `models`.")] = "resnet56.cifar100",
    target: Annotated[
        str | None, typer.Option(help="Class to explain, by label or index; the most probable one unless given.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer to explain, e.g. layer3; the last block unless given.")
    ] = None,
    compare: Annotated[str | None, typer.Option(help="A second model, for the same class of each photo.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for overlay PNG, plot PNG and JSON of each photo."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each image.")] = False,
    precision: Annotated[str, typer.Option(help="float32, or the faster bfloat16 or tf32 (CUDA).")] = "float32",
    batch_size: Annotated[
        int | None, typer.Option(help="Photos per pass; chosen for the model and device unless given.", min=1)
    ] = None,
    device: Device = "auto",
    offline: Offline = False,
    weights: Weights = None,
) -> None:
    """Predict, explain and measure photos. Files that cannot be read are reported; the others are still analyzed.

    On several devices or machines: torchrun --nproc-per-node 4 -m resnet_demo analyze FOLDER --output OUT
    """
    reuse_freed_memory()
    files = _files(images, output)
    if output:
        make_folder(output)
    question = Question(target, layer, precision)
    # The processes may take very different times, and only plain numbers are exchanged.
    with training.joined(zoo.pick_device(device), backend="gloo", patience=WEEK) as (world, on):
        catalogue = zoo.open_catalogue(weights)
        entries = [catalogue.find(name) for name in (model, compare) if name]
        models = [_loaded(entry, str(on), offline) for entry in entries]
        stems = stems_of(files, partial(_taken, output, [f".{m.name}" for m in models] if compare else [""]))
        job = Job(files, output, question, models, stems, {f: source_of(f, entries[0]) for f in files})
        known = job.known() if output and not compare else set()
        world.wait()  # No process may write before all have looked for earlier results.
        missing = [file for file in files if file not in known]
        mine = {*sorted(known)[world.rank :: world.size], *missing[world.rank :: world.size]}
        mine = [file for file in files if file in mine]
        if precision != "float32" and world.leads:
            _tell_error(job)
        drawn = [file for file in mine if output and file not in known]
        with Writer(len(drawn), world.size) as writer:
            found = _comparisons(job, mine, writer) if compare else _analyses(job, mine, known, batch_size, writer)
            done = tracked(_written(found, writer.ahead), len(mine), "analyzing", as_json)
            failed = sum(_tell(file, values, as_json) for file, values in done)
        # All together, as torchrun ends all processes when the first one fails.
        failures = world.count(failed)
    raise typer.Exit(1 if failures else 0)


@dataclass(frozen=True)
class Job:
    """The photos and the options of one call of `analyze`.

    stems     names of the results in `output`
    sources   identity of the inputs of each result, recorded before anything was computed
    """

    files: list[Path]
    output: Path | None
    question: Question
    models: list["Model"]
    stems: dict[Path, str]
    sources: dict[Path, list[Any]]

    def stem(self, file: Path, suffix: str = "") -> Path:
        return (self.output or Path()) / f"{self.stems[file]}{suffix}"

    def known(self) -> set[Path]:
        """The files for which an earlier run has written the same results."""
        (model,) = self.models
        return {f for f in self.files if is_known(self.stem(f), f, model, self.question, self.sources[f])}


def _tell(file: Path, values: dict[str, Any] | InputError, as_json: bool) -> bool:
    """Print the result of a file. Returns whether it is an error."""
    if isinstance(values, InputError):
        warn(f"{file}: {values}")
        return True
    if as_json:
        print_json(values, one_line=True)
    else:
        analyses = [values[side] for side in ("first", "second")] if "second" in values else [values]
        say("\n".join(_in_words(file, analysis) for analysis in analyses))
    return False


def _tell_error(job: Job) -> None:
    """Report the error of the faster precision, for the first photo that can be read."""
    for file in job.files:
        try:
            photo = photos.load_image(file)
        except InputError:
            continue
        for model in job.models:
            exact = analysis.analyze(photo, model)
            faster = analysis.analyze(photo, model, exact.target.index, precision=job.question.precision)
            error = analysis.precision_error(faster, exact)
            warn(f"{job.question.precision}, {model.name}, {file}: {error}")
        return


Values = dict[str, Any] | InputError
# A photo, its results, and the files that are being written.
Found = Iterator[tuple[Path, Values, list[Writing]]]


def _analyses(job: Job, files: list[Path], known: set[Path], batch_size: int | None, writer: Writer) -> Found:
    """The values of each file, also written if there is an output folder; known values are read from there."""
    (model,) = job.models
    fresh = analysis.analyze_files([f for f in files if f not in known], model, job.question, batch_size)
    for file in files:
        if file in known:
            values = json.loads(Path(f"{job.stem(file)}.json").read_text(encoding="utf-8"))
            yield file, {key: value for key, value in values.items() if key not in ("asked", "source")}, []
            continue
        _, found = next(fresh)
        if isinstance(found, InputError):
            yield file, found, []
            continue
        values = found.analysis.to_dict(str(file))
        kept = values | {"asked": asdict(job.question), "source": job.sources[file]}
        photo, made = found
        writings = [writer.write(write_results, job.stem(file), photo, made, kept)] if job.output else []
        yield file, values, writings


def _comparisons(job: Job, files: list[Path], writer: Writer) -> Found:
    """The values of both networks for each file, also written if there is an output folder."""
    first, second = job.models
    for file in files:
        try:
            photo = photos.load_image(file)
            comparison = analysis.compare(photo, first, second, job.question)
        except InputError as error:
            yield file, error, []
            continue
        writings = []
        for side in (comparison.first, comparison.second) if job.output else ():
            stem = job.stem(file, f".{side.model}")
            writings.append(writer.write(write_results, stem, photo, side, side.to_dict(str(file))))
        if job.output:
            writings.append(writer.write(write_comparison, job.stem(file, ".compare.png"), comparison))
        yield file, comparison.to_dict(str(file)), writings


def _written(found: Found, ahead: int) -> Iterator[tuple[Path, Values]]:
    """Results in order, each after its files are written; at most `ahead` photos wait for their files."""
    waiting: deque[tuple[Path, Values, list[Writing]]] = deque()
    for one in found:
        waiting.append(one)
        if len(waiting) > ahead:
            yield _finished(*waiting.popleft())
    while waiting:
        yield _finished(*waiting.popleft())


def _finished(file: Path, values: Values, writings: list[Writing]) -> tuple[Path, Values]:
    try:
        for writing in writings:
            writing()
    except InputError as error:
        return file, error
    except BrokenExecutor:
        return file, InputError("its results could not be drawn, as the process that draws them was ended: try again.")
    return file, values


def _taken(output: Path | None, suffixes: list[str], stem: str, file: Path) -> bool:
    return output is not None and any(is_of_another(output / f"{stem}{suffix}", file) for suffix in suffixes)


def _files(paths: list[Path], output: Path | None) -> list[Path]:
    """Folders are replaced by the images in them, but for those that earlier runs have written to `output`; other paths
    are kept, to be analyzed or reported."""
    files: list[Path] = []
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
            files.append(path)
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in photos.SUFFIXES and p.is_file())
        if output:
            there = output.resolve()
            found = [p for p in found if not (p.name.endswith(PICTURES) and p.parent.resolve() == there)]
        if not found:
            raise InputError(f"{path} holds no images ({', '.join(photos.SUFFIXES)}).")
        files += found
    return list(dict.fromkeys(files))


def _loaded(entry: "Entry", device: str, offline: bool) -> "Model":
    with fetching(entry.name) as progress:
        return zoo.load_model(entry, device, offline, progress)


def _in_words(file: Path, values: dict[str, Any]) -> str:
    lines = [f"{visible(str(file))}  {values['model']}, {values['device']}, {values['milliseconds']['total']:.0f} ms"]
    lines += [f"  {100 * p['probability']:5.1f} %  {visible(p['label'])} ({p['index']})" for p in values["predictions"]]
    if not values["cam"]["positive_evidence"]:
        lines.append(f"  no positive evidence for {visible(values['target']['label'])} in {values['layer']}")
    ends = (f"{_short(g['gradient_norm'])} at {g['layer']}" for g in (values["gradients"][0], values["gradients"][-1]))
    return "\n".join([*lines, f"  gradient norm {', '.join(ends)}"])


def _short(number: float | None) -> str:
    return "not finite" if number is None else f"{number:.3g}"

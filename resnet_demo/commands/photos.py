"""The command that looks at photos: analyze."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from resnet_demo.commands.console import Device, Offline, Weights, fetching, make_folder, print_json, say, tracked, warn
from resnet_demo.commands.results_of_photos import is_known, source_of, stems_of, write_results
from resnet_demo.errors import InputError, visible, writing
from resnet_demo.records import Question

WEEK = timedelta(days=7)


def analyze(
    images: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    model: Annotated[str, typer.Option(help="A name from `models`.")] = "resnet20.cifar10",
    target: Annotated[
        str | None, typer.Option(help="Class to explain, by label or index; the top one unless given.")
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
        int | None, typer.Option(help="Photos that share a pass; what suits unless given.", min=1)
    ] = None,
    device: Device = "auto",
    offline: Offline = False,
    weights: Weights = None,
) -> None:
    """Predict, explain and measure photos. A file that cannot be read is reported, and the others are still done.

    A folder too large for one device or machine: torchrun --nproc-per-node 4 -m resnet_demo analyze FOLDER --output OUT
    """
    import torch

    from resnet_demo.memory import reuse_freed_memory
    from resnet_demo.training import joined
    from resnet_demo.zoo import open_catalogue, pick_device

    reuse_freed_memory()
    files = _files(images)
    stems = stems_of(files)
    if output:
        make_folder(output)
    question = Question(target, layer, precision)
    # The shares may take very unequal times, and only plain numbers are exchanged.
    with joined(pick_device(device), backend="gloo", patience=WEEK) as (world, on):
        catalogue = open_catalogue(weights)
        entries = [catalogue.find(name) for name in (model, compare) if name]
        models = [_loaded(entry, str(on), offline) for entry in entries]
        sources = {file: source_of(file, entries) for file in files}
        kept = [f for f in files if output and not compare]
        known = {f for f in kept if is_known(output / stems[f], f, models[0], question, sources[f])}
        world.wait()  # What one process writes must not be known to another that is still looking.
        missing = [file for file in files if file not in known]
        mine = {*sorted(known)[world.rank :: world.size], *missing[world.rank :: world.size]}
        mine = [file for file in files if file in mine]
        if precision != "float32" and world.leads:
            _tell_error(files, models, question)
        if compare:
            found = _comparisons(mine, models, question, output, stems)
        else:
            found = _analyses(mine, known, models[0], question, batch_size, output, stems, sources)
        failed = sum(_told(file, values, as_json) for file, values in tracked(found, len(mine), "analyzing", as_json))
        # Together, as torchrun ends all processes when the first one reports a failure.
        (failures,) = world.total(torch.tensor(failed))
    raise typer.Exit(1 if failures else 0)


def _told(file: Path, values: dict[str, Any] | InputError, as_json: bool) -> bool:
    """Print what was found; whether that is an error."""
    if isinstance(values, InputError):
        warn(f"{file}: {values}")
        return True
    if as_json:
        print_json(values, one_line=True)
    else:
        analyses = [values[side] for side in ("first", "second")] if "second" in values else [values]
        say("\n".join(_in_words(file, analysis) for analysis in analyses))
    return False


def _tell_error(files: list[Path], models: list[Any], question: Question) -> None:
    """What the faster precision does to the first photo that can be read."""
    from resnet_demo.analysis.explaining import analyze
    from resnet_demo.analysis.precision import precision_error
    from resnet_demo.images import load_image

    for file in files:
        try:
            photo = load_image(file)
        except InputError:
            continue
        for model in models:
            exact = analyze(photo, model)
            error = precision_error(analyze(photo, model, exact.target.index, precision=question.precision), exact)
            warn(f"{question.precision}, {model.name}, {file}: {error}")
        return


Found = Iterator[tuple[Path, dict[str, Any] | InputError]]


def _analyses(
    files: list[Path],
    known: set[Path],
    model: Any,
    question: Question,
    batch_size: int | None,
    output: Path | None,
    stems: dict[Path, str],
    sources: dict[Path, Any],
) -> Found:
    """The values of each file, written to `output` too; read from there where they are `known`."""
    from resnet_demo.analysis.batches import analyze_files

    missing = [file for file in files if file not in known]
    fresh = analyze_files(missing, model, question, batch_size)
    for file in files:
        if file in known:
            values = json.loads(Path(f"{output / stems[file]}.json").read_text(encoding="utf-8"))
            yield file, {key: value for key, value in values.items() if key not in ("asked", "source")}
            continue
        _, found = next(fresh)
        if isinstance(found, InputError):
            yield file, found
            continue
        values = found.to_dict(str(file))
        try:
            if output:
                kept = values | {"asked": asdict(question), "source": sources[file]}
                write_results(output / stems[file], file, found, kept)
        except InputError as error:
            yield file, error
            continue
        yield file, values


def _comparisons(
    files: list[Path], models: list[Any], question: Question, output: Path | None, stems: dict[Path, str]
) -> Found:
    from resnet_demo import plots
    from resnet_demo.analysis.comparison import compare

    for file in files:
        try:
            comparison = compare(file, *models, question)
            if output:
                for analysis in (comparison.first, comparison.second):
                    stem = output / f"{stems[file]}.{analysis.model}"
                    write_results(stem, file, analysis, analysis.to_dict(str(file)))
                path = output / f"{stems[file]}.compare.png"
                with writing(path):
                    path.write_bytes(plots.to_png(plots.compare_figure(comparison)))
        except InputError as error:
            yield file, error
            continue
        yield file, comparison.to_dict(str(file))


def _files(paths: list[Path]) -> list[Path]:
    """Folders become the images in them; a named file stays, whatever it is, to be done or reported."""
    from resnet_demo.images import SUFFIXES

    files: list[Path] = []
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
            files.append(path)
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not found:
            raise InputError(f"{path} holds no images ({', '.join(SUFFIXES)}).")
        files += found
    return list(dict.fromkeys(files))


def _loaded(entry: Any, device: str, offline: bool) -> Any:
    with fetching(entry.name) as progress:
        from resnet_demo.zoo import load_model

        return load_model(entry, device, offline, progress)


def _in_words(file: Path, values: dict[str, Any]) -> str:
    lines = [f"{visible(str(file))}  {values['model']}, {values['device']}, {values['milliseconds']['total']:.0f} ms"]
    lines += [f"  {100 * p['probability']:5.1f} %  {visible(p['label'])} ({p['index']})" for p in values["predictions"]]
    if not values["cam"]["positive_evidence"]:
        lines.append(f"  no position of {values['layer']} speaks for {visible(values['target']['label'])}")
    ends = (f"{_short(g['gradient_norm'])} at {g['layer']}" for g in (values["gradients"][0], values["gradients"][-1]))
    return "\n".join([*lines, f"  gradient norm {', '.join(ends)}"])


def _short(number: float | None) -> str:
    return "not finite" if number is None else f"{number:.3g}"

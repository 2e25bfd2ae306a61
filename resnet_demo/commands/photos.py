"""The command that looks at photos: analyze."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from resnet_demo.commands.console import Device, Offline, fetching, make_folder, print_json, say, tracked, warn
from resnet_demo.errors import InputError, visible, writing

WEEK = timedelta(days=7)
# Of the 255 that a file name may have. To the others are added a number, a model's name and ".overlay.png".
MOST_STEM_BYTES = 160


@dataclass(frozen=True)
class Asked:
    """What is asked of every photo: class, layer and precision, as `resnet_demo.analyze` takes them."""

    target: str | None
    layer: str | None
    precision: str


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
) -> None:
    """Predict, explain and measure photos. A file that cannot be read is reported, and the others are still done.

    A folder too large for one device or machine: torchrun --nproc-per-node 4 -m resnet_demo analyze FOLDER --output OUT
    """
    import torch

    from resnet_demo.memory import reuse_freed_memory
    from resnet_demo.training import joined
    from resnet_demo.zoo import pick_device

    reuse_freed_memory()
    files = _files(images)
    stems = _stems(files)
    if output:
        make_folder(output)
    asked = Asked(target, layer, precision)
    # The shares may take very unequal times, and only plain numbers are exchanged.
    with joined(pick_device(device), backend="gloo", patience=WEEK) as (world, on):
        models = [_loaded(name, str(on), offline) for name in (model, compare) if name]
        sources = {file: _source(file, models) for file in files}
        kept = [f for f in files if output and not compare]
        known = {f for f in kept if _known(output / stems[f], f, models[0], asked, sources[f])}
        world.wait()  # What one process writes must not be known to another that is still looking.
        missing = [file for file in files if file not in known]
        mine = {*sorted(known)[world.rank :: world.size], *missing[world.rank :: world.size]}
        mine = [file for file in files if file in mine]
        if precision != "float32" and world.leads:
            _tell_error(files, models, asked)
        if compare:
            found = _comparisons(mine, models, asked, output, stems)
        else:
            found = _analyses(mine, known, models[0], asked, batch_size, output, stems, sources)
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


def _tell_error(files: list[Path], models: list[Any], asked: Asked) -> None:
    """What the faster precision does to the first photo that can be read."""
    from resnet_demo.analysis import analyze
    from resnet_demo.images import load_image
    from resnet_demo.precision import precision_error

    for file in files:
        try:
            photo = load_image(file)
        except InputError:
            continue
        for model in models:
            exact = analyze(photo, model)
            error = precision_error(analyze(photo, model, exact.target.index, precision=asked.precision), exact)
            warn(f"{asked.precision}, {model.name}, {file}: {error}")
        return


Found = Iterator[tuple[Path, dict[str, Any] | InputError]]


def _analyses(
    files: list[Path],
    known: set[Path],
    model: Any,
    asked: Asked,
    batch_size: int | None,
    output: Path | None,
    stems: dict[Path, str],
    sources: dict[Path, Any],
) -> Found:
    """The values of each file, written to `output` too; read from there where they are `known`."""
    from resnet_demo.many import analyze_files

    missing = [file for file in files if file not in known]
    fresh = analyze_files(missing, model, asked.target, asked.layer, asked.precision, batch_size)
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
                kept = values | {"asked": vars(asked), "source": sources[file]}
                _write_results(output / stems[file], file, found, kept)
        except InputError as error:
            yield file, error
            continue
        yield file, values


def _comparisons(
    files: list[Path], models: list[Any], asked: Asked, output: Path | None, stems: dict[Path, str]
) -> Found:
    from resnet_demo import plots
    from resnet_demo.compare import compare

    for file in files:
        try:
            comparison = compare(file, *models, asked.target, asked.layer, asked.precision)
            if output:
                for analysis in (comparison.first, comparison.second):
                    stem = output / f"{stems[file]}.{analysis.model}"
                    _write_results(stem, file, analysis, analysis.to_dict(str(file)))
                path = output / f"{stems[file]}.compare.png"
                with writing(path):
                    path.write_bytes(plots.to_png(plots.compare_figure(comparison)))
        except InputError as error:
            yield file, error
            continue
        yield file, comparison.to_dict(str(file))


def _source(file: Path, models: list[Any]) -> list[Any]:
    """What a result was made from: the very file, and the very weights."""
    from resnet_demo.zoo import find_entry

    cards = [find_entry(model.name).card for model in models]
    weights = [card.sha256 if card else "" for card in cards]
    try:
        stat = file.stat()
    except OSError:
        return weights  # It will be reported when it is opened.
    return [stat.st_size, stat.st_mtime_ns, *weights]


def _known(stem: Path, file: Path, model: Any, asked: Asked, source: list[Any]) -> bool:
    """Whether an earlier run has written what this one would."""
    try:
        values = json.loads(Path(f"{stem}.json").read_text(encoding="utf-8"))
        same = (values["image"], values["model"], values["asked"]) == (str(file), model.name, vars(asked))
        pictures = all(Path(f"{stem}.{kind}.png").exists() for kind in ("overlay", "plot"))
        return same and values["source"] == source and pictures
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False  # Not there, or not ours: it is written again.


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


def _stems(files: list[Path]) -> dict[Path, str]:
    """The name of each file's results: its own without suffix, numbered where several files share it."""
    stems: dict[Path, str] = {}
    taken: set[str] = set()
    for file in files:
        number, stem = 1, (own := _short_stem(file))
        while stem in taken:
            number += 1
            stem = f"{own}-{number}"
        taken.add(stem)
        stems[file] = stem
    return stems


def _short_stem(file: Path) -> str:
    """The file's name without suffix, cut where what is added to it would make it too long for a file system; then
    with a hash of all of it, so that it is always the same and nobody else's."""
    stem = os.fsencode(file.stem)
    if len(stem) <= MOST_STEM_BYTES:
        return file.stem
    digest = hashlib.sha256(stem).hexdigest()[:16]
    # A character of several bytes may be cut in two: what is left of it goes.
    return f"{stem[: MOST_STEM_BYTES - 17].decode(errors='ignore')}-{digest}"


def _loaded(name: str, device: str, offline: bool) -> Any:
    with fetching(name) as progress:
        from resnet_demo.zoo import load_model

        return load_model(name, device, offline, progress)


def _write_results(stem: Path, file: Path, analysis: Any, values: dict[str, Any]) -> None:
    """The JSON last and at once: where it is, the other two are. Raises `InputError`."""
    from resnet_demo import plots
    from resnet_demo.images import load_image

    photo = load_image(file)
    if photo.size != analysis.photo_size:
        raise InputError("the photo has been changed while it was analyzed: try again.")
    path = Path(f"{stem}.json")
    with writing(path):
        plots.overlay(photo, analysis).save(f"{stem}.overlay.png")
        Path(f"{stem}.plot.png").write_bytes(plots.to_png(plots.report_figure(analysis)))
        partial = Path(f"{stem}.json.partial")
        partial.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(partial, path)


def _in_words(file: Path, values: dict[str, Any]) -> str:
    lines = [f"{visible(str(file))}  {values['model']}, {values['device']}, {values['milliseconds']['total']:.0f} ms"]
    lines += [f"  {100 * p['probability']:5.1f} %  {visible(p['label'])} ({p['index']})" for p in values["predictions"]]
    if not values["cam"]["positive_evidence"]:
        lines.append(f"  no position of {values['layer']} speaks for {visible(values['target']['label'])}")
    ends = (f"{_short(g['gradient_norm'])} at {g['layer']}" for g in (values["gradients"][0], values["gradients"][-1]))
    return "\n".join([*lines, f"  gradient norm {', '.join(ends)}"])


def _short(number: float | None) -> str:
    return "not finite" if number is None else f"{number:.3g}"

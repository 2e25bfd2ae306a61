"""The command that looks at photos: analyze."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from resnet_demo.commands import console
from resnet_demo.commands.console import Device, Offline, errors, fetching, make_folder, print_json, tracked
from resnet_demo.errors import InputError


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
        typer.Option(help="Folder for overlay PNG, plot PNG and JSON; what is there stays."),
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
    from resnet_demo.memory import reuse_freed_memory
    from resnet_demo.training import joined
    from resnet_demo.zoo import pick_device

    reuse_freed_memory()
    files = _files(images)
    stems = _stems(files)
    if output:
        make_folder(output)
    asked = Asked(target, layer, precision)
    failures = 0
    with joined(pick_device(device)) as (world, on):
        mine = files[world.rank :: world.size]
        loaded = _loaded(model, str(on), offline)
        if compare:
            found = _comparisons(mine, loaded, _loaded(compare, str(on), offline), asked, output, stems)
        else:
            found = _analyses(mine, loaded, asked, batch_size, output, stems)
        if precision != "float32" and world.leads:
            _tell_error(files, loaded, asked)
        for file, values in tracked(found, len(mine), "analyzing", quiet=as_json):
            if isinstance(values, InputError):
                errors.print(f"{file}: {values}", markup=False, soft_wrap=True)
                failures += 1
            elif as_json:
                print_json(values, one_line=True)
            else:
                for analysis in (values["first"], values["second"]) if compare else (values,):
                    _print_analysis(file, analysis)
    raise typer.Exit(1 if failures else 0)


def _tell_error(files: list[Path], model: Any, asked: Asked) -> None:
    """What the faster precision does to the first photo that can be read."""
    from resnet_demo.analysis import analyze
    from resnet_demo.precision import precision_error

    for file in files:
        try:
            exact = analyze(file, model, asked.target, asked.layer)
        except InputError:
            continue
        found = analyze(file, model, exact.target.index, asked.layer, precision=asked.precision)
        errors.print(f"{asked.precision}, for {file}: {precision_error(found, exact)}", markup=False, soft_wrap=True)
        return


Found = Iterator[tuple[Path, dict[str, Any] | InputError]]


def _analyses(
    files: list[Path], model: Any, asked: Asked, batch_size: int | None, output: Path | None, stems: dict[Path, str]
) -> Found:
    """The values of each file, written to `output` too; read from there where they are already."""
    from resnet_demo.many import analyze_files

    known = {file: values for file in files if output and (values := _known(output / stems[file], file, model, asked))}
    missing = [file for file in files if file not in known]
    for file in known:
        yield file, known[file]
    for file, found in analyze_files(missing, model, asked.target, asked.layer, asked.precision, batch_size):
        if isinstance(found, InputError):
            yield file, found
            continue
        values = found.to_dict(str(file))
        if output:
            _write_results(output / stems[file], file, found, values | {"asked": vars(asked)})
        yield file, values


def _comparisons(
    files: list[Path], model: Any, other: Any, asked: Asked, output: Path | None, stems: dict[Path, str]
) -> Found:
    from resnet_demo import plots
    from resnet_demo.compare import compare

    for file in files:
        try:
            comparison = compare(file, model, other, asked.target, asked.layer, asked.precision)
        except InputError as error:
            yield file, error
            continue
        if output:
            for analysis in (comparison.first, comparison.second):
                _write_results(output / f"{stems[file]}.{analysis.model}", file, analysis, analysis.to_dict(str(file)))
            path = output / f"{stems[file]}.compare.png"
            path.write_bytes(plots.to_png(plots.compare_figure(comparison)))
        yield file, comparison.to_dict(str(file))


def _known(stem: Path, file: Path, model: Any, asked: Asked) -> dict[str, Any] | None:
    """What an earlier run wrote about this file, if it asked the same and the file has not changed since."""
    path = Path(f"{stem}.json")
    try:
        if path.stat().st_mtime < file.stat().st_mtime:
            return None
        values = json.loads(path.read_text(encoding="utf-8"))
        same = values.pop("asked") == vars(asked) and (values["image"], values["model"]) == (str(file), model.name)
        return values if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # Not there, or not ours: it is written again.


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


def _loaded(name: str, device: str, offline: bool) -> Any:
    with fetching(name) as progress:
        from resnet_demo.zoo import load_model

        return load_model(name, device, offline, progress)


def _write_results(stem: Path, file: Path, analysis: Any, values: dict[str, Any]) -> None:
    """The JSON last and at once: where it is, the other two are."""
    from resnet_demo import plots
    from resnet_demo.images import load_image

    plots.overlay(load_image(file), analysis).save(f"{stem}.overlay.png")
    Path(f"{stem}.plot.png").write_bytes(plots.to_png(plots.report_figure(analysis)))
    partial = Path(f"{stem}.json.partial")
    partial.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(partial, f"{stem}.json")


def _print_analysis(file: Path, values: dict[str, Any]) -> None:
    out = console.out()
    total = values["milliseconds"]["total"]
    out.print(f"{file}  {values['model']}, {values['device']}, {total:.0f} ms", markup=False)
    for p in values["predictions"]:
        out.print(f"  {100 * p['probability']:5.1f} %  {p['label']} ({p['index']})", markup=False)
    if not values["cam"]["positive_evidence"]:
        out.print(f"  no position of {values['layer']} speaks for {values['target']['label']}", markup=False)
    ends = (f"{_short(g['gradient_norm'])} at {g['layer']}" for g in (values["gradients"][0], values["gradients"][-1]))
    out.print(f"  gradient norm {', '.join(ends)}")


def _short(number: float | None) -> str:
    return "not finite" if number is None else f"{number:.3g}"

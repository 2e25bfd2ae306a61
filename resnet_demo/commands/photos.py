"""The commands that look at photos: models, analyze, download."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from resnet_demo.commands import console
from resnet_demo.commands.console import Device, Json, Offline, errors, fetching, make_folder, print_json, tracked
from resnet_demo.errors import InputError


def models(as_json: Json = False) -> None:
    """List what can be picked: the state of its weights, its parameters and its measured test error."""
    from resnet_demo.zoo import list_models, weight_state

    rows = []
    for entry in list_models():
        row = {"name": entry.name, "state": str(weight_state(entry)), "parameters": entry.parameters}
        rows.append(row | {"test_error": entry.test_error})
    if as_json:
        print_json(rows)
        return
    table = Table("model", "weights", "parameters", "test error %", title="Models")
    for row in rows:
        error = "-" if row["test_error"] is None else f"{row['test_error']:.2f}"
        table.add_row(row["name"], row["state"], f"{row['parameters']:,}", error)
    console.out().print(table, soft_wrap=False)
    console.out().print("Any other architecture can be had as NAME.untrained, e.g. resnet34-C.untrained.")


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
    output: Annotated[Path | None, typer.Option(help="Folder for overlay PNG, plot PNG and JSON of each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each image.")] = False,
    device: Device = "auto",
    offline: Offline = False,
) -> None:
    """Predict, explain and measure photos. A file that cannot be read is reported, and the others are still done."""
    from resnet_demo.analysis import analyze as analyze_image
    from resnet_demo.compare import compare as compare_models

    files = _files(images)
    stems = _stems(files)
    if output:
        make_folder(output)
    loaded = _loaded(model, device, offline)
    other = _loaded(compare, device, offline) if compare else None
    failures = 0
    for file in tracked(files, "analyzing", quiet=as_json):
        try:
            if other:
                _print_comparison(
                    file, compare_models(file, loaded, other, target, layer), output, stems[file], as_json
                )
                continue
            analysis = analyze_image(file, loaded, target, layer)
        except InputError as error:
            errors.print(f"{file}: {error}", markup=False, soft_wrap=True)
            failures += 1
            continue
        values = analysis.to_dict(str(file))
        if output:
            _write_results(output / stems[file], file, analysis, values)
        print_json(values, one_line=True) if as_json else _print_analysis(file, analysis)
    raise typer.Exit(1 if failures else 0)


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
            console.out().print(f"{entry.name}: nothing to fetch")
            continue
        with fetching(entry.name) as progress:
            path = fetch_entry(entry, offline, progress)
        console.out().print(f"{entry.name}: {path}")


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


def _print_comparison(file: Path, comparison: Any, output: Path | None, stem: str, as_json: bool) -> None:
    from resnet_demo import plots

    analyses = (comparison.first, comparison.second)
    if output:
        for analysis in analyses:
            _write_results(output / f"{stem}.{analysis.model}", file, analysis, analysis.to_dict(str(file)))
        (output / f"{stem}.compare.png").write_bytes(plots.to_png(plots.compare_figure(comparison)))
    if as_json:
        print_json(comparison.to_dict(str(file)), one_line=True)
        return
    for analysis in analyses:
        _print_analysis(file, analysis)


def _write_results(stem: Path, file: Path, analysis: Any, values: dict[str, Any]) -> None:
    from resnet_demo import plots
    from resnet_demo.images import load_image

    plots.overlay(load_image(file), analysis).save(f"{stem}.overlay.png")
    Path(f"{stem}.plot.png").write_bytes(plots.to_png(plots.report_figure(analysis)))
    Path(f"{stem}.json").write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _print_analysis(file: Path, analysis: Any) -> None:
    out = console.out()
    out.print(f"{file}  {analysis.model}, {analysis.device}, {analysis.milliseconds['total']:.0f} ms", markup=False)
    for prediction in analysis.predictions:
        out.print(f"  {100 * prediction.probability:5.1f} %  {prediction.label} ({prediction.index})", markup=False)
    if not analysis.positive_evidence:
        out.print(f"  no position of {analysis.layer} speaks for {analysis.target.label}", markup=False)
    first, last = analysis.gradients[0], analysis.gradients[-1]
    out.print(f"  gradient norm {first.gradient_norm:.3g} at {first.layer}, {last.gradient_norm:.3g} at {last.layer}")

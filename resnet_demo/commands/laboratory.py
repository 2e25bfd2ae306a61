"""Commands of the laboratory: gradient-flow, lesion, trained-flow, landscape."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from resnet_demo import laboratory, networks, plots, records, training, zoo
from resnet_demo.commands import console
from resnet_demo.commands.console import Data, Device, Json, Offline, Weights
from resnet_demo.errors import InputError, writing

# Several blocks at once are removed on a tenth of the test images, as all of them would take ten times as long. The
# standard error of an error measured on 1,000 images is at most 1.6 points.
SHARE, BATCH_SIZE = 10, 125
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def gradient_flow(
    names: Annotated[
        list[str], typer.Argument(metavar="NETWORKS...", help="plain56 resnet56 plain20-nonorm-sigmoid-xavier ...")
    ],
    seed: Annotated[int, typer.Option(help="Seed of the weights.", min=0, max=console.LARGEST_SEED)] = 0,
    output: Annotated[Path | None, typer.Option(help="Write a plot of the gradient norms to this PNG.")] = None,
    as_json: Json = False,
    device: Device = "auto",
) -> None:
    """Measure gradient norms, responses and dead or saturated units of every layer at initialization."""
    on = str(zoo.pick_device(device))
    if output:
        console.require_file(output)
    # All names, before the first network is measured.
    specs = [networks.parse_name(name, num_classes=10) for name in names]
    flows = [laboratory.gradient_flow(spec, seed=seed, device=on) for spec in specs]
    if output:
        with writing(output):
            output.write_bytes(plots.to_png(plots.flow_figure(flows, "gradient_norm")))
    if as_json:
        console.print_json([flow.to_dict() for flow in flows])
        return
    table = Table("network", "loss", "gradient norm, first", "last convolution", "first / last", title="Gradient flow")
    for flow in flows:
        ends = (flow.layers[0].gradient_norm, flow.layers[-2].gradient_norm)
        table.add_row(flow.network, *(f"{value:.3g}" for value in (flow.loss, *ends, flow.ratio)))
    console.out().print(table, soft_wrap=False)


Out = Annotated[Path | None, typer.Option(help="Folder to write to, if not beside your networks.")]
Names = Annotated[list[str], typer.Argument(help="Trained names from `models`, e.g. resnet20.cifar10.")]


def lesion(
    names: Names,
    data: Data = None,
    out: Out = None,
    device: Device = "auto",
    offline: Offline = False,
    weights: Weights = None,
) -> None:
    """Measure the test error without each single block and without several, as in Veit et al. 2016, for the page."""
    folder = _folder(records.LesionStudy, out, weights)
    for entry, model in _studied(names, device, offline, weights):
        study = _study(entry, model, data, offline)
        worst, errors = max(study.errors, key=study.errors.__getitem__), study.errors
        path = laboratory.write_study(study, folder)
        console.say(
            f"{entry.name}: {study.test_error:.2f} % test error, {errors[worst]:.2f} % without {worst}, in {path}"
        )


def trained_flow(
    names: Names,
    data: Data = None,
    images: Annotated[int, typer.Option(help="How many of the test images.", min=2)] = 1000,
    out: Out = None,
    device: Device = "auto",
    offline: Offline = False,
    weights: Weights = None,
) -> None:
    """Measure gradient norms and responses of every layer after training, over many test images, for the page."""
    folder = _folder(records.TrainedFlow, out, weights)
    for entry, model in _studied(names, device, offline, weights):
        x, y = training.standardized_sample(entry, "test", images, data, model.device, offline)
        with console.progress(*COLUMNS) as bar:
            task = bar.add_task(entry.name, total=len(y))
            loss, layers = laboratory.trained_layers(model.network, x, y, partial(_advance, bar, task))
        study = records.TrainedFlow(entry.name, entry.weights_hash, len(y), loss, layers)
        path = laboratory.write_study(study, folder)
        console.say(
            f"{entry.name}: loss {loss:.4f}, gradient norm {layers[0].gradient_norm:.3g} in {layers[0].layer}, "
            f"{layers[-2].gradient_norm:.3g} in {layers[-2].layer}, in {path}"
        )


def landscape(
    names: Names,
    data: Data = None,
    size: Annotated[int, typer.Option(help="Points along each direction; an odd number.", min=3, max=201)] = 25,
    reach: Annotated[float, typer.Option(help="How far along each direction, in norms of the filters.")] = 1.0,
    images: Annotated[int, typer.Option(help="How many of the training images.", min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the directions.", min=0, max=console.LARGEST_SEED)] = 0,
    out: Out = None,
    device: Device = "auto",
    offline: Offline = False,
    weights: Weights = None,
) -> None:
    """Measure the loss around a trained network along two random directions, as in Li et al. 2018, for the page.

    It is written row by row: if it was stopped, the same command goes on.
    """
    folder = _folder(records.Landscape, out, weights)
    for entry, model in _studied(names, device, offline, weights):
        x, y = training.standardized_sample(entry, "train", images, data, model.device, offline)
        study = records.Landscape(entry.name, entry.weights_hash, len(y), seed, reach, size)
        # Not in the place of a finished one of another kind: that stays until this one is complete.
        begun = folder / "begun"
        for place in (folder, begun):
            there = laboratory.read_study(records.Landscape, entry, place)
            if there and replace(there, loss=[], error=[]) == study:
                study = there
        with console.progress(*COLUMNS) as bar:
            task = bar.add_task(entry.name, total=size, completed=len(study.loss))
            rows = laboratory.landscape_rows(model.network, x, y, study.axis, seed, len(study.loss))
            for losses, errors in rows:
                study = replace(study, loss=[*study.loss, losses], error=[*study.error, errors])
                path = laboratory.write_study(study, begun)
                _advance(bar, task, len(study.loss))
                if study.complete:
                    laboratory.write_study(study, folder)
                    path.unlink()
        loss, error = study.centre
        console.say(
            f"{entry.name}: loss {loss:.4f} and {error:.2f} % error on {len(y):,} training images, loss up to "
            f"{study.highest:.3g} around it, in {folder}"
        )


def _folder(kind: type, out: Path | None, weights: Path | None) -> Path:
    folder = out or laboratory.folder_of(kind, weights or zoo.paths.user_folder())
    console.make_folder(folder)
    return folder


def _studied(
    names: list[str], device: str, offline: bool, weights: Path | None
) -> Iterator[tuple["zoo.Entry", "zoo.Model"]]:
    catalogue = zoo.open_catalogue(weights)
    entries = [catalogue.find(name) for name in names]
    for entry in entries:  # All of them, before the first is measured.
        zoo.require_weights(entry)
        if not entry.weights_hash:
            raise InputError(f"{entry.name} was not trained by this project, so it cannot be studied: see `models`.")
    for entry in entries:
        yield entry, zoo.load_model(entry, device, offline)


def _study(entry: "zoo.Entry", model: "zoo.Model", data: Path | None, offline: bool) -> records.LesionStudy:
    """Every single block removed from the network on every test image, and then several at once on some of them."""
    images, batches = training.standardized_test_set(entry, data, model.device, offline)
    with console.progress(*COLUMNS) as bar:
        task = bar.add_task(entry.name, total=images)
        whole, wrong, total = laboratory.lesion_errors(model.network, batches, partial(_advance, bar, task))
        count = max(1, total // SHARE)
        sample = training.standardized_sample(entry, "test", count, data, model.device, offline)
        some = zip(*(part.split(BATCH_SIZE) for part in sample), strict=True)
        draws = sum(map(len, laboratory.draw_blocks(tuple(wrong)).values()))
        task = bar.add_task(f"{entry.name}, several", total=draws)
        several, taken = laboratory.several_errors(model.network, some, partial(_advance, bar, task))
    return records.LesionStudy(
        entry.name,
        entry.weights_hash,
        total,
        _percent(whole, total),
        {name: _percent(count, total) for name, count in wrong.items()},
        {str(blocks): [_percent(count, taken) for count in counts] for blocks, counts in several.items()},
        taken,
    )


def _percent(count: int, total: int) -> float:
    return round(100 * count / total, 2)


def _advance(bar: Any, task: Any, done: int) -> None:
    bar.update(task, completed=done)

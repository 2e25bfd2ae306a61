"""Commands of the laboratory: gradient-flow, lesion."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from resnet_demo import laboratory, plots, records, training, zoo
from resnet_demo.commands import console
from resnet_demo.commands.console import Data, Device, Json, Offline, Weights
from resnet_demo.errors import InputError, writing


def gradient_flow(
    networks: Annotated[list[str], typer.Argument(help="plain56 resnet56 plain20-nonorm-sigmoid-xavier ...")],
    seed: Annotated[int, typer.Option(help="Seed of the weights.", min=0)] = 0,
    output: Annotated[Path | None, typer.Option(help="Write a plot of the gradient norms to this PNG.")] = None,
    as_json: Json = False,
    device: Device = "auto",
) -> None:
    """Measure gradient norms, responses and dead or saturated units of every layer at initialization."""
    on = str(zoo.pick_device(device))
    if output:
        console.require_file(output)
    flows = [laboratory.gradient_flow(network, seed=seed, device=on) for network in networks]
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


def lesion(
    names: Annotated[list[str], typer.Argument(help="Trained names from `models`, e.g. resnet20.cifar10.")],
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Folder for NAME.lesion.json, if not beside your networks.")] = None,
    device: Device = "auto",
    offline: Offline = False,
    weights: Weights = None,
) -> None:
    """Measure the test error without each single block and without several, as in Veit et al. 2016, for the page."""
    catalogue = zoo.open_catalogue(weights)
    folder = out or (weights or zoo.paths.user_folder()) / zoo.paths.LESIONS
    console.make_folder(folder)
    for entry in map(catalogue.find, names):
        zoo.require_weights(entry)
        if not entry.weights_hash:
            raise InputError(
                f"{entry.name} was not trained by this project, so its blocks cannot be studied: see `models`."
            )
        model = zoo.load_model(entry, device, offline)
        study = _study(entry, model, data, offline)
        worst, errors = max(study.errors, key=study.errors.__getitem__), study.errors
        path = laboratory.write_study(study, folder)
        console.say(
            f"{entry.name}: {study.test_error:.2f} % test error, {errors[worst]:.2f} % without {worst}, in {path}"
        )


def _study(entry: "zoo.Entry", model: "zoo.Model", data: Path | None, offline: bool) -> records.LesionStudy:
    """Every single block removed from the network on every test image, and then several at once on some of them."""
    images, batches = training.standardized_test_set(entry, data, model.device, offline)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with console.progress(*columns) as bar:
        task = bar.add_task(entry.name, total=images)
        whole, wrong, total = laboratory.lesion_errors(model.network, batches, partial(_advance, bar, task))
        _, again = training.standardized_test_set(entry, data, model.device, offline)
        draws = sum(map(len, laboratory.draw_blocks(tuple(wrong)).values()))
        task = bar.add_task(f"{entry.name}, several", total=draws)
        several, taken = laboratory.several_errors(model.network, again, partial(_advance, bar, task))
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

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
    """Measure the test error without each single block, as in Veit et al. 2016, and store it for the page."""
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
        images, batches = training.standardized_test_set(entry, data, model.device, offline)
        columns = (TextColumn(entry.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with console.progress(*columns) as bar:
            task = bar.add_task("", total=images)
            whole, wrong, total = laboratory.lesion_errors(model.network, batches, partial(_advance, bar, task))
        errors = {name: round(100 * count / total, 2) for name, count in wrong.items()}
        study = records.LesionStudy(entry.name, entry.weights_hash, total, round(100 * whole / total, 2), errors)
        worst = max(errors, key=errors.__getitem__)
        path = laboratory.write_study(study, folder)
        console.say(
            f"{entry.name}: {study.test_error:.2f} % test error, {errors[worst]:.2f} % without {worst}, in {path}"
        )


def _advance(bar: Any, task: Any, done: int) -> None:
    bar.update(task, completed=done)

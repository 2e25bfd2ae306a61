"""Commands for training: train, evaluate, results, race."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from resnet_demo import networks, training, zoo
from resnet_demo.commands import console
from resnet_demo.commands.console import Data, Device, Json, Offline, Weights
from resnet_demo.errors import InputError, quoted, visible
from resnet_demo.json_files import finite
from resnet_demo.memory import reuse_freed_memory


def train(
    name: Annotated[str, typer.Argument(help="An architecture: resnet20, plain20, highway56, resnet32-B, ...")],
    dataset: Annotated[
        str, typer.Option(help="cifar10, cifar100, fashion_mnist, or a name for your --data.")
    ] = "cifar10",
    data: Data = None,
    recipe: Annotated[str, typer.Option(help="fast: 40 epochs; paper: section 4.2, 64k iterations.")] = "fast",
    epochs: Annotated[
        int | None,
        typer.Option(help="Passes over the images, instead of the recipe's.", min=1),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per batch, over all processes.", min=2)] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.", min=1e-6)] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0.0)] = None,
    precision: Annotated[str | None, typer.Option(help="auto, bfloat16 or float32.")] = None,
    compile_: Annotated[bool, typer.Option("--compile", help="Use torch.compile: faster, after a slow start.")] = False,
    family: Annotated[str | None, typer.Option(help="imagenet or cifar, for depths that both have.")] = None,
    image_size: Annotated[int | None, typer.Option(help="Of a folder's images, in pixels.", min=8, max=1024)] = None,
    workers: Annotated[int, typer.Option(help="Processes that decode photos.", min=0)] = 4,
    seed: Annotated[
        int, typer.Option(help="Seed of the weights, the order and the crops.", min=0, max=console.LARGEST_SEED)
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for weights and card; the folder of your networks unless given."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="A trained network, or its file, to start from: also a shallower one.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the last finished epoch.")] = False,
    device: Device = "auto",
    offline: Offline = False,
) -> None:
    """Train a network, with a checkpoint every epoch, and write its weights and their card.

    With --from, it does not start from random weights but from a trained network: of its own depth, as fine-tuning
    does (with a new fc for another number of classes), or of a shallower one, which is grown to the same function.

    On several GPUs or machines: torchrun --nproc-per-node 4 -m resnet_demo train ...
    """
    if recipe not in training.RECIPES:
        raise InputError(f"There is no recipe {quoted(recipe)}: use {' or '.join(training.RECIPES)}.")
    chosen = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "compile": compile_ or None}
    chosen |= {"weight_decay": weight_decay, "precision": precision}
    changed = replace(training.RECIPES[recipe], **{key: value for key, value in chosen.items() if value is not None})
    if epochs is not None:
        changed = replace(changed, iterations=None)
    training.check_dataset_name(dataset)
    spec = networks.parse_name(name, **({"family": family} if family else {}))
    photos = spec.family == "imagenet"
    preprocessing = training.default_preprocessing(dataset, photos, image_size)
    where = out or zoo.paths.user_folder()
    if out is None and (zoo.paths.shipped_folder() / f"{spec.name}.{dataset}.json").exists():
        raise InputError(
            f"A trained {spec.name}.{dataset} is shipped with this project and takes precedence over yours: give --out "
            "for another run of it, or another name to --dataset."
        )
    console.make_folder(where)
    reuse_freed_memory()
    with training.joined(zoo.pick_device(device)) as (world, target):
        if not world.leads:
            world.wait()  # The first process downloads.
        train_data, test_data = (
            training.load_split(dataset, split, data, offline=offline, preprocessing=preprocessing, photos=photos)
            for split in ("train", "test")
        )
        begun = training.load_start(start, offline) if start else None
        if world.leads:
            world.wait()
        run = training.Run.create(spec.name, dataset, train_data, changed, seed, target, begun)
        with _training_bar(run.name, run.recipe.epochs, world.leads) as (on_status, on_epoch):
            try:
                card = training.train(
                    run,
                    train_data,
                    test_data,
                    where,
                    device=target,
                    world=world,
                    workers=workers,
                    resume=resume,
                    start=begun,
                    on_status=on_status,
                    on_epoch=on_epoch,
                )
            except KeyboardInterrupt as stopped:
                kept = (where / f"{run.name}.checkpoint").exists()
                hint = "repeat the command with --resume to continue it" if kept else "nothing was kept"
                raise InputError(f"{run.name} was stopped: {hint}.") from stopped
        if world.leads:
            console.say(f"{card.name}: test error {card.test_error:.2f} % after {card.epochs} epochs, in {where}")


def evaluate(
    model: Annotated[str, typer.Argument(help="A trained name from `models`, e.g. resnet20.cifar10.")],
    data: Data = None,
    seeds: Annotated[Path | None, typer.Option(help="Evaluate all its runs below this folder instead.")] = None,
    as_json: Json = False,
    device: Device = "auto",
    offline: Offline = False,
    weights: Weights = None,
) -> None:
    """Measure top-1 and top-5 error on the test images of a data set, downloaded unless --data names it."""
    measured: list[zoo.Card] = []
    if seeds is None:
        named = [(model, training.evaluate_model(model, data, device, offline, weights))]
    else:
        runs = training.evaluate_runs(model, seeds, data, device, offline, weights)
        named = [(f"{model} seed {card.seed}{_beginning(card.start)}", errors) for card, errors in runs]
        measured = [replace(card, test_error=errors.top1) for card, errors in runs]
    for name, errors in named:
        values = {"model": name, "images": errors.images, "top1_error": errors.top1, "top5_error": errors.top5}
        if as_json:
            console.print_json(values, one_line=True)
            continue
        console.say(
            f"{name} on {errors.images:,} test images: top-1 error {errors.top1:.2f} %, top-5 error {errors.top5:.2f} %"
        )
    for alike in () if as_json else zoo.summarize(measured):
        if alike.runs > 1:
            how = f"{alike.recipe}, {alike.epochs} epochs{_beginning(alike.start)}"
            console.say(f"{model}, {how}, {alike.runs} runs: top-1 error {alike.told('+-')[0]} %")


def _beginning(start: str) -> str:
    return f" from {visible(start)}" if start else ""


def results(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders of training runs; the networks in `models` unless given.")
    ] = None,
    as_json: Json = False,
    weights: Weights = None,
) -> None:
    """Show the errors of the trained networks (mean and deviation over seeds) beside those of the paper and others."""
    catalogue = zoo.open_catalogue(weights)
    summaries = zoo.summarize(zoo.read_cards(folders)) if folders else zoo.all_results(catalogue)
    if as_json:
        console.print_json([summary.to_dict() for summary in summaries])
        return
    columns = ("network", "recipe", "epochs", "runs", "test %", "training %")
    table = Table(*columns, *(source.name for source in zoo.SOURCES), title="Error of the last epoch, in percent")
    for s in summaries:
        names = (escape(visible(name)) for name in (s.name, s.recipe + _beginning(s.start)))  # Cards may be foreign.
        ours = (*names, str(s.epochs), str(s.runs), *s.told("+-"))
        others = (f"{s.references[x.name]:.2f}" if x.name in s.references else "" for x in zoo.SOURCES)
        table.add_row(*ours, *others)
    console.out().print(table, soft_wrap=False)
    for source in zoo.SOURCES:
        console.say(f"{source.name}: {source.title}, {source.note} {source.link}")
    if not folders and (names := zoo.missing(catalogue)):
        console.say(f"Not trained yet: {', '.join(names)}.")


def race(
    names: Annotated[list[str] | None, typer.Argument(help="Architectures; resnet56 plain56 unless given.")] = None,
    seconds: Annotated[float, typer.Option(help="Duration of the race.")] = 30.0,
    data: Data = None,
    seed: Annotated[int, typer.Option(min=0, max=console.LARGEST_SEED)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a lap.")] = False,
    device: Device = "auto",
    offline: Offline = False,
) -> None:
    """Train networks on CIFAR-10 side by side for some seconds, one batch each in turn, and print their losses."""
    entrants = names or ["resnet56", "plain56"]
    images = training.load_split("cifar10", "train", data, offline=offline)
    for lap in training.race(entrants, images, seconds, device=zoo.pick_device(device), seed=seed):
        if as_json:
            console.print_json(finite(asdict(lap)), one_line=True)
            continue
        losses = ", ".join(f"{name} {loss:.3f}" for name, loss in zip(entrants, lap.losses, strict=True))
        console.say(f"{lap.seconds:5.1f} s, {lap.batches:4} batches: loss {losses}")


@contextmanager
def _training_bar(name: str, epochs: int, shown: bool) -> Iterator[tuple[Callable[[Any], None], Callable[[Any], None]]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    with console.progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task(name, state="", visible=shown)
        tested = ""

        def on_status(status: Any) -> None:
            state = f"loss {status.loss:.3f}, train error {status.train_error:.1f} %{tested}"
            state += f", {status.images_per_second:,.0f} images/s"
            # The bar shows the whole run, so that the remaining time is that of the run.
            done = (status.epoch - 1) * status.batches + status.batch
            bar.update(task, completed=done, total=epochs * status.batches, state=state)

        def on_epoch(epoch: Any) -> None:
            nonlocal tested
            tested = f", test error {epoch.test_error:.1f} %"
            bar.console.print(
                f"{name} epoch {epoch.epoch}/{epochs}: loss {epoch.train_loss:.3f}, train error "
                f"{epoch.train_error:.2f} %, test error {epoch.test_error:.2f} %, {epoch.seconds:.0f} s",
                soft_wrap=not bar.console.is_terminal,
            )

        yield on_status, on_epoch

"""The training loop: one run, with a checkpoint every epoch and, at the end, weights and their card."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import save
from torch import Tensor

from resnet_demo.errors import InputError, writing
from resnet_demo.files import replacing
from resnet_demo.networks import parameter_count
from resnet_demo.networks.precision import fixed_order
from resnet_demo.records import Epoch
from resnet_demo.training.data import Labelled, Photos
from resnet_demo.training.distributed import ALONE, World
from resnet_demo.training.evaluation import Errors, by_channel, count_errors, in_order, normalize
from resnet_demo.training.feeds import MemoryFeed, PhotoFeed
from resnet_demo.training.learner import Learner
from resnet_demo.training.recipe import WINDOW
from resnet_demo.training.run import Run
from resnet_demo.training.starting import Start
from resnet_demo.zoo import Card, sha256_of
from resnet_demo.zoo.card import MAX_SIZE
from resnet_demo.zoo.datasets import title_of

REPORT_EVERY = 20
# Ten times the loss of random guessing among 20,000 classes: no run recovers from there.
DIVERGED = 100.0
# Images whose statistics the new blocks of a grown network keep.
SAMPLE = 128


@dataclass(frozen=True)
class Status:
    """The progress of an epoch so far; the training error in percent."""

    epoch: int
    batch: int
    batches: int
    loss: float
    train_error: float
    images_per_second: float


class Trainer:
    """The state of a run. Users call `train`, which also writes everything into a folder."""

    def __init__(
        self,
        run: Run,
        train_data: Labelled | Photos,
        test_data: Labelled | Photos,
        device: torch.device,
        world: World = ALONE,
        workers: int = 0,
        start: Start | None = None,
    ) -> None:
        recipe = run.recipe
        self.run, self.device, self.world = run, device, world
        self.train_feed = _feed(train_data, device, recipe.pad, recipe.flip, workers=workers)
        self.test_feed = _feed(test_data, device, workers=workers)
        # The last, incomplete batch is dropped, as batch normalization over a few images does harm.
        self.batch_size = min(recipe.batch_size, len(self.train_feed))
        if self.batch_size % world.size:
            raise InputError(
                f"Batches of {self.batch_size} images cannot be shared evenly by {world.size} processes: choose a "
                f"--batch-size that is a multiple of {world.size}."
            )
        self.per_epoch = len(self.train_feed) // self.batch_size
        self.statistics = start.statistics if start else train_data.statistics()
        self.resized = test_data.resized or test_data.size
        network = start.network(run.spec, run.seed, lambda: self._sample(train_data)) if start else None
        self.learner = Learner(run.spec, recipe, run.seed, self.statistics, device, world, network)
        self.warming = recipe.warmup_rate is not None
        self.curve: list[Epoch] = []

    def _sample(self, data: Labelled | Photos) -> Tensor:
        """Some training images, standardized, of all classes even where they are sorted."""
        step = max(1, len(data.labels) // SAMPLE)
        if isinstance(data, Photos):
            images = replace(data, files=data.files[::step][:SAMPLE]).in_memory().images
        else:
            images = data.images[::step][:SAMPLE]
        return normalize(images, *map(by_channel, self.statistics))

    @property
    def done(self) -> bool:
        return len(self.curve) * self.per_epoch >= self.run.recipe.steps(self.per_epoch)

    def train_epoch(self, report: Callable[[Status], None] = lambda status: None) -> Epoch:
        """One pass over the training images, in an order that depends only on seed and epoch."""
        epoch, started = len(self.curve), time.perf_counter()
        # With a generator per epoch, a resumed run draws the same numbers as an uninterrupted one.
        draws = torch.Generator().manual_seed(self.run.seed * 100_003 + epoch + 1)
        order = torch.randperm(len(self.train_feed), generator=draws).split(self.batch_size)[: self.per_epoch]
        order = order[: self.run.recipe.steps(self.per_epoch) - epoch * self.per_epoch]
        losses, wrongs, learning_rate = [], [], 0.0
        self.learner.network.train()
        for i, (images, labels) in enumerate(self.train_feed.batches(order, draws, self.world)):
            learning_rate = self._learning_rate(epoch * self.per_epoch + i)
            with fixed_order(self.device):
                loss, wrong = self.learner.step(images, labels, learning_rate)
            losses.append(loss)
            wrongs.append(wrong)
            window = min(WINDOW, len(order))
            if self.warming and len(wrongs) % window == 0:
                self._end_warmup(wrongs[-window:])
            if len(losses) % REPORT_EVERY == 0 or i + 1 == len(order):
                report(self._status(losses, wrongs, len(labels), len(order), time.perf_counter() - started))
        loss_sum, wrong_sum = self.world.total(torch.stack(losses).sum(), torch.stack(wrongs).sum())
        errors = self.evaluate(self.run.recipe.precision)
        return Epoch(
            epoch=epoch + 1,
            learning_rate=round(learning_rate, 6),
            train_loss=round(loss_sum / len(order) / self.world.size, 4),
            train_error=round(100 * wrong_sum / len(order) / self.batch_size, 2),
            test_error=round(errors.top1, 2),
            seconds=round(time.perf_counter() - started, 1),
        )

    def evaluate(self, precision: str = "float32") -> Errors:
        """Errors on all test images, which are divided among the processes."""
        # The batches are those of the whole test set; of n processes, each takes every n-th image of a batch.
        batches = self.test_feed.batches(in_order(len(self.test_feed), self.world.size), world=self.world)
        autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bfloat16")
        with autocast, fixed_order(self.device):
            errors = count_errors(self.learner.network, batches, self.learner.mean, self.learner.std)
        counts = torch.tensor([errors.wrong1, errors.wrong5, errors.images], device=self.device)
        return Errors(*map(int, self.world.total(*counts)))

    def save(self, path: Path) -> None:
        """Write a checkpoint: a kill or a power failure leaves the previous one or this one, never a part of it."""
        state = {
            "run": self._identity(),
            "statistics": self.statistics,
            "network": self.learner.network.state_dict(),
            "optimizer": self.learner.optimizer.state_dict(),
            "warming": self.warming,
            "curve": [asdict(epoch) for epoch in self.curve],
        }
        with replacing(path) as file:
            torch.save(state, file)

    def _identity(self) -> dict[str, Any]:
        return self.run.to_dict() | {"image_size": self.run.image_size}

    def restore(self, path: Path) -> None:
        """Load a checkpoint. Raises `InputError` when it is damaged or belongs to another run."""
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            # Earlier checkpoints say nothing of a start, as they had none, nor of the images.
            begun = {"start": "", "start_sha256": "", "image_size": self.run.image_size} | state["run"]
        except Exception as error:  # As for weights, damaged bytes raise anything.
            raise InputError(f"{path.name} is damaged or not a checkpoint: remove it to start anew.") from error
        if begun != (wanted := self._identity()):
            changed = [key for key, value in wanted.items() if begun.get(key) != value]
            raise InputError(
                f"{path.name} belongs to a run with another {', '.join(changed)}: repeat its options, or remove it to "
                "start anew."
            )
        known, here = (torch.tensor(values) for values in (state.get("statistics", self.statistics), self.statistics))
        if not torch.allclose(known, here, rtol=0, atol=2e-4):  # They are rounded to four digits.
            raise InputError(f"{path.name} belongs to a run on other images: repeat its --data.")
        self.learner.network.load_state_dict(state["network"])
        self.learner.optimizer.load_state_dict(state["optimizer"])
        self.warming = state["warming"]
        self.curve = [Epoch(**epoch) for epoch in state["curve"]]

    def _learning_rate(self, step: int) -> float:
        recipe = self.run.recipe
        if self.warming and recipe.warmup_rate is not None:
            return recipe.warmup_rate
        return recipe.learning_rate_at(step, self.per_epoch)

    def _end_warmup(self, wrongs: list[Tensor]) -> None:
        (wrong,) = self.world.total(torch.stack(wrongs).sum())
        self.warming = 100 * wrong / len(wrongs) / self.batch_size >= self.run.recipe.warmup_until

    def _status(self, losses: list[Tensor], wrongs: list[Tensor], share: int, batches: int, seconds: float) -> Status:
        loss, done = torch.stack(losses[-REPORT_EVERY:]).mean().item(), len(losses)
        if not loss < DIVERGED:
            raise InputError(
                f"The loss is {loss:.4g} in epoch {len(self.curve) + 1}: lower --learning-rate and start again"
                f"{', with another --out or without the checkpoint of this run' if self.curve else ''}."
            )
        error = 100 * torch.stack(wrongs).sum().item() / done / share
        rate = done * self.batch_size / seconds
        return Status(len(self.curve) + 1, done, batches, loss, error, rate)


def train(
    run: Run,
    train_data: Labelled | Photos,
    test_data: Labelled | Photos,
    out: Path,
    *,
    device: torch.device,
    world: World = ALONE,
    workers: int = 0,
    resume: bool = False,
    start: Start | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_status: Callable[[Status], None] = lambda status: None,
) -> Card:
    """Train `run` to its last epoch and write `out/NAME.safetensors` and its card `out/NAME.json`.

    `out/NAME.jsonl` gets one line per epoch. A checkpoint `out/NAME.checkpoint` is written after every epoch and
    removed at the end; with `resume`, the run continues from it, if there is one; without, it is not overwritten. With
    `start`, which `run` names, its first weights are made from that network. Raises `InputError` when the two splits do
    not match, another run of the same name is writing into `out`, the checkpoint belongs to another run or was not to
    be resumed, or the run diverges.
    """
    if (train_data.classes, train_data.channels, train_data.size) != (
        test_data.classes,
        test_data.channels,
        test_data.size,
    ):
        raise InputError("The training and the test images differ in their classes, channels or size.")
    if test_data.size > MAX_SIZE:
        raise InputError(f"Images of {test_data.size} pixels are too large to train on: at most {MAX_SIZE}.")
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    with _alone(run, out) if world.leads else nullcontext():
        if (out / f"{run.name}.json").exists():
            raise InputError(f"{out} already has a trained {run.name}: choose another folder with --out, or remove it.")
        trainer = Trainer(run, train_data, test_data, device, world, workers, start)
        errors = _train(trainer, out, resume, on_epoch, on_status)
        if world.leads:
            _write(trainer, errors, train_data.classes, out)
            (out / f"{run.name}.checkpoint").unlink(missing_ok=True)
    world.wait()
    return Card.read(out / f"{run.name}.json")


@contextmanager
def _alone(run: Run, out: Path) -> Iterator[None]:
    """Keep other runs of the same name from writing the same files. Raises `InputError` when one does already."""
    path = out / f"{run.name}.lock"
    lock = FileLock(path, timeout=0)
    with writing(path):
        try:
            lock.acquire()
        except Timeout as error:
            raise InputError(f"Another run of {run.name} is writing into {out}: give each its own --out.") from error
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file; there, releasing does.
            path.unlink()
        lock.release()


def _train(
    trainer: Trainer,
    out: Path,
    resume: bool,
    on_epoch: Callable[[Epoch], None],
    on_status: Callable[[Status], None],
) -> Errors:
    """Train for the epochs that are left, with a checkpoint after each. Gives the errors at the end."""
    run, world = trainer.run, trainer.world
    checkpoint = out / f"{run.name}.checkpoint"
    (found,) = world.total(torch.tensor(float(checkpoint.is_file()), device=trainer.device))
    if found and not resume:
        raise InputError(
            f"{checkpoint.name} is of a run that is not finished: add --resume to go on, or remove it to start anew."
        )
    if 0 < found < world.size:
        raise InputError(f"{checkpoint.name} is not there for every process: all machines must share {out}.")
    if found:
        trainer.restore(checkpoint)
    while not trainer.done:
        trainer.curve.append(trainer.train_epoch(on_status))
        if world.leads:
            trainer.save(checkpoint)
            _log(trainer.curve, out / f"{run.name}.jsonl")
            on_epoch(trainer.curve[-1])
    return trainer.evaluate()


def _feed(
    data: Labelled | Photos, device: torch.device, pad: int = 0, flip: bool = False, workers: int = 0
) -> MemoryFeed | PhotoFeed:
    if isinstance(data, Photos):
        return PhotoFeed(data, device, workers)
    return MemoryFeed(data, device, pad, flip)


def _log(curve: list[Epoch], path: Path) -> None:
    """One JSON object per line; the file is rewritten, so that a resumed run lists each epoch once."""
    with writing(path):
        path.write_text("".join(json.dumps(asdict(epoch)) + "\n" for epoch in curve), encoding="utf-8")


def _write(trainer: Trainer, errors: Errors, classes: tuple[str, ...], out: Path) -> None:
    run = trainer.run
    weights = out / f"{run.name}.safetensors"
    state = {key: value.cpu().contiguous() for key, value in trainer.learner.network.state_dict().items()}
    with replacing(weights) as file:
        file.write(save(state))
    mean, std = trainer.statistics
    card = Card(
        name=run.name,
        dataset_title=title_of(run.dataset),
        classes=list(classes),
        resize=trainer.resized,
        input_size=trainer.test_feed.size,
        mean=mean,
        std=std,
        parameters=parameter_count(trainer.learner.network),
        test_error=round(errors.top1, 2),
        test_top5_error=round(errors.top5, 2),
        train_error=trainer.curve[-1].train_error,
        epochs=len(trainer.curve),
        command=run.command,
        torch=torch.__version__,
        device=_device_name(trainer.device, trainer.world),
        sha256=sha256_of(weights),
        curve=trainer.curve,
        **run.to_dict(),
    )
    card.write(out / f"{run.name}.json")


def _device_name(device: torch.device, world: World) -> str:
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{device.type.upper()} ({torch.backends.cpu.get_cpu_capability()}, threads: {torch.get_num_threads()})"
    return name if world.size == 1 else f"{world.size} x {name}"

"""The training loop: one network, one recipe, a checkpoint every epoch, and at the end weights with their card."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from resnet_demo.errors import InputError
from resnet_demo.networks import Network, NetworkSpec, create_network, parameter_count, parse_name
from resnet_demo.training.data import Labelled
from resnet_demo.training.evaluation import Errors, error_rates, normalize
from resnet_demo.training.recipe import Recipe
from resnet_demo.zoo import Card, Epoch, sha256_of


@dataclass(frozen=True)
class Run:
    """What is trained: with the same run on the same machine, the same weights come out."""

    spec: NetworkSpec
    dataset: str
    recipe: Recipe
    seed: int

    @classmethod
    def create(cls, architecture: str, dataset: str, data: Labelled, recipe: Recipe, seed: int) -> "Run":
        """A run of the network called `architecture`, with the outputs and channels that `data` asks for."""
        spec = parse_name(architecture, num_classes=len(data.classes), in_channels=data.channels)
        return cls(spec, dataset, recipe, seed)

    @property
    def name(self) -> str:
        return f"{self.spec.name}.{self.dataset}"

    @property
    def command(self) -> str:
        """What to type to repeat the run; where the images come from is the reader's own affair."""
        command = f"python -m resnet_demo train {self.spec.name} --dataset {self.dataset}"
        command += f" --epochs {self.recipe.epochs} --seed {self.seed}"
        if self.recipe.learning_rate != Recipe.learning_rate:
            command += f" --learning-rate {self.recipe.learning_rate}"
        return command + (" --compile" if self.recipe.compile else "")


class Trainer:
    """Holds the moving parts of a run. `train` is the function to call; it writes everything into a folder."""

    def __init__(self, run: Run, train: Labelled, test: Labelled, device: torch.device) -> None:
        self.run = run
        self.device = device
        self.size = train.size
        self.statistics = train.statistics()
        self.mean, self.std = (torch.tensor(values, device=device).view(1, -1, 1, 1) for values in self.statistics)
        pad = run.recipe.pad
        self.train_x = F.pad(train.images, (pad, pad, pad, pad)).to(device)
        self.train_y = train.labels.to(device)
        self.test_x = test.images.to(device)
        self.test_y = test.labels.to(device)
        weights = torch.Generator().manual_seed(run.seed)
        self.network: Network = create_network(run.spec, generator=weights)
        self.network.to(device, memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=run.recipe.learning_rate,
            momentum=run.recipe.momentum,
            weight_decay=run.recipe.weight_decay,
            nesterov=True,
        )
        self.forward = torch.compile(self.network) if run.recipe.compile else self.network
        self.curve: list[Epoch] = []

    def train_epoch(self, report: Callable[[int, int], None]) -> Epoch:
        """One pass over the training images in an order that depends on seed and epoch alone."""
        epoch, recipe, started = len(self.curve), self.run.recipe, time.perf_counter()
        # A generator of its own for each epoch makes a resumed run draw what an uninterrupted one would.
        draws = torch.Generator().manual_seed(self.run.seed * 100_003 + epoch + 1)
        order = torch.randperm(len(self.train_y), generator=draws)
        # The last incomplete batch is dropped, as a batch normalization over a few images harms.
        batches = [b for b in order.split(recipe.batch_size) if len(b) == min(recipe.batch_size, len(order))]
        loss_sum = wrong = torch.zeros((), device=self.device)
        self.network.train()
        for i, batch in enumerate(batches):
            learning_rate = recipe.learning_rate_at(epoch + i / len(batches))
            images, labels = self.augmented(batch, draws), self.train_y[batch.to(self.device)]
            loss, logits = self.step(images, labels, learning_rate)
            loss_sum = loss_sum + loss
            wrong = wrong + (logits.argmax(1) != labels).sum()
            report(i + 1, len(batches))
        loss = loss_sum.item() / len(batches)
        if not loss < float("inf"):
            raise InputError(f"The loss is {loss} in epoch {epoch + 1}: lower --learning-rate and start again.")
        seen = sum(len(batch) for batch in batches)
        errors = self.evaluate()
        return Epoch(
            epoch=epoch + 1,
            learning_rate=round(learning_rate, 6),
            train_loss=round(loss, 4),
            train_error=round(100 * wrong.item() / seen, 2),
            test_error=round(errors.top1, 2),
            seconds=round(time.perf_counter() - started, 1),
        )

    def augmented(self, batch: Tensor, draws: torch.Generator) -> Tensor:
        """Random crops of the padded images, half of them mirrored: uint8 (N, C, H, W)."""
        recipe, size, n = self.run.recipe, self.size, len(batch)
        shifts = torch.randint(0, 2 * recipe.pad + 1, (2, n, 1), generator=draws)
        rows, columns = torch.arange(size) + shifts
        if recipe.flip:
            mirrored = torch.rand(n, 1, generator=draws) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        index = (batch[:, None, None], rows[:, :, None], columns[:, None, :])
        index = tuple(i.to(self.device) for i in index)
        return self.train_x.permute(0, 2, 3, 1)[index].permute(0, 3, 1, 2)

    def step(self, images: Tensor, labels: Tensor, learning_rate: float) -> tuple[Tensor, Tensor]:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        x = normalize(images, self.mean, self.std).contiguous(memory_format=torch.channels_last)
        mixed = self.run.recipe.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            logits = self.forward(x)
        loss = F.cross_entropy(logits.float(), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach(), logits.detach()

    def evaluate(self) -> Errors:
        return error_rates(self.network, self.test_x, self.test_y, self.mean, self.std)

    def save(self, path: Path) -> None:
        """Atomic: a kill leaves the previous checkpoint or this one, never half of it."""
        state = {
            "run": _plain(self.run),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "curve": [asdict(epoch) for epoch in self.curve],
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, path)

    def restore(self, path: Path) -> None:
        """Raises `InputError` when the checkpoint is of another run."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["run"] != _plain(self.run):
            changed = [key for key, value in _plain(self.run).items() if state["run"].get(key) != value]
            raise InputError(
                f"{path.name} belongs to a run with another {', '.join(changed)}: repeat its options, or start "
                "without --resume."
            )
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.curve = [Epoch(**epoch) for epoch in state["curve"]]


def train(
    run: Run,
    train_data: Labelled,
    test_data: Labelled,
    out: Path,
    *,
    device: torch.device,
    resume: bool = False,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> Card:
    """Train `run` to its last epoch and write `out/NAME.safetensors` and its card `out/NAME.json`.

    A checkpoint `out/NAME.checkpoint` is kept after every epoch and removed at the end; with `resume` the run goes
    on from it, if there is one. Raises `InputError` when the two splits do not belong together, the checkpoint is of
    another run, or the loss is no longer finite.
    """
    if train_data.classes != test_data.classes or train_data.images.shape[1:] != test_data.images.shape[1:]:
        raise InputError("The training and the test images differ in their classes, channels or size.")
    out.mkdir(parents=True, exist_ok=True)
    if (out / f"{run.name}.json").exists():
        raise InputError(f"{out} already has a trained {run.name}: choose another folder with --out, or remove it.")
    checkpoint = out / f"{run.name}.checkpoint"
    trainer = Trainer(run, train_data, test_data, device)
    if resume and checkpoint.exists():
        trainer.restore(checkpoint)
    while len(trainer.curve) < run.recipe.epochs:
        trainer.curve.append(trainer.train_epoch(on_batch))
        trainer.save(checkpoint)
        on_epoch(trainer.curve[-1])
    card = _write(trainer, train_data.classes, out)
    checkpoint.unlink(missing_ok=True)
    return card


def _write(trainer: Trainer, classes: tuple[str, ...], out: Path) -> Card:
    run, errors = trainer.run, trainer.evaluate()
    weights, partial = out / f"{run.name}.safetensors", out / f"{run.name}.partial"
    state = {key: value.cpu().contiguous() for key, value in trainer.network.state_dict().items()}
    save_file(state, partial)
    partial.chmod(0o644)
    os.replace(partial, weights)
    mean, std = trainer.statistics
    card = Card(
        name=run.name,
        network=asdict(run.spec),
        dataset=run.dataset,
        classes=list(classes),
        input_size=trainer.size,
        mean=mean,
        std=std,
        parameters=parameter_count(trainer.network),
        test_error=round(errors.top1, 2),
        test_top5_error=round(errors.top5, 2),
        train_error=trainer.curve[-1].train_error,
        epochs=len(trainer.curve),
        seed=run.seed,
        recipe=asdict(run.recipe),
        command=run.command,
        torch=torch.__version__,
        device=_device_name(trainer.device),
        sha256=sha256_of(weights),
        curve=trainer.curve,
    )
    card.write(out / f"{run.name}.json")
    return card


def _plain(run: Run) -> dict[str, Any]:
    return {
        "network": asdict(run.spec),
        "dataset": run.dataset,
        "recipe": asdict(run.recipe),
        "seed": run.seed,
    }


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type.upper()} ({torch.backends.cpu.get_cpu_capability()}, threads: {torch.get_num_threads()})"

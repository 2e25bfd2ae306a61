"""The results of training, epoch by epoch and at the end."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One point of the training curve. Errors in percent; the training error is measured on the augmented images while
    the network trains."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_error: float
    test_error: float
    seconds: float


@dataclass(frozen=True)
class TrainingCurve:
    """One complete training run of one network. Errors in percent, of the last epoch."""

    architecture: str
    depth: int
    connection: str
    test_error: float
    train_error: float
    epochs: tuple[Epoch, ...]


@dataclass(frozen=True)
class Outcome:
    """The test error, in percent, of a network that was trained, or else made from a trained one."""

    title: str
    test_error: float
    trained: bool


@dataclass(frozen=True)
class Lap:
    """The state of a race after `batches` batches per network and `seconds` in total.

    losses, errors   training loss and error of each network over the batches since the last lap; errors in percent
    """

    batches: int
    seconds: float
    losses: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True)
class Source:
    """Published reference errors on CIFAR-10, in percent by architecture, and how they were measured."""

    name: str
    note: str
    errors: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All runs of one network with one recipe. Errors in percent, of the last epoch; `_std` is None for one run."""

    name: str
    architecture: str
    dataset: str
    recipe: str
    epochs: int
    runs: int
    test_error: float
    test_std: float | None
    train_error: float
    train_std: float | None
    references: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

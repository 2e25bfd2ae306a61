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
    """The test error, in percent, of a network that was trained, or else made from a trained one; `kind` is "residual",
    "plain" or "gated"."""

    title: str
    kind: str
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
    """Published reference errors on CIFAR-10, in percent by architecture.

    name           the short one, for JSON and narrow tables
    author, year   of a repository without a paper: its owner, and the year of its results or of its licence
    link           its public page
    note           how the errors were measured
    """

    name: str
    author: str
    year: int
    link: str
    note: str
    errors: dict[str, float]

    @property
    def title(self) -> str:
        """As it is cited: He et al. 2016."""
        return f"{self.author} {self.year}"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """All runs of one network with one recipe. Errors in percent, of the last epoch; `_std` is None for one run.

    start   the trained network that they started from; empty for random weights
    """

    name: str
    architecture: str
    depth: int
    dataset: str
    recipe: str
    epochs: int
    runs: int
    test_error: float
    test_std: float | None
    train_error: float
    train_std: float | None
    references: dict[str, float]
    start: str = ""

    def told(self, plus_minus: str = "±") -> tuple[str, str]:
        """Test and training error as text: 9.06, or 9.06 ± 0.12 over several runs."""
        pairs = ((self.test_error, self.test_std), (self.train_error, self.train_std))
        test, train = (f"{x:.2f}" if std is None else f"{x:.2f} {plus_minus} {std:.2f}" for x, std in pairs)
        return test, train

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

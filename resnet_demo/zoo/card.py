"""The card beside a weights file: the network, its data set, the recipe and the results. Written by the trainer."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from resnet_demo.errors import InputError, quoted
from resnet_demo.files import replacing
from resnet_demo.json_files import read_json, to_record, told_as
from resnet_demo.networks import NetworkSpec
from resnet_demo.records import Epoch, TrainingCurve
from resnet_demo.zoo.preprocessing import Preprocessing

# Pixels of a side: far more than any network here is trained on, and far less than would exhaust a host's memory.
MAX_SIZE = 1024


@dataclass(frozen=True, kw_only=True)
class Card:
    """The description of one weights file. Errors are in percent, of the last epoch, never of the best.

    dataset              as in the second half of the entry's name; `dataset_title` is the form for display
    start, start_sha256   the trained network that the run started from and its weights file; empty for random weights
    resize, input_size   preprocessing of a test image, as in `Preprocessing`

    Raises `InputError` for impossible values.
    """

    name: str
    network: dict[str, Any]
    dataset: str
    dataset_title: str
    classes: list[str]
    resize: int
    input_size: int
    mean: list[float]
    std: list[float]
    parameters: int
    test_error: float
    test_top5_error: float
    train_error: float
    epochs: int
    seed: int
    recipe: dict[str, Any]
    command: str
    torch: str
    device: str
    sha256: str
    curve: list[Epoch]
    start: str = ""
    start_sha256: str = ""

    def __post_init__(self) -> None:
        channels, classes = self.spec.in_channels, self.spec.num_classes
        errors = [self.test_error, self.test_top5_error, self.train_error]
        errors += [error for epoch in self.curve for error in (epoch.train_error, epoch.test_error)]
        right = {
            "name": 0 < len(self.name) <= 255,
            "start": len(self.start) <= 255,
            "dataset_title": 0 < len(self.dataset_title) <= 100,
            "classes": len(self.classes) == classes,
            "input_size": 1 <= self.input_size <= MAX_SIZE,
            "resize": self.input_size <= self.resize <= 2 * MAX_SIZE,
            "mean": len(self.mean) == channels and channels in (1, 3) and all(0 <= value <= 1 for value in self.mean),
            "std": len(self.std) == channels and all(0 < value <= 1 for value in self.std),
            "parameters": self.parameters >= 1,
            "epochs": self.epochs >= 1,
            "seed": self.seed >= 0,
            "recipe": isinstance(self.recipe.get("name", ""), str),
        }
        for field, fits in right.items():
            if not fits:
                raise InputError(f"{field} cannot be {quoted(getattr(self, field))}.")
        if not all(0 <= error <= 100 for error in errors):
            raise InputError("errors are percentages, from 0 to 100.")

    @property
    def spec(self) -> NetworkSpec:
        """The spec of the network. Raises `InputError` when `network` does not describe one."""
        try:
            return to_record(NetworkSpec, self.network)
        except ValueError as error:
            raise InputError(f"network: {error}") from error

    @property
    def training_curve(self) -> TrainingCurve:
        """The curve. Its test errors were measured in the precision of the training, but for the last one, which is
        the card's own, in float32."""
        spec = self.spec
        errors = (self.test_error, self.train_error)
        curve = [*self.curve[:-1], *(replace(last, test_error=self.test_error) for last in self.curve[-1:])]
        return TrainingCurve(spec.name, spec.depth, spec.connection, *errors, tuple(curve))

    @property
    def preprocessing(self) -> Preprocessing:
        return Preprocessing(self.resize, self.input_size, tuple(self.mean), tuple(self.std))

    def require_name(self, name: str, path: Path) -> None:
        """Raises `InputError` when this card, read from `path`, is not for the network and data set in `name`."""
        if not self.name == name == f"{self.spec.name}.{self.dataset}":
            raise InputError(f"{path.name} describes another network than its name says: restore it or remove it.")

    def write(self, path: Path) -> None:
        """Write the card atomically, as a page may be reading it. Raises `InputError` when that is not possible."""
        with replacing(path) as file:
            file.write((json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> "Card":
        """The card at `path`. Raises `InputError` when the file is not a card."""
        with told_as(path, "a weights card"):
            values = read_json(path)
            if isinstance(values, dict):
                # Early cards have no such field; their networks were trained on images of one size.
                values.setdefault("resize", values.get("input_size"))
                values.setdefault("dataset_title", values.get("dataset"))
            return to_record(cls, values)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()

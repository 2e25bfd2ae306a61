"""The card beside a weights file: what was trained, on what, how, and what it reached. Written by the trainer."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from resnet_demo.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of the training curve. Errors in percent; the training error is of the augmented images, in passing."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_error: float
    test_error: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything that is claimed about one weights file. Errors are in percent, of the last epoch, never the best."""

    name: str
    network: dict[str, Any]
    dataset: str
    classes: list[str]
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

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Raises `InputError` when the file is not a card."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            known = {field.name for field in fields(cls)}
            curve = [Epoch(**epoch) for epoch in values.pop("curve")]
            return cls(curve=curve, **{key: value for key, value in values.items() if key in known})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{path.name} is not a weights card ({error}).") from error


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()

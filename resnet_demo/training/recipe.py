"""How a network is trained: every number in one frozen record, written to the card as it was used."""

import math
from dataclasses import dataclass

from resnet_demo.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """SGD with Nesterov momentum; the learning rate rises linearly, then falls to 0 along a cosine.

    The same recipe serves residual and plain networks, or their comparison would say nothing. It has a fifth of the
    paper's 64k iterations (section 4.2), so its learning rate and weight decay are larger.
    """

    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 0.2
    warmup_epochs: float = 2.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    pad: int = 4
    flip: bool = True
    precision: str = "bfloat16"
    compile: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise InputError("A recipe needs at least 1 epoch and batches of at least 2 images.")
        if self.precision not in ("bfloat16", "float32"):
            raise InputError(f"precision is {self.precision!r}; it can be bfloat16 (autocast) or float32.")

    def learning_rate_at(self, epoch: float) -> float:
        """`epoch` is fractional, from 0 at the first batch to `epochs` after the last."""
        warmup = min(self.warmup_epochs, self.epochs / 2)
        if epoch < warmup:
            return self.learning_rate * (epoch / warmup)
        progress = (epoch - warmup) / (self.epochs - warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))

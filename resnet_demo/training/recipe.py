"""Two training recipes, each a frozen record that can be checked against its source."""

import math
from dataclasses import dataclass

from resnet_demo.errors import InputError, quoted


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """SGD with momentum and weight decay on all parameters; the same for residual and plain networks.

    epochs, iterations   the run ends after whichever comes first; an iteration is one batch
    learning_rate        the highest learning rate
    drops                where the rate is divided by 10, as fractions of the run; if empty, it decays along a cosine
                         to 0
    warmup_epochs        epochs in which the rate rises linearly from 0
    warmup_rate          the other kind of warm-up, of section 4.2: this rate until the training error, over the last
                         `WINDOW` batches, is below `warmup_until` percent
    pad, flip            random crops of the image padded by `pad` zeros, mirrored with probability 1/2
    precision            "bfloat16" (autocast; never float16, in which plain-56 overflows), "float32", or "auto":
                         bfloat16 where the hardware computes in it
    """

    name: str
    epochs: int
    iterations: int | None = None
    batch_size: int = 128
    learning_rate: float = 0.1
    drops: tuple[float, ...] = ()
    warmup_epochs: float = 0.0
    warmup_rate: float | None = None
    warmup_until: float = 80.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    pad: int = 4
    flip: bool = True
    precision: str = "auto"
    compile: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise InputError("A recipe needs at least 1 epoch and batches of at least 2 images.")
        if self.precision not in ("auto", "bfloat16", "float32"):
            raise InputError(
                f"precision is {quoted(self.precision)}; it can be auto, bfloat16 or float32. Not float16: deep plain "
                "networks overflow it."
            )

    def steps(self, per_epoch: int) -> int:
        """Number of batches of the whole run, with `per_epoch` batches per epoch."""
        return min(self.epochs * per_epoch, self.iterations or self.epochs * per_epoch)

    def learning_rate_at(self, step: int, per_epoch: int) -> float:
        """The learning rate of batch number `step`, from 0; `warmup_rate` is handled by the trainer."""
        total = self.steps(per_epoch)
        warmup = min(self.warmup_epochs * per_epoch, total / 2)
        if step < warmup:
            return self.learning_rate * (step / warmup)
        if self.drops:
            return self.learning_rate * 0.1 ** sum(step >= drop * total for drop in self.drops)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


WINDOW = 100

# He et al. 2016, section 4.2, but that the last, incomplete batch of an epoch is dropped. 64k batches of 128 are 164
# passes over 50,000 images.
PAPER = Recipe(name="paper", epochs=165, iterations=64_000, drops=(32 / 64, 48 / 64), precision="float32")
# "So we use 0.01 to warm up the training until the training error is below 80% (about 400 iterations)", of ResNet-110.
PAPER_WARMUP_RATE, PAPER_WARMUP_DEPTH = 0.01, 110

# For machines without a GPU: a quarter of the paper's iterations, and stronger weight decay, as the run is shorter.
FAST = Recipe(name="fast", epochs=40, warmup_epochs=2.0, nesterov=True, weight_decay=5e-4)

RECIPES = {recipe.name: recipe for recipe in (PAPER, FAST)}

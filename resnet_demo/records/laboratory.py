"""The results of the experiments in the laboratory."""

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Any

from resnet_demo.errors import InputError
from resnet_demo.json_files import finite


@dataclass(frozen=True)
class LayerFlow:
    """The measurements of one convolution of the main path, or of fc.

    gradient_norm   L2 norm of d loss / d weight
    response_std    standard deviation over the batch of its output after normalization; None for fc
    dead_or_saturated   share of its units, 0 to 1: for relu, dead channels, which are 0 for every image at every
                    position; for tanh or sigmoid, values saturated at a bound. None where no nonlinearity follows
    gradient_std    after training, each image has a gradient of its own: `gradient_norm` is the mean of their norms,
                    and this is their standard deviation
    """

    layer: str
    stage: str
    gradient_norm: float
    response_std: float | None
    dead_or_saturated: float | None
    gradient_std: float | None = None


@dataclass(frozen=True)
class Flow:
    """The measurements of one network, layers in forward order: at initialization, with weights of that seed; or after
    training, without a seed."""

    network: str
    seed: int | None
    images: int
    loss: float
    layers: tuple[LayerFlow, ...]

    @property
    def ratio(self) -> float:
        """Gradient norm of the first convolution divided by that of the last: above 1, it grows towards the input."""
        first, last = self.layers[0].gradient_norm, self.layers[-2].gradient_norm
        return first / last if last else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        return finite(asdict(self) | {"ratio": self.ratio})


@dataclass(frozen=True)
class Stop:
    """networks   names, as `gradient_flow` takes them, of the networks that are measured side by side
    measure    the plotted quantity: "gradient_norm", "response_std" or "dead_or_saturated"
    text       the observation, hedged as the sources hedge it"""

    key: str
    title: str
    networks: tuple[str, ...]
    measure: str
    text: str


@dataclass(frozen=True)
class LesionStudy:
    """Test errors in percent on `images` images: of the whole network, and with each single block removed, by name.

    several          by how many blocks are removed at once: the test error of each random draw of that many blocks, on
                     `several_images` images (Veit et al. 2016, figure 5a). Empty if not measured

    Raises `InputError` for impossible values.
    """

    model: str
    sha256: str
    images: int
    test_error: float
    errors: dict[str, float]
    several: dict[str, list[float]] = field(default_factory=dict)
    several_images: int = 0

    def __post_init__(self) -> None:
        drawn = [error for draws in self.several.values() for error in draws]
        possible = all(0 <= error <= 100 for error in (self.test_error, *self.errors.values(), *drawn))
        if not possible or self.images < 1 or (drawn and self.several_images < 1):
            raise InputError("errors are percentages, from 0 to 100, of at least one image.")
        if not all(draws and count in map(str, range(1, len(self.errors))) for count, draws in self.several.items()):
            raise InputError("only some of the blocks can be removed at once, in at least one draw.")


# Far beyond what can be seen: at 1, each filter has as much noise added to it as it had weight.
MOST_REACH = 100


@dataclass(frozen=True)
class Landscape:
    """The loss of a trained network on a plane through its weights (Li et al. 2018): at w + a d1 + b d2, with d1 and d2
    two random directions, normalized filter by filter.

    images   how many training images the loss is the mean cross-entropy of
    seed     of the directions
    reach    a and b run from -reach to reach in `size` equal steps
    loss     a row for each a, a column for each b; rows are missing at the end until all are measured. Larger
             ones than `LARGEST_LOSS` are cut there
    error    top-1 errors in percent, as `loss`

    Raises `InputError` for impossible values.
    """

    model: str
    sha256: str
    images: int
    seed: int
    reach: float
    size: int
    loss: list[list[float]] = field(default_factory=list)
    error: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 3 or self.size % 2 == 0 or not 0 < self.reach <= MOST_REACH or self.images < 1:
            raise InputError(
                "a landscape needs images, an odd number of at least 3 points, and a reach above 0 and up to "
                f"{MOST_REACH}."
            )
        rows = [*self.loss, *self.error]
        if len(self.loss) != len(self.error) or len(self.loss) > self.size or any(len(r) != self.size for r in rows):
            raise InputError(f"a landscape has at most {self.size} rows of {self.size} losses and of as many errors.")
        if any(loss < 0 for row in self.loss for loss in row) or any(not 0 <= e <= 100 for r in self.error for e in r):
            raise InputError("losses are 0 or more, and errors are percentages.")

    @property
    def complete(self) -> bool:
        return len(self.loss) == self.size

    @property
    def highest(self) -> float:
        """The highest loss. Raises `ValueError` before any row is measured."""
        return max(map(max, self.loss))

    @property
    def axis(self) -> list[float]:
        """The values of a, which are those of b; the network itself is in the middle."""
        half = self.size // 2
        return [self.reach * (i - half) / half for i in range(self.size)]

    @property
    def centre(self) -> tuple[float, float]:
        """Loss and error of the network itself. Raises `IndexError` before its row is measured."""
        half = self.size // 2
        return self.loss[half][half], self.error[half][half]

    @property
    def half_right(self) -> float:
        """The share of the plane's points, 0 to 1, at which at most half of the images are misclassified."""
        errors = [error for row in self.error for error in row]
        return sum(error <= 50 for error in errors) / len(errors)

    @property
    def falls(self) -> tuple[int, int]:
        """How many steps lead down, and of how many, on the eight straight lines from the centre that follow the grid:
        none where the loss is convex and least in the centre, whichever way its valley runs."""
        half = self.size // 2
        ways = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
        lines = [[self.loss[half + k * a][half + k * b] for k in range(half + 1)] for a, b in ways]
        steps = [after < before for line in lines for before, after in pairwise(line)]
        return sum(steps), len(steps)


@dataclass(frozen=True)
class TrainedFlow:
    """Gradients and responses of a trained network in evaluation mode (He et al. 2016, figure 7); `loss` is the mean
    cross-entropy, in nats, of `images` test images, each of which has a gradient of its own; layers in forward order.

    Raises `InputError` for impossible values.
    """

    model: str
    sha256: str
    images: int
    loss: float
    layers: list[LayerFlow]

    def __post_init__(self) -> None:
        norms = [x or 0 for one in self.layers for x in (one.gradient_norm, one.gradient_std, one.response_std)]
        if not all(map(isfinite, [self.loss, *norms])):
            raise InputError("a loss, norm or deviation is not finite, so there is nothing to compare.")
        if self.images < 2 or len(self.layers) < 3 or any(norm < 0 for norm in norms):
            raise InputError("there are at least 2 images and 3 layers, with norms and deviations of 0 or more.")

    @property
    def flow(self) -> Flow:
        """The same measurements, as those at initialization have them."""
        return Flow(self.model, None, self.images, self.loss, tuple(self.layers))

"""The results of the experiments in the laboratory."""

from dataclasses import asdict, dataclass, field
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
    """

    layer: str
    stage: str
    gradient_norm: float
    response_std: float | None
    dead_or_saturated: float | None


@dataclass(frozen=True)
class Flow:
    """The measurements of one network at initialization; layers in forward order."""

    network: str
    seed: int
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

"""What the experiments of the laboratory give."""

from dataclasses import asdict, dataclass
from typing import Any

from resnet_demo.errors import InputError
from resnet_demo.json_files import finite


@dataclass(frozen=True)
class LayerFlow:
    """One convolution of the main path, or fc.

    gradient_norm   L2 norm of d loss / d weight
    response_std    standard deviation over the batch of its output after normalization; None for fc
    dead_or_saturated   share of its units, 0 to 1: of a relu, dead channels, which are 0 for every image at every
                    position; of a tanh or sigmoid, values saturated at a bound. None where no nonlinearity follows
    """

    layer: str
    stage: str
    gradient_norm: float
    response_std: float | None
    dead_or_saturated: float | None


@dataclass(frozen=True)
class Flow:
    """One network at initialization; layers in forward order."""

    network: str
    seed: int
    images: int
    loss: float
    layers: tuple[LayerFlow, ...]

    @property
    def ratio(self) -> float:
        """The first convolution's gradient norm over the last convolution's: above 1 it grows towards the input."""
        first, last = self.layers[0].gradient_norm, self.layers[-2].gradient_norm
        return first / last if last else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not finite becomes None."""
        return finite(asdict(self) | {"ratio": self.ratio})


@dataclass(frozen=True)
class Stop:
    """networks   to be measured side by side, as `gradient_flow` names them
    measure    what to plot: "gradient_norm", "response_std" or "dead_or_saturated"
    text       what can be seen, hedged as the sources hedge it"""

    key: str
    title: str
    networks: tuple[str, ...]
    measure: str
    text: str


@dataclass(frozen=True)
class LesionStudy:
    """Test errors in percent of `images` images: of the whole network, and with each block removed alone, by name.

    Raises `InputError` for values that cannot be.
    """

    model: str
    sha256: str
    images: int
    test_error: float
    errors: dict[str, float]

    def __post_init__(self) -> None:
        if self.images < 1 or not all(0 <= error <= 100 for error in (self.test_error, *self.errors.values())):
            raise InputError("errors are percentages, from 0 to 100, of at least one image.")

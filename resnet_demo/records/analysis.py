"""What an analysis gives: records of NumPy and Python values, and their form as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from resnet_demo.json_files import finite


@dataclass(frozen=True)
class Prediction:
    """One class and its softmax probability in [0, 1]."""

    index: int
    label: str
    probability: float


@dataclass(frozen=True)
class Target:
    """The explained class and its logit (the value before softmax)."""

    index: int
    label: str
    logit: float


@dataclass(frozen=True)
class Question:
    """What is asked about a photo.

    target      the class to explain, by index or label; the most probable one unless given
    layer       the block whose output Grad-CAM explains, e.g. "layer3.1", or a stage, "layer3", for its last block, or
                "stem"; the last block unless given
    precision   "float32", or the faster "bfloat16" or "tf32" (CUDA only)
    """

    target: int | str | None = None
    layer: str | None = None
    precision: str = "float32"


DEFAULT_QUESTION = Question()


@dataclass(frozen=True)
class LayerGradient:
    """One convolution, or fc.

    stage           "stem", "layer1" ... "layer4", or "fc"
    role            "main", or "projection" or "gate" beside the main path
    shape           of the weight: (out, in / groups, height, width), or (out, in)
    gradient_norm   L2 norm of d logit / d weight
    weight_norm     L2 norm of the weight itself
    response_std    standard deviation of the layer's output after normalization (He et al. 2016, figure 7);
                    None for fc
    multiply_adds   every weight is used once at each position of the layer's output (He et al. 2016, table 1: "FLOPs")
    """

    layer: str
    stage: str
    role: str
    shape: tuple[int, ...]
    gradient_norm: float
    weight_norm: float
    response_std: float | None
    multiply_adds: int

    @property
    def is_main(self) -> bool:
        return self.role == "main"


@dataclass(frozen=True)
class OutputGradient:
    """L2 norm of d logit / d A, where A (C, H, W) is the output of the stem or of a block."""

    layer: str
    shape: tuple[int, ...]
    gradient_norm: float


@dataclass(frozen=True)
class BranchRatio:
    """What a block adds to what its shortcut passes on (He et al. 2016b, eq. 4: x_L = x_l + sum of F).

    ratio   ||F(x)|| / ||S(x)||, L2 norms
    """

    layer: str
    ratio: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """What one network makes of one photo; NumPy and Python values only.

    predictions    most probable first; empty for an untrained network, whose outputs mean nothing
    layer, layers  the explained layer, and all that could be, in forward order
    cam            float32 (h, w) in [0, 1]: Grad-CAM divided by its maximum, at the resolution of the layer
    cam_max        that maximum; 0 when no position speaks for the class, and then `cam` is zero
    gradients      every convolution and fc, in forward order; outputs: the stem and every block
    branch_ratios  every block of a residual or pre-activation network; empty for plain and highway ones
    features       float32 (k, h, w): the outputs of the explained layer's channels with the largest mean, largest first
    channels       the numbers of these channels
    crop           left, top, right, bottom of what the network saw, in pixels of the photo
    seen           uint8 (size, size, 3), or (size, size) if grey: the picture it saw
    milliseconds   of each part, and their "total"; in a batch, what falls to one image. Decoding counts
                   only where a file was given
    """

    model: str
    device: str
    precision: str
    predictions: tuple[Prediction, ...]
    target: Target
    layer: str
    layers: tuple[str, ...]
    cam: np.ndarray
    cam_max: float
    gradients: tuple[LayerGradient, ...]
    outputs: tuple[OutputGradient, ...]
    branch_ratios: tuple[BranchRatio, ...]
    features: np.ndarray
    channels: tuple[int, ...]
    photo_size: tuple[int, int]
    crop: tuple[float, float, float, float]
    seen: np.ndarray
    milliseconds: dict[str, float]

    @property
    def multiply_adds(self) -> int:
        """Of the whole forward pass."""
        return sum(gradient.multiply_adds for gradient in self.gradients)

    @property
    def positive_evidence(self) -> bool:
        """Whether any position of the layer speaks for the class at all."""
        return self.cam_max > 0

    def to_dict(self, image: str = "") -> dict[str, Any]:
        """Plain values for JSON, as the command line and the endpoints give them. A number that is not finite (a
        deep network without normalization can overflow) becomes None."""
        cam = {
            "shape": list(self.cam.shape),
            "max": self.cam_max,
            "positive_evidence": self.positive_evidence,
            "values": self.cam.round(4).tolist(),
        }
        values = {
            "image": image,
            "model": self.model,
            "device": self.device,
            "precision": self.precision,
            "predictions": [asdict(prediction) for prediction in self.predictions],
            "target": asdict(self.target),
            "layer": self.layer,
            "cam": cam,
            "gradients": [asdict(gradient) for gradient in self.gradients],
            "outputs": [asdict(output) for output in self.outputs],
            "branch_ratios": [asdict(ratio) for ratio in self.branch_ratios],
            "channels": list(self.channels),
            "photo_size": list(self.photo_size),
            "crop": list(self.crop),
            "milliseconds": self.milliseconds,
        }
        return finite(values)


@dataclass(frozen=True, eq=False)
class ClassMap:
    """cam   float32 (h, w) in [0, 1], divided by its own maximum `cam_max`; zero if nothing speaks for the class."""

    prediction: Prediction
    cam: np.ndarray
    cam_max: float


@dataclass(frozen=True, eq=False)
class Attribution:
    """heat   float32 (size, size) in [0, 1], one value a pixel of what the network saw, divided by its maximum: what
    speaks for the class, summed over the colour channels (of saliency: how much it matters, either way)"""

    method: str
    target: int
    heat: np.ndarray
    heat_max: float


@dataclass(frozen=True)
class Comparison:
    """Two analyses of one photo, of the same class where both know it.

    same_class   whether both explain the class of the same name
    """

    first: Analysis
    second: Analysis
    same_class: bool

    def to_dict(self, image: str = "") -> dict[str, Any]:
        """Plain values for JSON."""
        analyses = (self.first.to_dict(image), self.second.to_dict(image))
        return {"first": analyses[0], "second": analyses[1], "same_class": self.same_class}


@dataclass(frozen=True)
class PrecisionError:
    """Largest differences between two analyses of one photo.

    probability     of a class that both name among the most probable ones, 0 to 1; 0 for an untrained network
    gradient_norm   of a layer, relative to the exact one
    """

    probability: float
    gradient_norm: float

    def __str__(self) -> str:
        return (
            f"probabilities differ from float32 by up to {100 * self.probability:.2g} points, gradient norms by up to "
            f"{100 * self.gradient_norm:.2g} %"
        )


def relative_depths(analysis: Analysis) -> list[float]:
    """Where each layer of `analysis.gradients` is on the way from the input, 0, to the output, 1."""
    last = len(analysis.gradients) - 1
    return [i / last for i in range(last + 1)]

"""The results of an analysis: records of NumPy and Python values, and their form as JSON."""

from collections.abc import Sequence
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
    """The explained class, its logit (the value before softmax), and its probability in [0, 1]."""

    index: int
    label: str
    logit: float
    probability: float


@dataclass(frozen=True)
class Question:
    """The options of an analysis.

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
    """The measurements of one convolution, or of fc.

    stage           "stem", "layer1" ... "layer4", or "fc"
    role            "main" on the main path, or "projection" or "gate"
    shape           shape of the weight: (out, in / groups, height, width), or (out, in)
    gradient_norm   L2 norm of d logit / d weight
    weight_norm     L2 norm of the weight itself
    response_std    standard deviation of the layer's output after normalization (He et al. 2016, figure 7);
                    None for fc
    multiply_adds   each weight counts once per position of the layer's output (He et al. 2016, table 1: "FLOPs")
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
    """The size of a block's F(x) relative to its shortcut's S(x) (He et al. 2016b, eq. 4: x_L = x_l + sum of F).

    ratio   ||F(x)|| / ||S(x)||, L2 norms
    """

    layer: str
    ratio: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """The analysis of one photo by one network; NumPy and Python values only.

    predictions    most probable first; empty for an untrained network, whose outputs have no meaning
    layer, layers  the explained layer, and all layers that can be explained, in forward order
    cam            float32 (h, w) in [0, 1]: Grad-CAM divided by its maximum, at the resolution of the layer
    cam_max        that maximum; 0 when no position is evidence for the class, and then `cam` is zero
    gradients      every convolution and fc, in forward order; outputs: the stem and every block
    branch_ratios  every block of a residual or pre-activation network; empty for plain and highway networks
    features       float32 (k, h, w): the outputs of the explained layer's channels with the largest mean, largest first
    channels       the indices of these channels
    crop           left, top, right, bottom of the network's crop, in pixels of the photo
    seen           uint8 (size, size, 3), or (size, size) if grey: the crop, before it is standardized
    milliseconds   of each part, and their "total"; in a batch, the share of one image. Includes decoding only if a
                   file was given
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
        """Multiply-adds of the whole forward pass."""
        return sum(gradient.multiply_adds for gradient in self.gradients)

    @property
    def positive_evidence(self) -> bool:
        """Whether any position of the layer is evidence for the class."""
        return self.cam_max > 0

    def to_dict(self, image: str = "") -> dict[str, Any]:
        """Plain values for JSON, as returned by the command line and the endpoints. Numbers that are not finite (a
        deep network without normalization can overflow) become None."""
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
    """cam   float32 (h, w) in [0, 1], divided by its own maximum `cam_max`; zero without evidence for the class."""

    prediction: Prediction
    cam: np.ndarray
    cam_max: float


@dataclass(frozen=True, eq=False)
class Attribution:
    """heat   float32 (size, size) in [0, 1], one value per pixel of the crop, divided by its maximum: the evidence for
    the class, summed over the colour channels (for saliency: the absolute sensitivity, for or against)"""

    method: str
    target: int
    heat: np.ndarray
    heat_max: float


@dataclass(frozen=True)
class Comparison:
    """Analyses of one photo by two networks, for the same class if both have it.

    same_class   whether both explain a class of the same name
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

    probability     of a class that is among the most probable ones of both, 0 to 1; 0 for an untrained network
    gradient_norm   of a layer, relative to the exact value
    """

    probability: float
    gradient_norm: float

    def __str__(self) -> str:
        return (
            f"probabilities differ from float32 by up to {100 * self.probability:.2g} points, gradient norms by up to "
            f"{100 * self.gradient_norm:.2g} %"
        )


def relative_depths(layers: Sequence[object]) -> list[float]:
    """The depth of each of `layers` in forward order, from 0 at the input to 1 at the output; 0 for a single one."""
    return [i / max(len(layers) - 1, 1) for i in range(len(layers))]

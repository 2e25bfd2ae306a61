"""What an analysis gives: records of NumPy and Python values, and their form as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from resnet_demo.measuring import finite


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
class LayerGradient:
    """One convolution, or fc.

    stage           "stem", "layer1" ... "layer4", or "fc"
    shape           of the weight: (out, in / groups, height, width), or (out, in)
    gradient_norm   L2 norm of d logit / d weight
    weight_norm     L2 norm of the weight itself
    response_std    standard deviation of the layer's output after normalization (He et al. 2016, figure 7);
                    None for fc
    multiply_adds   every weight is used once at each position of the layer's output (He et al. 2016, table 1: "FLOPs")
    """

    layer: str
    stage: str
    shape: tuple[int, ...]
    gradient_norm: float
    weight_norm: float
    response_std: float | None
    multiply_adds: int


@dataclass(frozen=True)
class OutputGradient:
    """L2 norm of d logit / d A, where A (C, H, W) is the output of the stem or of a block."""

    layer: str
    shape: tuple[int, ...]
    gradient_norm: float


@dataclass(frozen=True)
class BlockShare:
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
    shares         every block of a residual or pre-activation network; empty for plain and highway ones
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
    shares: tuple[BlockShare, ...]
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
            "shares": [asdict(share) for share in self.shares],
            "channels": list(self.channels),
            "photo_size": list(self.photo_size),
            "crop": list(self.crop),
            "milliseconds": self.milliseconds,
        }
        return finite(values)

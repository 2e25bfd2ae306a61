"""One forward pass and one gradient computation, from a photo to everything the page shows about it.

Nothing is left behind: no hook, no `.grad`, no changed mode or flag, no drawn random number. That holds with frozen
parameters, under a caller's `no_grad` or `inference_mode`, after an exception, and on many threads with one model.
"""

import difflib
import math
import re
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from resnet_demo.errors import InputError
from resnet_demo.images import ImageSource, load_image
from resnet_demo.measuring import exact_float32, finite, norms, stage_of, view_of
from resnet_demo.networks import Trace
from resnet_demo.zoo import Model, load_model

SHOWN_CHANNELS = 16


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
    milliseconds   of each part, and their "total"
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


def analyze(
    image: ImageSource,
    model: str | Model,
    target: int | str | None = None,
    layer: str | None = None,
    top_k: int = 5,
) -> Analysis:
    """Predictions, Grad-CAM and the gradient norm of every layer, from one forward and one gradient computation.

    image    a path, the bytes of a file, a PIL image, or a uint8 array (H, W[, 3 or 4])
    model    a catalogue name such as "resnet20.cifar10", or a loaded `Model` (faster for many images)
    target   the class to explain, by index or label; the most probable one unless given
    layer    the block whose output Grad-CAM explains, e.g. "layer3.1", or a stage, "layer3", for its last block, or
             "stem"; the last block unless given

    Raises `InputError` for an image, model, target or layer that does not exist. Grad-CAM is Selvaraju et al. 2017,
    eq. 1 and 2: relu(sum_k alpha_k A_k), alpha_k the mean over space of d logit / d A_k.
    """
    started = time.perf_counter()
    model = model if isinstance(model, Model) else load_model(model)
    photo = load_image(image)
    square = model.preprocessing.square(photo)
    if target is not None:
        target = find_class(target, model.labels)
    x = model.preprocessing.tensor(square).to(model.device)
    prepared = time.perf_counter()

    with torch.inference_mode(False), torch.enable_grad(), exact_float32(model.device):
        network = view_of(model.network)
        weights = network.weights()
        trace: Trace = network.trace(x.clone())
        name = find_layer(layer, tuple(trace.outputs))
        logits = trace.logits[0].detach().cpu()
        index = int(logits.argmax()) if target is None else target
        forwarded = time.perf_counter()
        wanted = [*weights.values(), *trace.outputs.values()]
        gradients = torch.autograd.grad(trace.logits[0, index], wanted)
        cam = grad_cam(trace.outputs[name], gradients[len(weights) + list(trace.outputs).index(name)])
        layers = _layer_gradients(weights, gradients, trace.responses)
        outputs = _output_gradients(trace.outputs, gradients[len(weights) :])
        shares = _shares(trace)
        channels, features = _features(trace.outputs[name])
    finished = time.perf_counter()

    scaled_cam, cam_max = scaled(cam)
    return Analysis(
        model=model.name,
        device=str(model.device),
        precision="float32",
        predictions=ranked(logits, model.labels, top_k) if model.trained else (),
        target=Target(index, model.labels[index], float(logits[index])),
        layer=name,
        layers=tuple(trace.outputs),
        cam=scaled_cam,
        cam_max=cam_max,
        gradients=layers,
        outputs=outputs,
        shares=shares,
        features=_frozen(features),
        channels=channels,
        photo_size=photo.size,
        crop=model.preprocessing.box(*photo.size),
        seen=_frozen(np.array(square)),
        milliseconds=_milliseconds(started, prepare=prepared, forward=forwarded, backward=finished),
    )


def find_class(target: int | str, labels: tuple[str, ...]) -> int:
    """The index of a class given by index or label. Labels may differ from each other by case only, so an exact match
    goes first; `InputError` lists the candidates when there is more than one, or the closest when there is none."""
    if isinstance(target, str) and not re.fullmatch(r"\s*-?[0-9]{1,9}\s*", target):
        exact = [i for i, label in enumerate(labels) if label == target]
        found = exact or [i for i, label in enumerate(labels) if label.lower() == target.strip().lower()]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{target!r} names the classes {', '.join(map(str, found))}: give the index.")
        close = difflib.get_close_matches(target, labels, n=3)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise InputError(f"No class is called {target!r}.{hint} Give a label or an index below {len(labels)}.")
    index = int(target)
    if not 0 <= index < len(labels):
        raise InputError(f"Class {index} does not exist: give a label or an index from 0 to {len(labels) - 1}.")
    return index


def find_layer(layer: str | None, layers: tuple[str, ...]) -> str:
    """The traced layer called `layer`; a stage means its last block, None the last block of all."""
    if not layer:
        return layers[-1]
    stage = [name for name in layers if name == layer or name.startswith(f"{layer}.")]
    if not stage:
        raise InputError(f"There is no layer {layer!r} to explain: choose one of {', '.join(layers)}.")
    return stage[-1]


def grad_cam(activation: Tensor, gradient: Tensor) -> np.ndarray:
    """relu(sum_k alpha_k A_k) for A (1, K, h, w): (h, w), not yet scaled."""
    alpha = gradient.mean(dim=(2, 3), keepdim=True)
    return (alpha * activation.detach()).sum(dim=1)[0].relu().float().cpu().numpy()


def scaled(heat: np.ndarray) -> tuple[np.ndarray, float]:
    """A heatmap in [0, 1], read-only, and the maximum it was divided by: 0, and no heat, where none is positive or
    one is not finite."""
    highest = max(float(heat.max()), 0.0) if np.isfinite(heat).all() else 0.0
    return _frozen(heat / highest if highest > 0 else np.zeros_like(heat)), highest


def _layer_gradients(
    weights: dict[str, nn.Parameter], gradients: tuple[Tensor, ...], responses: dict[str, Tensor]
) -> tuple[LayerGradient, ...]:
    gradient_norms = norms(gradients[: len(weights)])
    weight_norms = norms(tuple(weights.values()))
    deviations = torch.stack([r.detach().std(correction=0) for r in responses.values()]).tolist()
    response_std = dict(zip(responses, deviations, strict=True))
    positions = {name: response.shape[2:].numel() for name, response in responses.items()}
    return tuple(
        LayerGradient(
            layer=name,
            stage=stage_of(name),
            shape=tuple(weight.shape),
            gradient_norm=gradient_norm,
            weight_norm=weight_norm,
            response_std=response_std.get(name),
            multiply_adds=weight.numel() * positions.get(name, 1),
        )
        for (name, weight), gradient_norm, weight_norm in zip(
            weights.items(), gradient_norms, weight_norms, strict=True
        )
    )


def _output_gradients(outputs: dict[str, Tensor], gradients: tuple[Tensor, ...]) -> tuple[OutputGradient, ...]:
    gradient_norms = norms(gradients)
    return tuple(
        OutputGradient(name, tuple(output.shape[1:]), norm)
        for (name, output), norm in zip(outputs.items(), gradient_norms, strict=True)
    )


def _shares(trace: Trace) -> tuple[BlockShare, ...]:
    """F(x) is the response of a block's last convolution, wherever it is simply added to a shortcut."""
    last = {name.rpartition(".")[0]: name for name in trace.responses if re.search(r"\.conv\d$", name)}
    gated = any(name.endswith(".gate") for name in trace.responses)
    if gated or not trace.shortcuts:
        return ()
    added = norms([trace.responses[last[block]] for block in trace.shortcuts])
    passed = norms(list(trace.shortcuts.values()))
    return tuple(
        BlockShare(block, one / other if other else math.inf)
        for block, one, other in zip(trace.shortcuts, added, passed, strict=True)
    )


def _features(output: Tensor) -> tuple[tuple[int, ...], np.ndarray]:
    """The numbers and the maps of the channels with the largest mean."""
    maps = output.detach()[0]
    strongest = maps.mean((1, 2)).topk(min(SHOWN_CHANNELS, len(maps))).indices
    return tuple(strongest.tolist()), maps[strongest].float().cpu().numpy()


def ranked(logits: Tensor, labels: tuple[str, ...], top_k: int) -> tuple[Prediction, ...]:
    probabilities, indices = logits.softmax(0).topk(min(top_k, len(labels)))
    return tuple(
        Prediction(index, labels[index], probability)
        for index, probability in zip(indices.tolist(), probabilities.tolist(), strict=True)
    )


def _milliseconds(started: float, **ends: float) -> dict[str, float]:
    """Named parts that follow each other, and their total."""
    parts, previous = {}, started
    for name, end in ends.items():
        parts[name] = round((end - previous) * 1000, 2)
        previous = end
    return parts | {"total": round((previous - started) * 1000, 2)}


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array

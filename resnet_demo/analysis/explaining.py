"""One forward pass and one gradient computation, from a photo to everything that the page shows about it.

An analysis has no side effects: no hook, no `.grad`, no changed mode or flag, no drawn random number. That holds with
frozen parameters, under a caller's `no_grad` or `inference_mode`, after an exception, and for threads that share a
model.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from resnet_demo.analysis.finding import find_class, find_layer
from resnet_demo.analysis.preparing import prepare
from resnet_demo.analysis.weight_gradients import weight_gradient_norms
from resnet_demo.errors import InputError
from resnet_demo.images import ImageSource
from resnet_demo.networks import Trace, TraceableNetwork
from resnet_demo.networks.norms import deviations_by_image, norms_by_image
from resnet_demo.networks.precision import computing_in, exact_float32
from resnet_demo.networks.views import in_faster_layout, mixes_images, view_of
from resnet_demo.records import (
    DEFAULT_QUESTION,
    Analysis,
    BranchRatio,
    LayerGradient,
    OutputGradient,
    Prediction,
    Question,
    Target,
)
from resnet_demo.zoo import Model, load_model

SHOWN_CHANNELS = 16


def analyze(
    image: ImageSource,
    model: str | Model,
    target: int | str | None = None,
    layer: str | None = None,
    top_k: int = 5,
    precision: str = "float32",
) -> Analysis:
    """Predictions, Grad-CAM and the gradient norm of every layer, from one forward and one gradient computation.

    image      a path, the bytes of a file, a PIL image, or a uint8 array (H, W[, 3 or 4])
    model      a catalogue name such as "resnet20.cifar10", or a loaded `Model` (faster for many images)
    target     the class to explain, by index or label; the most probable one unless given
    layer      the block whose output Grad-CAM explains, e.g. "layer3.1", or a stage, "layer3", for its last block, or
               "stem"; the last block unless given
    precision  "float32", or the faster "bfloat16" or "tf32" (CUDA only), whose error `precision_error` measures

    Raises `InputError` for an invalid image or an unknown model, target, layer or precision. Grad-CAM is Selvaraju et
    al. 2017, eq. 1 and 2: relu(sum_k alpha_k A_k), alpha_k the mean over space of d logit / d A_k.
    """
    return analyze_batch([image], model, Question(target, layer, precision), top_k)[0]


def analyze_batch(
    images: Sequence[ImageSource], model: str | Model, question: Question = DEFAULT_QUESTION, top_k: int = 5
) -> list[Analysis]:
    """As `analyze`, for several images at once: still one forward and one gradient computation.

    A network that normalizes by the statistics of its current input, as untrained ones do, would mix the images and
    gets them one at a time. Raises `InputError`.
    """
    model = model if isinstance(model, Model) else load_model(model)
    if len(images) > 1 and mixes_images(model.network):
        return [analyze_batch([image], model, question, top_k)[0] for image in images]
    if not images:
        return []
    clock = _Clock(len(images))
    prepared = [prepare(image, model) for image in images]
    index = None if question.target is None else find_class(question.target, model.labels)
    x = torch.cat([one.x for one in prepared])
    clock.end("prepare")
    logits, indices, names, name, measured = _passes(model, x, index, question, clock)
    return [
        Analysis(
            model=model.name,
            device=str(model.device),
            precision=question.precision,
            predictions=ranked(logits[i], model.labels, top_k) if model.trained else (),
            target=Target(index, model.labels[index], float(logits[i, index]), float(logits[i].softmax(0)[index])),
            layer=name,
            layers=names,
            photo_size=one.photo.size,
            crop=model.preprocessing.box(*one.photo.size),
            seen=_frozen(np.array(one.crop)),
            milliseconds=clock.milliseconds,
            **measured[i],
        )
        for i, (index, one) in enumerate(zip(indices, prepared, strict=True))
    ]


def _passes(
    model: Model, x: Tensor, target: int | None, question: Question, clock: "_Clock"
) -> tuple[Tensor, list[int], tuple[str, ...], str, list[dict[str, Any]]]:
    """The logits, the explained classes, all layers, the explained layer, and the measurements of `_measure`."""
    with torch.inference_mode(False), torch.enable_grad(), computing_in(question.precision, model.device):
        network = view_of(model.network)
        # The input requires a gradient, so the graph contains every layer even if all weights are frozen. Gradients of
        # weights are not requested and therefore not computed.
        trace: Trace = network.trace(in_faster_layout(x).requires_grad_())
        name = find_layer(question.layer, tuple(trace.outputs))
        logits = trace.logits.detach().float().cpu()
        require_labels(model.labels, logits.shape[1])
        indices = logits.argmax(1).tolist() if target is None else [target] * len(x)
        clock.end("forward")
        explained = trace.logits[torch.arange(len(x)), indices].sum()
        passed = [trace.layer_outputs[layer.name] for layer in network.layers()]
        gradients = torch.autograd.grad(explained, [*passed, *trace.outputs.values()])
    with torch.inference_mode(False), torch.no_grad(), exact_float32(model.device):
        measured = _measure(model, network, trace, name, gradients[: len(passed)], gradients[len(passed) :])
    clock.end("backward")
    return logits, indices, tuple(trace.outputs), name, measured


def grad_cam(activations: Tensor, gradients: Tensor) -> np.ndarray:
    """relu(sum_k alpha_k A_k) for A (N, K, h, w): (N, h, w), not yet to_unit_range."""
    alpha = gradients.float().mean(dim=(2, 3), keepdim=True)
    return (alpha * activations.detach().float()).sum(dim=1).relu().cpu().numpy()


def to_unit_range(heat: np.ndarray) -> tuple[np.ndarray, float]:
    """A heatmap in [0, 1], read-only, and the maximum it was divided by. Both are 0 if no value is positive or one is
    not finite."""
    highest = max(float(heat.max()), 0.0) if np.isfinite(heat).all() else 0.0
    return _frozen(heat / highest if highest > 0 else np.zeros_like(heat)), highest


def _measure(
    model: Model,
    network: TraceableNetwork,
    trace: Trace,
    name: str,
    of_layers: Sequence[Tensor],
    of_outputs: Sequence[Tensor],
) -> list[dict[str, Any]]:
    """The fields of an `Analysis` other than the predictions, for each image of the batch.

    of_layers, of_outputs   the gradients of the output of each layer, and of each of `trace.outputs`
    """
    layers = _layer_gradients(model, network, trace, of_layers)
    output_norms = norms_by_image(of_outputs)
    ratios = _branch_ratios(trace)
    activation = trace.outputs[name]
    cams = grad_cam(activation, of_outputs[list(trace.outputs).index(name)])
    found = []
    for i, raw in enumerate(cams):
        cam, cam_max = to_unit_range(raw)
        channels, features = _features(activation[i])
        outputs = tuple(
            OutputGradient(output, tuple(tensor.shape[1:]), norm)
            for (output, tensor), norm in zip(trace.outputs.items(), output_norms[i], strict=True)
        )
        values = {
            "cam": cam,
            "cam_max": cam_max,
            "gradients": layers[i],
            "outputs": outputs,
            "branch_ratios": ratios[i],
        }
        found.append(values | {"features": _frozen(features), "channels": channels})
    return found


def _layer_gradients(
    model: Model, network: TraceableNetwork, trace: Trace, gradients: Sequence[Tensor]
) -> list[tuple[LayerGradient, ...]]:
    layers = network.layers()
    inputs = [trace.layer_inputs[layer.name].float() for layer in layers]
    modules = [layer.module for layer in layers]
    gradient_norms = weight_gradient_norms(modules, inputs, [gradient.float() for gradient in gradients])
    responses = list(trace.responses.values())
    deviations = deviations_by_image(responses) if responses else [[]] * len(trace.logits)
    weight_norms = model.weight_norms
    found = []
    for norms, image in zip(gradient_norms, deviations, strict=True):
        response_std = dict(zip(trace.responses, image, strict=True))
        found.append(
            tuple(
                LayerGradient(
                    layer=layer.name,
                    stage=layer.stage,
                    role=layer.role,
                    shape=tuple(layer.module.weight.shape),
                    gradient_norm=norm,
                    weight_norm=weight_norms[layer.name],
                    response_std=response_std.get(layer.name),
                    multiply_adds=layer.module.weight.numel() * trace.layer_outputs[layer.name].shape[2:].numel(),
                )
                for layer, norm in zip(layers, norms, strict=True)
            )
        )
    return found


def _branch_ratios(trace: Trace) -> list[tuple[BranchRatio, ...]]:
    if not trace.branches:
        return [()] * len(trace.logits)
    branches, shortcuts = (norms_by_image(tensors) for tensors in zip(*trace.branches.values(), strict=True))
    return [
        tuple(
            BranchRatio(block, branch / shortcut if shortcut else math.inf)
            for block, branch, shortcut in zip(trace.branches, *norms, strict=True)
        )
        for norms in zip(branches, shortcuts, strict=True)
    ]


def _features(output: Tensor) -> tuple[tuple[int, ...], np.ndarray]:
    """The indices and the maps of the channels of A (K, h, w) with the largest mean."""
    maps = output.detach().float()
    strongest = maps.mean((1, 2)).topk(min(SHOWN_CHANNELS, len(maps))).indices
    return tuple(strongest.tolist()), maps[strongest].cpu().numpy()


def require_labels(labels: tuple[str, ...], outputs: int) -> None:
    """Raises `InputError` unless there is a label for each output of the network."""
    if len(labels) != outputs:
        raise InputError(f"The model has {len(labels)} labels for {outputs} outputs: give as many.")


def ranked(logits: Tensor, labels: tuple[str, ...], top_k: int) -> tuple[Prediction, ...]:
    """The `top_k` most probable classes, or all if there are fewer, for logits (classes,)."""
    require_labels(labels, len(logits))
    if top_k < 1:
        raise InputError(f"top_k is {top_k}: ask for at least one class.")
    probabilities, indices = logits.softmax(0).topk(min(top_k, len(labels)))
    return tuple(
        Prediction(index, labels[index], probability)
        for index, probability in zip(indices.tolist(), probabilities.tolist(), strict=True)
    )


class _Clock:
    """Milliseconds of consecutive named parts, and their total; per image if there are several."""

    def __init__(self, images: int) -> None:
        self.images, self.last = images, time.perf_counter()
        self.parts: dict[str, float] = {}

    def end(self, part: str) -> None:
        now = time.perf_counter()
        self.parts[part] = round((now - self.last) * 1000 / self.images, 2)
        self.last = now

    @property
    def milliseconds(self) -> dict[str, float]:
        return self.parts | {"total": round(sum(self.parts.values()), 2)}


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array

"""Attribution of a class to single pixels by Captum's methods; Grad-CAM has the resolution of a layer's cells."""

import math
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from resnet_demo.analysis.explaining import to_unit_range
from resnet_demo.analysis.finding import find_class, find_layer
from resnet_demo.analysis.preparing import prepare
from resnet_demo.errors import InputError, quoted
from resnet_demo.images import ImageSource
from resnet_demo.networks import TraceableNetwork
from resnet_demo.networks.precision import exact_float32
from resnet_demo.networks.views import copy_of, mixes_images
from resnet_demo.records import Analysis, Attribution
from resnet_demo.zoo import Model, load_model

STEPS = 32
# The occlusion window covers a quarter of each side and moves by half its size.
WINDOW, STRIDE = 1 / 4, 1 / 8
# Pixels of all images in one pass: eight CIFAR images, or one ImageNet image, whose gradients take half a gigabyte in a
# deep network.
MOST_IMAGES, MOST_PIXELS = 8, 1 << 16


@dataclass(frozen=True)
class Method:
    """`title` for display; the numbers of `forwards` and `backwards` passes for one image."""

    title: str
    forwards: int
    backwards: int

    def seconds(self, analysis: Analysis) -> float:
        """Estimated duration from the forward pass of an analysis; a backward pass costs about two."""
        return analysis.milliseconds["forward"] / 1000 * (self.forwards + 2 * self.backwards)


def _windows() -> int:
    return (math.ceil((1 - WINDOW) / STRIDE) + 1) ** 2 + 1


METHODS = {
    "saliency": Method("Saliency (Simonyan et al. 2014)", 1, 1),
    "guided_gradcam": Method("Guided Grad-CAM (Selvaraju et al. 2017)", 2, 2),
    "integrated_gradients": Method("Integrated gradients (Sundararajan et al. 2017)", STEPS, STEPS),
    "occlusion": Method("Occlusion (Zeiler and Fergus 2014)", _windows(), 0),
}


class StoppedError(Exception):
    """The caller's `proceed` returned False."""


def attribute(
    image: ImageSource,
    model: str | Model,
    method: str,
    target: int | str | None = None,
    layer: str | None = None,
    proceed: Callable[[float], bool] = lambda share: True,
) -> Attribution:
    """Attribute the target class of one photo to its pixels by one of `METHODS`.

    target    as in `analyze`
    layer     of Guided Grad-CAM: a block or a stage, as in `analyze`; not the stem, which is no module
    proceed   called with the fraction done, 0 to 1, before each pass; if it returns False, raises `StoppedError`

    Raises `InputError` for an invalid image or an unknown model, method, target or layer.
    """
    if method not in METHODS:
        raise InputError(f"There is no method {quoted(method)}: choose one of {', '.join(METHODS)}.")
    model = model if isinstance(model, Model) else load_model(model)
    index = None if target is None else find_class(target, model.labels)
    x = prepare(image, model).x
    with torch.inference_mode(False), torch.enable_grad(), exact_float32(model.device):
        x = x.clone()  # It may have been created in a caller's inference mode.
        # Captum registers hooks on the network: a copy that shares the weights keeps them from affecting other threads.
        network = copy_of(model.network)
        if index is None:
            with torch.no_grad():
                index = int(network(x).argmax())
        counted = _Counted(network, METHODS[method].forwards, proceed)
        values = _COMPUTE[method](counted, x, index, layer)
    heat = values.sum(1)[0].detach().relu().float().cpu().numpy()
    return Attribution(method, index, *to_unit_range(heat))


def attribute_in_background(
    image: ImageSource,
    model: str | Model,
    method: str,
    target: int | str | None = None,
    layer: str | None = None,
    every: float = 0.25,
) -> Generator[float | Attribution, None, None]:
    """As `attribute`, in a thread: yields the fraction done, 0 to 1, at intervals, and at the end the attribution.

    Closing the generator stops the work before its next pass.
    """
    stop, share, result = threading.Event(), 0.0, Future[Attribution]()

    def proceed(done: float) -> bool:
        nonlocal share
        share = done
        return not stop.is_set()

    def work() -> None:
        try:
            result.set_result(attribute(image, model, method, target, layer, proceed))
        except BaseException as error:
            result.set_exception(error)

    # A daemon, so that a process that exits does not wait for it.
    threading.Thread(target=work, daemon=True).start()
    try:
        while not wait([result], every).done:
            yield share
        yield result.result()
    finally:
        stop.set()


class _Counted(nn.Module):
    """A wrapper around the network that reports how many images have passed through it."""

    network: TraceableNetwork

    def __init__(self, network: TraceableNetwork, total: int, proceed: Callable[[float], bool]) -> None:
        super().__init__()
        self.network, self.total, self.proceed, self.done = network, total, proceed, 0

    def forward(self, x: Tensor) -> Tensor:
        if not self.proceed(min(1.0, self.done / self.total)):
            raise StoppedError
        self.done += len(x)
        return self.network(x)


def _saliency(network: _Counted, x: Tensor, target: int, layer: str | None) -> Tensor:
    from captum.attr import Saliency

    return Saliency(network).attribute(x.requires_grad_(), target=target)


def _integrated_gradients(network: _Counted, x: Tensor, target: int, layer: str | None) -> Tensor:
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(network)
    return method.attribute(x, baselines=0, target=target, n_steps=STEPS, internal_batch_size=_at_once(network, x))


def _guided_gradcam(network: _Counted, x: Tensor, target: int, layer: str | None) -> Tensor:
    from captum.attr import GuidedGradCam

    blocks = dict(network.network.named_blocks())
    block = cast(nn.Module, blocks[find_layer(layer, tuple(blocks))])  # Required by `TraceableBlock`.
    return GuidedGradCam(network, block).attribute(x.requires_grad_(), target=target)


def _at_once(network: _Counted, x: Tensor) -> int:
    if mixes_images(network.network):
        return 1
    return max(1, min(MOST_IMAGES, MOST_PIXELS // x[0, 0].numel()))


def _occlusion(network: _Counted, x: Tensor, target: int, layer: str | None) -> Tensor:
    from captum.attr import Occlusion

    size = x.shape[-1]
    window, stride = (max(1, round(size * share)) for share in (WINDOW, STRIDE))
    shape, strides = (x.shape[1], window, window), (x.shape[1], stride, stride)
    return Occlusion(network).attribute(
        x, shape, strides, baselines=0, target=target, perturbations_per_eval=_at_once(network, x)
    )


_COMPUTE = {
    "saliency": _saliency,
    "guided_gradcam": _guided_gradcam,
    "integrated_gradients": _integrated_gradients,
    "occlusion": _occlusion,
}

"""Gradients and responses of a trained network over many test images (He et al. 2016, section 4.2 and figure 7)."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.analysis.weight_gradients import weight_gradient_norms
from resnet_demo.networks import TraceableNetwork
from resnet_demo.networks.precision import exact_float32
from resnet_demo.networks.views import in_faster_layout, view_of
from resnet_demo.records import LayerFlow

BATCH_SIZE = 50


def trained_layers(
    network: TraceableNetwork,
    images: Tensor,
    labels: Tensor,
    on_images: Callable[[int], None] = lambda images: None,
) -> tuple[float, list[LayerFlow]]:
    """The mean cross-entropy of the images, and the measurements of every convolution of the main path and fc.

    images   standardized float32 (N, C, H, W) on the network's device, with labels int64 (N,)

    In evaluation mode and float32; the network is left as it is.
    """
    network = view_of(network)
    main = [layer for layer in network.layers() if layer.is_main]
    # Units of other activations are never dead; whether they saturate is not measured here.
    rectified = any(isinstance(module, nn.ReLU) for module in network.modules())
    loss, norms, responses, highest = 0.0, [], {layer.name: _Spread() for layer in main}, {}
    for x, y in zip(images.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True):
        with torch.inference_mode(False), torch.enable_grad(), exact_float32(x.device):
            trace = network.trace(in_faster_layout(x).requires_grad_())
            # The sum's gradient with respect to an image's own tensors is the gradient of that image's loss.
            batch_loss = F.cross_entropy(trace.logits, y.clone(), reduction="sum")
            gradients = torch.autograd.grad(batch_loss, [trace.layer_outputs[layer.name] for layer in main])
        with torch.no_grad(), exact_float32(x.device):
            inputs = [trace.layer_inputs[layer.name] for layer in main]
            norms += weight_gradient_norms([layer.module for layer in main], inputs, gradients)
        loss += batch_loss.item()
        for name, response in trace.responses.items():
            if name in responses:
                responses[name].add(response)
        for name, activation in trace.activations.items() if rectified else ():
            most = activation.detach().abs().amax((0, 2, 3))
            highest[name] = torch.maximum(most, highest.get(name, most))
        on_images(len(norms))
    found = np.array(norms)
    layers = [
        LayerFlow(
            layer=layer.name,
            stage=layer.stage,
            gradient_norm=float(mean),
            response_std=responses[layer.name].deviation,
            dead_or_saturated=_dead(highest.get(layer.name)),
            gradient_std=float(std),
        )
        for layer, mean, std in zip(main, found.mean(0), found.std(0), strict=True)
    ]
    return loss / len(labels), layers


def _dead(highest: Tensor | None) -> float | None:
    """The share of channels whose highest value is 0."""
    return None if highest is None else (highest == 0).float().mean().item()


class _Spread:
    """The standard deviation of values that come in batches; None before the first."""

    def __init__(self) -> None:
        self.count, self.sum, self.squares = 0, 0.0, 0.0

    def add(self, values: Tensor) -> None:
        values = values.detach().cpu().double()
        self.count += values.numel()
        self.sum += values.sum().item()
        self.squares += values.square().sum().item()

    @property
    def deviation(self) -> float | None:
        if not self.count:
            return None
        return float(np.sqrt(max(self.squares / self.count - (self.sum / self.count) ** 2, 0.0)))

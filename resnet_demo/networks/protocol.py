"""The interface of networks that can be analyzed, explained and lesioned; user-defined networks can implement it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol, cast

from torch import Tensor, nn

from resnet_demo.errors import InputError
from resnet_demo.networks.blocks import Layer
from resnet_demo.networks.network import Trace


class TraceableBlock(Protocol):
    """A block, `(N, C, H, W) -> (N, K, h, w)`: an `nn.Module` that can also be bypassed."""

    def __call__(self, x: Tensor) -> Tensor: ...

    def bypass(self, x: Tensor) -> Tensor:
        """The block's output (N, K, h, w) for F(x) = 0, computed from its shortcut alone."""
        ...


class TraceableNetwork(Protocol):
    """An `nn.Module`, `(N, C, H, W) -> (N, classes)`: a stem, blocks one after the other, and a head.

    A block's output has the block's name, and the input of the first block is called "stem". The computation uses no
    hooks and no in-place operations, so that the traced tensors are never overwritten. Guided Grad-CAM needs the
    nonlinearities to be `nn.ReLU` modules, each used once.
    """

    # Provided by `nn.Module`.
    training: bool

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]: ...

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]: ...

    def modules(self) -> Iterator[nn.Module]: ...

    def train(self, mode: bool = True) -> Any: ...

    def eval(self) -> Any: ...

    # To be implemented.

    def __call__(self, x: Tensor) -> Tensor:
        """The logits (N, classes) of standardized images (N, C, H, W)."""
        ...

    def layers(self) -> Sequence[Layer]:
        """Every layer whose weight is measured, in forward order: linear ones, and convolutions with zero padding given
        as numbers."""
        ...

    def named_blocks(self) -> Iterable[tuple[str, TraceableBlock]]:
        """The blocks by name, e.g. "layer1.0", in forward order."""
        ...

    def trace(self, x: Tensor) -> Trace:
        """One forward pass with its intermediate tensors: `layer_inputs` and `layer_outputs` of each of `layers()`, and
        `outputs` (N, K, h, w) of "stem" and of each block in forward order. The other fields are optional; what is left
        out is not shown."""
        ...

    def begin(self, x: Tensor, upto: str) -> Tensor:
        """The output (N, K, h, w) of the block called `upto`, or of "stem", for images (N, C, H, W)."""
        ...

    def finish(self, x: Tensor, after: str) -> Tensor:
        """The logits (N, classes) from the output (N, K, h, w) of the block called `after`, or of "stem"."""
        ...

    def lesioned(self, x: Tensor, removed: Collection[str]) -> Tensor:
        """The logits (N, classes) of images (N, C, H, W) with each of the blocks called `removed` bypassed."""
        ...


def require_traceable(network: Any) -> None:
    """Raises `InputError` that names the members of `TraceableNetwork` which a network lacks, or a layer that cannot be
    measured."""
    if not isinstance(network, nn.Module):
        raise InputError(f"A network is an nn.Module, not a {type(network).__name__}.")
    kind = type(network).__name__
    lacking = list(_lacking(network, TraceableNetwork))
    if lacking:
        raise InputError(f"{kind} lacks {', '.join(lacking)}: implement all members of TraceableNetwork.")
    blocks = list(cast(TraceableNetwork, network).named_blocks())
    for name, block in blocks:
        if not isinstance(block, nn.Module) or list(_lacking(block, TraceableBlock)):
            raise InputError(f"Block {name} of {kind} must be an nn.Module with a bypass, as in TraceableBlock.")
    layers = cast(TraceableNetwork, network).layers()
    if not blocks or not layers:
        raise InputError(f"{kind} has no blocks or no layers: there is nothing to explain.")
    for layer in layers:
        if not _is_measurable(layer.module):
            raise InputError(
                f"Layer {layer.name} of {kind} cannot be measured: it must be an nn.Linear, or an nn.Conv2d with zero "
                "padding given as numbers."
            )


def _is_measurable(layer: nn.Module) -> bool:
    """Whether `weight_gradient_norms` has a formula for its weight."""
    if isinstance(layer, nn.Conv2d):
        return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return isinstance(layer, nn.Linear)


def _lacking(thing: Any, protocol: type) -> Iterator[str]:
    methods = (name for name in vars(protocol) if not name.startswith("_"))
    return (name for name in methods if not callable(getattr(thing, name, None)))

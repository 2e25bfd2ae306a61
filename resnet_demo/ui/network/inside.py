"""What a block does, operation by operation, read from the block itself."""

from dataclasses import dataclass
from functools import lru_cache

from torch import nn

from resnet_demo.networks import NetworkSpec, empty_network
from resnet_demo.networks.blocks import Block, Projection, Unit, ZeroPadShortcut

ACTIVATIONS = {nn.ReLU: "ReLU", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}
GATED = "T · F + (1 - T) · S"


@dataclass(frozen=True)
class Inside:
    """The operations of a block, each in the order in which it does them.

    main       those of F(x)
    shortcut   those of S(x): none for the identity; None in a plain block, which has no shortcut
    title      of the shortcut
    gate       those of T(x) in a highway block
    joint      how F(x) and S(x) meet; empty in a plain block
    after      what follows there
    """

    main: tuple[str, ...]
    shortcut: tuple[str, ...] | None
    title: str
    gate: tuple[str, ...]
    joint: str
    after: tuple[str, ...]


@lru_cache(maxsize=256)  # Bounded, as visitors choose the names.
def insides(spec: NetworkSpec) -> dict[str, Inside]:
    """The inside of every block by its name, in forward order. Raises `InputError`."""
    return {name: _inside(block) for name, block in empty_network(spec).named_blocks()}


def _inside(block: Block) -> Inside:
    first = block.connection == "preactivation"
    main = [step for unit in block.units for step in _steps(unit, first)]
    # The last nonlinearity of a residual block comes after the addition.
    after = (main.pop(),) if block.connection == "residual" else ()
    shortcut, title = _shortcut(block.downsample)
    gate = (_conv(block.gate), "sigmoid") if block.gate is not None else ()
    joint = GATED if gate else "+" if shortcut is not None else ""
    return Inside(tuple(main), shortcut, title, gate, joint, after)


def _steps(unit: Unit, preactivated: bool) -> list[str]:
    conv, act = _conv(unit.conv), next(name for kind, name in ACTIVATIONS.items() if isinstance(unit.act, kind))
    norm = [] if isinstance(unit.norm, nn.Identity) else ["batch norm"]
    return [*norm, act, conv] if preactivated else [conv, *norm, act]


def _shortcut(path: nn.Module | None) -> tuple[tuple[str, ...] | None, str]:
    if path is None:
        return None, ""
    if isinstance(path, Projection):
        norm = () if isinstance(path.norm, nn.Identity) else ("batch norm",)
        return (_conv(path.conv), *norm), "projection"
    if isinstance(path, ZeroPadShortcut):
        strided = (f"every {path.stride}nd pixel",) if path.stride > 1 else ()
        return (*strided, f"+{path.new_channels} zero channels"), "zero padding"
    return (), "identity"


def _conv(conv: nn.Conv2d) -> str:
    """As in the paper's figure 3, "3x3 conv, 128, /2"."""
    groups = f", {conv.groups} groups" if conv.groups > 1 else ""
    stride = f", /{conv.stride[0]}" if conv.stride[0] > 1 else ""
    return f"{conv.kernel_size[0]}x{conv.kernel_size[1]} conv, {conv.out_channels}{groups}{stride}"

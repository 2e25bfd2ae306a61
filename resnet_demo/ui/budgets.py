"""What one request may ask of this machine: every network that a visitor names passes here first."""

from collections.abc import Sequence

from resnet_demo.errors import InputError, quoted
from resnet_demo.memory import return_freed_memory
from resnet_demo.networks import NetworkSpec, parse_name
from resnet_demo.networks.architecture import describe
from resnet_demo.records import Analysis
from resnet_demo.zoo import Entry

MOST_FLOWS, DEEPEST_FLOW, DEEPEST_DRAWING = 6, 110, 200
# Layers of all networks whose gradient flow one request asks for; each takes 20 to 25 ms of a core. Fewer for a
# program, which gets one answer, than for a visitor, who sees one curve after the other and can leave.
LAYERS_AT_ONCE, LAYERS_IN_TURN = 120, 340
# Multiply-adds and layers that one request may ask of a CPU in all: a forward and a backward pass take 0.1 s of a core
# for 10^9, and 1.2 ms for a layer.
MOST_MULTIPLY_ADDS, MOST_LAYERS = 24_000_000_000, 1_250
# A pass of more multiply-adds than this leaves so much memory behind that it should go back to the system.
LARGE = 4_000_000_000


def require_affordable(device: str, *entries: Entry) -> None:
    """Raises `InputError` when these networks, each passed through once, take longer than a visitor of a CPU may ask
    for. A single one does only if it was trained
    here: for all others the catalogue has bounds."""
    work = sum(describe(entry.spec, entry.preprocessing.crop_size).multiply_adds for entry in entries)
    layers = sum(entry.spec.depth for entry in entries)
    if device == "cpu" and (work > MOST_MULTIPLY_ADDS or layers > MOST_LAYERS):
        named = " and ".join(dict.fromkeys(entry.name for entry in entries))
        raise InputError(f"{named} would take too long: choose smaller networks, a single one, or float32.")


def return_memory(*analyses: Analysis) -> None:
    """Give back to the system what the passes of a large network have left."""
    if max(analysis.multiply_adds for analysis in analyses) > LARGE:
        return_freed_memory()


def drawable(name: str) -> NetworkSpec:
    """The network of that name, if it fits into a drawing. Raises `InputError`."""
    spec = parse_name(name)
    if spec.depth > DEEPEST_DRAWING:
        raise InputError(f"{quoted(name)} is too large to draw: at most {DEEPEST_DRAWING} layers.")
    return spec


def measurable(names: Sequence[str], most_layers: int) -> list[NetworkSpec]:
    """The networks of these names, if their gradient flow can be measured here; `most_layers` of all of them together.
    Raises `InputError`."""
    specs = [parse_name(name, num_classes=10) for name in names]
    for name, spec in zip(names, specs, strict=True):
        if spec.depth > DEEPEST_FLOW or spec.family != "cifar":
            raise InputError(
                f"{quoted(name)} is too large for this page: choose a CIFAR network of at most {DEEPEST_FLOW} layers."
            )
    layers = sum(spec.depth for spec in set(specs))
    if layers > most_layers:
        raise InputError(f"These networks have {layers} layers in total: ask for at most {most_layers} at a time.")
    return specs

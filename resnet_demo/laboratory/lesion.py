"""Networks with some blocks removed (Veit, Wilber, Belongie 2016): for one photo, and for a whole test set.

The F(x) of a removed block is 0, and so is the gate of a highway block. A residual block then still has its shortcut; a
plain block is replaced by the option-A identity of the same shape.
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from resnet_demo.analysis.explaining import ranked
from resnet_demo.analysis.preparing import prepare
from resnet_demo.errors import InputError, quoted
from resnet_demo.images import ImageSource
from resnet_demo.networks import TraceableNetwork
from resnet_demo.networks.precision import exact_float32
from resnet_demo.networks.views import view_of
from resnet_demo.records import Prediction
from resnet_demo.zoo import Model, load_model

# Random sets of blocks for each number of them, and about how many numbers.
DRAWS, COUNTS = 5, 9


@torch.inference_mode()
def predict_lesioned(
    image: ImageSource, model: str | Model, removed: Collection[str], top_k: int = 5
) -> tuple[Prediction, ...]:
    """The most probable classes of a photo with the blocks `removed`. Raises `InputError`."""
    model = model if isinstance(model, Model) else load_model(model)
    check_blocks(removed, tuple(name for name, _ in model.network.named_blocks()))
    x = prepare(image, model).x
    with exact_float32(model.device):
        logits = view_of(model.network).lesioned(x, frozenset(removed))[0].cpu()
    return ranked(logits, model.labels, top_k)


def check_blocks(names: Collection[str], blocks: tuple[str, ...]) -> None:
    """Raises `InputError` that names the first unknown block."""
    for name in names:
        if name not in blocks:
            raise InputError(f"There is no block {quoted(name)} to remove: choose among {', '.join(blocks)}.")


@torch.inference_mode()
def lesion_errors(
    network: TraceableNetwork,
    batches: Iterable[tuple[Tensor, Tensor]],
    on_images: Callable[[int], None] = lambda images: None,
) -> tuple[int, dict[str, int], int]:
    """The number of errors of the whole network, the number without each block, and the number of images.

    batches   standardized float32 (N, C, H, W) and labels int64 (N,) on the network's device

    Computed in evaluation mode and float32; the network's own mode is kept. The layers before a removed block are
    computed once for all blocks, which halves the work compared with one full pass per block.
    """
    network = view_of(network)
    wrong, total = dict.fromkeys(["", *(name for name, _ in network.named_blocks())], 0), 0
    for x, labels in batches:
        with exact_float32(x.device):
            for name, logits in _lesioned_logits(network, x):
                wrong[name] += int((logits.argmax(1) != labels).sum())
        total += len(labels)
        on_images(total)
    return wrong.pop(""), wrong, total


def draw_blocks(blocks: Sequence[str], seed: int = 0) -> dict[int, list[tuple[str, ...]]]:
    """`DRAWS` random sets of blocks for each of about `COUNTS` numbers of them; the same for networks whose blocks have
    the same names, so that twins lose the same ones."""
    generator = random.Random(seed)  # noqa: S311 - draws, not secrets
    counts = range(2, len(blocks), max(1, len(blocks) // COUNTS))
    return {count: [tuple(generator.sample(blocks, count)) for _ in range(DRAWS)] for count in counts}


@torch.inference_mode()
def several_errors(
    network: TraceableNetwork,
    batches: Iterable[tuple[Tensor, Tensor]],
    on_draws: Callable[[int], None] = lambda draws: None,
) -> tuple[dict[int, list[int]], int]:
    """The number of errors without each set of `draw_blocks`, by how many blocks it has, and the number of images.

    batches   as in `lesion_errors`
    """
    network, batches = view_of(network), list(batches)
    wrong: dict[int, list[int]] = {}
    for count, draws in draw_blocks([name for name, _ in network.named_blocks()]).items():
        for removed in map(frozenset, draws):
            with exact_float32(batches[0][0].device):
                errors = (int((network.lesioned(x, removed).argmax(1) != labels).sum()) for x, labels in batches)
                wrong.setdefault(count, []).append(sum(errors))
            on_draws(sum(map(len, wrong.values())))
    return wrong, sum(len(labels) for _, labels in batches)


def _lesioned_logits(network: TraceableNetwork, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The logits of the whole network, as "", and without each block, by its name."""
    trace = network.trace(x)
    yield "", trace.logits
    before = trace.outputs["stem"]
    for name, block in network.named_blocks():
        yield name, network.finish(block.bypass(before), after=name)
        before = trace.outputs[name]

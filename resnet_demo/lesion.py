"""Networks without some of their blocks (Veit, Wilber, Belongie 2016): for one photo, and for a whole test set.

A removed block's F(x) is 0. A residual network then still has its shortcut there; a plain one gets the identity of
option A that the block could have been.
"""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from resnet_demo.analysis import ranked
from resnet_demo.errors import InputError
from resnet_demo.images import ImageSource, load_image
from resnet_demo.measuring import exact_float32
from resnet_demo.records import Prediction
from resnet_demo.zoo import WEIGHTS, Model, load_model

# One file a network, below the cards: what `python -m resnet_demo lesion` measured.
STUDIES = WEIGHTS / "lesions"


@dataclass(frozen=True)
class LesionStudy:
    """Test errors in percent of `images` images: of the whole network, and with each block removed alone, by name."""

    model: str
    sha256: str
    images: int
    test_error: float
    errors: dict[str, float]

    def write(self, folder: Path = STUDIES) -> Path:
        """As `folder`/MODEL.lesion.json."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.model}.lesion.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path


def read_study(model: str, sha256: str, folder: Path | None = None) -> LesionStudy | None:
    """The stored study of the weights with this hash, if there is one."""
    path = (folder or STUDIES) / f"{model}.lesion.json"
    if not path.exists():
        return None
    study = LesionStudy(**json.loads(path.read_text(encoding="utf-8")))
    return study if study.sha256 == sha256 else None


@torch.inference_mode()
def predict_lesioned(
    image: ImageSource, model: str | Model, removed: Collection[str], top_k: int = 5
) -> tuple[Prediction, ...]:
    """The most probable classes of a photo without the `removed` blocks. Raises `InputError`."""
    model = model if isinstance(model, Model) else load_model(model)
    check_blocks(removed, tuple(name for name, _ in model.network.named_blocks()))
    square = model.preprocessing.square(load_image(image))
    x = model.preprocessing.tensor(square).to(model.device)
    with exact_float32(model.device):
        logits = model.network.lesioned(x, frozenset(removed))[0].cpu()
    return ranked(logits, model.labels, top_k)


def check_blocks(names: Collection[str], blocks: tuple[str, ...]) -> None:
    """Raises `InputError` that names the first block which does not exist."""
    for name in names:
        if name not in blocks:
            raise InputError(f"There is no block {name!r} to remove: choose among {', '.join(blocks)}.")


@torch.inference_mode()
def lesion_errors(
    network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], report: Callable[[int], None] = lambda images: None
) -> tuple[int, dict[str, int], int]:
    """Wrong images of the whole network, wrong images without each block, and all images.

    batches   standardized float32 (N, C, H, W) and labels int64 (N,) on the network's device

    What comes before a removed block is computed once for all of them: half of the work of one pass for each.
    """
    names = [name for name, _ in network.named_blocks()]
    wrong, total = dict.fromkeys(["", *names], 0), 0
    network.eval()
    for x, labels in batches:
        trace = network.trace(x)
        wrong[""] += _wrong(trace.logits, labels)
        before = trace.outputs["stem"]
        for name, block in network.named_blocks():
            logits = network.finish(block.bypass(before), after=name)
            wrong[name] += _wrong(logits, labels)
            before = trace.outputs[name]
        total += len(labels)
        report(total)
    return wrong.pop(""), wrong, total


def _wrong(logits: Tensor, labels: Tensor) -> int:
    return int((logits.argmax(1) != labels).sum())

"""What can be picked. An entry is named `architecture.weights`, as timm names them: resnet20.cifar10."""

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from resnet_demo.errors import QUOTED, InputError, quoted, report
from resnet_demo.networks import NetworkSpec, empty_network, parameter_count, parse_name
from resnet_demo.networks.architecture import describe
from resnet_demo.zoo import torchvision_weights
from resnet_demo.zoo.card import Card
from resnet_demo.zoo.datasets import DATASETS
from resnet_demo.zoo.preprocessing import Preprocessing

# Beside app.py in a clone, inside the package when it was installed from a wheel.
_CLONE = Path(__file__).parents[2]
WEIGHTS = (_CLONE if (_CLONE / "app.py").exists() else Path(__file__).parents[1]) / "weights"

UNTRAINED = "untrained"
# A page's visitor can ask for any architecture by name. A little more than ResNeXt-101 32x8d, the largest with trained
# weights, has and takes; and no network is counted whose convolutions are wider than this at 64 planes.
MAX_PARAMETERS, MAX_MULTIPLY_ADDS, MAX_WIDTH = 90_000_000, 17_000_000_000, 4096
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LADDER = tuple(f"{prefix}{depth}" for depth in (20, 32, 44, 56, 110) for prefix in ("resnet", "plain"))
OURS = {"cifar10": LADDER, "fashion_mnist": ("resnet20", "plain20")}
# Any architecture can be had untrained; these are the ones that are offered.
OFFERED_UNTRAINED = (
    *LADDER,
    *(f"{prefix}{depth}" for prefix in ("highway", "preresnet") for depth in (20, 56, 110)),
    *(f"{prefix}{depth}" for depth in (18, 34, 50, 101, 152) for prefix in ("resnet", "plain")),
    "resnext50_32x4d",
)


@dataclass(frozen=True)
class Entry:
    """One thing to pick: an architecture and where its weights come from.

    tag    "cifar10", "fashion_mnist": trained by this project; "tv_in1k", "tv2_in1k": torchvision's ImageNet
           weights; "untrained": seeded random weights, for gradients only
    """

    architecture: str
    tag: str

    @property
    def name(self) -> str:
        return f"{self.architecture}.{self.tag}"

    @property
    def trained(self) -> bool:
        return self.tag != UNTRAINED

    @property
    def from_torchvision(self) -> bool:
        return self.tag in torchvision_weights.TAGS

    @cached_property
    def spec(self) -> NetworkSpec:
        dataset = DATASETS.get(self.tag)
        if dataset is None:
            return parse_name(self.architecture)
        return parse_name(self.architecture, in_channels=len(dataset.mean), num_classes=len(dataset.labels))

    @cached_property
    def parameters(self) -> int:
        return _parameters(self.spec)

    @property
    def card(self) -> Card | None:
        """The card of weights trained by this project, if this copy has them; one that cannot be read is none."""
        return self._card if isinstance(self._card, Card) else None

    @property
    def problem(self) -> str:
        """What is wrong with the card, in a sentence; empty if nothing is."""
        return str(self._card) if isinstance(self._card, InputError) else ""

    @cached_property
    def _card(self) -> Card | InputError | None:
        path = WEIGHTS / f"{self.name}.json"
        if self.tag not in DATASETS or not os.path.lexists(path):  # A link that leads nowhere is a damaged card.
            return None
        try:
            card = Card.read(path)
            self.require_own(card, path)
        except InputError as error:
            report(str(error), path)  # One bad file does not stop the rest.
            return error
        return card

    def require_own(self, card: Card, path: Path) -> None:
        """Raises `InputError` when the card at `path` is of another network or data set."""
        if (card.name, card.dataset, card.spec) != (self.name, self.tag, self.spec):
            raise InputError(f"{path.name} describes another network than its name says: restore it or remove it.")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """One name a class. The outputs of an untrained network mean nothing, so they are only numbered."""
        if self.from_torchvision:
            return torchvision_weights.labels(self.architecture, self.tag)
        if self.card:
            return tuple(self.card.classes)
        if self.tag in DATASETS:
            return DATASETS[self.tag].labels
        return tuple(f"output {i}" for i in range(self.spec.num_classes))

    @cached_property
    def preprocessing(self) -> Preprocessing:
        if self.from_torchvision:
            return torchvision_weights.preprocessing(self.architecture, self.tag)
        if self.card:
            return self.card.preprocessing
        if self.spec.family == "imagenet":
            return Preprocessing(256, 224, IMAGENET_MEAN, IMAGENET_STD)
        dataset = DATASETS.get(self.tag, DATASETS["cifar10"])
        return Preprocessing(dataset.size, dataset.size, dataset.mean, dataset.std)

    @cached_property
    def test_error(self) -> float | None:
        """Measured top-1 error in percent: of the card, or as torchvision publishes it; None if untrained."""
        if self.from_torchvision:
            return torchvision_weights.test_error(self.architecture, self.tag)
        return self.card.test_error if self.card else None


def list_models() -> tuple[Entry, ...]:
    """Everything in the catalogue, trained first. Any other architecture can be had as NAME.untrained."""
    return tuple(_entries())


def find_entry(name: str) -> Entry:
    """The entry called `name`; a bare architecture means its first entry in the catalogue, e.g. "resnet20".

    Raises `InputError` that names the closest entry when there is none.
    """
    entries = list_models()
    for entry in entries:
        if name in (entry.name, entry.architecture):
            return entry
    architecture, _, tag = name.rpartition(".")
    if tag == UNTRAINED:
        return _untrained(parse_name(architecture))
    close = difflib.get_close_matches(name[:QUOTED], [entry.name for entry in entries], n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    raise InputError(f"There is no model {quoted(name)}.{hint} `python -m resnet_demo models` lists them all.")


def _untrained(spec: NetworkSpec) -> Entry:
    """Raises `InputError` for a network that would take too long or too much memory."""
    entry = Entry(spec.name, UNTRAINED)
    if spec.family == "cifar":  # The deepest one has 20 million parameters.
        return entry
    if spec.cardinality * spec.base_width <= MAX_WIDTH:
        table = describe(spec, entry.preprocessing.crop_size)
        if table.parameters <= MAX_PARAMETERS and table.multiply_adds <= MAX_MULTIPLY_ADDS:
            return entry
    raise InputError(
        f"{spec.name} is too large: at most {MAX_PARAMETERS // 10**6} million parameters "
        f"and {MAX_MULTIPLY_ADDS // 10**9} billion multiply-adds an image, as resnext101_32x8d has them."
    )


@cache
def _parameters(spec: NetworkSpec) -> int:
    return parameter_count(empty_network(spec))


def _entries() -> Iterator[Entry]:
    for tag, architectures in (*OURS.items(), *torchvision_weights.ARCHITECTURES.items()):
        for architecture in architectures:
            yield Entry(architecture, tag)
    for architecture in OFFERED_UNTRAINED:
        yield Entry(architecture, UNTRAINED)

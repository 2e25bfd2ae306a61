"""One entry of the catalogue: an architecture and the source of its weights."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from resnet_demo.errors import InputError, report
from resnet_demo.networks import Network, NetworkSpec, empty_network, parameter_count, parse_name
from resnet_demo.zoo import torchvision_weights
from resnet_demo.zoo.card import Card
from resnet_demo.zoo.preprocessing import CIFAR10, IMAGENET, Preprocessing

UNTRAINED = "untrained"


@dataclass(frozen=True)
class Entry:
    """tag    the data set of weights with a card: "cifar10"; "tv_in1k", "tv2_in1k": torchvision's ImageNet weights;
           "untrained": seeded random weights, for gradients only
    path   of the card, if there is one; the card is read on first access to a property that needs it

    If the card is damaged, `problem` describes it, and the properties that need the card raise it as `InputError`.
    """

    architecture: str
    tag: str
    path: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.architecture}.{self.tag}"

    @property
    def origin(self) -> "Entry":
        """The entry that the weights belong to: this one, or the one that its network is rewritten from."""
        return self

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the weights file, from the card; empty if there is none."""
        return self.origin.card.sha256 if self.origin.card else ""

    def network(self, trained: Network) -> Network:
        """The network of this entry, given that of `origin` with its weights."""
        return trained

    @property
    def trained(self) -> bool:
        return self.tag != UNTRAINED

    @property
    def from_torchvision(self) -> bool:
        return self.tag in torchvision_weights.TAGS

    @property
    def card(self) -> Card | None:
        """The card; None if there is none or it cannot be read."""
        return self._card if isinstance(self._card, Card) else None

    @property
    def problem(self) -> str:
        """A sentence that says what is wrong with the card; empty if nothing is."""
        return str(self._card) if isinstance(self._card, InputError) else ""

    @cached_property
    def _card(self) -> Card | InputError | None:
        if self.path is None:
            return None
        try:
            card = Card.read(self.path)
            card.require_name(self.name, self.path)
        except InputError as error:
            report(str(error), self.path)  # One bad card does not affect the other entries.
            return error
        return card

    def require_card(self) -> Card:
        """The card. Raises `InputError` when there is none or it cannot be read."""
        if self.card is None:
            raise InputError(self.problem or f"{self.name} has no card.")
        return self.card

    @cached_property
    def spec(self) -> NetworkSpec:
        return self.require_card().spec if self.path else parse_name(self.architecture)

    @cached_property
    def parameters(self) -> int:
        return _parameters(self.spec)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """One name per class. The outputs of an untrained network have no meaning, so they are only numbered."""
        if self.from_torchvision:
            return torchvision_weights.labels(self.architecture, self.tag)
        if self.path:
            return tuple(self.require_card().classes)
        return tuple(f"output {i}" for i in range(self.spec.num_classes))

    @cached_property
    def preprocessing(self) -> Preprocessing:
        if self.from_torchvision:
            return torchvision_weights.preprocessing(self.architecture, self.tag)
        if self.path:
            return self.require_card().preprocessing
        return IMAGENET if self.spec.family == "imagenet" else CIFAR10

    @cached_property
    def dataset_title(self) -> str:
        """Name of the data set for display; empty if untrained."""
        if self.from_torchvision:
            return "ImageNet"
        return self.require_card().dataset_title if self.path else ""

    @cached_property
    def test_error(self) -> float | None:
        """Measured top-1 error in percent: from the card, or as published by torchvision; None if untrained."""
        if self.from_torchvision:
            return torchvision_weights.test_error(self.architecture, self.tag)
        return self.card.test_error if self.card else None


@cache
def _parameters(spec: NetworkSpec) -> int:
    return parameter_count(empty_network(spec))

"""One thing to pick: a network by its architecture, and where its weights come from."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from resnet_demo.errors import InputError, report
from resnet_demo.networks import NetworkSpec, empty_network, parameter_count, parse_name
from resnet_demo.zoo import torchvision_weights
from resnet_demo.zoo.card import Card
from resnet_demo.zoo.preprocessing import CIFAR10, IMAGENET, Preprocessing

UNTRAINED = "untrained"


@dataclass(frozen=True)
class Entry:
    """tag    the data set of weights with a card: "cifar10"; "tv_in1k", "tv2_in1k": torchvision's ImageNet weights;
           "untrained": seeded random weights, for gradients only
    path   of the card, where there is one; it is read when something is asked that only the card knows

    Of a damaged card, `problem` says what is wrong with it; what it should have told raises that as `InputError`.
    """

    architecture: str
    tag: str
    path: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.architecture}.{self.tag}"

    @property
    def trained(self) -> bool:
        return self.tag != UNTRAINED

    @property
    def from_torchvision(self) -> bool:
        return self.tag in torchvision_weights.TAGS

    @property
    def card(self) -> Card | None:
        """None where there is none, or one that cannot be read."""
        return self._card if isinstance(self._card, Card) else None

    @property
    def problem(self) -> str:
        """What is wrong with the card, in a sentence; empty if nothing is."""
        return str(self._card) if isinstance(self._card, InputError) else ""

    @cached_property
    def _card(self) -> Card | InputError | None:
        if self.path is None:
            return None
        try:
            card = Card.read(self.path)
            card.require_name(self.name, self.path)
        except InputError as error:
            report(str(error), self.path)  # One bad file does not stop the rest.
            return error
        return card

    def _told(self) -> Card | None:
        """The card, for what only it knows."""
        if self.problem:
            raise InputError(self.problem)
        return self.card

    @cached_property
    def spec(self) -> NetworkSpec:
        card = self._told()
        return card.spec if card else parse_name(self.architecture)

    @cached_property
    def parameters(self) -> int:
        return _parameters(self.spec)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """One name a class. The outputs of an untrained network mean nothing, so they are only numbered."""
        if self.from_torchvision:
            return torchvision_weights.labels(self.architecture, self.tag)
        card = self._told()
        return tuple(card.classes) if card else tuple(f"output {i}" for i in range(self.spec.num_classes))

    @cached_property
    def preprocessing(self) -> Preprocessing:
        if self.from_torchvision:
            return torchvision_weights.preprocessing(self.architecture, self.tag)
        card = self._told()
        return card.preprocessing if card else IMAGENET if self.spec.family == "imagenet" else CIFAR10

    @cached_property
    def dataset_title(self) -> str:
        """What its classes come from, as people write it; empty if it is untrained."""
        if self.from_torchvision:
            return "ImageNet"
        card = self._told()
        return card.dataset_title if card else ""

    @cached_property
    def test_error(self) -> float | None:
        """Measured top-1 error in percent: of the card, or as torchvision publishes it; None if untrained."""
        if self.from_torchvision:
            return torchvision_weights.test_error(self.architecture, self.tag)
        return self.card.test_error if self.card else None


@cache
def _parameters(spec: NetworkSpec) -> int:
    return parameter_count(empty_network(spec))

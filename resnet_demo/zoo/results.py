"""Results of the trained networks, from their cards, beside those of the paper and of other reproductions."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from resnet_demo.errors import InputError, report
from resnet_demo.networks import LADDER
from resnet_demo.records import Source, Summary
from resnet_demo.zoo.card import Card
from resnet_demo.zoo.catalogue import Catalogue
from resnet_demo.zoo.paths import CONTINUED, SEEDS, STUDIES

SOURCES = (
    Source(
        "paper", "He et al.", 2016, "https://arxiv.org/abs/1512.03385",
        "table 6; the best of five runs of ResNet-110, whose mean is 6.61. Its plain networks are drawn in figure 6 "
        "only, so they have no number here.",
        {"resnet20": 8.75, "resnet32": 7.51, "resnet44": 7.17, "resnet56": 6.97, "resnet110": 6.43},
    ),
    Source(
        "a-martyn", "a-martyn", 2023, "https://github.com/a-martyn/resnet",
        "the paper's recipe, one run each; the lowest test error of all epochs.",
        {
            "plain20": 9.50, "plain32": 9.92, "plain44": 11.35, "plain56": 12.76,
            "resnet20": 8.00, "resnet32": 7.51, "resnet44": 7.38, "resnet56": 7.33,
        },
    ),
    Source(
        "gcr", "gcr", 2016, "https://github.com/gcr/torch-residual-networks",
        "close to the paper's recipe, one run each: 200 epochs, the learning rate reduced after 80 and 160, Nesterov "
        "momentum.",
        {"resnet20": 8.29, "resnet32": 7.63, "resnet44": 7.14, "resnet56": 6.94, "resnet110": 6.73},
    ),
    Source(
        "chenyaofo", "chenyaofo", 2021, "https://github.com/chenyaofo/pytorch-cifar-models",
        "a longer recipe: the best public checkpoints.",
        {"resnet20": 7.40, "resnet32": 6.47, "resnet44": 5.99, "resnet56": 5.63},
    ),
)  # fmt: skip


def trained_cards(catalogue: Catalogue) -> tuple[Card, ...]:
    """The cards of the catalogue, in the catalogue's order."""
    return tuple(entry.card for entry in catalogue.entries() if entry.card)


def missing(catalogue: Catalogue, dataset: str = "cifar10") -> tuple[str, ...]:
    """The networks of the paper's comparison that have no trained weights for this data set in this catalogue."""
    there = {card.name for card in trained_cards(catalogue)}
    ladder = [f"{prefix}{depth}.{dataset}" for depth in LADDER for prefix in ("resnet", "plain")]
    return tuple(name for name in ladder if name not in there)


def read_cards(folders: Sequence[Path]) -> tuple[Card, ...]:
    """All cards at any depth below `folders`; damaged ones are reported. Raises `InputError` when there are none."""
    cards = tuple(card for folder in folders for card in _cards_below(folder))
    if not cards:
        raise InputError(f"There is no card of a training run below {', '.join(map(str, folders))}.")
    return cards


def summarize(cards: Sequence[Card]) -> tuple[Summary, ...]:
    """Mean and standard deviation over the seeds of each network with each recipe."""
    groups: dict[tuple[Any, ...], dict[int, Card]] = defaultdict(dict)
    for card in cards:
        # Only runs that differ in nothing but the seed are averaged; of those by the same seed, the first counts.
        images = (card.resize, card.input_size, *card.mean, *card.std)
        alike = (card.name, _recipe(card), card.start, card.start_sha256, images)
        groups[alike].setdefault(card.seed, card)
    return tuple(_summary(list(group.values())) for group in groups.values())


def all_cards(catalogue: Catalogue) -> tuple[Card, ...]:
    """The cards of the catalogue's networks, and of the runs of their further seeds."""
    seeds = [card for folder in catalogue.folders for card in _cards_below(folder / SEEDS)]
    return (*trained_cards(catalogue), *seeds)


def all_results(catalogue: Catalogue) -> tuple[Summary, ...]:
    """Summaries of `all_cards`."""
    return summarize(all_cards(catalogue))


def ladder(cards: Sequence[Card], dataset: str) -> tuple[Summary, ...]:
    """The paper's residual and plain networks of one data set, trained from scratch by one recipe in every detail: that
    of most of them."""
    names = {f"{prefix}{depth}" for depth in LADDER for prefix in ("resnet", "plain")}
    runs = [card for card in cards if card.dataset == dataset and card.spec.name in names and not card.start]
    most = Counter(map(_recipe, runs)).most_common(1)
    return summarize([card for card in runs if _recipe(card) == most[0][0]])


def continued(catalogue: Catalogue) -> tuple[Card, ...]:
    """The runs that went on from a trained network, best first."""
    cards = (card for folder in catalogue.folders for card in _cards_below(folder / CONTINUED) if card.start)
    return tuple(sorted(cards, key=lambda card: card.test_error))


def _cards_below(folder: Path) -> Iterator[Card]:
    for path in sorted(folder.rglob("*.*.json")):
        if path.stem.count(".") > 1 and path.stem.rpartition(".")[2] in STUDIES:
            continue
        try:
            card = Card.read(path)
        except InputError as error:
            report(f"{path.parent}: {error}", path)  # All runs have cards of the same name.
            continue
        yield card


def _recipe(card: Card) -> tuple[str, int]:
    """Equal for runs by the same recipe in every detail."""
    return json.dumps(card.recipe, sort_keys=True), card.epochs


def _summary(cards: list[Card]) -> Summary:
    first = cards[0]
    architecture = first.name.partition(".")[0]
    tests, trains = [card.test_error for card in cards], [card.train_error for card in cards]
    comparable = first.dataset == "cifar10" and not first.start
    return Summary(
        name=first.name,
        architecture=architecture,
        depth=first.spec.depth,
        dataset=first.dataset,
        recipe=first.recipe.get("name", ""),
        epochs=first.epochs,
        runs=len(cards),
        test_error=mean(tests),
        test_std=stdev(tests) if len(cards) > 1 else None,
        train_error=mean(trains),
        train_std=stdev(trains) if len(cards) > 1 else None,
        references={s.name: s.errors[architecture] for s in SOURCES if comparable and architecture in s.errors},
        start=first.start,
    )

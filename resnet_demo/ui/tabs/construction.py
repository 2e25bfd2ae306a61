"""The paper's argument on the Degradation tab: deep plain networks by construction, and what training makes of them."""

from collections.abc import Sequence
from html import escape

from resnet_demo.records import Outcome, kind_of
from resnet_demo.ui import choices, html
from resnet_demo.ui.bars import BarList
from resnet_demo.ui.language import later, sentence, t
from resnet_demo.ui.training_plots import outcome_bars
from resnet_demo.zoo import Card, Catalogue, Entry


def solution(catalogue: Catalogue, dataset: str) -> tuple[str, BarList | None]:
    """The deepest plain network that was trained, beside others of its depth: grown from a shallower one, and made from
    a residual one by folding its shortcuts; in words and as bars. Nothing for a data set without any."""
    entries = {entry.name: entry for entry in choices.available(catalogue) if entry.tag == dataset}
    plain = [e for e in entries.values() if e.card and not e.card.start and e.spec.connection == "plain"]
    if not plain:
        return "", None
    trained = max(plain, key=lambda entry: entry.spec.depth)
    ways = {
        "grown": later("one with {error:.2f} % test error is {network} with further layers that hand their input on"),
        "folded": later("one with {error:.2f} % test error is {network} with its shortcuts folded away"),
    }
    made = {way: entries.get(f"{trained.architecture}-{way}.{dataset}") for way in ways}
    texts = [
        t(ways[way], error=entry.test_error, network=choices.model_title(entry.origin))
        for way, entry in made.items()
        if entry
    ]
    if not texts:
        return "", None
    shallow = [made["grown"].origin] if made["grown"] else []
    outcomes = [_outcome(entry) for entry in (*shallow, trained)]
    outcomes += [_outcome(entry, way) for way, entry in made.items() if entry]
    found = (trained.test_error or 0.0) <= min(outcome.test_error for outcome in outcomes if not outcome.trained)
    heading = t("Training finds it") if found else t("The solution exists; training does not find it")
    text = t(
        "There are plain networks of {depth} layers that nobody trained: {networks}. Training has found one with "
        "{error:.2f} %.",
        depth=trained.spec.depth,
        networks=escape("; ".join(texts)),
        error=trained.test_error,
    )
    return f"<h3>{heading}</h3><p>{text}</p>", outcome_bars(outcomes)


def _outcome(entry: Entry, way: str = "") -> Outcome:
    ways = {"grown": later("grown from {network}"), "folded": later("folded from {network}")}
    how = t(ways[way], network=choices.model_title(entry.origin)) if way else t("trained")
    title = choices.model_title(entry).removesuffix(f" {way}")
    return Outcome(f"{title} {how}", kind_of(entry.architecture), entry.test_error or 0.0, not way)


def continued(catalogue: Catalogue, dataset: str, runs: Sequence[Card]) -> str:
    """Those of the `runs` that went on from a network of this catalogue, with the errors before and after. Empty for a
    data set without any."""
    starts = {entry.name: entry.card for entry in catalogue.entries() if entry.card}
    cards = [card for card in runs if card.dataset == dataset and card.start in starts]
    if not cards:
        return ""
    text = later("{count} epochs at {rate}")
    rates = sorted({t(text, count=card.epochs, rate=_rate(card)) for card in cards})
    rows = [_row(card, starts[card.start]) for card in cards]
    columns = (t("trained on"), t("test error %"), t("training error %"))
    table = html.table(columns, rows, [card.name for card in cards])
    heading, before = t("Does training keep it?"), t("Errors before and after {rates}.", rates=escape("; ".join(rates)))
    return f'<h3>{heading}</h3><p>{before}</p>{table}<p class="note">{escape(_answer(cards, starts))}</p>'


def _rate(card: Card) -> str:
    """The learning rate of a card, which may be foreign and say anything."""
    rate = card.recipe.get("learning_rate")
    told = isinstance(rate, int | float) and 0 < rate < 1e6
    return t("a learning rate of {rate:g}", rate=rate) if told else t("an unknown learning rate")


def _answer(cards: list[Card], starts: dict[str, Card]) -> str:
    """What became of each construction, beside the same network that went on from its own training."""
    grown = [card for card in cards if card.spec.depth != starts[card.start].spec.depth]
    texts = []
    for card in grown:
        before = starts[card.start].test_error
        went = later("{network} by construction went from {before:.2f} to {after:.2f} % test error")
        text = t(went, network=card.name, before=before, after=card.test_error)
        others = [other.test_error for other in cards if other.name == card.name and other.start == card.name]
        there = t(", where training alone got to {error:.2f} %", error=min(others)) if others else ""
        texts.append(sentence(f"{text}{there}"))
    return " ".join(texts)


def _row(card: Card, start: Card) -> tuple[str, str, str]:
    """Few columns, so that a phone shows them all."""
    origin = t("{network} from itself") if card.name == start.name else t("{network} from {start}")
    test = f"{start.test_error:.2f} → {card.test_error:.2f}"
    return origin.format(network=card.name, start=start.name), test, f"{start.train_error:.2f} → {card.train_error:.2f}"

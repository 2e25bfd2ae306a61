"""The paper's argument on the Degradation tab: deep plain networks by construction, and what training makes of them."""

from html import escape

from resnet_demo import plots
from resnet_demo.records import Outcome
from resnet_demo.ui import choices, html
from resnet_demo.zoo import Card, Catalogue, Entry, results


def solution(catalogue: Catalogue, dataset: str | None) -> str:
    """The deepest plain network that was trained, beside others of its depth: grown from a shallower one, and made from
    a residual one by folding its shortcuts. Empty for a data set without any."""
    entries = {entry.name: entry for entry in choices.available(catalogue) if entry.tag == dataset}
    plain = [e for e in entries.values() if e.card and not e.card.start and e.spec.connection == "plain"]
    if not plain:
        return ""
    trained = max(plain, key=lambda entry: entry.spec.depth)
    ways = {"grown": "with further layers that hand their input on", "folded": "with its shortcuts folded away"}
    made = {way: entries.get(f"{trained.architecture}-{way}.{dataset}") for way in ways}
    texts = [
        f"one with {entry.test_error:.2f} % test error is {choices.model_title(entry.origin)} {ways[way]}"
        for way, entry in made.items()
        if entry
    ]
    if not texts:
        return ""
    shallow = [made["grown"].origin] if made["grown"] else []
    outcomes = [_outcome(entry) for entry in (*shallow, trained, *made.values()) if entry]
    figure = plots.outcomes_figure(outcomes, plots.PAGE_INK)
    label = "; ".join(f"{outcome.title}: {outcome.test_error:.2f} percent test error" for outcome in outcomes)
    svg = plots.to_svg(figure, label.replace("\n", " "))
    found = (trained.test_error or 0.0) <= min(outcome.test_error for outcome in outcomes if not outcome.trained)
    return (
        f"<h3>{'Training finds it' if found else 'The solution exists; training does not find it'}</h3>"
        f"<p>There are plain networks of {trained.spec.depth} layers that nobody trained: {escape('; '.join(texts))}. "
        f"Training has found one with {trained.test_error:.2f} %.</p>{html.small_plot(svg)}"
    )


def _outcome(entry: Entry) -> Outcome:
    trained = entry.origin is entry
    how = " trained" if trained else f"\nfrom {choices.model_title(entry.origin)}"
    return Outcome(choices.model_title(entry) + how, entry.test_error or 0.0, trained)


def continued(catalogue: Catalogue, dataset: str | None) -> str:
    """The networks that were trained on from a trained one, with the errors before and after. Empty for a data set
    without any."""
    starts = {entry.name: entry.card for entry in catalogue.entries() if entry.card}
    cards = [card for card in results.continued(catalogue) if card.dataset == dataset and card.start in starts]
    if not cards:
        return ""
    rates = sorted({f"{card.epochs} epochs at a learning rate of {card.recipe['learning_rate']:g}" for card in cards})
    rows = [_row(card, starts[card.start]) for card in cards]
    columns = ("trained on", "test error %", "training error %")
    return (
        f"<h3>Does training keep it?</h3><p>Errors before and after {escape(' or '.join(rates))}.</p>"
        f"{html.table(columns, rows)}<p>{escape(_answer(cards, starts))}</p>"
    )


def _answer(cards: list[Card], starts: dict[str, Card]) -> str:
    """What became of each construction, beside the same network that went on from its own training."""
    grown = [card for card in cards if card.spec.depth != starts[card.start].spec.depth]
    texts = []
    for card in grown:
        before = starts[card.start].test_error
        text = f"{card.name} by construction went from {before:.2f} to {card.test_error:.2f} % test error"
        others = [other.test_error for other in cards if other.name == card.name and other.start == card.name]
        there = f", where training alone got to {min(others):.2f} %" if others else ""
        texts.append(f"{text}{there}.")
    return " ".join(texts)


def _row(card: Card, start: Card) -> tuple[str, str, str]:
    """Few columns, so that a phone shows them all."""
    origin = "itself" if card.name == start.name else start.name
    test = f"{start.test_error:.2f} → {card.test_error:.2f}"
    return f"{card.name} from {origin}", test, f"{start.train_error:.2f} → {card.train_error:.2f}"

"""Writes docs/results.md and its pictures from the cards and studies in weights/: `python -m docs.results`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from resnet_demo import plots
from resnet_demo.laboratory.studies import Study, find_study
from resnet_demo.records import Landscape, LesionStudy, TrainedFlow
from resnet_demo.zoo import Catalogue, Entry, results
from resnet_demo.zoo.datasets import title_of
from resnet_demo.zoo.paths import shipped_folder

HERE = Path(__file__).parent
DATASETS = ("cifar10", "cifar100", "fashion_mnist")
# Asked for and not run yet, beside the networks of the paper's ladder that have no card.
NOT_RUN = (
    "shortcut options B and C on CIFAR-10 (`resnet20-B`, `resnet20-C`)",
    "the recipe `paper` (64k iterations), by which the errors of He et al. could be reproduced",
)
INTRO = """# Results

What this project has measured, generated from the cards and studies in `weights/` by `python -m docs.results`; no
figure here is typed. How to cite it: [CITATION.cff](../CITATION.cff).

Residual and plain networks of one depth differ in nothing but their shortcuts: the same layers, recipe, seed, batches
and order of images. Errors are those of the last epoch on all 10,000 test images, never the best of a run; nothing was
chosen by them. The training error is that of the augmented images, while the network trains.
"""


def page(catalogue: Catalogue) -> str:
    """docs/results.md. Plain Markdown, whose pictures `pictures` draws."""
    parts = [
        INTRO,
        *(_trained(catalogue, dataset) for dataset in DATASETS),
        _constructed(catalogue),
        _lesions(catalogue),
    ]
    return "\n".join([*parts, _flows(catalogue), _landscapes(catalogue), _not_run(catalogue)])


def pictures(catalogue: Catalogue) -> dict[str, bytes]:
    """The PNG of each picture of the page that is not a screenshot, by its name."""
    flows = [study.flow for _, study in _studies(TrainedFlow, catalogue, "cifar10")]
    drawn = (
        {f"trained-{key}.png": plots.flow_figure(flows, measure) for key, measure in MEASURES.items()} if flows else {}
    )
    shown = _whole_landscapes(catalogue)
    scale = [study for entry, study in shown if entry is entry.origin]
    drawn |= {f"landscape-{one.model}.png": plots.landscape_figure(one, scale) for _, one in shown}
    return {name: plots.to_png(figure) for name, figure in drawn.items()}


MEASURES = {"gradients": "gradient_norm", "responses": "response_std"}


def _trained(catalogue: Catalogue, dataset: str) -> str:
    rows = []
    for card in results.trained_cards(catalogue):
        if card.dataset == dataset and not card.start:
            errors = (f"{card.test_error:.2f}", f"{card.test_top5_error:.2f}", f"{card.train_error:.2f}")
            rows.append(
                (card.name, f"{card.parameters:,}", *errors, str(card.epochs), str(card.seed), f"`{card.command}`")
            )
    columns = ("network", "parameters", "test %", "top-5 %", "training %", "epochs", "seed", "command")
    text = f"## {title_of(dataset)}\n\n{_table(columns, rows)}"
    if dataset == "cifar10":
        cited = "; ".join(f"{s.title}: {s.note} <{s.link}>" for s in results.SOURCES)
        text += f"\n{_others(catalogue)}\n{cited}\n\n![Error by epoch and by depth](degradation.png)\n"
    return text


def _others(catalogue: Catalogue) -> str:
    rows = [
        (
            s.name,
            s.told()[0],
            *(f"{s.references[x.name]:.2f}" if x.name in s.references else "" for x in results.SOURCES),
        )
        for s in results.all_results(catalogue)
        if s.dataset == "cifar10"
    ]
    return "Test errors of others, in percent:\n\n" + _table(
        ("network", "here", *(s.title for s in results.SOURCES)), rows
    )


def _constructed(catalogue: Catalogue) -> str:
    rows = [
        (entry.name, entry.origin.name, f"{entry.test_error:.2f}", "", "")
        for entry in catalogue.entries()
        if entry.tag in DATASETS and entry.origin is not entry and entry.test_error is not None
    ]
    runs = results.continued(catalogue)
    rows += [
        (
            f"{card.name}, {card.epochs} epochs on",
            card.start,
            f"{card.test_error:.2f}",
            f"{card.train_error:.2f}",
            f"{max(epoch.test_error for epoch in card.curve):.2f}",
        )
        for card in runs
    ]
    text = (
        "Networks that compute the same as the one they are made of, and what further training, one run each, made of "
        "some of them. The added blocks of plain-56 were exact identities in evaluation mode when its run began, but "
        "in training mode only nearly: their statistics were those that the layers before have in evaluation mode. "
        "`--from` makes them exact in both modes since."
    )
    table = _table(("network", "made of", "test %", "training %", "highest test % of an epoch"), rows)
    commands = "\n".join(f"    {card.command}" for card in runs)
    return f"## By construction\n\n{text}\n\n{table}\n{commands}\n"


def _lesions(catalogue: Catalogue) -> str:
    rows = []
    for entry, study in _studies(LesionStudy, catalogue):
        without = sorted(study.errors.values())
        ends = (f"{x:.2f}" for x in (study.test_error, without[0], median(without), without[-1]))
        rows.append((entry.name, *ends))
    columns = ("network", "whole %", "least %", "median %", "most %")
    text = "Test error without one block, over all blocks (Veit et al. 2016): `python -m resnet_demo lesion NAME`."
    return f"## Lesions\n\n{text}\n\n{_table(columns, rows)}"


def _flows(catalogue: Catalogue) -> str:
    rows, widest = [], 0.0
    for entry, study in _studies(TrainedFlow, catalogue):
        norms = [layer.gradient_norm for layer in study.layers]
        responses = [layer.response_std for layer in study.layers if layer.response_std is not None]
        first, last = (
            f"{layer.gradient_norm:.2f} ± {layer.gradient_std / study.images**0.5:.2f}"
            for layer in (study.layers[0], study.layers[-2])
        )
        ends = (study.flow.ratio, min(norms), max(norms), min(responses), max(responses))
        widest = max(widest, *(layer.gradient_std / layer.gradient_norm for layer in study.layers))
        rows.append((entry.name, f"{study.images:,}", f"{study.loss:.3g}", first, last, *(f"{x:.2g}" for x in ends)))
    columns = (
        "network",
        "images",
        "loss",
        "first conv",
        "last conv",
        "first / last",
        "least, fc included",
        "most",
        "least std",
        "most std",
    )
    text = (
        "Norm of the gradient of each test image's loss with respect to the weights of a layer, mean over the images ± "
        "its standard error, and standard deviation of the responses (He et al. 2016, figure 7): "
        "`python -m resnet_demo trained-flow NAME`. Images differ widely: the standard deviation of their norms is up "
        f"to {widest:.1f} times the mean."
    )
    shown = "\n".join(
        f"![{measure.replace('_', ' ')} by depth](trained-{key}.png)" for key, measure in MEASURES.items()
    )
    return f"## Gradients and responses after training\n\n{text}\n\n{_table(columns, rows)}\n{shown}\n"


def _landscapes(catalogue: Catalogue) -> str:
    rows, names, shown = [], [], []
    for entry, one in _whole_landscapes(catalogue):
        (loss, error), (down, steps) = one.centre, one.falls
        numbers = (
            f"{loss:.4f}",
            f"{error:.1f}",
            f"{one.highest:.3g}",
            f"{100 * one.half_right:.1f}",
            f"{down} of {steps}",
        )
        rows.append((entry.name, f"{one.images:,}", f"{one.size} x {one.size}", f"{one.reach:g}", *numbers))
        names.append(entry.name)
        shown.append(f"![{one.model}](landscape-{one.model}.png)")
    columns = ("network", "images", "points", "reach", "loss", "error %", "most", "half right %", "steps down")
    text = (
        "Loss on training images at w + a d1 + b d2 for two random directions of which each filter has the norm of the "
        "network's own (Li et al. 2018): `python -m resnet_demo landscape NAME --images N`. *Half right*: the share of "
        "the points at which at least half of the images are classified correctly. *Steps down*: how many steps lead "
        "down on the eight straight lines from the middle that follow the grid; none where the loss is convex and "
        "least in the middle. Two random directions show how fast the loss rises around the end of one training, not "
        "the way there, nor any valley they miss. Losses beyond all of those around the trained networks are drawn as "
        "the highest of these."
    )
    return f"## The shape of the loss\n\n{text}\n\n{_table(columns, rows)}\n{_table(names, [shown])}"


def _not_run(catalogue: Catalogue) -> str:
    missing, summaries = results.missing(catalogue), results.all_results(catalogue)
    few = sorted({study.images for _, study in _whole_landscapes(catalogue) if study.images < 1000})
    once = all(summary.runs == 1 for summary in summaries)
    lines = [f"`{'`, `'.join(missing)}`, by the recipe `fast`"] if missing else []
    lines += ["further seeds: every error here is of one run, so no deviation is known"] if once else []
    lines += [f"landscapes over 1,000 images: those above are of {', '.join(map(str, few))}"] if few else []
    return "## What was not run\n\n" + "".join(f"- {line}\n" for line in (*lines, *NOT_RUN))


def _studies(kind: type[Study], catalogue: Catalogue, dataset: str = "") -> Iterator[tuple[Entry, Study]]:
    for entry in catalogue.entries():
        if entry.tag in ((dataset,) if dataset else DATASETS) and (study := find_study(kind, entry, catalogue.folders)):
            yield entry, study


def _whole_landscapes(catalogue: Catalogue) -> list[tuple[Entry, Landscape]]:
    return [(entry, study) for entry, study in _studies(Landscape, catalogue) if study.complete]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    # Without the networks that whoever runs this has trained.
    catalogue = Catalogue((shipped_folder(),))
    (HERE / "results.md").write_text(page(catalogue), encoding="utf-8")
    for name, png in pictures(catalogue).items():
        (HERE / name).write_bytes(png)


if __name__ == "__main__":
    main()

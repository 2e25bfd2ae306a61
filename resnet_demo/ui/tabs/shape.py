"""The shape of the loss, on the Degradation tab: trained twins side by side, on planes through their weights."""

from collections.abc import Iterator, Sequence
from html import escape

from resnet_demo import plots
from resnet_demo.laboratory.studies import find_study
from resnet_demo.records import Landscape, kind_of
from resnet_demo.ui import choices
from resnet_demo.ui.html import percent
from resnet_demo.ui.language import later, sentence, t
from resnet_demo.zoo import Catalogue

SAYS = later(
    "The loss of {images:,} training images at w + a d₁ + b d₂: w are the trained weights, in the middle, d₁ and d₂ "
    "two random directions, each filter of them as large as the network's own (Li et al. 2018). The cross marks the "
    "lowest loss. All have one logarithmic scale of colour and height."
)
LIMITS = later(
    "Two random directions out of {count:,} show how fast the loss rises around the end of this one training. They do "
    "not show the way that training took, nor any valley that a random direction misses."
)
# They come first, and give the scale.
TWINS = 2


def landscapes(catalogue: Catalogue, dataset: str) -> list[Landscape]:
    """Those of the deepest twins of a data set that were both measured, the residual one first, and of the same plain
    network by construction."""
    found: dict[str, Landscape] = {}
    depths = set()
    for entry in choices.available(catalogue):
        if entry.tag == dataset and (study := find_study(Landscape, entry, catalogue.folders)) and study.complete:
            found[entry.architecture] = study
            depths.add(entry.spec.depth)
    for depth in sorted(depths, reverse=True):
        first, *others = (found.get(name) for name in (f"resnet{depth}", f"plain{depth}", f"plain{depth}-grown"))
        # Pictures of different planes are not comparable.
        alike = [one for one in others if first and one and _plane(one) == _plane(first)]
        if first and alike and alike[0] is others[0]:
            return [first, *alike]
    return []


def _plane(one: Landscape) -> tuple[int, float, int, int]:
    return one.size, one.reach, one.images, one.seed


def shape_of_loss(catalogue: Catalogue, dataset: str) -> str:
    """The pictures and what they show; nothing for a data set without any. It takes a second or two."""
    shown = landscapes(catalogue, dataset)
    if not shown:
        return ""
    card = catalogue.find(shown[0].model).card
    pictures = "".join(_picture(one, shown[:TWINS]) for one in shown)
    says = t(SAYS, images=shown[0].images)
    limits = t(LIMITS, count=card.parameters if card else 0)
    told = f'<p>{says}</p><p>{escape(_told(shown))}</p><p class="note">{limits}</p>'
    return f'<h3>{t("The shape of the loss")}</h3><div class="landscapes">{pictures}<div>{told}</div></div>'


def _picture(one: Landscape, among: Sequence[Landscape]) -> str:
    loss, error = one.centre
    alt = t(
        "Loss around {network}: {loss:.2g} in the middle, with {error:.1f} % error, at most {highest:.2g}",
        network=one.model, loss=loss, error=error, highest=one.highest,
    )  # fmt: skip
    # Written and ruled in the colour of the page's text, light or dark.
    svg = plots.to_svg(plots.landscape_figure(one, among), alt).replace(plots.INK, "currentColor")
    mark = f'<i class="kind {kind_of(one.model)}"></i>'
    return f"<figure><figcaption>{mark}{escape(one.model)}</figcaption>{svg}</figure>"


def _told(shown: Sequence[Landscape]) -> str:
    """What the measurements say, whatever they are."""
    each = []
    for one in shown:
        down, steps = one.falls
        text = later(
            "{network}: at least half of the images are right on {right} of the square; on eight straight lines from "
            "the middle, the loss falls in {down} of {steps} steps"
        )
        each.append(sentence(t(text, network=one.model, right=percent(one.half_right), down=down, steps=steps)))
    residual, plain = shown[:TWINS]
    rougher = (
        t("By that measure, the loss of the plain network is rougher here.")
        if plain.falls > residual.falls
        else t("By that measure, the loss of the plain network is not rougher here.")
    )
    return " ".join([*each, rougher, *_cut(shown)])


def _cut(shown: Sequence[Landscape]) -> Iterator[str]:
    """Whose losses go beyond the scale of the twins."""
    highest = max(twin.highest for twin in shown[:TWINS])
    for one in shown[TWINS:]:
        if one.highest > highest:
            text = later(
                "Around {network} the loss rises to {most:,.0f}: what is above {highest:,.0f} is drawn as that."
            )
            # Two digits tell enough.
            most, end = (float(f"{loss:.2g}") for loss in (one.highest, highest))
            yield t(text, network=one.model, most=most, highest=end)

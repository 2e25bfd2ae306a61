"""The shape of the loss, on the Degradation tab: trained twins side by side, on planes through their weights."""

from collections.abc import Sequence
from html import escape

from resnet_demo import plots
from resnet_demo.laboratory.studies import find_study
from resnet_demo.records import Landscape, kind_of
from resnet_demo.ui import choices
from resnet_demo.ui.html import percent
from resnet_demo.ui.language import later, t
from resnet_demo.zoo import Catalogue

SAYS = later(
    "The loss of {images:,} training images at w + a d₁ + b d₂: w are the trained weights (the cross), d₁ and d₂ two "
    "random directions, each filter of them as large as the network's own (Li et al. 2018). All have one logarithmic "
    "scale of colour and height."
)
LIMITS = later(
    "Two random directions out of {count:,} show how fast the loss rises around the end of this one training. They do "
    "not show the way that training took, nor any valley that a random direction misses."
)


def landscapes(catalogue: Catalogue, dataset: str) -> list[Landscape]:
    """Those of the deepest twins of a data set that were measured, and of the same plain network by construction."""
    found: dict[int, dict[str, Landscape]] = {}
    for entry in choices.available(catalogue):
        if entry.tag == dataset and (study := find_study(Landscape, entry, catalogue.folders)) and study.complete:
            found.setdefault(entry.spec.depth, {})[entry.architecture] = study
    for depth in sorted(found, reverse=True):
        wanted = [f"resnet{depth}", f"plain{depth}", f"plain{depth}-grown"]
        shown = [found[depth][name] for name in wanted if name in found[depth]]
        # Pictures of different planes are not comparable.
        alike = [one for one in shown if (one.size, one.reach, one.images, one.seed) == _plane(shown[0])]
        if len(alike) > 1:
            return alike
    return []


def _plane(one: Landscape) -> tuple[int, float, int, int]:
    return one.size, one.reach, one.images, one.seed


def shape_of_loss(catalogue: Catalogue, dataset: str) -> str:
    """The pictures and what they show; nothing for a data set without any. It takes a second or two."""
    shown = landscapes(catalogue, dataset)
    if not shown:
        return ""
    card = catalogue.find(shown[0].model).card
    pictures = "".join(_picture(one, shown) for one in shown)
    says = t(SAYS, images=shown[0].images)
    limits = t(LIMITS, count=card.parameters if card else 0)
    told = f'<p>{says}</p><p>{escape(_told(shown))}</p><p class="note">{limits}</p>'
    return f'<h3>{t("The shape of the loss")}</h3><div class="landscapes">{pictures}<div>{told}</div></div>'


def _picture(one: Landscape, among: Sequence[Landscape]) -> str:
    (loss, error), highest = one.centre, max(map(max, one.loss))
    alt = t(
        "Loss around {network}: {loss:.2g} in the middle, with {error:.1f} % error, up to {highest:.2g} at the edge",
        network=one.model, loss=loss, error=error, highest=highest,
    )  # fmt: skip
    # Written and ruled in the colour of the page's text, light or dark.
    svg = plots.to_svg(plots.landscape_figure(one, among), escape(alt)).replace(plots.INK, "currentColor")
    mark = f'<i class="kind {kind_of(one.model)}"></i>'
    return f"<figure><figcaption>{mark}{escape(one.model)}</figcaption>{svg}</figure>"


def _told(shown: Sequence[Landscape]) -> str:
    """What the measurements say, whatever they are."""
    each = "; ".join(
        t(
            "{network}: at least half of the images are right on {right} of the square, and {down} of the steps away "
            "from the middle lead down",
            network=one.model, right=percent(one.half_right), down=percent(one.roughness),
        )
        for one in shown
    )  # fmt: skip
    # The first of each kind: the one by construction is plain too, and the last.
    first = {kind_of(one.model): one for one in reversed(shown)}
    if not {"residual", "plain"} <= first.keys():
        return f"{each}."
    rougher = (
        t("By that measure, the loss of the plain network is rougher here.")
        if first["plain"].roughness > first["residual"].roughness
        else t("By that measure, the loss of the plain network is not rougher here.")
    )
    return f"{each}. {rougher}"

"""What pictures and results say to those who do not see them: one sentence each, as plain text."""

from collections.abc import Sequence

import numpy as np

from resnet_demo.records import Analysis, Comparison, LayerGradient, Prediction
from resnet_demo.ui import choices, html
from resnet_demo.ui.language import later, sentence, t
from resnet_demo.zoo import Entry

PLACES = (
    (later("at the upper left"), later("at the top"), later("at the upper right")),
    (later("at the left"), later("in the middle"), later("at the right")),
    (later("at the lower left"), later("at the bottom"), later("at the lower right")),
)
# How many of the layers with the largest gradients are named.
NAMED = 3


def place(analysis: Analysis) -> str:
    """Where in the photo its map is strongest, by thirds of the photo."""
    height, width = analysis.cam.shape
    row, column = np.unravel_index(int(analysis.cam.argmax()), analysis.cam.shape)
    left, top, right, bottom = analysis.crop
    x = left + (int(column) + 0.5) / width * (right - left)
    y = top + (int(row) + 0.5) / height * (bottom - top)
    across, down = (min(max(int(3 * at / size), 0), 2) for at, size in zip((x, y), analysis.photo_size, strict=True))
    return t(PLACES[down][across])


def heatmap(analysis: Analysis) -> str:
    """What a heatmap over the photo shows."""
    label = analysis.target.label
    if not analysis.positive_evidence:
        return t("The photo; there is no positive evidence for {label} in {layer}", label=label, layer=analysis.layer)
    return t(
        "Grad-CAM of {label} over the photo: strongest {place}, and at least half as strong in {share} of what the "
        "network saw",
        label=label,
        place=place(analysis),
        share=html.percent(float((analysis.cam >= 0.5 * analysis.cam.max()).mean())),
    )


def result(entry: Entry, analysis: Analysis) -> str:
    """What a network made of a photo."""
    title, steepest = choices.model_title(entry), largest(analysis.gradients)[0]
    gradient = t("the largest gradient is in {layer}", layer=steepest)
    if not entry.trained:
        return t("{network} is untrained and says nothing; {gradient}.", network=title, gradient=gradient)
    first, *others = map(_said, analysis.predictions[:2])
    label = analysis.target.label
    heat = t("the evidence for {label} is strongest {place}", label=label, place=place(analysis))
    if not analysis.positive_evidence:
        heat = t("nothing speaks for {label}", label=label)
    answer = t("{network} says {first}", network=title, first=first)
    for second in others:
        answer = t("{answer}, then {second}", answer=answer, second=second)
    return sentence(f"{answer}; {heat}; {gradient}")


def both(entries: Sequence[Entry], comparison: Comparison) -> str:
    """What two networks made of it."""
    parts = []
    for entry, analysis in zip(entries, (comparison.first, comparison.second), strict=True):
        title = choices.model_title(entry)
        if not entry.trained:
            parts.append(t("{network} says nothing, being untrained", network=title))
            continue
        first, label = _said(analysis.predictions[0]), analysis.target.label
        if analysis.positive_evidence:
            text = later("{network} says {first}, its heat for {label} {place}")
            parts.append(t(text, network=title, first=first, label=label, place=place(analysis)))
        else:
            parts += [
                t("{network} says {first}", network=title, first=first),
                t("nothing speaks for {label}", label=label),
            ]
    return sentence("; ".join(parts))


def largest(gradients: Sequence[LayerGradient]) -> list[str]:
    """The layers with the largest gradient norms, the largest first."""
    return [layer.layer for layer in sorted(gradients, key=lambda layer: -layer.gradient_norm)[:NAMED]]


def _said(prediction: Prediction) -> str:
    return f"{prediction.label}, {html.percent(prediction.probability)}"

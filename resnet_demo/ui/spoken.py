"""What pictures and results say to those who do not see them: one sentence each, as plain text."""

from collections.abc import Sequence

import numpy as np

from resnet_demo.records import Analysis, Comparison, LayerGradient, Prediction
from resnet_demo.ui import choices, html
from resnet_demo.zoo import Entry

PLACES = (
    ("at the upper left", "at the top", "at the upper right"),
    ("at the left", "in the middle", "at the right"),
    ("at the lower left", "at the bottom", "at the lower right"),
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
    return PLACES[down][across]


def heatmap(analysis: Analysis) -> str:
    """What a heatmap over the photo shows."""
    label = analysis.target.label
    if not analysis.positive_evidence:
        return f"The photo; there is no positive evidence for {label} in {analysis.layer}"
    share = html.percent(float((analysis.cam >= 0.5 * analysis.cam.max()).mean()))
    return (
        f"Grad-CAM of {label} over the photo: strongest {place(analysis)}, and at least half as strong in {share} of "
        "what the network saw"
    )


def result(entry: Entry, analysis: Analysis) -> str:
    """What a network made of a photo."""
    title, steepest = choices.model_title(entry), largest(analysis.gradients)[0]
    gradient = f"the largest gradient is in {steepest}"
    if not entry.trained:
        return f"{title} is untrained and says nothing; {gradient}."
    said = ", then ".join(map(_said, analysis.predictions[:2]))
    label = analysis.target.label
    heat = f"the evidence for {label} is strongest {place(analysis)}"
    return f"{title} says {said}; {heat if analysis.positive_evidence else f'nothing speaks for {label}'}; {gradient}."


def both(entries: Sequence[Entry], comparison: Comparison) -> str:
    """What two networks made of it."""
    parts = []
    for entry, analysis in zip(entries, (comparison.first, comparison.second), strict=True):
        said = _said(analysis.predictions[0]) if entry.trained else "nothing, being untrained"
        heat = f", its heat for {analysis.target.label} {place(analysis)}" if entry.trained else ""
        parts.append(f"{choices.model_title(entry)} says {said}{heat}")
    return f"{'; '.join(parts)}."


def largest(gradients: Sequence[LayerGradient]) -> list[str]:
    """The layers with the largest gradient norms, the largest first."""
    return [layer.layer for layer in sorted(gradients, key=lambda layer: -layer.gradient_norm)[:NAMED]]


def _said(prediction: Prediction) -> str:
    return f"{prediction.label}, {html.percent(prediction.probability)}"

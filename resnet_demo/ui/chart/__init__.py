"""A plot that answers: every point says on hover and focus what it is, and a click on one can be an event.

Drawn by the browser for the width that there is, from the records below; panels stand side by side where there is room.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from resnet_demo.json_files import finite
from resnet_demo.ui.drawn import Drawn
from resnet_demo.ui.language import later, sentence, t

# One for each of six curves.
MARKS = ("circle", "SQUARE", "triangle", "DIAMOND", "square", "CIRCLE")


@dataclass(frozen=True)
class Point:
    """One mark.

    y      None is a gap. On a logarithmic axis 0 is drawn on the floor below the axis
    says   what it is, for hover and focus; lines are separated by newlines
    key    what a click on it raises as the event's "key"; nothing if empty
    """

    x: float
    y: float | None
    says: str
    key: str = ""


@dataclass(frozen=True)
class Line:
    """A curve.

    kind    "residual", "plain" or "gated": its colour, the same on the whole page
    dash    0 is solid; one of six, which tell curves of one kind apart
    mark    "circle", "square", "triangle" or "diamond", or in capitals the same unfilled; no mark if empty, but points
            answer in any case
    every   how many points have one mark
    weight  width in pixels; 0 for points that are not joined
    """

    name: str
    kind: str
    points: tuple[Point, ...]
    dash: int = 0
    mark: str = "circle"
    every: int = 1
    weight: float = 1.6


@dataclass(frozen=True)
class Panel:
    """Curves over one pair of axes.

    x_range, y_range   both ends of the axes; None for those of the points
    x_ticks            (position, text) where whole numbers do not say enough
    x_percent          whether x is a share, written in percent
    bands              (from, to, title): stages, above the axes
    rules              (y, kind, text): horizontal lines
    """

    lines: tuple[Line, ...]
    x_title: str
    y_title: str
    title: str = ""
    log: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    x_ticks: tuple[tuple[float, str], ...] = ()
    x_percent: bool = False
    bands: tuple[tuple[float, float, str], ...] = ()
    rules: tuple[tuple[float, str, str], ...] = ()


@dataclass(frozen=True)
class Plot:
    """What a `Chart` shows.

    alt        the whole in words
    notes      sentences below it: what is not drawn, what is cut
    hint       what a click on a point does; empty if nothing
    selected   the key whose points are marked
    legend     whether the names of the curves are listed, each with the other panels' curve of that name
    """

    panels: tuple[Panel, ...]
    alt: str
    height: int = 240
    notes: tuple[str, ...] = ()
    hint: str = ""
    selected: str = ""
    legend: bool = True


class Chart(Drawn):
    """Shows a `Plot`; its event `click` carries the "key" of the clicked point."""

    folder = "chart"

    def postprocess(self, value: Any) -> Any:
        """JSON, as text: Gradio would look for files in every number of it. Those that are not finite become gaps."""
        if value is None:
            return None
        plot = asdict(value)
        for panel, own in zip(plot["panels"], value.panels, strict=True):
            panel["x_range"] = own.x_range or _ends(point.x for line in own.lines for point in line.points)
            panel["y_range"] = own.y_range or _y_ends(own)
        return json.dumps(finite(plot))


def zeros(panel: str, points: Iterable[Point]) -> tuple[str, ...]:
    """The sentence about points that a logarithmic axis cannot show, if there are any."""
    points = list(points)
    zero = sum(point.y == 0 for point in points)
    lost = sum(point.y is not None and not math.isfinite(point.y) for point in points)
    floor = later("0 in float32 in {zero} of {all} layers, drawn on the floor")
    texts = [t(floor, zero=zero, all=len(points))] if zero else []
    texts += [t("not finite in {lost}, not drawn", lost=lost)] if lost else []
    return (sentence(f"{panel}: {'; '.join(texts)}"),) if texts else ()


def _y_ends(panel: Panel) -> tuple[float, float]:
    values = [
        point.y for line in panel.lines for point in line.points if point.y is not None and math.isfinite(point.y)
    ]
    values += [y for y, _, _ in panel.rules]
    if not panel.log:
        return (min([0.0, *values]), max(values, default=1.0) * 1.05 or 1.0)
    drawn = [value for value in values if value > 0] or [1.0]
    # Whole decades, so that a flat curve looks flat and different networks get the same scale.
    low, high = math.floor(math.log10(min(drawn)) - 0.1), math.ceil(math.log10(max(drawn)) + 0.1)
    return (10.0**low, 10.0**high)


def _ends(values: Iterable[float]) -> tuple[float, float]:
    found: Sequence[float] = list(values) or [0.0, 1.0]
    low, high = min(found), max(found)
    return (low, high) if high > low else (low - 0.5, high + 0.5)

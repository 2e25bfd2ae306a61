"""Pure data to figures and pictures."""

from resnet_demo.plots.analysis import (
    draw_gradients,
    draw_predictions,
    gradient_figure,
    overlay,
    report_figure,
)
from resnet_demo.plots.style import PAGE_INK, to_png, to_svg
from resnet_demo.plots.training import curves_figure, race_figure

__all__ = [
    "PAGE_INK",
    "curves_figure",
    "draw_gradients",
    "draw_predictions",
    "gradient_figure",
    "overlay",
    "race_figure",
    "report_figure",
    "to_png",
    "to_svg",
]

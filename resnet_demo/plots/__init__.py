"""Pure data to figures and pictures."""

from resnet_demo.plots.analysis import draw_gradients, draw_predictions, gradient_figure, overlay, report_figure, veil
from resnet_demo.plots.features import feature_grid
from resnet_demo.plots.layers import MEASURES, branch_ratio_figure, compare_figure, flow_figure, lesion_figure
from resnet_demo.plots.style import COMPRESSION, PAGE_INK, to_png, to_svg
from resnet_demo.plots.training import curves_figure, race_figure

__all__ = [
    "COMPRESSION",
    "MEASURES",
    "PAGE_INK",
    "branch_ratio_figure",
    "compare_figure",
    "curves_figure",
    "draw_gradients",
    "draw_predictions",
    "feature_grid",
    "flow_figure",
    "gradient_figure",
    "lesion_figure",
    "overlay",
    "race_figure",
    "report_figure",
    "to_png",
    "to_svg",
    "veil",
]

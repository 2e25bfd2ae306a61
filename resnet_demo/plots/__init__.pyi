from .analysis import (
    draw_gradients as draw_gradients,
    draw_predictions as draw_predictions,
    gradient_figure as gradient_figure,
    overlay as overlay,
    report_figure as report_figure,
    veil as veil,
)
from .features import feature_grid as feature_grid
from .layers import (
    MEASURES as MEASURES,
    branch_ratio_figure as branch_ratio_figure,
    compare_figure as compare_figure,
    flow_figure as flow_figure,
    lesion_figure as lesion_figure,
)
from .style import (
    COMPRESSION as COMPRESSION,
    KIND_COLORS as KIND_COLORS,
    PAGE_INK as PAGE_INK,
    kind_of as kind_of,
    to_png as to_png,
    to_svg as to_svg,
)
from .training import curves_figure as curves_figure, outcomes_figure as outcomes_figure, race_figure as race_figure

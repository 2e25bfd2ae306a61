from .analysis import (
    gradient_figure as gradient_figure,
    overlay as overlay,
    report_figure as report_figure,
    veil as veil,
)
from .features import feature_grid as feature_grid
from .layers import (
    MEASURES as MEASURES,
    compare_figure as compare_figure,
    flow_figure as flow_figure,
)
from .landscape import INK as INK, landscape_figure as landscape_figure
from .style import (
    COMPRESSION as COMPRESSION,
    KIND_COLORS as KIND_COLORS,
    to_png as to_png,
    to_svg as to_svg,
)

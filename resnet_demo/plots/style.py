"""Common style of all figures: text colour, palette, and conversion to SVG and PNG.

Uses neither torch nor pyplot: figures are `matplotlib.figure.Figure`, so that threads share no state and no figure
stays open. Colours are Okabe and Ito's, the green one darkened, and matplotlib's perceptually uniform maps: both are
suitable for colour-blind readers, and every difference in colour is also one in shape, position or lightness.
"""

import io
import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# One language of colours on the page and in every figure: what has shortcuts, what is plain, what has gates.
KIND_COLORS = {"residual": "#0072B2", "plain": "#D55E00", "gated": "#008763"}
# Compression level of PNG files: a third of the time of the default, 6, for 5 % more bytes.
COMPRESSION = 3
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def to_svg(figure: Figure, label: str) -> str:
    """The figure as SVG.

    label   text for screen readers
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def to_png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, facecolor="white", pil_kwargs={"compress_level": COMPRESSION})
    return buffer.getvalue()


def power_of_ten(value: float, _: object = None) -> str:
    """A tick label such as 10⁻³ in plain text: matplotlib's own uses its TeX parser, which threads share."""
    exponent = round(math.log10(value)) if value > 0 else 0
    return "10" + str(exponent).translate(SUPERSCRIPTS)


def apply_style(axes: Axes) -> None:
    axes.tick_params(labelsize=10)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))

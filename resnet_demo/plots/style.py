"""Common style of all figures: text colour, palette, and conversion to SVG and PNG.

Uses neither torch nor pyplot: figures are `matplotlib.figure.Figure`, so that threads share no state and no figure
stays open. Colours are Okabe and Ito's, the green one darkened, and matplotlib's perceptually uniform maps: both are
suitable for colour-blind readers, and every difference in colour is also one in shape, position or lightness.
"""

import io
import math
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

# One language of colours on the page and in every figure: what has shortcuts, what is plain, what has gates.
KIND_COLORS = {"residual": "#0072B2", "plain": "#D55E00", "gated": "#008763"}
# Compression level of PNG files: a third of the time of the default, 6, for 5 % more bytes.
COMPRESSION = 3
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def to_svg(figure: Figure, label: str) -> str:
    """The figure as SVG.

    label   plain text for screen readers
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


def to_png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, facecolor="white", pil_kwargs={"compress_level": COMPRESSION})
    return buffer.getvalue()


def power_of_ten(value: float, _: object = None) -> str:
    """A tick label such as 10⁻³ in plain text: matplotlib's own uses its TeX parser, which threads share."""
    exponent = round(math.log10(value)) if value > 0 else 0
    return "10" + str(exponent).translate(SUPERSCRIPTS)


def use_log_scale(axes: Axes, label: str) -> None:
    """A logarithmic y axis of whole decades; the limits are the caller's."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel(label, fontsize=11)
    apply_style(axes, grid=True)


def apply_style(axes: Axes, grid: bool = False) -> None:
    if grid:
        axes.grid(axis="y", color="black", alpha=0.15, linewidth=0.8)
    axes.tick_params(labelsize=10)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))

"""The loss around a trained network, as contours and as a surface (Li et al. 2018)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from resnet_demo.records import Landscape

COLORS = colormaps["viridis"]
LEVELS_PER_DECADE = 5
# Every text and line, so that a page can replace it by the colour of its own text.
INK = "#1f2937"
ROUND = (1, 2, 5)


def landscape_figure(landscape: Landscape, among: Sequence[Landscape] = ()) -> Figure:
    """Contours of the loss at w + a d1 + b d2 with a cross at its minimum, and below them the same as a surface.

    among   those that it is shown beside, and that have one logarithmic scale of colour and height: that ends at their
            highest loss, and higher ones of `landscape` are drawn as that
    """
    low = min(_losses(landscape, *among), default=1.0)
    high = max(_losses(*(among or (landscape,))), default=1.0)
    high = high if high > low else 2 * low
    norm = LogNorm(low, high)
    axis, loss = np.array(landscape.axis), np.clip(landscape.loss, low, high)
    figure = Figure(figsize=(4.8, 8.4), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(1.15, 1))
    _contours(figure, grid[0], axis, loss, norm, cut=landscape.highest > high)
    _surface(figure, grid[1], axis, loss, norm)
    return figure


def _losses(*landscapes: Landscape) -> list[float]:
    """All losses that have a logarithm."""
    return [loss for one in landscapes for row in one.loss for loss in row if loss > 0]


def _contours(figure: Figure, place: Any, axis: np.ndarray, loss: np.ndarray, norm: LogNorm, cut: bool) -> None:
    axes = figure.add_subplot(place)
    low, high = norm.vmin or 1.0, norm.vmax or 1.0
    levels = np.geomspace(low, high, max(2, round(math.log10(high / low) * LEVELS_PER_DECADE)) + 1)
    drawn = axes.contourf(axis, axis, loss.T, levels=levels, norm=norm, cmap=COLORS, extend="max" if cut else "neither")
    axes.contour(axis, axis, loss.T, levels=levels, colors="white", linewidths=0.4, alpha=0.6)
    row, column = np.unravel_index(loss.argmin(), loss.shape)
    axes.plot(axis[row], axis[column], "+", color="white", markersize=11, markeredgewidth=1.8)
    axes.set_aspect("equal")
    axes.set_xlabel("a", color=INK, fontsize=12)
    axes.set_ylabel("b", color=INK, fontsize=12, rotation=0)
    axes.tick_params(colors=INK, labelsize=11)
    axes.set_xticks([axis[0], 0, axis[-1]])
    axes.set_yticks([axis[0], 0, axis[-1]])
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar: Any = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.95, aspect=28)
    bar.set_ticks(_round_numbers(low, high))
    bar.ax.xaxis.set_minor_locator(NullLocator())
    bar.ax.xaxis.set_major_formatter(FuncFormatter(_told))
    bar.ax.tick_params(colors=INK, labelsize=11)
    bar.outline.set_visible(False)


def _surface(figure: Figure, place: Any, axis: np.ndarray, loss: np.ndarray, norm: LogNorm) -> None:
    axes: Any = figure.add_subplot(place, projection="3d")
    a, b = np.meshgrid(axis, axis, indexing="ij")
    # Each face has the colour of its middle.
    middle = np.exp(sum(np.log(part) for part in (loss[1:, 1:], loss[:-1, 1:], loss[1:, :-1], loss[:-1, :-1])) / 4)
    faces = COLORS(norm(middle))
    axes.plot_surface(a, b, np.log10(loss), facecolors=faces, shade=False, rstride=1, cstride=1, linewidth=0.3)
    axes.collections[0].set_edgecolor((1, 1, 1, 0.25))
    low, high = math.log10(norm.vmin or 1.0), math.log10(norm.vmax or 1.0)
    axes.set_zlim(low, high)
    axes.set_zticks([math.log10(number) for number in _round_numbers(10**low, 10**high)])
    axes.zaxis.set_major_formatter(FuncFormatter(lambda z, _: _told(10**z)))
    axes.set_xticks([axis[0], 0, axis[-1]])
    axes.set_yticks([axis[0], 0, axis[-1]])
    axes.set_xlabel("a", color=INK, fontsize=12)
    axes.set_ylabel("b", color=INK, fontsize=12)
    axes.tick_params(colors=INK, labelsize=10)
    axes.view_init(elev=32, azim=-60)
    axes.set_box_aspect((1, 1, 0.75))
    for side in (axes.xaxis, axes.yaxis, axes.zaxis):
        side.set_pane_color((0.5, 0.5, 0.5, 0.06))
        side.line.set_color(INK)


def _round_numbers(low: float, high: float) -> list[float]:
    """Powers of ten between two losses, or a few round numbers where there are fewer than two."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    powers = [10.0**e for e in exponents if low <= 10.0**e <= high]
    return powers if len(powers) > 1 else [f * 10.0**e for e in exponents for f in ROUND if low <= f * 10.0**e <= high]


def _told(value: float, _: object = None) -> str:
    return f"{value:.3g}"

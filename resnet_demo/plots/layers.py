"""Plots over the layers of networks: comparisons and gradient flow."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from resnet_demo.plots.style import KIND_COLORS, apply_style, use_log_scale
from resnet_demo.records import Comparison, Flow, kind_of, relative_depths

Dash = str | tuple[int, tuple[int, ...]]
DASHES: tuple[Dash, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
MEASURES = {
    "gradient_norm": "gradient norm",
    "response_std": "standard deviation of the response",
    "dead_or_saturated": "share of dead or saturated units",
}


def compare_figure(comparison: Comparison) -> Figure:
    """Gradient norms and responses of two networks by relative depth, each on a common scale."""
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    norms, responses = figure.subplots(1, 2)
    analyses = (comparison.first, comparison.second)
    for analysis, style in zip(analyses, _styles([analysis.model for analysis in analyses]), strict=True):
        depths, layers = relative_depths(analysis.gradients), analysis.gradients
        main = [k for k, g in enumerate(layers) if g.is_main]
        _curve(norms, style, analysis.model, [depths[k] for k in main], [layers[k].gradient_norm for k in main])
        answered = {depths[k]: std for k in main if (std := layers[k].response_std) is not None}
        _curve(responses, style, analysis.model, list(answered), list(answered.values()))
    for axes, title in ((norms, "gradient norm"), (responses, "standard deviation of the response")):
        axes.set_xlabel("depth, from the input to the output", fontsize=11)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        _logarithmic(axes, title)
    norms.legend(loc="best", frameon=False, fontsize=10)
    return figure


def flow_figure(flows: Sequence[Flow], measure: str) -> Figure:
    """One of `MEASURES` by relative depth, with a curve for each network."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots()
    for flow, style in zip(flows, _styles([flow.network for flow in flows]), strict=True):
        measured = zip(relative_depths(flow.layers), flow.layers, strict=True)
        points = [(depth, value) for depth, layer in measured if (value := getattr(layer, measure)) is not None]
        _curve(axes, style, flow.network, [x for x, _ in points], [y for _, y in points])
    axes.set_xlabel("depth, from the input to the output", fontsize=11)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    if measure == "dead_or_saturated":
        axes.set_ylim(-0.02, 1.02)
        axes.set_ylabel(MEASURES[measure], fontsize=11)
        apply_style(axes, grid=True)
    else:
        _logarithmic(axes, MEASURES[measure])
    if flows:
        axes.legend(loc="best", frameon=False, fontsize=10)
    return figure


def _styles(networks: Sequence[str]) -> list[tuple[str, Dash, str]]:
    """The colour of each network's kind; the dash tells those of one kind apart, and the marker all of them."""
    kinds = [kind_of(network) for network in networks]
    dashes = [DASHES[kinds[:i].count(kind) % len(DASHES)] for i, kind in enumerate(kinds)]
    return [
        (KIND_COLORS[kind], dash, MARKERS[i % len(MARKERS)])
        for i, (kind, dash) in enumerate(zip(kinds, dashes, strict=True))
    ]


def _curve(axes: Axes, style: tuple[str, Dash, str], label: str, x: Sequence[float], y: Sequence[float]) -> None:
    drawable = [value if math.isfinite(value) and value >= 0 else math.nan for value in y]
    color, dashes, marker = style
    axes.plot(x, drawable, linestyle=dashes, marker=marker, markersize=4, color=color, linewidth=1.4, label=label)


def _logarithmic(axes: Axes, title: str) -> None:
    use_log_scale(axes, title)
    low, high = axes.get_ylim()
    axes.set_ylim(10.0 ** math.floor(math.log10(max(low, 1e-45))), 10.0 ** math.ceil(math.log10(high)))

"""Plots over the layers or blocks of networks: comparisons, gradient flow, branch ratios, lesions."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from resnet_demo.plots.style import COLORS, apply_style, power_of_ten
from resnet_demo.records import BranchRatio, Comparison, Flow, LesionStudy, relative_depths

# Curves differ in colour, dash and marker.
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
MEASURES = {
    "gradient_norm": "gradient norm",
    "response_std": "standard deviation of the response",
    "dead_or_saturated": "share of dead or saturated units",
}


def compare_figure(comparison: Comparison, ink: str = "black") -> Figure:
    """Gradient norms and responses of two networks by relative depth, each on a common scale."""
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    norms, responses = figure.subplots(1, 2)
    for i, analysis in enumerate((comparison.first, comparison.second)):
        depths, layers = relative_depths(analysis), analysis.gradients
        main = [k for k, g in enumerate(layers) if g.is_main]
        _curve(norms, i, analysis.model, [depths[k] for k in main], [layers[k].gradient_norm for k in main])
        answered = {depths[k]: std for k in main if (std := layers[k].response_std) is not None}
        _curve(responses, i, analysis.model, list(answered), list(answered.values()))
    for axes, title in ((norms, "gradient norm"), (responses, "standard deviation of the response")):
        axes.set_xlabel("depth, from the input to the output", color=ink, fontsize=11)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        _logarithmic(axes, title, ink)
    norms.legend(loc="best", frameon=False, labelcolor=ink, fontsize=10)
    return figure


def flow_figure(flows: Sequence[Flow], measure: str, ink: str = "black") -> Figure:
    """One of `MEASURES` by relative depth, with a curve for each network."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots()
    for i, flow in enumerate(flows):
        last = max(len(flow.layers) - 1, 1)
        points = [
            (k / last, value) for k, layer in enumerate(flow.layers) if (value := getattr(layer, measure)) is not None
        ]
        _curve(axes, i, flow.network, [x for x, _ in points], [y for _, y in points])
    axes.set_xlabel("depth, from the input to the output", color=ink, fontsize=11)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    if measure == "dead_or_saturated":
        axes.set_ylim(-0.02, 1.02)
        axes.set_ylabel(MEASURES[measure], color=ink, fontsize=11)
        axes.grid(axis="y", color=ink, alpha=0.15, linewidth=0.8)
        apply_style(axes, ink)
    else:
        _logarithmic(axes, MEASURES[measure], ink)
    if flows:
        axes.legend(loc="best", frameon=False, labelcolor=ink, fontsize=10)
    return figure


def branch_ratio_figure(ratios: Sequence[BranchRatio], ink: str = "black") -> Figure:
    """||F(x)|| / ||S(x)|| of every block."""
    figure = Figure(figsize=(10, 2.6), layout="constrained")
    axes = figure.subplots()
    positions = range(len(ratios))
    axes.bar(positions, [block.ratio for block in ratios], color=COLORS[0])
    axes.axhline(1, color=ink, alpha=0.4, linewidth=1, linestyle="--")
    _name_blocks(axes, [block.layer for block in ratios], ink)
    axes.set_ylabel("||F(x)|| / ||S(x)||", color=ink, fontsize=11)
    apply_style(axes, ink)
    return figure


def lesion_figure(studies: Sequence[LesionStudy], ink: str = "black") -> Figure:
    """Test error after the removal of each single block, for all networks on one scale."""
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    axes = figure.subplots()
    blocks: Mapping[str, float] = max((study.errors for study in studies), key=len)
    for i, study in enumerate(studies):
        color = COLORS[(0, 5)[i % 2]]
        label = f"{study.model}: whole {study.test_error:.2f} %"
        places = [list(blocks).index(name) for name in study.errors]
        axes.plot(places, list(study.errors.values()), DASHES[i], marker=MARKERS[i], color=color, label=label)
        axes.axhline(study.test_error, color=color, alpha=0.4, linewidth=1)
    _name_blocks(axes, list(blocks), ink)
    axes.set_ylim(0, 100)
    axes.set_ylabel("test error in % without it", color=ink, fontsize=11)
    axes.grid(axis="y", color=ink, alpha=0.15, linewidth=0.8)
    axes.legend(loc="best", frameon=False, labelcolor=ink, fontsize=10)
    apply_style(axes, ink)
    return figure


def _curve(axes: Axes, i: int, label: str, x: Sequence[float], y: Sequence[float]) -> None:
    drawable = [value if math.isfinite(value) and value >= 0 else math.nan for value in y]
    color, dashes, marker = COLORS[(0, 5, 2, 3, 1, 4)[i % 6]], DASHES[i % 6], MARKERS[i % 6]
    axes.plot(x, drawable, linestyle=dashes, marker=marker, markersize=4, color=color, linewidth=1.4, label=label)


def _logarithmic(axes: Axes, title: str, ink: str) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(10.0 ** math.floor(math.log10(max(low, 1e-45))), 10.0 ** math.ceil(math.log10(high)))
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel(title, color=ink, fontsize=11)
    axes.grid(axis="y", color=ink, alpha=0.15, linewidth=0.8)
    apply_style(axes, ink)


def _name_blocks(axes: Axes, names: Sequence[str], ink: str) -> None:
    """Label every block if there is room, else the first block of each stage."""
    shown = [i for i, name in enumerate(names) if len(names) <= 16 or name.endswith(".0")]
    axes.set_xticks(shown, [names[i] for i in shown])
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_xlabel("block", color=ink, fontsize=11)

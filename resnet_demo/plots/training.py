"""Plots of training: error by epoch of plain and residual networks (the paper's figure 6), and a race."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from resnet_demo.plots.style import COLORS, apply_style
from resnet_demo.records import Outcome, TrainingCurve

# A depth always has the same colour, whatever other depths are shown.
DEPTH_COLORS = {20: COLORS[4], 32: COLORS[2], 44: COLORS[3], 56: COLORS[5], 110: COLORS[0]}
CONNECTIONS = {"plain": "plain", "residual": "residual (ResNet)"}
CEILING = 30.0


def curves_figure(curves: Sequence[TrainingCurve], ink: str = "black") -> Figure:
    """Training (dashed) and test (bold) error in percent by epoch: plain networks left, residual ones right."""
    # Height of the legend: one line per depth.
    depths = len({curve.depth for curve in curves})
    figure = Figure(figsize=(12, 4.2 + 0.22 * depths), layout="constrained")
    panels = figure.subplots(1, len(CONNECTIONS), sharey=True)
    for axes, (connection, title) in zip(panels, CONNECTIONS.items(), strict=True):
        shown = sorted((c for c in curves if c.connection == connection), key=lambda c: c.depth)
        for curve in shown:
            _draw_curve(axes, curve)
        axes.set_title(title, color=ink, fontsize=12)
        axes.set_xlabel("epoch", color=ink, fontsize=11)
        axes.grid(axis="y", color=ink, alpha=0.15, linewidth=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        apply_style(axes, ink)
        if shown:
            place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14)}
            axes.legend(**place, frameon=False, labelcolor=ink, fontsize=10)
        else:
            axes.text(0.5, 0.5, "none chosen", transform=axes.transAxes, color=ink, ha="center")
    worst = max((epoch.test_error for curve in curves for epoch in curve.epochs[len(curve.epochs) // 2 :]), default=0)
    # Errors of the first epochs are far higher: including them in the scale would hide the differences at the end.
    panels[0].set_ylim(0, min(100, max(CEILING, 1.1 * min(worst, 100))) if worst > CEILING else CEILING)
    panels[0].set_ylabel("error in %", color=ink, fontsize=11)
    return figure


def outcomes_figure(outcomes: Sequence[Outcome], ink: str = "black") -> Figure:
    """One bar each: filled for a network that was trained, outlined for one that was made from it. Narrow enough for a
    phone."""
    figure = Figure(figsize=(4.8, 0.6 + 0.5 * len(outcomes)), layout="constrained")
    axes = figure.subplots()
    for i, outcome in enumerate(outcomes):
        color = COLORS[5] if outcome.trained else COLORS[2]
        (bar,) = axes.barh(i, outcome.test_error, height=0.62, linewidth=1.6, edgecolor=color)
        bar.set(facecolor=color) if outcome.trained else bar.set(facecolor="none", hatch="//")
        axes.annotate(
            f"{outcome.test_error:.2f}",
            (outcome.test_error, i),
            (6, 0),
            textcoords="offset points",
            color=ink,
            va="center",
        )
    axes.set_yticks(range(len(outcomes)), [outcome.title for outcome in outcomes])
    axes.set_ylim(len(outcomes) - 0.5, -0.5)
    axes.set_xlim(0, 1.2 * max((outcome.test_error for outcome in outcomes), default=1))
    axes.set_xlabel("test error in %", color=ink, fontsize=11)
    apply_style(axes, ink)
    axes.tick_params(axis="y", length=0)
    return figure


def race_figure(names: Sequence[str], laps: Sequence[tuple[int, tuple[float, ...]]], ink: str = "black") -> Figure:
    """The training loss of each network by batch; laps are (batches done, mean loss of each since the last lap)."""
    figure = Figure(figsize=(12, 3.2), layout="constrained")
    axes = figure.subplots()
    batches = [done for done, _ in laps]
    for i, name in enumerate(names):
        losses = [loss[i] for _, loss in laps]
        axes.plot(batches, losses, ("-", "--")[i % 2], color=(COLORS[0], COLORS[5])[i % 2], linewidth=2, label=name)
    axes.set_xlabel("batches of 128 images per network", color=ink, fontsize=11)
    axes.set_ylabel("training loss", color=ink, fontsize=11)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=ink, alpha=0.15, linewidth=0.8)
    apply_style(axes, ink)
    if laps:
        axes.legend(loc="upper right", frameon=False, labelcolor=ink, fontsize=11)
    return figure


def _draw_curve(axes: Axes, curve: TrainingCurve) -> None:
    color = DEPTH_COLORS.get(curve.depth, COLORS[1])
    epochs = [epoch.epoch for epoch in curve.epochs]
    label = f"{curve.architecture}: test {curve.test_error:.2f} %, training {curve.train_error:.2f} %"
    axes.plot(epochs, [epoch.train_error for epoch in curve.epochs], "--", color=color, linewidth=1)
    axes.plot(epochs, [epoch.test_error for epoch in curve.epochs], "-", color=color, linewidth=2.2, label=label)

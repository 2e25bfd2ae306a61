"""What the page plots of training: errors by epoch, final errors, a race; as records for the browser."""

import math
from collections.abc import Sequence

from resnet_demo.records import Lap, Outcome, TrainingCurve, kind_of
from resnet_demo.ui.bars import Bar, BarList
from resnet_demo.ui.chart import MARKS, Line, Panel, Plot, Point

CONNECTIONS = {"plain": "plain", "residual": "residual (ResNet)"}
# The paper's own scale, where errors allow it: those of the first epochs would hide the differences at the end.
CEILING = 20.0
# A scale that would end above this may as well end at 100 %, and nothing is cut.
ALMOST_ALL = 80.0
MARK_EVERY = {True: 4, False: 8}


def curves_plot(curves: Sequence[TrainingCurve]) -> Plot:
    """Training (dashed) and test (bold) error in percent by epoch: plain networks left, residual ones right. Depths are
    told by their marks, which are the same on both sides."""
    depths = sorted({curve.depth for curve in curves})
    ceiling, panels = _ceiling(curves), []
    for connection, title in CONNECTIONS.items():
        lines = []
        for curve in sorted((c for c in curves if c.connection == connection), key=lambda c: c.depth):
            mark = MARKS[depths.index(curve.depth) % len(MARKS)]
            lines += [_errors(curve, test, ceiling, mark) for test in (True, False)]
        panels.append(Panel(tuple(lines), "epoch", "error in %", title, y_range=(0, ceiling), x_range=_epochs(curves)))
    ends = "; ".join(
        f"{c.architecture}: {c.test_error:.2f} percent test error, {c.train_error:.2f} training" for c in curves
    )
    alt = f"Error by epoch, plain networks on the left, residual ones on the right. At the end: {ends}"
    return Plot(tuple(panels), alt if curves else "No curves", 300, _cut(curves, ceiling))


def outcome_bars(outcomes: Sequence[Outcome]) -> BarList:
    """The final test error of each network: filled if it was trained, hatched if it was made from one that was."""
    longest = max((outcome.test_error for outcome in outcomes), default=1.0) or 1.0
    bars = tuple(
        Bar(o.title, o.test_error / longest, f"{o.test_error:.2f} %", o.kind, hollow=not o.trained) for o in outcomes
    )
    return BarList("Test error; hatched: by construction, not trained", bars)


def race_plot(names: Sequence[str], laps: Sequence[Lap]) -> Plot:
    """The training loss of each network by batch."""
    kinds = [kind_of(name) for name in names]
    done, lines = laps[-1].batches if laps else 0, []
    for i, name in enumerate(names):
        told = ((lap, f"{name}\n{lap.batches} batches\nloss {lap.losses[i]:.3f}") for lap in laps)
        points = tuple(Point(lap.batches, lap.losses[i], text) for lap, text in told)
        # Marks show where the first lap is, before there is a line.
        dash, every = kinds[:i].count(kinds[i]), max(1, len(laps) // 12)
        lines.append(Line(name, kinds[i], points, dash, MARKS[i % len(MARKS)], every, 2))
    axis = (0.0, float(done)) if done else None
    panel = Panel(tuple(lines), "batches of 128 images per network", "training loss", x_range=axis)
    return Plot((panel,), f"Training loss of {' and '.join(names)} over {done} batches", 260)


def _ceiling(curves: Sequence[TrainingCurve]) -> float:
    """Where the scale ends, in percent: above everything that is tested in the last two fifths of the epochs."""
    late = [epoch.test_error for curve in curves for epoch in curve.epochs[len(curve.epochs) * 3 // 5 :]]
    ceiling = max(CEILING, 5 * math.ceil(1.1 * max(late, default=0) / 5))
    return ceiling if ceiling <= ALMOST_ALL else 100.0


def _cut(curves: Sequence[TrainingCurve], ceiling: float) -> tuple[str, ...]:
    """The sentence about what is above the scale, if anything is."""
    if not curves:
        return ("No depth is chosen.",)
    worst = [(epoch.epoch, max(epoch.test_error, epoch.train_error)) for curve in curves for epoch in curve.epochs]
    above = [(epoch, error) for epoch, error in worst if error > ceiling]
    if not above:
        return ()
    last, highest = max(epoch for epoch, _ in above), max(error for _, error in above)
    return (
        f"Cut at {ceiling:.0f} %: errors above it, up to {highest:.0f} % and the last of them in epoch {last}, "
        "are not drawn.",
    )


def _errors(curve: TrainingCurve, test: bool, ceiling: float, mark: str) -> Line:
    what, last = ("test", curve.test_error) if test else ("training", curve.train_error)
    measured = [(epoch.epoch, epoch.test_error if test else epoch.train_error) for epoch in curve.epochs]
    points: list[Point] = []
    for i, (epoch, error) in enumerate(measured):
        text = f"{curve.architecture}\nepoch {epoch}\n{what} error {error:.2f} %"
        before, previous = measured[i - 1] if i else (epoch, error)
        if (previous > ceiling) != (error > ceiling):
            # The curve leaves the plot and comes back where it crosses the edge, which says what lies beyond.
            x = before + (epoch - before) * (ceiling - previous) / (error - previous)
            points.append(Point(x, ceiling, f"{text}\nabove this plot" if error > ceiling else points[-1].says))
        beyond = error > ceiling
        points.append(Point(epoch, None if beyond else error, f"{text}\nabove this plot" if beyond else text))
    dash, weight = (0, 2.2) if test else (1, 1.1)
    name = f"{curve.architecture}, {what}: {last:.2f} %"
    return Line(name, curve.connection, tuple(points), dash, mark, MARK_EVERY[test], weight)


def _epochs(curves: Sequence[TrainingCurve]) -> tuple[float, float] | None:
    last = max((curve.epochs[-1].epoch for curve in curves if curve.epochs), default=0)
    return (0, last) if last else None

"""What the page plots of training: errors by epoch, final errors, a race; as records for the browser."""

import math
from collections.abc import Sequence

from resnet_demo.records import Lap, Outcome, Summary, TrainingCurve, kind_of
from resnet_demo.ui.bars import Bar, BarList
from resnet_demo.ui.chart import MARKS, Line, Panel, Plot, Point
from resnet_demo.ui.language import later, t

CONNECTIONS = {"plain": later("plain"), "residual": later("residual (ResNet)")}
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
        axes = (t("epoch"), t("error in %"), t(title))
        panels.append(Panel(tuple(lines), *axes, y_range=(0, ceiling), x_range=_epochs(curves)))
    ends = "; ".join(
        t(
            "{name}: {test:.2f} % test error, {train:.2f} % training error",
            name=c.architecture,
            test=c.test_error,
            train=c.train_error,
        )
        for c in curves
    )
    alt = t("Error by epoch, plain networks on the left, residual ones on the right. At the end: {ends}", ends=ends)
    return Plot(tuple(panels), alt if curves else t("No curves"), 300, _cut(curves, ceiling))


def ladder_plot(ladder: Sequence[Summary], missing: Sequence[str]) -> Plot:
    """Test (bold) and training (dashed) error in percent of the last epoch by depth, a curve for each kind; over
    several seeds their mean, with a line from one deviation below it to one above.

    ladder   of `zoo.results.ladder`
    """
    depths = sorted({summary.depth for summary in ladder})
    lines: list[Line] = []
    for connection, title in CONNECTIONS.items():
        rungs = sorted((s for s in ladder if kind_of(s.architecture) == connection), key=lambda s: s.depth)
        for test in (True, False) if rungs else ():
            lines += _by_depth(rungs, test, connection, t(title))
    panel = Panel(
        tuple(lines), t("depth in layers"), t("error in %"), t("last epoch"),
        x_range=(depths[0] - 4, depths[-1] + 4) if depths else None,
        x_ticks=tuple((depth, str(depth)) for depth in depths),
    )  # fmt: skip
    ends = "; ".join(f"{s.architecture} {s.told()[0]} %" for s in ladder)
    alt = t("Test error of the last epoch by depth: {ends}", ends=ends) if ladder else t("No curves")
    several = later("Over several seeds the mean; the vertical line is one standard deviation up and down.")
    notes = [t(several)] if any(s.runs > 1 for s in ladder) else [t("One run each.")] if ladder else []
    notes += [t("Not trained yet: {names}.", names=", ".join(missing))] if missing else []
    return Plot((panel,), alt, 300, (" ".join(notes),) if notes else ())


def _by_depth(rungs: Sequence[Summary], test: bool, kind: str, title: str) -> list[Line]:
    """The curve of test or training error, and a line of its own for each deviation."""
    what = t("test error") if test else t("training error")
    name, points, deviations = f"{title}, {what}", [], []
    for s in rungs:
        error, deviation = (s.test_error, s.test_std) if test else (s.train_error, s.train_std)
        seeds = f"\n{t('{count} seeds', count=s.runs)}" if s.runs > 1 else ""
        says = f"{s.architecture}\n{what} {s.told()[0 if test else 1]} %{seeds}"
        points.append(Point(s.depth, error, says))
        if deviation is not None:
            ends = tuple(Point(s.depth, y, says) for y in (error - deviation, error + deviation))
            deviations.append(Line(name, kind, ends, mark="", weight=1))
    dash, weight = (0, 2.2) if test else (1, 1.1)
    return [Line(name, kind, tuple(points), dash, MARKS[0], weight=weight), *deviations]


def outcome_bars(outcomes: Sequence[Outcome]) -> BarList:
    """The final test error of each network: filled if it was trained, hatched if it was made from one that was."""
    longest = max((outcome.test_error for outcome in outcomes), default=1.0) or 1.0
    bars = tuple(
        Bar(o.title, o.test_error / longest, f"{o.test_error:.2f} %", o.kind, hollow=not o.trained) for o in outcomes
    )
    return BarList(t("Test error; hatched: by construction, not trained"), bars)


def race_plot(names: Sequence[str], laps: Sequence[Lap]) -> Plot:
    """The training loss of each network by batch."""
    kinds = [kind_of(name) for name in names]
    done, lines = laps[-1].batches if laps else 0, []
    for i, name in enumerate(names):
        text = later("{count} batches\nloss {loss:.3f}")
        told = ((lap, f"{name}\n{t(text, count=lap.batches, loss=lap.losses[i])}") for lap in laps)
        points = tuple(Point(lap.batches, lap.losses[i], text) for lap, text in told)
        # Marks show where the first lap is, before there is a line.
        dash, every = kinds[:i].count(kinds[i]), max(1, len(laps) // 12)
        lines.append(Line(name, kinds[i], points, dash, MARKS[i % len(MARKS)], every, 2))
    axis = (0.0, float(done)) if done else None
    panel = Panel(tuple(lines), t("batches of 128 images per network"), t("training loss"), x_range=axis)
    alt = t("Training loss of {names} over {count} batches", names=", ".join(names), count=done)
    return Plot((panel,), alt, 260)


def _ceiling(curves: Sequence[TrainingCurve]) -> float:
    """Where the scale ends, in percent: above everything that is tested in the last two fifths of the epochs."""
    late = [epoch.test_error for curve in curves for epoch in curve.epochs[len(curve.epochs) * 3 // 5 :]]
    ceiling = max(CEILING, 5 * math.ceil(1.1 * max(late, default=0) / 5))
    return ceiling if ceiling <= ALMOST_ALL else 100.0


def _cut(curves: Sequence[TrainingCurve], ceiling: float) -> tuple[str, ...]:
    """The sentence about what is above the scale, if anything is."""
    if not curves:
        return (t("No depth is chosen."),)
    worst = [(epoch.epoch, max(epoch.test_error, epoch.train_error)) for curve in curves for epoch in curve.epochs]
    above = [(epoch, error) for epoch, error in worst if error > ceiling]
    if not above:
        return ()
    last, highest = max(epoch for epoch, _ in above), max(error for _, error in above)
    return (
        t(
            "Cut at {ceiling:.0f} %: errors above it, up to {highest:.0f} % and the last of them in epoch {last}, are "
            "not drawn.",
            ceiling=ceiling,
            highest=highest,
            last=last,
        ),
    )


def _errors(curve: TrainingCurve, test: bool, ceiling: float, mark: str) -> Line:
    what, last = (t("test error"), curve.test_error) if test else (t("training error"), curve.train_error)
    outside = t("above this plot")
    measured = [(epoch.epoch, epoch.test_error if test else epoch.train_error) for epoch in curve.epochs]
    points: list[Point] = []
    for i, (epoch, error) in enumerate(measured):
        text = f"{curve.architecture}\n{t('epoch {epoch}', epoch=epoch)}\n{what} {error:.2f} %"
        before, previous = measured[i - 1] if i else (epoch, error)
        if (previous > ceiling) != (error > ceiling):
            # The curve leaves the plot and comes back where it crosses the edge, which says what lies beyond.
            x = before + (epoch - before) * (ceiling - previous) / (error - previous)
            points.append(Point(x, ceiling, f"{text}\n{outside}" if error > ceiling else points[-1].says))
        beyond = error > ceiling
        points.append(Point(epoch, None if beyond else error, f"{text}\n{outside}" if beyond else text))
    dash, weight = (0, 2.2) if test else (1, 1.1)
    name = f"{curve.architecture}, {what}: {last:.2f} %"
    return Line(name, curve.connection, tuple(points), dash, mark, MARK_EVERY[test], weight)


def _epochs(curves: Sequence[TrainingCurve]) -> tuple[float, float] | None:
    last = max((curve.epochs[-1].epoch for curve in curves if curve.epochs), default=0)
    return (0, last) if last else None

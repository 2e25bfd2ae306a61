"""What the page plots over the layers or blocks of networks, as records for the browser."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from textwrap import fill

from resnet_demo import plots
from resnet_demo.plots.style import SUPERSCRIPTS
from resnet_demo.records import (
    Analysis,
    BranchRatio,
    Comparison,
    Flow,
    LayerFlow,
    LayerGradient,
    LesionStudy,
    kind_of,
    relative_depths,
)
from resnet_demo.ui import spoken
from resnet_demo.ui.chart import MARKS, Line, Panel, Plot, Point, zeros
from resnet_demo.ui.language import later, t

DEPTH = later("depth, from the input to the output")
# Characters of a line that a phone has room for.
NARROW = 40
TITLES = {"gradient_norm": later("gradient norm"), "response_std": later("standard deviation of the response")}
COMPARED = tuple(TITLES)
WITHOUT = later("without {block}: {error:.2f} % test error")
# Layers beside the main path have marks of their own, and no line joins them.
BESIDE = {"projection": (later("projection shortcut"), "DIAMOND"), "gate": (later("highway gate"), "TRIANGLE")}


def gradient_plot(analysis: Analysis) -> Plot:
    """The norm of d logit / d weight of every layer; a click on one raises the block that it is in."""
    kind, layers = kind_of(analysis.model), analysis.gradients
    points = [
        Point(i, layer.gradient_norm, _says(layer), block_of(layer, analysis.layers)) for i, layer in enumerate(layers)
    ]
    main = tuple(point for point, layer in zip(points, layers, strict=True) if layer.is_main)
    lines = [Line(t("convolution or fc"), kind, main)]
    for role, (name, mark) in BESIDE.items():
        beside = tuple(point for point, layer in zip(points, layers, strict=True) if layer.role == role)
        lines += [Line(t(name), kind, beside, mark=mark, weight=0)] if beside else []
    panel = Panel(
        tuple(lines), t("layers in forward order, input on the left"), t("gradient norm"), log=True,
        x_range=(-0.5, len(layers) - 0.5), bands=_stages(layers),
    )  # fmt: skip
    first, last = layers[0].gradient_norm, layers[-1].gradient_norm
    alt = t(
        "Gradient norm of the {count} layers of {model}: {first:.3g} at the input, {last:.3g} at the output; largest "
        "in {steepest}",
        count=len(layers),
        model=analysis.model,
        first=first,
        last=last,
        steepest=", ".join(spoken.largest(layers)),
    )
    hint = t("Click a layer to explain its block.")
    return Plot((panel,), alt, 210, zeros(t("Gradient norm"), points), hint, analysis.layer)


def compare_plot(comparison: Comparison, measures: Sequence[str] = COMPARED) -> Plot:
    """Some of `COMPARED`, of two networks by relative depth, each on a scale that both share."""
    analyses = (comparison.first, comparison.second)
    kinds = [kind_of(analysis.model) for analysis in analyses]
    panels, notes = [], []
    for measure in measures:
        title, lines = t(TITLES[measure]), []
        for i, analysis in enumerate(analyses):
            points = tuple(
                Point(depth, value, f"{analysis.model}\n{layer.layer} {_shape(layer)}\n{title} {value:.3g}")
                for depth, layer in zip(relative_depths(analysis.gradients), analysis.gradients, strict=True)
                if layer.is_main and (value := getattr(layer, measure)) is not None
            )
            same = kinds[:i].count(kinds[i])
            lines.append(Line(analysis.model, kinds[i], points, dash=same, mark=MARKS[i]))
            notes += zeros(f"{analysis.model}, {title}", points)
        panels.append(Panel(tuple(lines), t(DEPTH), "", title, log=True, x_range=(0, 1), x_percent=True))
    ends = "; ".join(
        t(
            "{model}: gradient norm {first:.3g} at the input, {last:.3g} at the output",
            model=a.model,
            first=a.gradients[0].gradient_norm,
            last=a.gradients[-1].gradient_norm,
        )
        for a in analyses
    )
    titles = ", ".join(t(TITLES[measure]) for measure in measures)
    return Plot(tuple(panels), f"{t('By depth')}: {titles}. {ends}", 250, tuple(notes))


def flow_plot(flows: Sequence[Flow], measure: str, names: Sequence[str]) -> Plot:
    """One of `plots.MEASURES` by relative depth, with a curve for each network, by its name in words."""
    title, lines, notes = t(plots.MEASURES[measure]), [], []
    kinds = [kind_of(flow.network) for flow in flows]
    share = measure == "dead_or_saturated"
    # A share can be 0; a norm or a deviation is only too small for a float.
    zero = "0" if share else t("0 in float32")
    for i, (flow, name) in enumerate(zip(flows, names, strict=True)):
        points = tuple(
            Point(depth, value, f"{fill(name, NARROW)}\n{layer.layer}\n{title} {told if value else zero}")
            for depth, layer in zip(relative_depths(flow.layers), flow.layers, strict=True)
            if (value := getattr(layer, measure)) is not None
            for told in [spread(layer) if measure == "gradient_norm" else said(value)]
        )
        lines.append(Line(name, kinds[i], points, dash=kinds[:i].count(kinds[i]), mark=MARKS[i % len(MARKS)]))
        notes += () if share else zeros(name, points)
    panels = [
        Panel(
            tuple(lines), t(DEPTH), title, log=not share, x_range=(0, 1), x_percent=True,
            y_range=(0, 1) if share else None,
        )
    ]  # fmt: skip
    if measure == "response_std":
        panels.append(Panel(tuple(map(_ranked, lines)), t("layers by magnitude, the largest first"), title, log=True))
    ends = "; ".join(f"{name}: {ratio(flow)}" for flow, name in zip(flows, names, strict=True))
    ratios = t("First over last convolution's gradient norm")
    alt = f"{title[0].upper()}{title[1:]}. {ratios}: {ends}"
    return Plot(tuple(panels), alt, 360, tuple(notes))


def _ranked(line: Line) -> Line:
    """The same layers by magnitude (He et al. 2016, figure 7, bottom)."""
    points = sorted(line.points, key=lambda point: -(point.y or 0))
    return replace(line, points=tuple(replace(point, x=i) for i, point in enumerate(points, 1)))


def spread(layer: LayerFlow) -> str:
    """The gradient norm of a layer; with its deviation over the images, if it is a mean."""
    norm = said(layer.gradient_norm)
    return norm if layer.gradient_std is None else f"{norm} ± {said(layer.gradient_std)}"


def ratio(flow: Flow) -> str:
    """The gradient norm at the first convolution divided by that at the last, or why there is no such number."""
    first, last = flow.layers[0].gradient_norm, flow.layers[-2].gradient_norm
    if not (isfinite(first) and isfinite(last)):
        return t("not defined: not both are finite")
    if last:
        return said(first / last)
    return t("not defined: the last is 0") if first else t("not defined: both are 0")


def said(number: float | None) -> str:
    """Three digits of a number, such as 0.0473 or 6.3·10⁻¹⁰, or a word where there is none."""
    if number is None or not isfinite(number):
        return t("none") if number is None else t("not finite")
    digits, _, exponent = f"{float(f'{number:.3g}'):,g}".partition("e")
    return f"{digits}·10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else digits


def lesion_plot(studies: Sequence[LesionStudy]) -> Plot:
    """Test error after the removal of each single block, and of several at once where that was measured, for all
    networks on one scale."""
    blocks = list(max((study.errors for study in studies), key=len))
    lines, rules = [], []
    for i, study in enumerate(studies):
        kind = kind_of(study.model)
        points = tuple(
            Point(blocks.index(name), error, f"{study.model}\n{t(WITHOUT, block=name, error=error)}", name)
            for name, error in study.errors.items()
        )
        lines.append(Line(_whole(study), kind, points, mark=MARKS[i]))
        rules.append((study.test_error, kind, ""))
    ticks = tuple((i, name) for i, name in enumerate(blocks) if len(blocks) <= 16 or name.endswith(".0"))
    panel = Panel(
        tuple(lines), t("block that is taken out"), t("test error in % without it"),
        x_range=(-0.6, len(blocks) - 0.4), y_range=(0, 100), x_ticks=ticks, rules=tuple(rules),
    )  # fmt: skip
    panels, notes = (panel,), ()
    if drawn := [study for study in studies if study.several]:
        draws = len(next(iter(drawn[0].several.values())))
        panels += (_several(studies, len(blocks)),)
        several = later("Several at once: the mean of {draws} random draws, on {images:,} test images.")
        notes = (t(several, draws=draws, images=drawn[0].several_images),)
    worst = (
        t(
            "{model}: {error:.2f} %, at worst {worst:.1f} %",
            model=s.model,
            error=s.test_error,
            worst=max(s.errors.values()),
        )
        for s in studies
    )
    hint = t("Click a point to take that block out, or to put it back.")
    return Plot(panels, f"{t('Test error without each block.')} {'; '.join(worst)}", 260, notes, hint)


def _whole(study: LesionStudy) -> str:
    return t("{model}, whole (dotted): {error:.2f} %", model=study.model, error=study.test_error)


def _several(studies: Sequence[LesionStudy], blocks: int) -> Panel:
    """The mean test error without that many blocks, drawn at random."""
    lines = []
    for i, study in enumerate(studies):
        whole = t("whole: {error:.2f} % test error", error=study.test_error)
        points = [Point(0, study.test_error, f"{study.model}\n{whole}")]
        for count, errors in study.several.items():
            mean = sum(errors) / len(errors)
            without = later("without {count} of {blocks} blocks: {mean:.1f} % test error")
            text = t(without, count=count, blocks=len(study.errors), mean=mean)
            draws = later("{draws} draws, from {least:.1f} to {most:.1f} %")
            spread = t(draws, draws=len(errors), least=min(errors), most=max(errors))
            points.append(Point(int(count), mean, f"{study.model}\n{text}\n{spread}"))
        lines.append(Line(_whole(study), kind_of(study.model), tuple(points), mark=MARKS[i]))
    x_title, y_title = t("blocks taken out at once, at random"), t("mean test error in %")
    return Panel(tuple(lines), x_title, y_title, x_range=(0, blocks), y_range=(0, 100))


def branch_ratio_plot(model: str, ratios: Sequence[BranchRatio]) -> Plot:
    """||F(x)|| / ||S(x)|| of every block."""
    points = tuple(
        Point(i, block.ratio, f"{block.layer}\n||F(x)|| / ||S(x)|| = {block.ratio:.3g}")
        for i, block in enumerate(ratios)
    )
    ticks = tuple((i, r.layer) for i, r in enumerate(ratios) if len(ratios) <= 16 or r.layer.endswith(".0"))
    panel = Panel(
        (Line(t("branch ratio"), kind_of(model), points),), t("block"), "||F(x)|| / ||S(x)||",
        x_range=(-0.6, len(ratios) - 0.4), x_ticks=ticks, rules=((1.0, kind_of(model), t("as large")),),
    )  # fmt: skip
    label = "; ".join(f"{block.layer} {block.ratio:.2f}" for block in ratios)
    return Plot((panel,), f"||F(x)|| / ||S(x)||: {label}", 236, legend=False)


def block_of(layer: LayerGradient, blocks: Sequence[str]) -> str:
    """The block that a layer is in, as `analyze` takes it; empty for fc, which has no map to explain."""
    if layer.stage in ("stem", "fc"):
        return "stem" if layer.stage == "stem" else ""
    return next((block for block in blocks if layer.layer.startswith(f"{block}.")), "")


def _says(layer: LayerGradient) -> str:
    norm = f"{t('gradient norm')} {layer.gradient_norm:.3g}"
    return f"{layer.layer}\n{t('weight')} {_shape(layer)}\n{norm}"


def _shape(layer: LayerGradient) -> str:
    return "x".join(map(str, layer.shape))


def _stages(layers: Sequence[LayerGradient]) -> tuple[tuple[float, float, str], ...]:
    members: dict[str, list[int]] = {}
    for i, layer in enumerate(layers):
        members.setdefault(layer.stage, []).append(i)
    return tuple((places[0] - 0.5, places[-1] + 0.5, stage) for stage, places in members.items())

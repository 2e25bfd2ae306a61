"""Pictures of an `Analysis`: the heatmap over the photo, the top classes, the gradient norm of every layer."""

import math
from itertools import groupby

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageDraw

from resnet_demo.plots.style import KIND_COLORS, apply_style, use_log_scale
from resnet_demo.records import Analysis, kind_of

HEAT = "inferno"
# The longer side of the photo divided by the width of the frame around the crop.
FRAME = 400
# Layers that are not on the main path have their own markers.
MARKERS = {"main": "o", "projection": "D", "gate": "^", "fc": "s"}
MARKER_NAMES = {"projection": "projection shortcut", "gate": "highway gate", "fc": "fc"}


def veil(analysis: Analysis, heat: np.ndarray | None = None) -> Image.Image | None:
    """The layer over the photo: the heatmap exactly over the crop, with a white frame if the crop is not the whole
    photo, and black around it. RGB, of size `analysis.photo_size`; None without positive evidence.

    heat   another map (h, w) in [0, 1] of the crop, in place of Grad-CAM
    """
    heat = analysis.cam if heat is None else heat
    if not heat.max() > 0:
        return None
    width, height = analysis.photo_size
    left, right, columns = _positions(width, analysis.crop[0], analysis.crop[2], heat.shape[1])
    top, bottom, rows = _positions(height, analysis.crop[1], analysis.crop[3], heat.shape[0])
    colours = Image.fromarray((_bilinear(heat, rows, columns) * 255).astype(np.uint8), "P")
    colours.putpalette((colormaps[HEAT](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes())
    picture = Image.new("RGB", analysis.photo_size)
    picture.paste(colours.convert("RGB"), (left, top))
    # The frame lies outside of the crop, so that it hides none of it; without it, black would look like no evidence.
    line = math.ceil(max(width, height) / FRAME)
    ImageDraw.Draw(picture).rectangle(
        (left - line, top - line, right + line - 1, bottom + line - 1), outline="white", width=line
    )
    return picture


def overlay(
    photo: Image.Image, analysis: Analysis, opacity: float = 0.5, heat: np.ndarray | None = None
) -> Image.Image:
    """The photo under its `veil`; without positive evidence, the unchanged photo.

    photo     RGB, the one that was analyzed, of size `analysis.photo_size`
    opacity   of the veil, 0 to 1
    heat      as in `veil`

    Raises `ValueError` for a photo of another size.
    """
    if photo.size != analysis.photo_size:
        raise ValueError(f"The analyzed photo had {analysis.photo_size} pixels, this one has {photo.size}.")
    above = veil(analysis, heat)
    return Image.blend(photo, above, opacity) if above else photo


def gradient_figure(analysis: Analysis) -> Figure:
    """The norm of d logit / d weight of every convolution and of fc, in forward order, on a log scale."""
    figure = Figure(figsize=(10, 2.2))
    # Fixed margins: an automatic layout, which measures all texts first, would double the time.
    figure.subplots_adjust(left=0.065, right=0.985, top=0.9, bottom=0.23)
    draw_gradients(figure.subplots(), analysis)
    return figure


def report_figure(analysis: Analysis) -> Figure:
    """The top classes and the gradient norms side by side, as written by the command line."""
    figure = Figure(figsize=(14, 4), layout="constrained")
    if not analysis.predictions:
        draw_gradients(figure.subplots(), analysis)
    else:
        left, right = figure.subplots(1, 2, width_ratios=(1, 3))
        draw_predictions(left, analysis)
        draw_gradients(right, analysis)
    figure.suptitle(f"{analysis.model}: {analysis.target.label}", parse_math=False)
    return figure


def draw_predictions(axes: Axes, analysis: Analysis) -> None:
    """Horizontal bars, the most probable class first."""
    predictions = analysis.predictions
    positions = range(len(predictions))
    shares = [100 * prediction.probability for prediction in predictions]
    axes.barh(positions, shares, color=KIND_COLORS[kind_of(analysis.model)])
    for position, share in zip(positions, shares, strict=True):
        axes.annotate(f"{share:.1f} %", (share, position), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(positions, [prediction.label for prediction in predictions], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 118)
    axes.set_xticks(range(0, 101, 25))
    axes.set_xlabel("probability in %")
    apply_style(axes)


def draw_gradients(axes: Axes, analysis: Analysis) -> None:
    """A point for each layer, in the colour of the kind of network; stages are told by their ground."""
    gradients, color = analysis.gradients, KIND_COLORS[kind_of(analysis.model)]
    norms = [g.gradient_norm for g in gradients]
    drawable = [norm if math.isfinite(norm) and norm > 0 else math.nan for norm in norms]
    kinds = ["fc" if g.stage == "fc" else g.role for g in gradients]
    main = [i for i, kind in enumerate(kinds) if kind in ("main", "fc")]
    axes.plot(main, [drawable[i] for i in main], color="black", alpha=0.35, linewidth=1, zorder=1)

    stages = [(stage, [i for i, _ in group]) for stage, group in groupby(enumerate(gradients), lambda g: g[1].stage)]
    for number, (_, members) in enumerate(stages):
        if number % 2:
            axes.axvspan(members[0] - 0.5, members[-1] + 0.5, color="black", alpha=0.06, linewidth=0)
        for kind in dict.fromkeys(kinds[i] for i in members):
            points = [i for i in members if kinds[i] == kind]
            axes.scatter(
                points,
                [drawable[i] for i in points],
                s=30 if len(gradients) < 80 else 14,
                marker=MARKERS[kind],
                facecolor="none" if kind in ("projection", "gate") else color,
                edgecolor=color,
                linewidth=1.6,
                zorder=2,
            )
    _name_stages(axes, stages)
    _label_axes(axes, drawable)
    _explain_markers(axes, kinds)
    if lost := sum(math.isnan(value) for value in drawable):
        note = f"{lost} of {len(norms)} layers have a gradient of exactly 0 or one that is not finite: not drawn"
        axes.text(0.01, 0.04, note, transform=axes.transAxes)


def _positions(length: int, start: float, end: float, cells: int) -> tuple[int, int, np.ndarray]:
    """The first pixel whose centre is between `start` and `end`, the pixel after the last such, and the positions of
    their centres relative to the centres of `cells` cells."""
    first, after = max(0, math.ceil(start - 0.5)), min(length, math.floor(end - 0.5) + 1)
    centres = np.arange(first, after) + 0.5
    return first, after, np.clip((centres - start) / (end - start) * cells - 0.5, 0, cells - 1)


def _bilinear(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    for axis, positions in ((0, rows), (1, columns)):
        low = positions.astype(int)
        high = np.minimum(low + 1, values.shape[axis] - 1)
        share = (positions - low).astype(np.float32)
        share = share[:, None] if axis == 0 else share[None, :]
        values = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
    return values


def _name_stages(axes: Axes, stages: list[tuple[str, list[int]]]) -> None:
    """Write the stage names above the axes; those of the one-layer stages at both ends extend outwards, as there is no
    room in the plot of a deep network."""
    for stage, members in stages:
        middle = (members[0] + members[-1]) / 2
        outwards = {"stem": (members[-1] + 0.5, "right"), "fc": (members[0] - 0.5, "left")}
        x, place = outwards.get(stage, (middle, "center"))
        axes.annotate(
            stage, (x, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
            ha=place, va="bottom", fontsize=10,
        )  # fmt: skip


def _label_axes(axes: Axes, drawable: list[float]) -> None:
    use_log_scale(axes, "gradient norm")
    axes.set_xlim(-0.5, len(drawable) - 0.5)
    values = [value for value in drawable if not math.isnan(value)] or [1.0]
    # Whole decades, so that a flat curve looks flat and different networks get the same scale.
    low, high = math.floor(math.log10(min(values)) - 0.1), math.ceil(math.log10(max(values)) + 0.1)
    axes.set_ylim(10.0**low, 10.0**high)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("layers in forward order, input on the left", fontsize=11, loc="left")


def _explain_markers(axes: Axes, kinds: list[str]) -> None:
    names = {kind: name for kind, name in MARKER_NAMES.items() if kind in kinds}
    handles = []
    for kind, name in {"main": "convolution", **names}.items():
        fill = "full" if kind in ("main", "fc") else "none"
        handles.append(Line2D([], [], linestyle="", marker=MARKERS[kind], label=name, fillstyle=fill))
    # Below the axes, where it hides no point; finding a free place inside takes time.
    place = {"loc": "upper right", "bbox_to_anchor": (1, -0.17), "borderaxespad": 0}
    axes.legend(handles=handles, **place, frameon=False, fontsize=9, ncols=len(handles), handlelength=1)

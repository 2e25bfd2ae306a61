"""An analysis in words, and its classes as bars: what Explore says beside its pictures. Everything is escaped."""

import base64
import io
from html import escape

from PIL import Image

from resnet_demo.records import Analysis, PrecisionError, Prediction, kind_of
from resnet_demo.ui import choices, html
from resnet_demo.ui.answers import Shown
from resnet_demo.ui.bars import Bar, BarList
from resnet_demo.ui.language import t
from resnet_demo.zoo import Entry

# The longer side of a picture so small that what the network sees of a photo is worth showing, in pixels.
SMALL = 64
# The most classes whose names are shown unasked.
FEW = 20
DEVICES = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}


def class_bars(entry: Entry, analysis: Analysis, title: str, back: str = "", hint: str = "") -> BarList | None:
    """The most probable classes, and below them the explained one if it is another; None for an untrained network."""
    if not analysis.predictions:
        return None
    target = analysis.target
    top = analysis.predictions
    known = [*top] if target.index in {p.index for p in top} else [*top, Prediction(*_named(analysis))]
    kind = kind_of(entry.architecture)
    bars = tuple(
        Bar(
            p.label,
            p.probability,
            html.percent(p.probability),
            kind,
            str(p.index) if hint else "",
            p.index == target.index,
        )
        for p in known
    )
    return BarList(title, bars, back if target.index != top[0].index else "", hint)


def _named(analysis: Analysis) -> tuple[int, str, float]:
    target = analysis.target
    return target.index, target.label, target.probability


def facts(entry: Entry, analysis: Analysis, error: PrecisionError | None = None) -> str:
    """One line: parameters, multiply-adds, measured error, device, milliseconds; and the cost of a faster precision."""
    parts = [
        f"<b>{escape(choices.model_title(entry))}</b>",
        t("{count:,} parameters", count=entry.parameters),
        t("{count} multiply-adds", count=html.with_prefix(analysis.multiply_adds)),
        html.measured_error(entry),
        DEVICES.get(analysis.device.split(":")[0], analysis.device),
        f"{analysis.milliseconds['total']:.0f} ms",
    ]
    if error:
        cost = t(
            "probabilities differ from float32 by up to {probability:.2g} points, gradient norms by up to {norm:.2g} %",
            probability=100 * error.probability,
            norm=100 * error.gradient_norm,
        )
        parts.append(f"{escape(analysis.precision)}: {cost}")
    return f'<p class="facts">{" · ".join(parts)}</p>'


def explanation(shown: Shown) -> str:
    """What the heatmap explains, how strong it is, or why there is none."""
    entry, analysis = shown.entry, shown.analysis
    label, layer = escape(analysis.target.label), escape(analysis.layer)
    if not entry.trained:
        return t(
            "<p>Random weights make no prediction to explain, but their gradients (here those of {label}) are real."
            "</p>",
            label=escape(t("output {index}", index=analysis.target.index)),
        )
    probability = escape(html.percent(analysis.target.probability, 1))
    if not analysis.positive_evidence:
        return t(
            "<p>No positive evidence for <b>{label}</b>, {probability}, anywhere in {layer}: nothing to show.</p>",
            label=label,
            probability=probability,
            layer=layer,
        )
    evidence = t(
        "Evidence for <b>{label}</b>, {probability}, in {layer} ({cells} cells): {colours} none to strongest.",
        label=label,
        probability=probability,
        layer=layer,
        cells="x".join(map(str, analysis.cam.shape)),
        colours='<span class="legend" aria-hidden="true"></span>',
    )
    return f"<p>{evidence}{_strength(shown)}{_part_seen(analysis)}</p>"


def _strength(shown: Shown) -> str:
    top = shown.analysis.predictions[0]
    if top.index == shown.analysis.target.index:
        return ""
    text = t(
        "Its maximum is <b>{strength}</b> of that for {label}, and it is drawn on its own scale."
        if shown.own_scale
        else "Its maximum is <b>{strength}</b> of that for {label}, and it is drawn on the scale of that one.",
        strength=escape(html.percent(shown.strength)),
        label=escape(top.label),
    )
    return f" {text}"


def _part_seen(analysis: Analysis) -> str:
    left, top, right, bottom = analysis.crop
    width, height = analysis.photo_size
    whole = left < 1 and top < 1 and right > width - 1 and bottom > height - 1
    return "" if whole else " " + t("The network saw what is between the white lines.")


def seen(entry: Entry, analysis: Analysis) -> str:
    """The picture that a network for small images really sees, and the classes that it can choose from."""
    height, width = analysis.seen.shape[:2]
    if max(height, width) > SMALL or not entry.trained:
        return ""
    buffer = io.BytesIO()
    Image.fromarray(analysis.seen).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    names = ", ".join(map(escape, entry.labels))
    count = t("{count} classes", count=len(entry.labels))
    # Ten names are worth reading; a hundred are for who asks.
    classes = f"{count} ({names})" if len(entry.labels) <= FEW else count
    asked = t("Which ones?")
    rest = "" if len(entry.labels) <= FEW else f"<details><summary>{asked}</summary><p>{names}.</p></details>"
    alt = t("The photo at {width} by {height} pixels", width=width, height=height)
    text = t(
        "All it sees: <b>{width}x{height} pixels</b>. It knows {classes} and always picks one of them.",
        width=width,
        height=height,
        classes=classes,
    )
    return f'<div class="seen"><img src="data:image/png;base64,{data}" alt="{alt}"><div><p>{text}</p>{rest}</div></div>'

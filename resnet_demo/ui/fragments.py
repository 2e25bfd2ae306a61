"""Small pieces of HTML that the page shows between its components. Everything that is not ours is escaped."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr
from PIL import Image

from resnet_demo.networks.architecture import CARDINALITIES, SHORTCUT_ERRORS, describe
from resnet_demo.records import Analysis, ClassMap, Comparison, Flow, PrecisionError, Source, Stop, Summary, Table
from resnet_demo.ui.choices import model_title
from resnet_demo.ui.engine import Shown
from resnet_demo.zoo import Entry

SMALL = 64
DEVICES = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}


def facts(entry: Entry, analysis: Analysis, error: PrecisionError | None = None) -> str:
    """One line: parameters, multiply-adds, measured error, device, milliseconds; and the cost of a faster precision."""
    parts = [
        f"<b>{escape(model_title(entry))}</b>",
        f"{entry.parameters:,} parameters",
        f"{_with_prefix(analysis.multiply_adds)} multiply-adds",
        _error(entry),
        DEVICES.get(analysis.device.split(":")[0], analysis.device),
        f"{analysis.milliseconds['total']:.0f} ms",
    ]
    if error:
        parts.append(f"{escape(analysis.precision)}: {escape(str(error))}")
    return f'<p class="facts">{" · ".join(parts)}</p>'


def explanation(entry: Entry, analysis: Analysis) -> str:
    """What the heatmap explains, or why there is none."""
    cells = "x".join(map(str, analysis.cam.shape))
    if not entry.trained:
        return (
            "<p>Random weights predict and explain nothing, but their gradients, of "
            f"{escape(analysis.target.label)}, are real.</p>"
        )
    label, layer = escape(analysis.target.label), escape(analysis.layer)
    if not analysis.positive_evidence:
        return f"<p>No position of {layer} speaks for <b>{label}</b>: there is no positive evidence to show.</p>"
    return (
        f'<p>Evidence for <b>{label}</b> in {layer} ({cells} cells): <span class="legend" aria-hidden="true"></span> '
        f"none to strongest.{_part_seen(analysis)}</p>"
    )


def _part_seen(analysis: Analysis) -> str:
    left, top, right, bottom = analysis.crop
    width, height = analysis.photo_size
    whole = left < 1 and top < 1 and right > width - 1 and bottom > height - 1
    return "" if whole else " The network saw what is between the white lines."


def seen(entry: Entry, analysis: Analysis) -> str:
    """The picture that a network for small images really sees, and what it can say about it at all."""
    if max(analysis.seen.shape[:2]) > SMALL or not entry.trained:
        return ""
    buffer = io.BytesIO()
    Image.fromarray(analysis.seen).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    height, width = analysis.seen.shape[:2]
    names = ", ".join(map(escape, entry.labels))
    return (
        f'<div class="seen"><img src="data:image/png;base64,{data}" alt="The photo at {width} by {height} pixels">'
        f"<p>All it sees: <b>{width}x{height} pixels</b>. It knows {len(entry.labels)} classes ({names}) and names "
        "one of them whatever it is shown.</p></div>"
    )


def plot(svg: str) -> str:
    """A plot that scrolls sideways where it would become too small to read."""
    return f'<div class="plot">{svg}</div>'


def note(text: str) -> str:
    """A remark in passing."""
    return f'<p class="note" role="status">{escape(text)}</p>'


def class_caption(found: ClassMap) -> str:
    """The class of one map, and how strong its evidence is."""
    p = found.prediction
    evidence = f"strongest evidence {found.cam_max:.2g}" if found.cam_max > 0 else "nothing speaks for it"
    return f"<p><b>{escape(p.label)}</b> {100 * p.probability:.1f} %, {evidence}</p>"


def pixels_intro() -> str:
    """What these methods are."""
    return (
        "<p>Methods of Captum that explain the same class pixel by pixel, where Grad-CAM goes cell by cell. Choose "
        "one: the slow ones tell how far they are, and stop when the photo, the network or this tab changes.</p>"
    )


def pixels_caption(shown: Shown, title: str) -> str:
    """What the picture below explains."""
    return f"<p>{escape(title)} of <b>{escape(shown.analysis.target.label)}</b>.</p>"


def features_caption(analysis: Analysis) -> str:
    """Which channels these are."""
    numbers = ", ".join(map(str, analysis.channels))
    return (
        f"<p>The {len(analysis.channels)} channels of <b>{escape(analysis.layer)}</b> that answer this photo most, the "
        f"strongest first: {numbers}. Each from its own darkest to its own brightest. Choose another layer on the left."
        "</p>"
    )


def branch_ratios_intro() -> str:
    """What the plot shows."""
    return (
        "<p>What a residual network computes is its input plus what every block adds (He et al. 2016b, eq. 4). Here, "
        "how large that addition F(x) is beside what the shortcut S(x) passes on, for this photo.</p>"
    )


def compare_intro() -> str:
    """What the tab shows."""
    return (
        "<p>Two networks on one photo: what each predicts, and where each looks for the <b>same class</b>. Below, the "
        "gradient norm and the response of every layer, on scales that both share.</p>"
    )


def side(entry: Entry, analysis: Analysis) -> str:
    """Which network this is, and what its heatmap explains."""
    evidence = f"evidence for <b>{escape(analysis.target.label)}</b> in {escape(analysis.layer)}"
    if not entry.trained:
        evidence = "random weights: only its gradients mean something"
    elif not analysis.positive_evidence:
        evidence = f"no position of {escape(analysis.layer)} speaks for <b>{escape(analysis.target.label)}</b>"
    return f"<p><b>{escape(model_title(entry))}</b> · {_error(entry)}<br>Heatmap: {evidence}.</p>"


def compare_label(comparison: Comparison) -> str:
    """The plot's numbers in words."""
    ends = (
        f"{a.model}: gradient norm {a.gradients[0].gradient_norm:.3g} at the input, "
        f"{a.gradients[-1].gradient_norm:.3g} at the output"
        for a in (comparison.first, comparison.second)
    )
    return "Gradient norms and responses by depth. " + "; ".join(ends)


def flow_intro() -> str:
    """What the tab shows."""
    return (
        "<p>Networks <b>before any training</b>, on a batch of 64 small images, layer by layer: what the gradient of "
        "the loss is at each weight, how much each layer's response varies, and which units do not react at all. Take "
        "the tour, or build networks of your own.</p>"
    )


def stop_text(stop: Stop) -> str:
    """One stop of the tour."""
    return f'<p class="stop"><b>{escape(stop.title)}.</b> {escape(stop.text)}</p>'


def flow_table(flows: Sequence[Flow]) -> str:
    """The ends of each curve in numbers."""
    columns = ("network", "loss", "gradient norm, first", "last convolution", "first / last", "response, first", "last")
    rows = []
    for flow in flows:
        first, last = flow.layers[0], flow.layers[-2]
        cells = (flow.loss, first.gradient_norm, last.gradient_norm, flow.ratio, first.response_std, last.response_std)
        rows.append([flow.network, *(f"{cell:.3g}" for cell in cells)])
    return _table(columns, rows)


def lesion_intro() -> str:
    """What the tab shows."""
    return (
        "<p>Click a block to take its F(x) out of the <b>trained</b> network (Veit et al. 2016). In a residual network "
        "its shortcut is still there; a plain network has nothing that goes around the block, so the identity that it "
        "could have been takes its place. The fuller a box, the higher the measured test error without it.</p>"
    )


def no_study(entry: Entry) -> str:
    """Where the measured removals would be."""
    return (
        '<p class="note">The test error without each block has not been measured for this network: <code>python -m '
        f"resnet_demo lesion {escape(entry.name)}</code> does it.</p>"
    )


def architecture_intro() -> str:
    """What the tab shows."""
    return (
        "<p>Every network of this page, drawn and as the paper's table 1 has it. Each box is a block, each arc its "
        "shortcut: solid is the identity, dots are zero padding, dashes a projection. All numbers are counted on "
        "the very networks that run here.</p>"
    )


def architecture_table(table: Table) -> str:
    """The paper's table 1 for one network."""
    columns = ("stage", "output", "layers", "parameters", "multiply-adds")
    rows = []
    for row in table.rows:
        layers = " → ".join(row.layers) if row.blocks == 1 else f"{row.blocks} x [{' → '.join(row.layers)}]"
        counts = (f"{row.parameters:,}", f"{row.multiply_adds:,}")
        rows.append((row.stage, " x ".join(map(str, row.size)), layers, *counts))
    total = (f"{table.parameters:,}", f"{table.multiply_adds:,}")
    return _table(columns, [*rows, ("all", "", table.network, *total)])


def shortcut_options() -> str:
    """ResNet-34 with each option, counted, beside the errors that the paper measured."""
    rows = []
    for option, error in SHORTCUT_ERRORS.items():
        table = describe(f"resnet34-{option}")
        rows.append((option, f"{table.parameters:,}", _with_prefix(table.multiply_adds), f"{error:.2f}"))
    columns = ("ResNet-34 with", "parameters", "multiply-adds", "top-1 error %, paper")
    return "<h3>Shortcut options</h3>" + _table(columns, rows)


def cardinalities() -> str:
    """Cardinality against width at about equal cost (Xie et al. 2017, table 2), counted."""
    rows = []
    for cardinality, width in CARDINALITIES:
        table = describe("resnet50" if cardinality == 1 else f"resnext50_{cardinality}x{width}d")
        counts = (f"{table.parameters / 1e6:.1f} M", _with_prefix(table.multiply_adds))
        rows.append((f"{cardinality} x {width}d", *counts))
    columns = ("ResNeXt-50, groups x width", "parameters", "multiply-adds")
    return "<h3>Cardinality</h3>" + _table(columns, rows)


def resnext_intro() -> str:
    """What the three forms are."""
    return (
        "<h3>Three forms of one ResNeXt block</h3><p>Summing 32 separate paths, concatenating them before one "
        "convolution, and one grouped convolution are the same function (Xie et al. 2017, figure 3). Here they are "
        "computed from the same weights.</p>"
    )


def resnext_forms(differences: Mapping[str, float]) -> str:
    """How far each form is from the grouped one."""
    rows = [(name, f"{difference:.1e}") for name, difference in differences.items()]
    return _table(("form", "largest difference from the grouped one, in deviations of the output"), rows)


def degradation_intro() -> str:
    """What the tab shows, hedged as the paper does."""
    return (
        "<p>A deeper network could copy a shallower one and leave its other layers as identities, so it should not do "
        "worse. Yet He et al. saw <i>plain</i> networks get worse with depth, <b>on the training images too</b>: not "
        "overfitting, but <i>degradation</i>. Shortcuts cured it. Below is what this project measured, residual and "
        "plain trained by the same recipe. <b>Bold: test error.</b> Dashed: training error.</p>"
    )


def race_intro() -> str:
    """What a race can show, and what it cannot."""
    return (
        "<h3>Race two networks on this machine</h3><p>Both learn from the same batches of CIFAR-10, one each in turn, "
        "at the rate of the paper's warm-up. A race shows how they <i>start</i>; who ends better takes many epochs, "
        "and is above.</p>"
    )


def race_state(text: str) -> str:
    """How the race stands, for a screen reader too."""
    return f'<p class="facts" role="status">{escape(text)}</p>'


def results_table(summaries: Sequence[Summary], sources: Sequence[Source], missing: Sequence[str]) -> str:
    """Final errors: ours, the paper's, other people's; with what each is."""
    ours = ("network", "test error %", "training error %", "runs", "recipe")
    rows = []
    for s in summaries:
        cells = [s.name, _spread(s.test_error, s.test_std), _spread(s.train_error, s.train_std), str(s.runs)]
        cells += [f"{s.recipe}, {s.epochs} epochs"]
        cells += [f"{s.references[x.name]:.2f}" if x.name in s.references else "" for x in sources]
        rows.append(cells)
    notes = " ".join(f"<b>{escape(source.name)}</b>: {escape(source.note)}" for source in sources)
    untrained = f" Not trained yet: {', '.join(map(escape, missing))}." if missing else ""
    return (
        _table((*ours, *(source.name for source in sources)), rows)
        + f'<p class="note">Errors of the last epoch, never of the best. {notes}{untrained}</p>'
    )


def said(text: str) -> Any:
    """An update of the place for that sentence."""
    return gr.update(value=message(text), visible=bool(text))


def message(text: str) -> str:
    """The one sentence that a visitor gets instead of a result."""
    return f'<p class="message" role="alert">{escape(text)}</p>'


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _spread(mean: float, deviation: float | None) -> str:
    return f"{mean:.2f}" if deviation is None else f"{mean:.2f} ± {deviation:.2f}"


def _error(entry: Entry) -> str:
    if entry.test_error is None:
        return "no training, no error"
    return f"{entry.test_error:.2f} % {escape(entry.dataset_title)} top-1 error"


def _with_prefix(number: float) -> str:
    return f"{number / 1e9:.2f} G" if number >= 1e9 else f"{number / 1e6:.0f} M"

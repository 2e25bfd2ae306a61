"""The Explore tab: a photo in; top classes, Grad-CAM and every layer's gradient norm out."""

import base64
import io
from functools import partial
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency
from PIL import Image

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.networks.precision import precisions
from resnet_demo.records import GRADIENT_COLUMNS, Analysis, PrecisionError, Question, gradient_rows
from resnet_demo.ui import choices, html
from resnet_demo.ui.answers import Shown, look, overlaid
from resnet_demo.ui.components import Choice, Options, download_progress, event_text
from resnet_demo.ui.downloads import data_url, export
from resnet_demo.ui.photo import example, examples_for, photo_input
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.queues import FETCH, LATEST, PRIVATE, QUEUE, QUICK
from resnet_demo.ui.tabs.closer import Closer
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.zoo import Entry, ModelCache

DOWNLOADS = {"overlay.png": "Overlay", "plot.png": "Plot PNG", "plot.svg": "Plot SVG", "json": "JSON", "csv": "CSV"}
SAVE = """(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.name;
  link.click();
}"""
BLEND = """(opacity) => {
  document.querySelector("#heatmap .stack")?.style.setProperty("--opacity", opacity);
}"""
# The height that a window leaves for the heatmap if all the rest is to be visible without scrolling.
ROOM = "clamp(262px, 100vh - 640px, 720px)"
PROGRESS = gr.Progress()
# The longer side of a picture so small that what the network sees of a photo is worth showing, in pixels.
SMALL = 64
# The most classes whose names are shown unasked.
FEW = 20
DEVICES = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}


class Explore:
    """A `Tab`: the one that the page opens with, at the model called `default_model`."""

    id, title = "explore", "Explore"

    def __init__(self, cache: ModelCache, default_model: str) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.default = choices.pickable(self.catalogue, default_model)

    def build(self) -> None:
        with gr.Row(elem_id="explore"):
            with gr.Column(scale=3, min_width=320, elem_id="controls"):
                self._build_controls()
            with gr.Column(scale=8, min_width=340):
                self._build_results()
        self._wire()

    def load(self, page: gr.Blocks) -> Dependency:
        """Query parameters: model, target, layer, photo (the name of an example)."""
        chosen = [self.photo, self.examples, *self.pickers, self.message]
        return page.load(self._chosen, None, chosen, show_progress="hidden", **PRIVATE)

    def open(self, tab: gr.Tab) -> None:
        """Nothing to do: the tab shows what its events have computed."""

    def _chosen(self, request: gr.Request) -> Updates:
        query = dict(request.query_params)
        if query.get("tab", self.id) != self.id:
            return gr.skip()
        try:
            entry = choices.pickable(self.catalogue, query.get("model") or self.default.name)
            target = choices.class_value(entry, query.get("target", ""))
            layer = choices.layer_value(entry, query.get("layer", ""))
        except InputError as error:
            return {**self._pickers(self.default), self.message: html.alert_update(str(error))}
        photo = {self.photo: example(query.get("photo", "")), self.examples: examples_for(entry)}
        return {**photo, **self._pickers(entry, target, layer)}

    def _build_controls(self) -> None:
        self.photo, self.examples = photo_input("photo", self.default)
        tag, connection = self.default.tag, choices.connection_of(self.default)
        with gr.Group():
            depths = choices.depth_choices(self.catalogue, tag, connection, self.default)
            connections = choices.connection_choices(self.catalogue, tag)
            self.tag = Choice(choices.dataset_choices(self.catalogue), value=tag, label="Data set", filterable=False)
            self.connection = Options(connections, value=connection, label="Connection")
            self.name = Choice(depths, value=self.default.name, label="Depth", filterable=False)
            with gr.Row():
                self.target = Choice(choices.class_choices(self.default), label="Class to explain", min_width=140)
                self.layer = Choice(choices.layer_choices(self.default), label="Layer to explain", min_width=140)
        self.pickers: list[Component] = [self.tag, self.connection, self.name, self.target, self.layer]

    def _build_results(self) -> None:
        # The model whose weights are here: the chosen one, once it has been fetched.
        self.ready = gr.State(self.default.name)
        self.shown = gr.State(None, time_to_live=3600)
        self.message = gr.HTML("", visible=False)
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                self.top = gr.Label(label="Top 5: click one to explain it", num_top_classes=5, elem_id="top5")
                self.seen = gr.HTML("")
            with gr.Column(scale=6, min_width=320):
                self.heatmap = Picture(room=ROOM, divider="Divider between photo and heatmap", elem_id="heatmap")
                with gr.Row():
                    self.explanation = gr.HTML("", min_height=48, elem_id="explanation")
                    self.opacity = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity", elem_id="opacity", min_width=120)
        open_ = gr.State("")
        with gr.Tabs():
            with gr.Tab("Gradient norms", id="gradients") as gradients:
                self.plot = gr.HTML("", elem_id="gradients")
            Closer(self.cache, self.shown, open_).close_on(gradients)
        self.facts = gr.HTML("")
        with gr.Accordion("Numbers, downloads, precision", open=False):
            self.precision = Options(list(precisions(self.cache.device)), value="float32", label="Precision")
            with gr.Row():
                self.buttons = {kind: gr.Button(title, size="sm") for kind, title in DOWNLOADS.items()}
            self.file = gr.JSON(visible=False)
            self.numbers = gr.Dataframe(
                headers=list(GRADIENT_COLUMNS), interactive=False, label="One row per layer, in forward order"
            )

    def _wire(self) -> None:
        picked = [self.name, self.target, self.layer]
        self.tag.input(self._pick_dataset, [self.tag, self.name], [self.examples, *self.pickers], **QUICK)
        self.connection.input(self._pick_connection, [self.tag, self.connection, *picked], self.pickers, **QUICK)
        self.name.input(self._pick_depth, picked, self.pickers, **QUICK)
        self.top.select(_explain, self.shown, self.target, **QUICK)
        # Nothing changes in the line of facts: it is where the progress is shown.
        fetched = [self.ready, self.message, self.facts]
        self.name.change(self._fetch, self.name, fetched, trigger_mode="always_last", **PRIVATE, **FETCH)

        results = [self.shown, self.message, self.top, self.seen, self.heatmap, self.explanation]
        results += [self.plot, self.facts, self.numbers]
        # One event for every change, so that the answer to an older question can never replace that to a newer one.
        gr.on(
            [self.photo.change, self.ready.change, self.target.change, self.layer.change, self.precision.change],
            self._show,
            [self.photo, self.ready, self.target, self.layer, self.opacity, self.precision],
            results,
            **LATEST,
        )
        self.opacity.change(None, self.opacity, None, js=BLEND)
        for kind, button in self.buttons.items():
            asked = [self.shown, self.opacity]
            exported = button.click(partial(_export, kind), asked, self.file, **PRIVATE, **QUEUE)
            exported.success(None, self.file, None, js=SAVE)

    def _pickers(self, entry: Entry, target: str = "", layer: str = "") -> Updates:
        """Updates of all five pickers for `entry`; a class or layer that it does not have falls back to the default."""
        connection = choices.connection_of(entry)
        depths = choices.depth_choices(self.catalogue, entry.tag, connection, entry)
        updates: Updates = {
            self.tag: gr.update(value=entry.tag),
            self.connection: gr.update(choices=choices.connection_choices(self.catalogue, entry.tag), value=connection),
            self.name: gr.update(choices=depths, value=entry.name),
        }
        for picker, offered, value in (
            (self.target, choices.class_choices(entry), target),
            (self.layer, choices.layer_choices(entry), layer),
        ):
            values = [choice for _, choice in offered]
            updates[picker] = gr.update(choices=offered, value=value if value in values else values[0])
        return updates

    def _nearest(self, tag: str, connection: str, name: str) -> Entry:
        return self.catalogue.find(choices.nearest_depth(self.catalogue, tag, connection, name))

    def _pick_dataset(self, tag: str, name: str) -> Updates:
        connections = [connection for _, connection in choices.connection_choices(self.catalogue, tag)]
        wanted = choices.connection_of(self.catalogue.find(name))
        connection = wanted if wanted in connections else next(iter(connections), wanted)
        entry = self._nearest(tag, connection, name)
        return {self.examples: examples_for(entry), **self._pickers(entry)}

    def _pick_connection(self, tag: str, connection: str, name: str, target: str, layer: str) -> Updates:
        return self._pickers(self._nearest(tag, connection, name), target, layer)

    def _pick_depth(self, name: str, target: str, layer: str) -> Updates:
        return self._pickers(self.catalogue.find(name), target, layer)

    def _fetch(self, name: str, progress: Any = PROGRESS) -> Updates:
        """Get the weights of the picked model; the results follow when it is ready."""

        try:
            model = self.cache.get(name, download_progress(name, progress))
        except InputError as error:
            return {self.message: html.alert_update(str(error))}
        return {self.ready: model.name, self.message: html.alert_update()}

    def _show(self, photo: str | None, name: str, target: str, layer: str, opacity: float, precision: str) -> Updates:
        if not photo:
            return self._nothing("")
        try:
            shown, decoded = look(self.cache, photo, name, Question(target or None, layer or None, precision))
            heatmap = overlaid(shown.entry, shown.analysis, decoded, opacity)
        except InputError as error:
            return self._nothing(str(error))
        analysis, entry = shown.analysis, shown.entry
        return {
            self.shown: shown,
            self.message: html.alert_update(),
            self.top: {p.label: p.probability for p in analysis.predictions} or None,
            self.seen: html.origin(entry) + seen(entry, analysis),
            self.heatmap: heatmap,
            self.explanation: explanation(entry, analysis),
            self.plot: gradient_plot(entry, analysis),
            self.facts: facts(entry, analysis, shown.error),
            self.numbers: gradient_rows(analysis),
        }

    def _nothing(self, message: str) -> Updates:
        """An empty page, with the one sentence that says why."""
        texts: list[Component] = [self.seen, self.explanation, self.plot, self.facts]
        rest: list[Component] = [self.shown, self.top, self.heatmap, self.numbers]
        return {**dict.fromkeys(texts, ""), **dict.fromkeys(rest), self.message: html.alert_update(message)}


def _explain(shown: Shown | None, event: gr.EventData) -> Any:
    """The class of the clicked bar."""
    if shown is None:
        return gr.skip()
    clicked = event_text(event, "value")
    return next((str(p.index) for p in shown.analysis.predictions if p.label == clicked), gr.skip())


def _export(kind: str, shown: Shown | None, opacity: float) -> dict[str, str] | None:
    if shown is None:
        return None
    try:
        return data_url(*export(shown, kind, opacity))
    except InputError as error:  # A photo is deleted after an hour.
        gr.Warning(str(error))
        return None


def facts(entry: Entry, analysis: Analysis, error: PrecisionError | None = None) -> str:
    """One line: parameters, multiply-adds, measured error, device, milliseconds; and the cost of a faster precision."""
    parts = [
        f"<b>{escape(choices.model_title(entry))}</b>",
        f"{entry.parameters:,} parameters",
        f"{html.with_prefix(analysis.multiply_adds)} multiply-adds",
        html.measured_error(entry),
        DEVICES.get(analysis.device.split(":")[0], analysis.device),
        f"{analysis.milliseconds['total']:.0f} ms",
    ]
    if error:
        parts.append(f"{escape(analysis.precision)}: {escape(str(error))}")
    return f'<p class="facts">{" · ".join(parts)}</p>'


def explanation(entry: Entry, analysis: Analysis) -> str:
    """What the heatmap explains, or why there is none."""
    label, layer = escape(analysis.target.label), escape(analysis.layer)
    if not entry.trained:
        return (
            "<p>Random weights make no prediction to explain, but their gradients (here those of "
            f"{label}) are real.</p>"
        )
    if not analysis.positive_evidence:
        return f"<p>There is no positive evidence for <b>{label}</b> anywhere in {layer}: nothing to show.</p>"
    cells = "x".join(map(str, analysis.cam.shape))
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
    """The picture that a network for small images really sees, and the classes that it can choose from."""
    height, width = analysis.seen.shape[:2]
    if max(height, width) > SMALL or not entry.trained:
        return ""
    buffer = io.BytesIO()
    Image.fromarray(analysis.seen).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    names = ", ".join(map(escape, entry.labels))
    count = f"{len(entry.labels)} classes"
    # Ten names are worth reading; a hundred are for who asks.
    classes = f"{count} ({names})" if len(entry.labels) <= FEW else count
    rest = "" if len(entry.labels) <= FEW else f"<details><summary>Which ones?</summary><p>{names}.</p></details>"
    return (
        f'<div class="seen"><img src="data:image/png;base64,{data}" alt="The photo at {width} by {height} pixels">'
        f"<div><p>All it sees: <b>{width}x{height} pixels</b>. It knows {classes} and always picks one of them.</p>"
        f"{rest}</div></div>"
    )


def gradient_plot(entry: Entry, analysis: Analysis) -> str:
    """The gradient norms, with both ends in words for a screen reader."""
    first, last = analysis.gradients[0], analysis.gradients[-1]
    in_words = (
        f"Gradient norm of the {len(analysis.gradients)} layers of {entry.architecture}: "
        f"{first.gradient_norm:.3g} at the input, {last.gradient_norm:.3g} at the output"
    )
    return html.plot(plots.to_svg(plots.gradient_figure(analysis, plots.PAGE_INK), in_words))

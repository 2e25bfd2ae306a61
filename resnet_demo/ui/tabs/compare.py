"""The Compare tab: two networks on one photo."""

from html import escape

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency
from PIL import Image

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.records import Analysis, Comparison
from resnet_demo.ui import choices, html
from resnet_demo.ui.answers import look_at_both, overlaid
from resnet_demo.ui.components import Choice
from resnet_demo.ui.photo import example, examples_for, photo_input
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.queues import LATEST, PRIVATE, QUICK
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.zoo import Entry, ModelCache

INTRO = (
    "<p>Two networks on one photo: what each predicts, and where each looks for the <b>same class</b>. Below, the "
    "gradient norm and the standard deviation of the response of every layer, on scales that both share.</p>"
)


class Compare:
    """A `Tab`."""

    id, title = "compare", "Compare"

    def __init__(self, cache: ModelCache) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.pair = choices.deepest_pair(self.catalogue)

    def build(self) -> None:
        names = choices.model_choices(self.catalogue)
        first = self.catalogue.find(self.pair[0])
        labels = choices.class_choices(first)
        gr.HTML(INTRO)
        # The network whose classes are offered.
        self.known = gr.State(self.pair[0])
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self.photo, self.examples = photo_input("compare-photo", first)
                with gr.Group():
                    self.first = Choice(names, value=self.pair[0], label="First network")
                    self.second = Choice(names, value=self.pair[1], label="Second network")
                    self.target = Choice(labels, value=labels[0][1], label="Class that both explain")
            with gr.Column(scale=8, min_width=340):
                self.message = gr.HTML("", visible=False)
                with gr.Row():
                    self.sides = [_Side(i) for i in (1, 2)]
                self.plot = gr.HTML("", elem_id="compare-plot")
        self._wire()

    def load(self, page: gr.Blocks) -> Dependency:
        """Query parameters: first, second, target, photo (the name of an example)."""
        # The photo comes last, and the answer after all of them: a component's change may be announced while the next
        # ones still have their old values.
        pickers = [self.first, self.second, self.target, self.known, self.message, self.examples, self.photo]
        loaded = page.load(self._chosen, None, pickers, show_progress="hidden", **PRIVATE)
        loaded.then(self._show, self.inputs, self.outputs, **LATEST)
        return loaded

    def open(self, tab: gr.Tab) -> None:
        """Nothing to do: the tab shows what its events have computed."""

    def _wire(self) -> None:
        follow = [self.target, self.known, self.examples]
        self.first.input(self._classes, [self.first, self.target, self.known], follow, **QUICK)
        self.inputs = [self.photo, self.first, self.second, self.target]
        self.outputs = [self.message, *(component for side in self.sides for component in side.all), self.plot]
        gr.on([component.change for component in self.inputs], self._show, self.inputs, self.outputs, **LATEST)

    def _chosen(self, request: gr.Request) -> Updates:
        query = dict(request.query_params)
        if query.get("tab") != self.id:
            return gr.skip()
        names = [query.get(key) or default for key, default in zip(("first", "second"), self.pair, strict=True)]
        try:
            first, second = (choices.pickable(self.catalogue, name) for name in names)
            target = choices.class_value(first, query.get("target", ""))
        except InputError as error:
            return {self.message: html.alert_update(str(error))}
        return {
            self.first: first.name,
            self.second: second.name,
            self.target: gr.update(choices=choices.class_choices(first), value=target),
            self.known: first.name,
            self.examples: examples_for(first),
            self.photo: example(query.get("photo", "")),
        }

    def _classes(self, first: str, target: str, known: str) -> Updates:
        """The classes of a new first network. The chosen class stays only if both networks have the same classes."""
        entry = self.catalogue.find(first)
        before, offered = choices.class_choices(self.catalogue.find(known)), choices.class_choices(entry)
        kept = before == offered and target in [value for _, value in offered]
        return {
            self.target: gr.update(choices=offered, value=target if kept else offered[0][1]),
            self.known: entry.name,
            self.examples: examples_for(entry),
        }

    def _show(self, photo: str | None, first: str, second: str, target: str) -> Updates:
        if not photo:
            return self._nothing()
        try:
            choices.require_here(self.catalogue, first, second)
            comparison, decoded = look_at_both(self.cache, photo, first, second, target)
        except InputError as error:
            return self._nothing() | {self.message: html.alert_update(str(error))}
        one, other = self.sides
        svg = plots.to_svg(plots.compare_figure(comparison, plots.PAGE_INK), in_words(comparison))
        return {
            self.message: html.alert_update(),
            **one.updates(self.catalogue.find(comparison.first.model), comparison.first, decoded),
            **other.updates(self.catalogue.find(comparison.second.model), comparison.second, decoded),
            self.plot: html.plot(svg),
        }

    def _nothing(self) -> Updates:
        return {**{component: None for side in self.sides for component in side.all}, self.plot: ""}


class _Side:
    """What one of the networks predicts, and where it looks."""

    def __init__(self, number: int) -> None:
        with gr.Column(min_width=300):
            self.title = gr.HTML("", elem_id=f"compare-title-{number}")
            self.top = gr.Label(show_label=False, num_top_classes=5, elem_id=f"compare-top-{number}")
            self.picture = Picture(room="260px", elem_id=f"compare-heat-{number}")
            self.origin = gr.HTML("")
        self.all: list[Component] = [self.title, self.top, self.picture, self.origin]

    def updates(self, entry: Entry, analysis: Analysis, photo: Image.Image) -> Updates:
        return {
            self.title: side_title(entry, analysis),
            self.top: {p.label: p.probability for p in analysis.predictions} or None,
            self.picture: overlaid(entry, analysis, photo),
            self.origin: html.origin(entry),
        }


def side_title(entry: Entry, analysis: Analysis) -> str:
    """Which network this is, and what its heatmap explains."""
    label, layer = escape(analysis.target.label), escape(analysis.layer)
    evidence = f"evidence for <b>{label}</b> in {layer}"
    if not entry.trained:
        evidence = "none; with random weights only the gradients mean something"
    elif not analysis.positive_evidence:
        evidence = f"no positive evidence for <b>{label}</b> anywhere in {layer}"
    title = escape(choices.model_title(entry))
    return f"<p><b>{title}</b> · {html.measured_error(entry)}<br>Heatmap: {evidence}.</p>"


def in_words(comparison: Comparison) -> str:
    """The plot's numbers, for a screen reader."""
    ends = (
        f"{a.model}: gradient norm {a.gradients[0].gradient_norm:.3g} at the input, "
        f"{a.gradients[-1].gradient_norm:.3g} at the output"
        for a in (comparison.first, comparison.second)
    )
    return "Gradient norms and responses by depth. " + "; ".join(ends)

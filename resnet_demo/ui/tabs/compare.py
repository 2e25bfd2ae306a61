"""The Compare tab: two networks on one photo. Wiring only."""

from typing import Any

import gradio as gr
from PIL import Image

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.records import Analysis
from resnet_demo.ui import choices, engine, fragments
from resnet_demo.ui.components import Choice
from resnet_demo.ui.photo import example, photo_input
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.queues import LATEST, PRIVATE, QUICK
from resnet_demo.zoo import Entry, ModelCache


class Compare:
    """Builds the tab inside the current `gr.Blocks`; `on_load` sets it up as the address bar asks."""

    def __init__(self, cache: ModelCache) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.pair = choices.deepest_pair(self.catalogue)
        names = choices.model_choices(self.catalogue)
        labels = choices.class_choices(self.catalogue.find(self.pair[0]))
        gr.HTML(fragments.compare_intro())
        # The network whose classes are on offer.
        self.known = gr.State(self.pair[0])
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self.photo = photo_input("compare-photo")
                with gr.Group():
                    self.first = Choice(names, value=self.pair[0], label="One network")
                    self.second = Choice(names, value=self.pair[1], label="Another network")
                    self.target = Choice(labels, value=labels[0][1], label="Class that both explain")
            with gr.Column(scale=8, min_width=340):
                self.message = gr.HTML("", visible=False)
                with gr.Row():
                    self.sides = [self._side(i) for i in range(2)]
                self.plot = gr.HTML("", elem_id="compare-plot")
        self._wire()

    def on_load(self, page: gr.Blocks) -> Any:
        """Query parameters: first, second, target, photo (the name of an example)."""
        # The photo comes last, and the answer after all of them: a component's change may be told while the next ones
        # are still what they were.
        pickers = [self.first, self.second, self.target, self.known, self.message, self.photo]
        loaded = page.load(self._chosen, None, pickers, show_progress="hidden", **PRIVATE)
        loaded.then(self._show, self.inputs, self.outputs, **LATEST)
        return loaded

    def _side(self, i: int) -> list[Any]:
        with gr.Column(min_width=300):
            title = gr.HTML("", elem_id=f"compare-title-{i + 1}")
            label = gr.Label(show_label=False, num_top_classes=5, elem_id=f"compare-top-{i + 1}")
            picture = Picture(room="260px", elem_id=f"compare-heat-{i + 1}")
        return [title, label, picture]

    def _wire(self) -> None:
        self.first.input(self._classes, [self.first, self.target, self.known], [self.target, self.known], **QUICK)
        self.inputs = [self.photo, self.first, self.second, self.target]
        self.outputs = [self.message, *self.sides[0], *self.sides[1], self.plot]
        changes = [component.change for component in self.inputs]
        gr.on(
            changes,
            self._show,
            self.inputs,
            self.outputs,
            **LATEST,
        )

    def _chosen(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if query.get("tab") != "compare":
            return [gr.skip()] * 6
        names = [query.get(key) or default for key, default in zip(("first", "second"), self.pair, strict=True)]
        try:
            first, second = (choices.pickable(self.catalogue, name) for name in names)
            target = choices.class_value(first, query.get("target", ""))
        except InputError as error:
            return [*[gr.skip()] * 4, fragments.said(str(error)), gr.skip()]
        photo = example(query.get("photo", ""))
        offered = gr.update(choices=choices.class_choices(first), value=target)
        return [first.name, second.name, offered, first.name, gr.skip(), photo]

    def _classes(self, first: str, target: str, known: str) -> list[Any]:
        """A class that the new network does not have, by its name, falls back to its top one."""
        entry = self.catalogue.find(first)
        before, offered = choices.class_choices(self.catalogue.find(known)), choices.class_choices(entry)
        kept = before == offered and target in [value for _, value in offered]
        return [gr.update(choices=offered, value=target if kept else offered[0][1]), entry.name]

    def _show(self, photo: str | None, first: str, second: str, target: str) -> list[Any]:
        nothing = [None, None, None]
        if not photo:
            return [gr.skip(), *nothing, *nothing, ""]
        try:
            choices.require_here(self.catalogue, first, second)
            comparison, decoded = engine.look_at_both(self.cache, photo, first, second, target)
        except InputError as error:
            return [fragments.said(str(error)), *nothing, *nothing, ""]
        sides = [_side(self.catalogue.find(a.model), a, decoded) for a in (comparison.first, comparison.second)]
        svg = plots.to_svg(plots.compare_figure(comparison, plots.PAGE_INK), fragments.compare_label(comparison))
        return [gr.update(visible=False), *sides[0], *sides[1], fragments.plot(svg)]


def _side(entry: Entry, analysis: Analysis, photo: Image.Image) -> list[Any]:
    top = {p.label: p.probability for p in analysis.predictions} or None
    return [fragments.side(entry, analysis), top, engine.overlaid(entry, analysis, photo)]

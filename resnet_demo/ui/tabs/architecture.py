"""The Architecture tab: a network drawn and tabulated, shortcut options, and ResNeXt's three forms. Wiring only."""

from typing import Any

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.networks import parse_name
from resnet_demo.networks.architecture import block_summaries, describe
from resnet_demo.plots import drawing
from resnet_demo.ui import choices, engine, fragments
from resnet_demo.ui.components import Choice
from resnet_demo.ui.queues import DRAW, PRIVATE
from resnet_demo.zoo import Catalogue

DEFAULT = "resnet34"


class Architecture:
    """Builds the tab inside the current `gr.Blocks`; `on_load` sets it up as the address bar asks."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        names = sorted(
            {entry.architecture for entry in choices.available(catalogue)}, key=lambda n: (parse_name(n).depth, n)
        )
        gr.HTML(fragments.architecture_intro())
        self.name = Choice(
            names,
            value=DEFAULT,
            label="Network, or any other by its name",
            allow_custom_value=True,
            elem_id="architecture",
        )
        self.message = gr.HTML("", visible=False)
        self.drawing = gr.HTML("", elem_id="architecture-drawing")
        self.table = gr.HTML("", elem_id="architecture-table")
        with gr.Row():
            with gr.Column(min_width=340):
                self.options = gr.HTML("", elem_id="shortcut-options")
            with gr.Column(min_width=340):
                self.groups = gr.HTML("", elem_id="cardinalities")
        gr.HTML(fragments.resnext_intro())
        self.forms = gr.HTML("", elem_id="resnext-forms")
        self.compute = gr.Button("Compute the three forms", size="sm")
        self.name.change(self._show, self.name, [self.message, self.drawing, self.table], **DRAW)
        self.compute.click(lambda: fragments.resnext_forms(engine.resnext_forms()), None, self.forms, **DRAW)

    def on_open(self, tab: gr.Tab) -> None:
        """Nothing is counted for those who do not look."""
        shown = [self.message, self.drawing, self.table, self.options, self.groups]
        tab.select(self._opened, self.name, shown, **DRAW)

    def on_load(self, page: gr.Blocks) -> Any:
        """Query parameter: model, a catalogue name or an architecture."""
        return page.load(self._chosen, None, [self.name, self.message], show_progress="hidden", **PRIVATE)

    def _chosen(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if query.get("tab") != "architecture" or not query.get("model"):
            return [gr.skip(), gr.skip()]
        name = query["model"]
        try:
            known = choices.exists(self.catalogue, name)
            return [self.catalogue.find(name).architecture if known else parse_name(name).name, gr.skip()]
        except InputError as error:
            return [gr.skip(), fragments.said(str(error))]

    def _opened(self, name: str) -> list[Any]:
        return [*self._show(name), fragments.shortcut_options(), fragments.cardinalities()]

    def _show(self, name: str) -> list[Any]:
        try:
            spec = engine.drawable(name)
        except InputError as error:
            return [fragments.said(str(error)), gr.skip(), gr.skip()]
        table = describe(spec)
        return [
            gr.update(visible=False),
            drawing.draw_network(table, block_summaries(spec)),
            fragments.architecture_table(table),
        ]

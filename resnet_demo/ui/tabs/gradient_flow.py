"""The Gradient flow tab: untrained networks, layer by layer; and a tour of five stops. Wiring only."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from resnet_demo import plots
from resnet_demo.errors import InputError, quoted
from resnet_demo.laboratory.tour import TOUR, find_stop
from resnet_demo.networks import LADDER, parse_name
from resnet_demo.networks.spec import AXES
from resnet_demo.records import Stop
from resnet_demo.ui import engine, fragments
from resnet_demo.ui.components import Choice, Options
from resnet_demo.ui.queues import LATEST, PRIVATE, QUICK

MEASURES = [(title, measure) for measure, title in plots.MEASURES.items()]


class GradientFlow:
    """Builds the tab inside the current `gr.Blocks`; `on_load` sets it up as the address bar asks.

    device   that the networks are measured on
    """

    def __init__(self, device: str) -> None:
        self.device = device
        gr.HTML(fragments.flow_intro())
        with gr.Row(elem_id="tour"):
            self.stops = [gr.Button(stop.title, size="sm", min_width=160) for stop in TOUR]
        self.text = gr.HTML("", elem_id="tour-text")
        with gr.Row():
            self.networks = Choice(
                [], value=[], multiselect=True, allow_custom_value=True, max_choices=engine.MOST_FLOWS, scale=4,
                label=f"Networks, up to {engine.MOST_FLOWS}", elem_id="flow-networks", min_width=300,
            )  # fmt: skip
            self.measure = Options(MEASURES, value=MEASURES[0][1], label="Measure", scale=3, min_width=300)
        with gr.Accordion("Build another network", open=False):
            with gr.Row():
                self.depth = Options(list(map(str, LADDER)), value="56", label="Depth")
                axes = ("connection", "norm", "activation", "init")
                self.axes = [Options(list(AXES[axis]), value=AXES[axis][0], label=axis.title()) for axis in axes]
            self.add = gr.Button("Add it", size="sm")
        self.message = gr.HTML("", visible=False)
        self.plot = gr.HTML("", elem_id="flow")
        self.table = gr.HTML("", elem_id="flow-table")
        self._wire()

    def on_load(self, page: gr.Blocks) -> Any:
        """Query parameters: tour (the key of a stop), or networks (names with commas) and measure."""
        chosen = [self.networks, self.measure, self.text, self.message]
        return page.load(self._chosen, None, chosen, show_progress="hidden", **PRIVATE)

    def _wire(self) -> None:
        for stop, button in zip(TOUR, self.stops, strict=True):
            button.click(partial(_visit, stop), None, [self.networks, self.measure, self.text], **QUICK)
        parts = [self.networks, self.depth, *self.axes]
        self.add.click(_added, parts, [self.networks, self.message], **QUICK)
        gr.on(
            [self.networks.change, self.measure.change],
            self._show,
            [self.networks, self.measure],
            [self.message, self.plot, self.table],
            **LATEST,
        )

    def _chosen(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if query.get("tab") != "flow":
            return [gr.skip()] * 4
        if query.get("networks"):
            measure = query.get("measure", "")
            try:
                names = [parse_name(name).name for name in query["networks"].split(",")[: engine.MOST_FLOWS]]
            except InputError as error:
                return [*[gr.skip()] * 3, fragments.said(str(error))]
            return [gr.update(choices=names, value=names), measure if measure in plots.MEASURES else gr.skip(), "", ""]
        stop = find_stop(query.get("tour", TOUR[0].key))
        if stop is None:
            keys = ", ".join(stop.key for stop in TOUR)
            return [*[gr.skip()] * 3, fragments.said(f"The tour has no stop of that name: use one of {keys}.")]
        return [*_visit(stop), gr.skip()]

    def _show(self, networks: list[str], measure: str) -> Iterator[list[Any]]:
        """The curves one after the other, as they are measured."""
        flows: list[Any] = []
        try:
            if measure not in plots.MEASURES:
                raise InputError(f"There is no measure {quoted(measure)}: choose {' or '.join(plots.MEASURES)}.")
            for flow in engine.flows(networks, self.device, engine.LAYERS_IN_TURN):
                flows.append(flow)
                yield [gr.update(visible=False), _drawn(flows, measure), fragments.flow_table(flows)]
        except InputError as error:
            yield [fragments.said(str(error)), gr.skip(), gr.skip()]
        if not networks:
            yield [gr.update(visible=False), "", ""]


def _visit(stop: Stop) -> list[Any]:
    names = list(stop.networks)
    return [gr.update(choices=names, value=names), stop.measure, fragments.stop_text(stop)]


def _added(networks: list[str], depth: str, connection: str, norm: str, activation: str, init: str) -> list[Any]:
    if len(networks) >= engine.MOST_FLOWS:
        return [gr.skip(), fragments.said(f"{engine.MOST_FLOWS} networks are the most: take one away first.")]
    axes = {"connection": connection, "norm": norm, "activation": activation, "init": init}
    specs = [*map(parse_name, networks), parse_name(f"resnet{depth}", family="cifar", **axes)]
    names = list(dict.fromkeys(spec.name for spec in specs))
    return [gr.update(choices=names, value=names), gr.update(visible=False)]


def _drawn(flows: list[Any], measure: str) -> str:
    ends = "; ".join(f"{flow.network}: {flow.ratio:.3g}" for flow in flows)
    label = f"{plots.MEASURES[measure]} by depth. First over last convolution's gradient norm: {ends}"
    return fragments.plot(plots.to_svg(plots.flow_figure(flows, measure, plots.PAGE_INK), label))

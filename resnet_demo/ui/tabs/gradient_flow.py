"""The Gradient flow tab: untrained networks, layer by layer; and a tour of five stops."""

from collections.abc import Iterator, Sequence
from functools import partial
from html import escape

import gradio as gr
from gradio.events import Dependency

from resnet_demo import plots
from resnet_demo.errors import InputError, quoted
from resnet_demo.laboratory.tour import TOUR, find_stop
from resnet_demo.networks import LADDER, parse_name
from resnet_demo.networks.spec import AXES
from resnet_demo.records import Flow, Stop
from resnet_demo.ui import answers, html
from resnet_demo.ui.budgets import LAYERS_IN_TURN, MOST_FLOWS
from resnet_demo.ui.components import Choice, Options
from resnet_demo.ui.queues import LATEST, PRIVATE, QUICK
from resnet_demo.ui.tabs.tab import Updates

MEASURES = [(title, measure) for measure, title in plots.MEASURES.items()]
INTRO = (
    "<p>Networks <b>before any training</b>, layer by layer, on a batch of 64 small images: the norm of the gradient "
    "of the loss at each weight, the standard deviation of each layer's response, and the share of its units that are "
    "dead or saturated. Take the tour, or build your own networks.</p>"
)
COLUMNS = (
    "network",
    "loss",
    "gradient norm, first convolution",
    "last convolution",
    "first / last",
    "response std, first",
    "last",
)


class GradientFlow:
    """A `Tab`.

    device   that the networks are measured on
    """

    id, title, photo = "flow", "Gradient flow", None

    def __init__(self, device: str) -> None:
        self.device = device

    def build(self) -> None:
        gr.HTML(INTRO)
        with gr.Row(elem_id="tour"):
            self.stops = [gr.Button(stop.title, size="sm", min_width=160) for stop in TOUR]
        self.text = gr.HTML("", elem_id="tour-text")
        with gr.Row():
            self.networks = Choice(
                [], value=[], multiselect=True, allow_custom_value=True, max_choices=MOST_FLOWS, scale=4,
                label=f"Networks, at most {MOST_FLOWS}", elem_id="flow-networks", min_width=300,
            )  # fmt: skip
            self.measure = Options(MEASURES, value=MEASURES[0][1], label="Measure", scale=3, min_width=300)
        with gr.Accordion("Build another network", open=False):
            with gr.Row():
                self.depth = Options(list(map(str, LADDER)), value="56", label="Depth")
                axes = ("connection", "norm", "activation", "init")
                self.axes = [Options(list(AXES[axis]), value=AXES[axis][0], label=axis.title()) for axis in axes]
            self.add = gr.Button("Add this network", size="sm")
        self.message = gr.HTML("", visible=False)
        self.plot = gr.HTML("", elem_id="flow")
        self.table = gr.HTML("", elem_id="flow-table")
        self._wire()

    def load(self, page: gr.Blocks) -> Dependency:
        """Query parameters: tour (the key of a stop), or networks (names with commas) and measure."""
        chosen = [self.networks, self.measure, self.text, self.message]
        return page.load(self._chosen, None, chosen, show_progress="hidden", **PRIVATE)

    def open(self, tab: gr.Tab) -> None:
        """Nothing to do: the tab shows what its events have computed."""

    def _wire(self) -> None:
        for stop, button in zip(TOUR, self.stops, strict=True):
            button.click(partial(self._visit, stop), None, [self.networks, self.measure, self.text], **QUICK)
        parts = [self.networks, self.depth, *self.axes]
        self.add.click(self._added, parts, [self.networks, self.message], **QUICK)
        gr.on(
            [self.networks.change, self.measure.change],
            self._show,
            [self.networks, self.measure],
            [self.message, self.plot, self.table],
            **LATEST,
        )

    def _chosen(self, request: gr.Request) -> Updates:
        query = dict(request.query_params)
        if query.get("tab") != self.id:
            return gr.skip()
        if query.get("networks"):
            return self._named(query["networks"].split(",")[:MOST_FLOWS], query.get("measure", ""))
        stop = find_stop(query.get("tour", TOUR[0].key))
        if stop is None:
            keys = ", ".join(stop.key for stop in TOUR)
            return {self.message: html.alert_update(f"The tour has no stop of that name: use one of {keys}.")}
        return self._visit(stop)

    def _named(self, names: Sequence[str], measure: str) -> Updates:
        try:
            names = [parse_name(name).name for name in names]
        except InputError as error:
            return {self.message: html.alert_update(str(error))}
        chosen: Updates = {
            self.networks: gr.update(choices=names, value=names),
            self.text: "",
            self.message: html.alert_update(),
        }
        return chosen | ({self.measure: measure} if measure in plots.MEASURES else {})

    def _visit(self, stop: Stop) -> Updates:
        names = list(stop.networks)
        return {
            self.networks: gr.update(choices=names, value=names),
            self.measure: stop.measure,
            self.text: f'<p class="stop"><b>{escape(stop.title)}.</b> {escape(stop.text)}</p>',
        }

    def _added(
        self, networks: list[str], depth: str, connection: str, norm: str, activation: str, init: str
    ) -> Updates:
        if len(networks) >= MOST_FLOWS:
            return {self.message: html.alert_update(f"At most {MOST_FLOWS} networks: remove one first.")}
        axes = {"connection": connection, "norm": norm, "activation": activation, "init": init}
        specs = [*map(parse_name, networks), parse_name(f"resnet{depth}", family="cifar", **axes)]
        names = list(dict.fromkeys(spec.name for spec in specs))
        return {self.networks: gr.update(choices=names, value=names), self.message: html.alert_update()}

    def _show(self, networks: list[str], measure: str) -> Iterator[Updates]:
        """The curves one after the other, as they are measured."""
        flows: list[Flow] = []
        try:
            if measure not in plots.MEASURES:
                raise InputError(f"There is no measure {quoted(measure)}: choose {' or '.join(plots.MEASURES)}.")
            for flow in answers.flows(networks, self.device, LAYERS_IN_TURN):
                flows.append(flow)
                yield {
                    self.message: html.alert_update(),
                    self.plot: html.plot(
                        plots.to_svg(plots.flow_figure(flows, measure, plots.PAGE_INK), in_words(flows, measure))
                    ),
                    self.table: flow_table(flows),
                }
        except InputError as error:
            yield {self.message: html.alert_update(str(error))}
        if not networks:
            yield {self.message: html.alert_update(), self.plot: "", self.table: ""}


def flow_table(flows: Sequence[Flow]) -> str:
    """The ends of each curve in numbers."""
    rows = []
    for flow in flows:
        first, last = flow.layers[0], flow.layers[-2]
        cells = (flow.loss, first.gradient_norm, last.gradient_norm, flow.ratio, first.response_std, last.response_std)
        rows.append([flow.network, *(f"{cell:.3g}" for cell in cells)])
    return html.table(COLUMNS, rows)


def in_words(flows: Sequence[Flow], measure: str) -> str:
    """The plot's numbers, for a screen reader."""
    ends = "; ".join(f"{flow.network}: {flow.ratio:.3g}" for flow in flows)
    return f"{plots.MEASURES[measure]} by depth. First over last convolution's gradient norm: {ends}"

"""The Gradient flow tab: networks before and after training, layer by layer; and a tour of six stops."""

import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape

import gradio as gr
from gradio.components import Component

from resnet_demo import plots
from resnet_demo.errors import InputError, quoted
from resnet_demo.laboratory.tour import TOUR, find_stop
from resnet_demo.networks import LADDER, parse_name
from resnet_demo.networks.spec import AXES
from resnet_demo.records import Flow, Stop
from resnet_demo.ui import answers, html
from resnet_demo.ui.address import Address
from resnet_demo.ui.budgets import LAYERS_IN_TURN, MOST_FLOWS
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import Choice, Options, event_text
from resnet_demo.ui.language import later, sentence, t
from resnet_demo.ui.layer_plots import flow_plot
from resnet_demo.ui.queues import LATEST, QUICK
from resnet_demo.ui.tabs.flow_words import NO_STATUS, flow_table, status, words
from resnet_demo.ui.tabs.meanings import meaning, terms
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.ui.tour import Tour, TourView
from resnet_demo.ui.turns import ask_in_turn
from resnet_demo.zoo import Catalogue

# The first of the measures.
MEASURE = next(iter(plots.MEASURES))
# The stop about what residual networks are about.
OPENS_AT = "residual"
OFFERED = [f"{prefix}{depth}" for prefix in ("resnet", "plain", "preresnet", "highway") for depth in LADDER]
# Seconds between two drawings while curves come in: those that are known already come at once, and are drawn once.
APART = 0.4
INTRO = later(
    "<p class='facts'>Networks <b>before any training</b>, layer by layer: what one batch of 64 small images, passed "
    "forward and back, finds in each of them. At the last stop <b>after training</b>, over 1,000 test images.</p>"
)
OWN = later("<p class='facts'><b>Your own choice.</b> A number or an arrow leads back to the tour.</p>")


class GradientFlow:
    """A `Tab`.

    catalogue   has the trained networks whose gradients were measured beforehand
    device      that untrained ones are measured on
    """

    id, title = "flow", later("Gradient flow")

    def __init__(self, catalogue: Catalogue, device: str) -> None:
        self.catalogue, self.device = catalogue, device
        self.offered = [*OFFERED, *answers.measured(catalogue)]

    def build(self, current: gr.State, address: Address) -> None:
        self.address = address
        # Whether the tab shows what was asked for: by the address, by a visitor, or by having been opened before.
        self.settled = gr.State(False)
        gr.HTML(t(INTRO))
        self.tour = Tour(TourView(stops()), elem_id="tour")
        self.text = gr.HTML("", min_height=46, elem_id="tour-text")
        with gr.Row():
            with gr.Column(scale=8, min_width=340):
                # What is wrong with a choice stays until the next one, what is wrong with an answer until the next.
                self.notice = gr.HTML("", visible=False)
                self.message = gr.HTML("", visible=False)
                self.plot = Chart(elem_id="flow")
                self.status = gr.HTML(NO_STATUS, elem_id="flow-status")
                self.table = gr.HTML("", elem_id="flow-table")
            with gr.Column(scale=3, min_width=320, elem_classes="controls"):
                self._build_choice()
        self.asked = self._choice()
        self._wire()

    def _build_choice(self) -> None:
        measures = [(t(title), measure) for measure, title in plots.MEASURES.items()]
        self.measure = Options(measures, value=MEASURE, label=t("Measure"), elem_id="flow-measure")
        self.meaning = gr.HTML(meaning(MEASURE), elem_id="flow-meaning")
        self.networks = Choice(
            self.offered, value=[], multiselect=True, allow_custom_value=True, max_choices=MOST_FLOWS,
            label=t("Networks, at most {count}", count=MOST_FLOWS), elem_id="flow-networks",
        )  # fmt: skip
        with gr.Accordion(t("Build another network"), open=False):
            self.depth = Options(list(map(str, LADDER)), value="56", label=t("Depth"))
            axes = ("connection", "norm", "activation", "init")
            self.axes = [Options(list(AXES[axis]), value=AXES[axis][0], label=t(axis.title())) for axis in axes]
            self.add = gr.Button(t("Add this network"), size="sm")
        gr.HTML(terms(), elem_id="flow-terms")

    def open(self, tab: gr.Tab) -> None:
        tab.select(self._opened, [self.settled, self.networks], self._choice(), **QUICK)

    def _choice(self) -> list[Component]:
        """What changes with the choice of networks and measure, before anything is measured."""
        return [self.settled, self.networks, self.measure, self.tour, self.text, self.meaning, self.notice]

    def _wire(self) -> None:
        ask_in_turn([self.tour.click], self._visit, [], self._choice(), **QUICK)
        shown, beside = [self.networks, self.measure], [self.tour, self.text, self.meaning, self.notice]
        gr.on([self.networks.input, self.measure.input], self._beside, shown, beside, **QUICK)
        self.add.click(self._added, [*shown, self.depth, *self.axes], self._choice(), **QUICK)
        results = [self.message, self.plot, self.status, self.table, self.address]
        changes = [self.networks.change, self.measure.change]
        ask_in_turn(changes, self._show, shown, results, show_progress_on=self.status, **LATEST)

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Query parameters: tour (the key of a stop), or networks (names with commas) and measure."""
        if not ("networks" in query or "tour" in query):
            return {}
        try:
            if query.get("networks"):
                return self._chose(query["networks"].split(","), query.get("measure") or MEASURE)
            stop = find_stop(query.get("tour") or OPENS_AT)
            if stop is None:
                names = ", ".join(stop.key for stop in TOUR)
                raise InputError(t("The tour has no stop of that name: use one of {names}.", names=names))
        except InputError as error:
            return {self.settled: True, self.notice: html.alert_update(error.message)}
        return self._stop(stop)

    def _opened(self, asked: bool, networks: list[str]) -> Updates:
        stop = find_stop(OPENS_AT)
        return gr.skip() if asked or networks or stop is None else self._stop(stop)

    def _visit(self, event: gr.EventData) -> Updates:
        stop = find_stop(event_text(event, "key"))
        return self._stop(stop) if stop else gr.skip()

    def _stop(self, stop: Stop) -> Updates:
        return self._chose(stop.networks, stop.measure)

    def _chose(self, names: Sequence[str], measure: str) -> Updates:
        """All that a choice changes. Raises `InputError` where there is no such choice."""
        require_measure(measure)
        names = list(dict.fromkeys(map(self._named, names)))
        if len(names) > MOST_FLOWS:
            raise InputError(t("At most {count} networks: remove one first.", count=MOST_FLOWS))
        picked = {self.networks: gr.update(choices=list(dict.fromkeys([*names, *self.offered])), value=names)}
        return {self.settled: True, **picked, self.measure: measure, **self._beside(names, measure)}

    def _named(self, name: str) -> str:
        """The proper name of a network: with a dot, of a trained one."""
        return self.catalogue.find(name).name if "." in name else parse_name(name).name

    def _beside(self, names: Sequence[str], measure: str) -> Updates:
        """The stop of the tour that shows just this, if there is one, and what the measure means."""
        stop = _stop_of(names, measure)
        text = (
            f'<p class="facts"><b>{escape(sentence(t(stop.title)))}</b> {escape(t(stop.text))}</p>' if stop else t(OWN)
        )
        return {
            self.tour: TourView(stops(), stop.key if stop else ""),
            self.text: text,
            self.meaning: meaning(measure),
            self.notice: html.alert_update(),
        }

    def _added(
        self, networks: list[str], measure: str, depth: str, connection: str, norm: str, activation: str, init: str
    ) -> Updates:
        axes = {"connection": connection, "norm": norm, "activation": activation, "init": init}
        try:
            added = parse_name(f"resnet{depth}", family="cifar", **axes).name
            return self._chose([*networks, added], measure)
        except InputError as error:
            return {self.notice: html.alert_update(error.message)}

    def _show(self, networks: list[str], measure: str) -> Iterator[Updates]:
        """The curves one after the other, as they are measured."""
        flows: list[Flow] = []
        last, count = time.monotonic(), 0
        try:
            require_measure(measure)
            for flow in answers.flows(networks, self.catalogue, self.device, LAYERS_IN_TURN):
                flows += [] if flow in flows else [flow]
                if time.monotonic() - last > APART:
                    last, count = time.monotonic(), len(flows)
                    yield self._drawn(flows, measure, len(networks))
        except InputError as error:
            yield {self.message: html.alert_update(error.message), **self._nothing()}
            return
        if not flows:
            yield {self.message: html.alert_update(), **self._nothing()}
            return
        drawn = self._drawn(flows, measure, len(flows))
        view = self._view(networks, measure) | {"says": sentence(drawn[self.plot].alt)}
        yield {self.address: view, **(drawn if count < len(flows) else {})}

    def _view(self, names: Sequence[str], measure: str) -> dict[str, str]:
        stop = _stop_of(names, measure)
        shown = {"tour": stop.key} if stop else {"networks": ",".join(names), "measure": measure}
        return {"tab": self.id, **shown}

    def _drawn(self, flows: Sequence[Flow], measure: str, asked: int) -> Updates:
        names = [words(flow, self.catalogue) for flow in flows]
        return {
            self.message: html.alert_update(),
            self.plot: flow_plot(flows, measure, names),
            self.status: status(flows, asked),
            self.table: flow_table(flows, names),
        }

    def _nothing(self) -> Updates:
        return {self.plot: None, self.status: NO_STATUS, self.table: ""}


def stops() -> tuple[tuple[str, str], ...]:
    """(key, title without its number) of each stop of the tour."""
    return tuple((stop.key, t(stop.title).partition(". ")[2]) for stop in TOUR)


def _stop_of(names: Sequence[str], measure: str) -> Stop | None:
    """The stop of the tour that shows just these networks, by this measure."""
    return next((stop for stop in TOUR if (list(stop.networks), stop.measure) == (list(names), measure)), None)


def require_measure(measure: str) -> None:
    """Raises `InputError` for what is none of `plots.MEASURES`."""
    if measure not in plots.MEASURES:
        raise InputError(f"There is no measure {quoted(measure)}: choose {', '.join(plots.MEASURES)}.")

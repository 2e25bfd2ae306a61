"""The pickers of one network: data set, connection, depth, class and layer, each with only what goes with the rest."""

import gradio as gr
from gradio.components import Component

from resnet_demo.records import kind_of
from resnet_demo.ui import choices, html
from resnet_demo.ui.components import Choice, Options, event_text
from resnet_demo.ui.examples import Examples
from resnet_demo.ui.language import t
from resnet_demo.ui.photo import examples_for
from resnet_demo.ui.queues import QUICK
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.ui.turns import Turn, ask_in_turn
from resnet_demo.ui.twins import Twins, TwinView
from resnet_demo.zoo import Catalogue, Entry


class Pickers:
    """Built in two places of the page: `build_network` and `build_switch`, in this order.

    default   the entry that is picked at first
    offline   whether weights that are not here cannot be fetched: they are marked then, and cannot be picked
    """

    def __init__(self, catalogue: Catalogue, default: Entry, offline: bool) -> None:
        self.catalogue, self.default, self.offline = catalogue, default, offline

    def build_network(self) -> None:
        # What the browser is told to pick, which it may not yet have done in all of the pickers.
        self.picked = gr.State(self.default.name)
        # The network that all pickers were last set for.
        self.settled = gr.State(self.default.name)
        tag, connection = self.default.tag, choices.connection_of(self.default)
        with gr.Group():
            depths = choices.depth_choices(self.catalogue, tag, connection, self.default, self.offline)
            datasets = choices.dataset_choices(self.catalogue, self.offline)
            self.tag = Choice(datasets, value=tag, label=t("Data set"), filterable=False)
            self.name = Choice(depths, value=self.default.name, label=t("Depth"), filterable=False)
            with gr.Row():
                self.target = Choice(choices.class_choices(self.default), label=t("Class to explain"), min_width=140)
                self.layer = Choice(choices.layer_choices(self.default), label=t("Layer to explain"), min_width=140)

    def build_switch(self) -> None:
        """The same photo goes back and forth between the twins, and nothing else moves."""
        tag, connection = self.default.tag, choices.connection_of(self.default)
        with gr.Row(equal_height=True, elem_id="switch"):
            connections = choices.connection_choices(self.catalogue, tag)
            with gr.Column(scale=6, min_width=300):
                self.connection = Options(connections, value=connection, label=t("Connection"), container=False)
                self.facts = gr.HTML("", elem_id="facts")
            with gr.Column(scale=5, min_width=320):
                self.twins = Twins(self._twin_view(self.default), elem_id="twins")
        self.all: list[Component] = [self.picked, self.settled, self.tag, self.connection, self.name]
        self.all += [self.target, self.layer, self.twins]

    def wire(self, ready: gr.State, message: gr.HTML, examples: Examples) -> None:
        """`ready` holds the name of the network that is shown: it stays picked where another one cannot be."""
        self.ready, self.message, self.examples = ready, message, examples
        picked = [ready, self.name, self.target, self.layer]
        changed, turn = [*self.all, message, examples], gr.State(Turn())
        # Answers that overtake each other would leave the last but one of quick clicks.
        for change, pick, inputs in (
            (self.tag.input, self._pick_dataset, [self.tag, ready, self.name]),
            (self.connection.input, self._pick_connection, [self.tag, self.connection, *picked]),
            (self.twins.click, self._pick_twin, [self.tag, *picked]),
            (self.name.input, self._pick_depth, [self.settled, *picked]),
        ):
            ask_in_turn([change], pick, inputs, changed, turn, **QUICK)

    def updates(self, entry: Entry, target: str = "", layer: str = "") -> Updates:
        """Updates of all pickers for `entry`; a class or layer that it does not have falls back to the default."""
        connection = choices.connection_of(entry)
        depths = choices.depth_choices(self.catalogue, entry.tag, connection, entry, self.offline)
        updates: Updates = {
            self.picked: entry.name,
            self.settled: entry.name,
            self.tag: gr.update(value=entry.tag),
            self.twins: self._twin_view(entry),
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

    def _twin_view(self, entry: Entry) -> TwinView:
        offered = [connection for _, connection in choices.connection_choices(self.catalogue, entry.tag)]
        return TwinView(kind_of(entry.architecture), tuple(offered))

    def _pick(self, entry: Entry, ready: str, target: str = "", layer: str = "") -> Updates:
        """Pick `entry`, or say why it cannot be picked and stay."""
        if self.offline and not choices.is_here(self.catalogue, entry.name):
            stays = self.updates(self.catalogue.find(ready), target, layer)
            text = t(
                "{network} is not on this machine, and this is offline: choose another network.",
                network=choices.model_title(entry),
            )
            return stays | {self.message: html.alert_update(text)}
        return {
            **self.updates(entry, target, layer),
            self.message: html.alert_update(),
            self.examples: examples_for(entry),
        }

    def _pick_dataset(self, tag: str, ready: str, name: str) -> Updates:
        # The box tells of an input whenever it is left.
        if tag == self.catalogue.find(name).tag:
            return gr.skip()
        connections = [connection for _, connection in choices.connection_choices(self.catalogue, tag)]
        wanted = choices.connection_of(self.catalogue.find(name))
        connection = wanted if wanted in connections else next(iter(connections), wanted)
        return self._pick(self._nearest(tag, connection, name), ready)

    def _pick_connection(self, tag: str, connection: str, ready: str, name: str, target: str, layer: str) -> Updates:
        return self._keep(connection, self._pick(self._nearest(tag, connection, name), ready, target, layer))

    def _pick_twin(self, tag: str, ready: str, name: str, target: str, layer: str, event: gr.EventData) -> Updates:
        connection = event_text(event, "key")
        known = [value for _, value in choices.connection_choices(self.catalogue, tag)]
        if connection not in known:
            return gr.skip()
        return self._pick(self._nearest(tag, connection, name), ready, target, layer)

    def _pick_depth(self, settled: str, ready: str, name: str, target: str, layer: str) -> Updates:
        # The box tells of an input whenever it is left.
        if name == settled:
            return gr.skip()
        entry = self.catalogue.find(name)
        return self._keep(choices.connection_of(entry), self._pick(entry, ready, target, layer))

    def _keep(self, connection: str, updates: Updates) -> Updates:
        """Leave the buttons alone where they stand right. The visitor may be one click further: they would go back, and
        the next click be no change."""
        if updates[self.connection]["value"] == connection:
            del updates[self.connection]["value"]
        return updates

    def _nearest(self, tag: str, connection: str, name: str) -> Entry:
        return self.catalogue.find(choices.nearest_depth(self.catalogue, tag, connection, name))

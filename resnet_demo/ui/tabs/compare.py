"""The Compare tab: two networks on one photo."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.ui import choices, html, spoken
from resnet_demo.ui.address import Address
from resnet_demo.ui.answers import look_at_both
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import Choice, event_text
from resnet_demo.ui.language import later, t
from resnet_demo.ui.layer_plots import compare_plot
from resnet_demo.ui.photo import example, example_name, examples_for, first_example, missed, photo_input
from resnet_demo.ui.queues import LATEST, QUICK
from resnet_demo.ui.tabs.side import Side, emptied
from resnet_demo.ui.tabs.tab import Current, Updates, with_model, with_photo, without_photo
from resnet_demo.ui.turns import Turn, ask_in_turn
from resnet_demo.zoo import Entry, ModelCache

# The height that a window leaves for the pictures if the plots are to be visible without scrolling.
ROOM = "clamp(200px, 100vh - 560px, 420px)"
EXPLAIN = later("Explain this class in both")
INTRO = later("<p>Two networks on one photo: what each predicts, and where each looks for the <b>same class</b>.</p>")


class Compare:
    """A `Tab`."""

    id, title = "compare", later("Compare")

    def __init__(self, cache: ModelCache) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.pair = choices.deepest_pair(self.catalogue)

    def build(self, current: gr.State, address: Address) -> None:
        self.current, self.address = current, address
        names = choices.model_choices(self.catalogue)
        first = self.catalogue.find(self.pair[0])
        labels = choices.class_choices(first)
        # The network whose classes are offered.
        self.known = gr.State(self.pair[0])
        with gr.Row(elem_id="compare", elem_classes="desk"):
            with gr.Column(min_width=320, elem_classes="photo controls"):
                self.photo, self.examples = photo_input("compare-photo", first)
            with gr.Column(min_width=320, elem_classes="pickers controls"), gr.Group():
                self.first = Choice(names, value=self.pair[0], label=t("First network: type to search"))
                second = choices.partners(self.catalogue, first)
                self.second = Choice(second, value=self.pair[1], label=t("Second network, of the same classes"))
                self.target = Choice(labels, value=labels[0][1], label=t("Class that both explain"))
            with gr.Column(min_width=340, elem_classes="results"):
                self.notice = gr.HTML("", visible=False)
                self.message = gr.HTML("", visible=False)
                self.status = gr.HTML(t(INTRO))
                with gr.Row():
                    self.sides = [Side(self.id, i, ROOM) for i in (1, 2)]
                self.plot = Chart(elem_id="compare-plot")
        self._wire()

    def open(self, tab: gr.Tab) -> None:
        tab.select(self._follow, [self.current, self.first, self.second], self.asked, **QUICK)

    def _wire(self) -> None:
        # The photo comes last: nothing is shown before there is one.
        self.asked = [self.first, self.second, self.target, self.known, self.current, self.notice, self.examples]
        self.asked.append(self.photo)
        follow = [self.second, self.target, self.known, self.examples, self.notice, self.current]
        known = [self.first, self.second, self.target, self.known, self.current]
        self.first.input(self._switch, known, follow, **QUICK)
        for side in self.sides:
            side.top.click(self._explain, self.first, self.target, **QUICK)
        question = [self.photo, self.first, self.second, self.target]
        outputs = [self.message, *(component for side in self.sides for component in side.all), self.plot, self.current]
        outputs.append(self.address)
        changes, turn = [component.change for component in question], gr.State(Turn())
        asked = [self.current, self.known, *question]
        ask_in_turn(changes, self._show, asked, outputs, turn, show_progress_on=self.status, **LATEST)
        ask_in_turn([self.photo.clear], without_photo, [self.current], [self.current], turn, **QUICK)

    def _follow(self, current: Current | None, first: str, second: str) -> Updates:
        """The photo and network of the tab that was open before. A pair that has the network stays."""
        current = current or Current(first_example(self.catalogue.find(first)), first)
        entry = self.catalogue.find(current.model)
        there = current.model in (first, second) or not choices.is_here(self.catalogue, current.model)
        return {self.photo: current.photo or None} | ({} if there else self._pair(entry, choices.twin(entry), ""))

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Query parameters: first, second, target, photo (the name of an example)."""
        try:
            first = choices.pickable(self.catalogue, query.get("first") or self.pair[0])
            wanted = query.get("second") or (self.pair[1] if first.name == self.pair[0] else "")
            second = choices.pickable(self.catalogue, wanted).name if wanted else ""
            if second and second not in [name for _, name in choices.partners(self.catalogue, first)]:
                choices.require_here(self.catalogue, second)
                raise InputError(different(first.name, second))
            target = choices.class_value(first, query.get("target", ""))
            photo = example(query, first)
        except InputError as error:
            return {self.notice: html.alert_update(error.message)}
        seen = {self.current: Current(photo, first.name), self.photo: photo, self.notice: missed(query)}
        return {**self._pair(first, second, target), **seen}

    def _pair(self, first: Entry, second: str, target: str) -> Updates:
        offered = choices.class_choices(first)
        return {
            self.first: first.name,
            self.second: gr.update(
                choices=choices.partners(self.catalogue, first), value=choices.partner(self.catalogue, first, second)
            ),
            self.target: gr.update(choices=offered, value=target or offered[0][1]),
            self.known: first.name,
            self.examples: examples_for(first),
        }

    def _switch(self, first: str, second: str, target: str, known: str, current: Current | None) -> Updates:
        """What goes with a new first network. The second one stays only if it has the same classes, and so does the
        chosen class."""
        if first == known:  # The box tells of an input whenever it is left.
            return gr.skip()
        entry = self.catalogue.find(first)
        kept = self.catalogue.find(known).labels == entry.labels
        updates = self._pair(entry, second if kept else "", target if kept else "")
        follow = {component: value for component, value in updates.items() if component is not self.first}
        return follow | {self.notice: html.alert_update(), self.current: with_model(current, first)}

    def _explain(self, first: str, event: gr.EventData) -> Any:
        """The class of the clicked bar, which both networks have; the first one's most probable one for the cross."""
        clicked = event_text(event, "key")
        known = [value for _, value in choices.class_choices(self.catalogue.find(first))]
        return clicked if clicked in known else gr.skip()

    def _show(
        self, current: Current | None, known: str, photo: str | None, first: str, second: str, target: str
    ) -> Updates:
        if not photo:
            return self._nothing()
        try:
            choices.require_here(self.catalogue, first, second)
            if self.catalogue.find(first).labels != self.catalogue.find(second).labels:
                if known == first:
                    raise InputError(different(first, second))
                # The second one is about to follow the first.
                second = choices.partner(self.catalogue, self.catalogue.find(first), "")
            entries = self.catalogue.find(first), self.catalogue.find(second)
            comparison, decoded = look_at_both(self.cache, photo, first, second, choices.class_picked(target))
        except InputError as error:
            return self._nothing() | {self.message: html.alert_update(error.message)}
        return {
            self.current: with_photo(current, photo, first),
            self.address: {
                "tab": self.id,
                "photo": example_name(photo, self.photo.GRADIO_CACHE),
                "first": first,
                "second": second,
                "target": choices.class_name(entries[0], target),
                "says": spoken.both(entries, comparison),
            },
            self.message: html.alert_update(),
            **self.sides[0].updates(entries[0], comparison.first, decoded, t(EXPLAIN)),
            **self.sides[1].updates(entries[1], comparison.second, decoded, t(EXPLAIN)),
            self.plot: compare_plot(comparison),
        }

    def _nothing(self) -> Updates:
        return {**emptied(self.sides), self.plot: None, self.message: html.alert_update()}


def different(first: str, second: str) -> str:
    """Why two networks cannot be compared."""
    text = later("{first} and {second} have different classes: choose two networks of one data set.")
    return t(text, first=first, second=second)

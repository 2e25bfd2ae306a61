"""The Explore tab: a photo in; top classes, Grad-CAM and every layer's gradient norm out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gradio as gr
from gradio.components import Component

from resnet_demo.errors import InputError
from resnet_demo.networks.precision import precisions
from resnet_demo.records import GRADIENT_COLUMNS, Question, gradient_rows
from resnet_demo.ui import choices, html, spoken
from resnet_demo.ui.address import Address
from resnet_demo.ui.answers import Shown, look, overlaid
from resnet_demo.ui.bars import Bars
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import Options, download_progress, event_text
from resnet_demo.ui.downloads import add_downloads
from resnet_demo.ui.explained import class_bars, explanation, facts, seen
from resnet_demo.ui.language import later, t
from resnet_demo.ui.layer_plots import gradient_plot
from resnet_demo.ui.photo import example, example_name, examples_for, first_example, missed, photo_input
from resnet_demo.ui.pickers import Pickers
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.queues import CLICK, FETCH, LATEST, PRIVATE, QUICK, STATE
from resnet_demo.ui.sentences import EXPIRED
from resnet_demo.ui.tabs.closer import Closer
from resnet_demo.ui.tabs.tab import Current, Updates, without_photo
from resnet_demo.ui.turns import Turn, ask_in_turn
from resnet_demo.zoo import ModelCache, is_offline

# The browser's business alone: no answer that is on its way can undo it.
BLEND = '(opacity) => document.querySelector("#heatmap").style.setProperty("--opacity", opacity)'
# The height that a window leaves for the heatmap if all the rest is to be visible without scrolling.
ROOM = "clamp(240px, 100vh - 630px, 720px)"
PROGRESS = gr.Progress()


class Explore:
    """A `Tab`: the one that the page opens with, at the model called `default_model`."""

    id, title = "explore", later("Explore")

    def __init__(self, cache: ModelCache, default_model: str) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.default = choices.pickable(self.catalogue, default_model)
        self.pickers = Pickers(self.catalogue, self.default, is_offline(cache.offline))

    def build(self, current: gr.State, address: Address) -> None:
        self.current, self.address = current, address
        with gr.Row(elem_id="explore", elem_classes="desk"):
            with gr.Column(min_width=320, elem_classes="photo controls"):
                self.photo, self.examples = photo_input("photo", self.default)
            with gr.Column(min_width=320, elem_classes="pickers controls"):
                self.pickers.build_network()
            with gr.Column(min_width=340, elem_classes="results"):
                self._build_results()
        # The photo comes last: nothing is shown before there is one.
        self.asked = [self.examples, *self.pickers.all, self.notice, self.photo]
        self._wire()

    def open(self, tab: gr.Tab) -> None:
        followed = [self.examples, *self.pickers.all, self.photo]
        tab.select(self._follow, [self.current, self.shown, self.ready], followed, **QUICK)

    @property
    def first(self) -> Current:
        """What the page would open with."""
        return Current(first_example(self.default), self.default.name, seen=False)

    def _follow(self, current: Current | None, shown: Shown | None, ready: str) -> Updates:
        """Only what another tab has changed, by the server's own records. This tab is selected when the page opens,
        too, and an answer that comes late must not undo what was picked meanwhile."""
        if current is None or (shown and current == Current(shown.photo, ready)):
            return gr.skip()
        entry = self.catalogue.find(current.model)
        pickers = {} if ready == entry.name else {self.examples: examples_for(entry), **self.pickers.updates(entry)}
        return {self.photo: current.photo or None, **pickers}

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Query parameters: model, target, layer, photo (the name of an example)."""
        if not any(query.get(name) for name in ("model", "target", "layer", "photo")):
            # The pickers stand where they were built, or where a visitor has put them meanwhile.
            return {self.photo: self.first.photo}
        try:
            entry = choices.pickable(self.catalogue, query.get("model") or self.default.name)
            target = choices.class_value(entry, query.get("target", ""))
            layer = choices.layer_value(entry, query.get("layer", ""))
            photo = example(query, entry)
        except InputError as error:
            return {**self.ask({}), self.notice: html.alert_update(error.message)}
        pickers = self.pickers.updates(entry, target, layer)
        return {self.photo: photo, self.examples: examples_for(entry), **pickers, self.notice: missed(query)}

    def _build_results(self) -> None:
        # The model whose weights are here: the chosen one, once it has been fetched.
        self.ready = gr.State(self.default.name)
        # The model whose weights are waited for, if any.
        self.fetching = gr.State("")
        self.shown = gr.State(None, time_to_live=3600)
        self.pickers.build_switch()
        # What is wrong with a choice stays until the next one; what is wrong with a question, until the next answer.
        self.notice = gr.HTML("", visible=False)
        self.message = gr.HTML("", visible=False)
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                self.top = Bars(elem_id="top5")
                self.seen = gr.HTML("")
            with gr.Column(scale=6, min_width=320):
                self.heatmap = Picture(room=ROOM, divider=later("Divider between photo and heatmap"), elem_id="heatmap")
                with gr.Row():
                    self.explanation = gr.HTML("", min_height=48, elem_id="explanation", scale=3, min_width=260)
                    with gr.Column(scale=1, min_width=160, elem_classes="controls"):
                        self.opacity = gr.Slider(0, 1, 0.5, step=0.05, label=t("Opacity"), elem_id="opacity")
                        self.own = gr.Checkbox(False, label=t("on its own scale"), visible=False, elem_id="own-scale")
        open_ = gr.State("")
        with gr.Tabs():
            with gr.Tab(t("Gradient norms"), id="gradients") as gradients:
                self.plot = Chart(elem_id="gradients")
            Closer(self.cache, self.shown, open_).close_on(gradients)
        with gr.Accordion(t("Numbers, downloads, precision"), open=False):
            self.precision = Options(list(precisions(self.cache.device)), value="float32", label=t("Precision"))
            add_downloads(self.shown, self.opacity)
            self.numbers = gr.Dataframe(
                headers=list(GRADIENT_COLUMNS), interactive=False, label=t("One row per layer, in forward order")
            )

    def _wire(self) -> None:
        pickers = self.pickers
        pickers.wire(self.ready, self.notice, self.examples)
        self.top.click(_explain, self.shown, pickers.target, **CLICK)
        self.plot.click(_explain_layer, self.shown, pickers.layer, **CLICK)
        chosen = [pickers.picked, self.ready, self.fetching]
        pickers.name.change(self._choose, pickers.name, chosen, **STATE)
        waiting = [self.fetching, self.ready, pickers.target, pickers.layer, self.current]
        fetched = [self.ready, self.fetching, self.current, self.notice, self.examples, *pickers.all]
        ask_in_turn(
            [self.fetching.change], self._fetch, waiting, fetched,
            trigger_mode="multiple", show_progress_on=pickers.facts, **PRIVATE, **FETCH,
        )  # fmt: skip
        question = [self.photo, self.ready, pickers.target, pickers.layer, self.precision, self.own]
        results = [self.shown, self.message, self.top, self.seen, self.heatmap, self.explanation, self.own, self.plot]
        results += [pickers.facts, pickers.target, self.numbers, self.current, self.address]
        asked = [self.current, self.shown, pickers.picked, *question]
        changes, turn = [component.change for component in question], gr.State(Turn())
        ask_in_turn(changes, self._show, asked, results, turn, show_progress_on=pickers.facts, **LATEST)
        ask_in_turn([self.photo.clear], without_photo, [self.current], [self.current], turn, **QUICK)
        self.opacity.change(None, self.opacity, None, js=BLEND)

    def _choose(self, name: str) -> Updates:
        """What is here is ready; a download that was waited for is not any more."""
        here = choices.is_here(self.catalogue, name)
        return {self.pickers.picked: name, **({self.ready: name, self.fetching: ""} if here else {self.fetching: name})}

    def _fetch(
        self, name: str, ready: str, target: str, layer: str, current: Current | None, progress: Any = PROGRESS
    ) -> Updates:
        """Get the weights of the picked model; the results follow when it is ready. If another one has been picked
        since, or one that is here, then this is not the newest question, and its answer does not count."""
        if not name:
            return gr.skip()
        try:
            model = self.cache.get(name, download_progress(name, progress))
        except InputError as error:
            entry = self.catalogue.find(ready)
            stays = {**self.pickers.updates(entry, target, layer), self.examples: examples_for(entry)}
            stays[self.current] = current and replace(current, model=ready)
            return {**stays, self.fetching: "", self.notice: html.alert_update(error.message)}
        return {self.ready: model.name, self.fetching: ""}

    def _show(
        self, current: Current | None, before: Shown | None, picked: str, photo: str | None, name: str, target: str,
        layer: str, precision: str, own: bool,
    ) -> Updates:  # fmt: skip
        usual = choices.class_choices(self.catalogue.find(picked))[0][1]
        if not photo:
            return self._nothing("") | {self.pickers.target: usual}
        # A new photo is asked what it shows, and not for the class that the last one was asked for.
        fresh = bool(before) and before.photo != photo
        target, known = (usual, {self.pickers.target: usual}) if fresh else (target, {})
        if choices.is_here(self.catalogue, picked):
            name = picked
        elif picked != name:  # The class and layer are those of a network that is still on its way.
            target = layer = ""
        asked = (photo, name, target, layer, precision, str(bool(own)))
        if before and before.asked == asked:
            return gr.skip()
        try:
            question = Question(choices.class_picked(target), layer or None, precision)
            shown, decoded = look(self.cache, photo, name, question)
            shown = replace(shown, asked=asked, own_scale=bool(own))
            heatmap = overlaid(shown.entry, shown.analysis, decoded, shown.heat)
        except InputError as error:
            return self._nothing(error.message) | known | {self.address: self._view(photo, picked, "", "")}
        return {
            **self._texts(shown),
            self.shown: shown,
            # The picked network, even if it is still on its way: another tab may have asked for it. What nobody has
            # picked, because the page has opened with another tab, is answered here, but not followed.
            self.current: Current(photo, picked, seen=current != self.first),
            self.address: self._view(photo, picked, target, layer)
            | {"says": spoken.result(shown.entry, shown.analysis)},
            self.message: html.alert_update(),
            self.heatmap: heatmap,
            self.plot: gradient_plot(shown.analysis),
            self.numbers: gradient_rows(shown.analysis),
            **known,
        }

    def _view(self, photo: str, name: str, target: str, layer: str) -> dict[str, str]:
        named = choices.class_name(self.catalogue.find(name), target)
        shown = example_name(photo, self.photo.GRADIO_CACHE)
        return {"tab": self.id, "photo": shown, "model": name, "target": named, "layer": layer}

    def _texts(self, shown: Shown) -> Updates:
        analysis, entry = shown.analysis, shown.entry
        title = t("{network} says", network=choices.model_title(entry))
        back = t("Back to the most probable class")
        other = bool(analysis.predictions) and analysis.predictions[0].index != analysis.target.index
        return {
            self.top: class_bars(entry, analysis, title, back, t("Explain this class")),
            self.seen: html.origin(entry) + seen(entry, analysis),
            self.explanation: explanation(shown),
            self.own: gr.update(visible=other and analysis.positive_evidence),
            self.pickers.facts: facts(entry, analysis, shown.error),
        }

    def _nothing(self, message: str) -> Updates:
        """An empty page, with the one sentence that says why."""
        texts: list[Component] = [self.seen, self.explanation, self.pickers.facts]
        rest: list[Component] = [self.shown, self.top, self.heatmap, self.plot, self.numbers]
        return {**dict.fromkeys(texts, ""), **dict.fromkeys(rest), self.message: html.alert_update(message)}


def _explain(shown: Shown | None, event: gr.EventData) -> Any:
    """The class of the clicked bar; the most probable one for the cross beside it."""
    if shown is None:
        raise InputError(EXPIRED)
    clicked = event_text(event, "key")
    known = [value for _, value in choices.class_choices(shown.entry)]
    return clicked if clicked in known else gr.skip()


def _explain_layer(shown: Shown | None, event: gr.EventData) -> Any:
    """The block of the clicked layer."""
    if shown is None:
        raise InputError(EXPIRED)
    clicked = event_text(event, "key")
    return clicked if clicked in shown.analysis.layers else gr.skip()

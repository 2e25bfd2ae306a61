"""The Lesion tab: remove blocks from a network by a click, and see what happens to its predictions."""

from collections.abc import Collection, Mapping, Sequence
from html import escape

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.laboratory import lesion
from resnet_demo.laboratory.studies import find_study
from resnet_demo.networks.architecture import block_summaries
from resnet_demo.records import LesionStudy, Prediction, kind_of
from resnet_demo.ui import choices, html
from resnet_demo.ui.address import Address
from resnet_demo.ui.bars import Bar, BarList, Bars
from resnet_demo.ui.budgets import require_affordable
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import Choice
from resnet_demo.ui.language import later, sentence, t
from resnet_demo.ui.layer_plots import lesion_plot
from resnet_demo.ui.network import Network, NetworkView
from resnet_demo.ui.photo import example, example_name, examples_for, first_example, missed, photo_input
from resnet_demo.ui.queues import DRAW, LATEST, QUICK
from resnet_demo.ui.tabs.tab import Current, Updates, with_model, with_photo, without_photo
from resnet_demo.ui.turns import Turn, ask_in_turn
from resnet_demo.zoo import Entry, ModelCache

INTRO = later(
    "<p>Click a block to remove its F(x) from the <b>trained</b> network (Veit et al. 2016). In a residual network its "
    "shortcut remains; a plain network has no path around the block, so the identity that it could have been takes its "
    "place. The deeper the colour of a box, the higher the measured test error without it.</p>"
)
NO_STUDY = later("The test error without each block has not been measured for this network.")
SHOWN_CLASSES = 5


class Lesion:
    """A `Tab`."""

    id, title = "lesion", later("Lesion")

    def __init__(self, cache: ModelCache) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.names = choices.model_choices(self.catalogue, trained=True) or choices.model_choices(self.catalogue)
        offered, deepest = [name for _, name in self.names], choices.deepest_pair(self.catalogue)[0]
        self.default = self.catalogue.find(deepest if deepest in offered else offered[0])

    def build(self, current: gr.State, address: Address) -> None:
        self.current, self.address = current, address
        with gr.Row(elem_id="lesion", elem_classes="desk"):
            with gr.Column(min_width=320, elem_classes="photo controls"):
                self.photo, self.examples = photo_input("lesion-photo", self.default)
            with gr.Column(min_width=320, elem_classes="pickers controls"):
                self.name = Choice(self.names, value=self.default.name, label=t("Network"))
            with gr.Column(min_width=340, elem_classes="results"):
                gr.HTML(t(INTRO))
                self.notice = gr.HTML("", visible=False)
                self.drawing = Network(elem_id="lesion-drawing")
                self.message = gr.HTML("", visible=False)
                self.effect = gr.HTML("", elem_id="lesion-effect")
                with gr.Row():
                    with gr.Column(min_width=240):
                        self.before = Bars(elem_id="lesion-before")
                    with gr.Column(min_width=240):
                        self.after = Bars(elem_id="lesion-after")
                self.study = gr.HTML("")
                # A click on one of its points is one on that block of the drawing, which hears of it in the browser.
                self.plot = Chart(elem_id="lesion-study")
        # The photo comes last, as in Compare.
        self.asked = [self.current, self.name, self.drawing, self.notice, self.examples, self.photo]
        self._wire()

    def open(self, tab: gr.Tab) -> None:
        asked = [self.current, self.name, self.drawing]
        followed = [self.photo, self.name, self.examples, self.drawing, self.study, self.plot]
        ask_in_turn([tab.select], self._follow, asked, followed, self.turn, **DRAW)

    def _follow(self, current: Current | None, name: str, removed: list[str] | None) -> Updates:
        """The photo and network of the tab that was open before, if blocks can be removed from that one."""
        photo = current.photo or None if current else first_example(self.default)
        if current and current.model in [value for _, value in self.names]:
            name = current.model
        return {self.photo: photo, self.name: name, **self._switch(name, removed)}

    def _wire(self) -> None:
        picked = [self.drawing, self.study, self.plot, self.examples, self.notice, self.current, self.photo]
        asked = [self.photo, self.name, self.drawing, self.current]
        # In common with opening the tab: a network that is picked before that is answered stays.
        self.turn = gr.State(Turn())
        ask_in_turn([self.name.input], self._pick, asked, picked, self.turn, **DRAW)
        # The drawing changes with every click, and with the network.
        inputs = [self.current, self.photo, self.name, self.drawing]
        outputs = [self.message, self.effect, self.before, self.after, self.current, self.address]
        changes, turn = [self.photo.change, self.drawing.change], gr.State(Turn())
        ask_in_turn(changes, self._show, inputs, outputs, turn, show_progress_on=self.effect, **LATEST)
        ask_in_turn([self.photo.clear], without_photo, [self.current], [self.current], turn, **QUICK)

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Query parameters: model, photo (the name of an example), removed (blocks, with commas)."""
        try:
            entry = self._trained(query.get("model") or self.default.name)
            removed = [name for name in query["removed"].split(",") if name] if "removed" in query else None
            lesion.check_blocks(removed or (), _blocks(entry))
            photo = example(query, entry)
        except InputError as error:
            return {self.notice: html.alert_update(error.message)}
        return {
            self.current: Current(photo, entry.name),
            self.name: entry.name,
            self.drawing: _view(entry, removed, ()),
            self.examples: examples_for(entry),
            self.photo: photo,
            self.notice: missed(query),
        }

    def _opened(self, name: str, removed: list[str] | None) -> Updates:
        try:
            entry = self._trained(name)
        except InputError as error:
            return {self.drawing: None, self.study: html.alert(error.message), self.plot: None}
        studies = self._studies(entry)
        note = html.origin(entry) + ("" if studies else html.note(t(NO_STUDY)))
        plot = lesion_plot(studies) if studies else None
        return {self.drawing: _view(entry, removed, studies), self.study: note, self.plot: plot}

    def _pick(self, photo: str | None, name: str, removed: list[str] | None, current: Current | None) -> Updates:
        # Where there is no photo, the tab has just been opened.
        seen = {self.photo: current.photo} if current and current.photo and not photo else {}
        followed = {self.notice: html.alert_update(), self.current: with_model(current, name)}
        return self._switch(name, removed) | followed | seen

    def _switch(self, name: str, removed: list[str] | None) -> Updates:
        opened = self._opened(name, removed)
        known = choices.exists(self.catalogue, name)
        return opened | {self.examples: examples_for(self.catalogue.find(name))} if known else opened

    def _show(self, current: Current | None, photo: str | None, name: str, removed: list[str] | None) -> Updates:
        nothing: Updates = {self.message: html.alert_update(), self.effect: "", self.before: None, self.after: None}
        if not photo or removed is None:
            return nothing
        try:
            entry = self._trained(name)
            choices.require_here(self.catalogue, name)
            require_affordable(self.cache.device, entry)
            model, image, out = self.cache.get(name), load_image(photo), _known(entry, removed)
            before, after = (lesion.predict_lesioned(image, model, off, len(entry.labels)) for off in ((), out))
        except InputError as error:
            return nothing | {self.message: html.alert_update(error.message)}
        told = effect(len(out), len(_blocks(entry)), before, after)
        return {
            self.message: html.alert_update(),
            self.effect: f'<p class="facts">{escape(told)}</p>',
            self.before: _classes(entry, t("The whole network"), before, before[0]),
            self.after: _classes(entry, t("Without the removed blocks"), after, before[0]),
            self.current: with_photo(current, photo, name),
            self.address: {
                "tab": self.id,
                "photo": example_name(photo, self.photo.GRADIO_CACHE),
                "model": name,
                "removed": ",".join(out),
                "says": told,
            },
        }

    def _trained(self, name: str) -> Entry:
        entry = choices.pickable(self.catalogue, name)
        if not entry.trained:
            text = later("{name} is untrained: choose a trained network to remove blocks from.")
            raise InputError(t(text, name=entry.name))
        return entry

    def _studies(self, entry: Entry) -> list[LesionStudy]:
        """The measured removals of the network and of its twin, as far as there are any."""
        names = (entry.name, choices.twin(entry))
        there = [self.catalogue.find(name) for name in names if choices.exists(self.catalogue, name)]
        return [study for study in (find_study(LesionStudy, one, self.catalogue.folders) for one in there) if study]


def effect(out: int, blocks: int, before: Sequence[Prediction], after: Sequence[Prediction]) -> str:
    """What became of the whole network's most probable class; both with the probability of every class."""
    first, now = before[0], after[0]
    left = next(one.probability for one in after if one.label == first.label)
    text = t(
        "{out} of {blocks} blocks out: {label} {left} (whole network: {before})",
        out=out,
        blocks=blocks,
        label=first.label,
        left=html.percent(left),
        before=html.percent(first.probability),
    )
    if now.label != first.label:
        other = later("; the most probable class is now {label}, {probability}")
        text += t(other, label=now.label, probability=html.percent(now.probability))
    return sentence(text)


def _classes(entry: Entry, title: str, predictions: Sequence[Prediction], first: Prediction) -> BarList:
    """The most probable classes, with the `first` one of the whole network marked."""
    kind = kind_of(entry.architecture)
    shown = predictions[:SHOWN_CLASSES]
    return BarList(
        title,
        tuple(
            Bar(p.label, p.probability, html.percent(p.probability), kind, marked=p.index == first.index) for p in shown
        ),
    )


def _blocks(entry: Entry) -> tuple[str, ...]:
    return tuple(block.name for block in block_summaries(entry.spec))


def _known(entry: Entry, removed: Collection[str]) -> tuple[str, ...]:
    """The blocks of the network among the names, which another network's drawing or anybody may have sent."""
    return tuple(name for name in _blocks(entry) if name in removed)


def first_out(entry: Entry) -> str:
    """The block that is out when the tab opens: the first one of the last stage that keeps the shape of its input, if
    there is one."""
    names = _blocks(entry)
    last = [name for name in names if name.partition(".")[0] == names[-1].partition(".")[0]]
    return last[1] if len(last) > 1 else names[0]


def _view(entry: Entry, removed: Collection[str] | None, studies: Sequence[LesionStudy]) -> NetworkView:
    """The network with what was removed from the one before it; None stands for no choice yet."""
    out = _known(entry, removed) if removed is not None else (first_out(entry),)
    study = next((study for study in studies if study.model == entry.name), None)
    return NetworkView((entry.spec,), entry.name, out, study, clickable=True)

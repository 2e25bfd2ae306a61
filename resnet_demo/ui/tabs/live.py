"""The Live tab: the camera through two twins at once, several times a second."""

import time
from collections import deque
from collections.abc import Mapping

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.images import ImageSource
from resnet_demo.records import Comparison
from resnet_demo.ui import choices, html
from resnet_demo.ui.address import Address
from resnet_demo.ui.answers import look_at_both
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import Camera, Choice
from resnet_demo.ui.language import later, t
from resnet_demo.ui.layer_plots import compare_plot
from resnet_demo.ui.photo import first_example
from resnet_demo.ui.queues import LATEST, LIVE, NO_PROGRESS, PRIVATE
from resnet_demo.ui.tabs.side import Side, emptied
from resnet_demo.ui.tabs.tab import Current, Updates, with_model
from resnet_demo.ui.turns import Turn, ask_in_turn
from resnet_demo.zoo import ModelCache

STILL = {**LATEST, **NO_PROGRESS}
# Seconds between two frames that the browser sends, and their size: what the networks see is smaller by far.
APART = 0.07
SIZE = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}}
# The button on the picture both starts and stops it.
STOP = '() => document.querySelector("#camera [title=\'stop recording\']")?.closest("button").click()'
ROOM = "clamp(180px, 100vh - 560px, 420px)"
INTRO = later(
    "<p>What your camera sees, through a residual network and its plain twin at once: what each predicts, where each "
    "looks for the residual one's class, and the gradient norm of every layer. A frame is analyzed and forgotten.</p>"
)
OFF = later("<p class='facts'>Switch the camera on, then start it with the button on its picture.</p>")


class Rate:
    """The value of a `gr.State`: when the latest frames were answered, in seconds."""

    KEPT = 12
    # Seconds after which a frame is the first one of another run.
    PAUSE = 2.0

    def __init__(self) -> None:
        self.times: deque[float] = deque(maxlen=self.KEPT)

    def count(self, now: float) -> float:
        """Frames a second, with one more at `now`; 0 for the first."""
        if not self.runs(now):
            self.times.clear()
        self.times.append(now)
        spent = now - self.times[0]
        return (len(self.times) - 1) / spent if spent else 0.0

    def runs(self, now: float) -> bool:
        """Whether another frame is to be expected."""
        return bool(self.times) and now - self.times[-1] < self.PAUSE


class Live:
    """A `Tab`."""

    id, title = "live", later("Live")

    def __init__(self, cache: ModelCache) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.default = choices.deepest_pair(self.catalogue)[0]
        self.pairs = choices.pairs(self.catalogue) or [(self.default, self.default)]

    def build(self, current: gr.State, address: Address) -> None:
        self.current, self.address = current, address
        with gr.Row(elem_id="live", elem_classes="desk"):
            with gr.Column(min_width=320, elem_classes="photo"):
                self.camera = Camera(
                    label=t("Camera"),
                    show_label=False,
                    sources=["webcam"],
                    streaming=True,
                    height=260,
                    buttons=[],
                    webcam_options=gr.WebcamOptions(mirror=True, constraints=SIZE),
                    elem_id="camera",
                )
                self.status = gr.HTML(t(OFF), elem_id="live-status")
            with gr.Column(min_width=320, elem_classes="pickers controls"):
                self.name = Choice(self.pairs, value=self.default, label=t("Network, shown with its plain twin"))
                gr.HTML(t(INTRO))
            with gr.Column(min_width=340, elem_classes="results"):
                self.notice = gr.HTML("", visible=False)
                self.message = gr.HTML("", visible=False)
                with gr.Row():
                    self.sides = [Side(self.id, i, ROOM) for i in (1, 2)]
                self.plot = Chart(elem_id="live-plot")
        self.asked = [self.name, self.notice]
        self.shown = [self.message, *(part for side in self.sides for part in side.all), self.plot, address]
        rate, outputs = gr.State(Rate()), [self.status, *self.shown]
        # In common with opening the tab: a network that is picked before that is answered stays.
        self.turn = gr.State(Turn())
        picked = [self.notice, current, *outputs]
        ask_in_turn([self.name.input], self._pick, [rate, self.name, current], picked, self.turn, **STILL)
        inputs = [rate, self.camera, self.name]
        self.camera.stream(self._frame, inputs, outputs, stream_every=APART, **LIVE, **PRIVATE, **NO_PROGRESS)

    def open(self, tab: gr.Tab) -> None:
        asked, outputs = [self.current, self.name], [self.name, self.status, *self.shown]
        ask_in_turn([tab.select], self._opened, asked, outputs, self.turn, **STILL)

    def stop_on(self, other: gr.Tab) -> None:
        """When `other` is selected, the camera stops."""
        other.select(None, js=STOP)

    def _pick(self, rate: Rate, name: str, current: Current | None) -> Updates:
        followed = {self.notice: html.alert_update(), self.current: with_model(current, name)}
        return followed | ({} if rate.runs(time.monotonic()) else self._still(current, name))

    def _opened(self, current: Current | None, name: str) -> Updates:
        """The network of the tab that was open before, if it is one of a pair, and its photo until there is a frame."""
        if current and current.seen:
            names = [known for _, known in self.pairs]
            wanted = (current.model, choices.twin(self.catalogue.find(current.model)))
            name = next((one for one in wanted if one in names), name)
        return {self.name: name, **self._still(current, name)}

    def _still(self, current: Current | None, name: str) -> Updates:
        """The photo of the other tabs, for as long as the camera sends nothing."""
        photo = current.photo if current else first_example(self.catalogue.find(name))
        nothing: Updates = {**emptied(self.sides), self.plot: None, self.message: html.alert_update()}
        return {self.status: t(OFF), **(self._drawn(photo, name)[1] if photo else nothing)}

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Query parameter: model, either one of a pair."""
        try:
            name = choices.pickable(self.catalogue, query.get("model") or self.default).name
            return {self.name: self._pair(name)[0]}
        except InputError as error:
            return {self.notice: html.alert_update(error.message)}

    def _pair(self, name: str) -> tuple[str, str]:
        """The residual network and its twin, whichever of them is named. Raises `InputError` when there is no pair."""
        other = choices.twin(self.catalogue.find(name))
        for first, second in ((name, other), (other, name)):
            if first in [known for _, known in self.pairs]:
                return first, second
        raise InputError(t("{name} has no trained twin here: choose another network.", name=name))

    def _frame(self, rate: Rate, frame: bytes | None, name: str) -> Updates:
        if not frame:
            return gr.skip()
        comparison, updates = self._drawn(frame, name)
        return updates | ({self.status: status(comparison, rate.count(time.monotonic()))} if comparison else {})

    def _drawn(self, image: ImageSource, name: str) -> tuple[Comparison | None, Updates]:
        """What both twins make of it; nothing but what is wrong, if anything is."""
        try:
            names = self._pair(name)
            comparison, photo = look_at_both(self.cache, image, *names)
        except InputError as error:
            return None, {self.message: html.alert_update(error.message)}
        one, other = self.sides
        return comparison, {
            self.message: html.alert_update(),
            **one.updates(self.catalogue.find(names[0]), comparison.first, photo),
            **other.updates(self.catalogue.find(names[1]), comparison.second, photo),
            self.plot: compare_plot(comparison, ["gradient_norm"]),
            self.address: {"tab": self.id, "model": names[0]},
        }


def status(comparison: Comparison, rate: float) -> str:
    """How many frames a second there are, and what the analysis of one takes."""
    both = sum(analysis.milliseconds["total"] for analysis in (comparison.first, comparison.second))
    text = later("<b>{rate:.1f} frames a second</b>; both networks together take {both:.0f} ms.")
    return f'<p class="facts">{t(text, rate=rate, both=both)}</p>'

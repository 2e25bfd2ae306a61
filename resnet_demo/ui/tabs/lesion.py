"""The Lesion tab: remove blocks from a network by a click, and see what happens to its predictions."""

from html import escape

import gradio as gr
from gradio.events import Dependency

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.laboratory import lesion
from resnet_demo.networks.architecture import block_summaries, describe
from resnet_demo.plots import drawing
from resnet_demo.records import Prediction
from resnet_demo.ui import choices, html
from resnet_demo.ui.budgets import require_affordable
from resnet_demo.ui.components import Choice, event_text
from resnet_demo.ui.photo import example, examples_for, photo_input
from resnet_demo.ui.queues import DRAW, LATEST, PRIVATE, STATE
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.zoo import Entry, ModelCache

INTRO = (
    "<p>Click a block to remove its F(x) from the <b>trained</b> network (Veit et al. 2016). In a residual network its "
    "shortcut remains; a plain network has no path around the block, so the identity that it could have been takes its "
    "place. The deeper the colour of a box, the higher the measured test error without it.</p>"
)
# A click on a block of the drawing, or the Enter key, is an event that names the block.
ON_CLICK = """
const tell = (event) => {
  const block = event.target.closest("[data-block]");
  if (!block || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault();
  trigger("click", {block: block.dataset.block});
};
element.addEventListener("click", tell);
element.addEventListener("keydown", tell);
"""


class Lesion:
    """A `Tab`."""

    id, title = "lesion", "Lesion"

    def __init__(self, cache: ModelCache) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.names = choices.model_choices(self.catalogue, trained=True) or choices.model_choices(self.catalogue)
        offered, deepest = [name for _, name in self.names], choices.deepest_pair(self.catalogue)[0]
        self.default = self.catalogue.find(deepest if deepest in offered else offered[0])

    def build(self) -> None:
        gr.HTML(INTRO)
        self.removed = gr.State([])
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self.photo, self.examples = photo_input("lesion-photo", self.default)
                self.name = Choice(self.names, value=self.default.name, label="Network")
            with gr.Column(scale=8, min_width=340):
                self.drawing = gr.HTML("", js_on_load=ON_CLICK, elem_id="lesion-drawing")
                self.reset = gr.Button("Restore all blocks", size="sm")
                self.message = gr.HTML("", visible=False)
                with gr.Row():
                    whole, left = "The whole network", "Without the removed blocks"
                    self.before = gr.Label(label=whole, num_top_classes=5, elem_id="lesion-before", min_width=260)
                    self.after = gr.Label(label=left, num_top_classes=5, elem_id="lesion-after", min_width=260)
        self.study = gr.HTML("", elem_id="lesion-study")
        self._wire()

    def load(self, page: gr.Blocks) -> Dependency:
        """Query parameters: model, photo (the name of an example), removed (blocks, with commas)."""
        # The photo comes last, as in Compare.
        chosen = [self.name, self.removed, self.message, self.examples, self.photo]
        loaded = page.load(self._chosen, None, chosen, show_progress="hidden", **PRIVATE)
        loaded.then(self._show, self.inputs, self.outputs, **LATEST)
        return loaded

    def open(self, tab: gr.Tab) -> None:
        tab.select(self._opened, [self.name, self.removed], [self.drawing, self.study], **DRAW)

    def _wire(self) -> None:
        drawn = [self.removed, self.drawing]
        self.name.input(self._switch, self.name, [*drawn, self.study, self.examples], **STATE)
        self.drawing.click(self._toggle, [self.name, self.removed], drawn, **STATE)
        self.reset.click(self._put_back, self.name, drawn, **STATE)
        self.inputs = [self.photo, self.name, self.removed]
        self.outputs = [self.message, self.before, self.after]
        changes = [self.photo.change, self.removed.change, self.name.change]
        gr.on(changes, self._show, self.inputs, self.outputs, **LATEST)

    def _chosen(self, request: gr.Request) -> Updates:
        query = dict(request.query_params)
        if query.get("tab") != self.id:
            return gr.skip()
        try:
            entry = self._trained(query.get("model") or self.default.name)
            removed = [name for name in query.get("removed", "").split(",") if name]
            lesion.check_blocks(removed, tuple(block.name for block in block_summaries(entry.spec)))
        except InputError as error:
            return {self.message: html.alert_update(str(error))}
        photo = {self.examples: examples_for(entry), self.photo: example(query.get("photo", ""))}
        return {self.name: entry.name, self.removed: removed, **photo}

    def _opened(self, name: str, removed: list[str]) -> Updates:
        try:
            entry = self._trained(name)
        except InputError as error:
            return {self.drawing: "", self.study: html.alert(str(error))}
        return {self.drawing: self._drawn(entry, removed), self.study: self._study(entry)}

    def _switch(self, name: str) -> Updates:
        opened: Updates = {self.removed: [], **self._opened(name, [])}
        known = choices.exists(self.catalogue, name)
        return opened | {self.examples: examples_for(self.catalogue.find(name))} if known else opened

    def _toggle(self, name: str, removed: list[str], event: gr.EventData) -> Updates:
        block, entry = event_text(event, "block"), self._trained(name)
        if block not in {other.name for other in block_summaries(entry.spec)}:
            return gr.skip()
        now = [other for other in removed if other != block] if block in removed else [*removed, block]
        return {self.removed: now, self.drawing: self._drawn(entry, now)}

    def _put_back(self, name: str) -> Updates:
        return {self.removed: [], self.drawing: self._drawn(self._trained(name), [])}

    def _show(self, photo: str | None, name: str, removed: list[str]) -> Updates:
        if not photo:
            return {self.before: None, self.after: None}
        try:
            entry = self._trained(name)
            choices.require_here(self.catalogue, name)
            require_affordable(self.cache.device, entry)
            model, image = self.cache.get(name), load_image(photo)
            before, after = (lesion.predict_lesioned(image, model, blocks) for blocks in ((), removed))
        except InputError as error:
            return {self.message: html.alert_update(str(error)), self.before: None, self.after: None}
        return {self.message: html.alert_update(), self.before: _by_label(before), self.after: _by_label(after)}

    def _trained(self, name: str) -> Entry:
        entry = choices.pickable(self.catalogue, name)
        if not entry.trained:
            raise InputError(f"{entry.name} is untrained: choose a trained network to remove blocks from.")
        return entry

    def _drawn(self, entry: Entry, removed: list[str]) -> str:
        study = lesion.find_study(entry, self.catalogue.folders)
        errors = study.errors if study else None
        return drawing.draw_network(describe(entry.spec), block_summaries(entry.spec), removed, errors, clickable=True)

    def _study(self, entry: Entry) -> str:
        """The measured removals of the network and its twin."""
        names = (entry.name, choices.twin(entry))
        there = [self.catalogue.find(name) for name in names if choices.exists(self.catalogue, name)]
        studies = [study for study in (lesion.find_study(one, self.catalogue.folders) for one in there) if study]
        if not studies:
            return html.origin(entry) + no_study(entry)
        worst = (f"{s.model}: {s.test_error:.2f} percent, at worst {max(s.errors.values()):.1f}" for s in studies)
        label = f"Test error without each block. {'; '.join(worst)}"
        return html.origin(entry) + html.plot(plots.to_svg(plots.lesion_figure(studies, plots.PAGE_INK), label))


def _by_label(predictions: tuple[Prediction, ...]) -> dict[str, float]:
    return {prediction.label: prediction.probability for prediction in predictions}


def no_study(entry: Entry) -> str:
    """How to measure what is not there yet."""
    return (
        '<p class="note">The test error without each block has not been measured for this network: <code>python -m '
        f"resnet_demo lesion {escape(entry.name)}</code> measures it.</p>"
    )

"""The Lesion tab: click blocks out of a network and see what is left of its predictions. Wiring only."""

from typing import Any

import gradio as gr

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.laboratory import lesion
from resnet_demo.networks.architecture import block_summaries, describe
from resnet_demo.plots import drawing
from resnet_demo.ui import choices, engine, fragments
from resnet_demo.ui.components import Choice, told
from resnet_demo.ui.photo import example, photo_input
from resnet_demo.ui.queues import DRAW, LATEST, PRIVATE, STATE
from resnet_demo.zoo import Catalogue, Entry, ModelCache


class Lesion:
    """Builds the tab inside the current `gr.Blocks`; `on_load` sets it up as the address bar asks."""

    def __init__(self, cache: ModelCache) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        names = choices.model_choices(self.catalogue, trained=True) or choices.model_choices(self.catalogue)
        offered, deepest = [name for _, name in names], choices.deepest_pair(self.catalogue)[0]
        self.default = self.catalogue.find(deepest if deepest in offered else offered[0])
        gr.HTML(fragments.lesion_intro())
        self.removed = gr.State([])
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                self.photo = photo_input("lesion-photo")
                self.name = Choice(names, value=self.default.name, label="Network")
            with gr.Column(scale=8, min_width=340):
                self.drawing = gr.HTML("", js_on_load=drawing.ON_CLICK, elem_id="lesion-drawing")
                self.reset = gr.Button("Put all blocks back", size="sm")
                self.message = gr.HTML("", visible=False)
                with gr.Row():
                    whole, left = "The whole network", "What is left of it"
                    self.before = gr.Label(label=whole, num_top_classes=5, elem_id="lesion-before", min_width=260)
                    self.after = gr.Label(label=left, num_top_classes=5, elem_id="lesion-after", min_width=260)
        self.study = gr.HTML("", elem_id="lesion-study")
        self._wire()

    def on_open(self, tab: gr.Tab) -> None:
        """Nothing is drawn for those who do not look."""
        tab.select(self._opened, [self.name, self.removed], [self.drawing, self.study], **DRAW)

    def on_load(self, page: gr.Blocks) -> Any:
        """Query parameters: model, photo (the name of an example), removed (blocks, with commas)."""
        # The photo comes last, as in Compare.
        chosen = [self.name, self.removed, self.message, self.photo]
        loaded = page.load(self._chosen, None, chosen, show_progress="hidden", **PRIVATE)
        loaded.then(self._show, self.inputs, self.outputs, **LATEST)
        return loaded

    def _wire(self) -> None:
        drawn = [self.removed, self.drawing]
        self.name.input(self._switch, self.name, [*drawn, self.study], **STATE)
        self.drawing.click(self._toggle, [self.name, self.removed], drawn, **STATE)
        self.reset.click(self._put_back, self.name, drawn, **STATE)
        self.inputs = [self.photo, self.name, self.removed]
        self.outputs = [self.message, self.before, self.after]
        gr.on(
            [self.photo.change, self.removed.change, self.name.change],
            self._show,
            self.inputs,
            self.outputs,
            **LATEST,
        )

    def _chosen(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if query.get("tab") != "lesion":
            return [gr.skip()] * 4
        try:
            entry = _trained(self.catalogue, query.get("model") or self.default.name)
            removed = [name for name in query.get("removed", "").split(",") if name]
            lesion.check_blocks(removed, tuple(piece.name for piece in block_summaries(entry.spec)))
        except InputError as error:
            return [gr.skip(), gr.skip(), fragments.said(str(error)), gr.skip()]
        photo = example(query.get("photo", ""))
        return [entry.name, removed, gr.skip(), photo]

    def _opened(self, name: str, removed: list[str]) -> list[str]:
        entry = _trained(self.catalogue, name)
        return [self._drawn(entry, removed), self._study(entry)]

    def _switch(self, name: str) -> list[Any]:
        entry = _trained(self.catalogue, name)
        return [[], self._drawn(entry, []), self._study(entry)]

    def _toggle(self, name: str, removed: list[str], event: gr.EventData) -> list[Any]:
        block = told(event, "block")
        entry = _trained(self.catalogue, name)
        if block not in {piece.name for piece in block_summaries(entry.spec)}:
            return [gr.skip(), gr.skip()]
        now = [other for other in removed if other != block] if block in removed else [*removed, block]
        return [now, self._drawn(entry, now)]

    def _put_back(self, name: str) -> list[Any]:
        return [[], self._drawn(_trained(self.catalogue, name), [])]

    def _show(self, photo: str | None, name: str, removed: list[str]) -> list[Any]:
        if not photo:
            return [gr.skip(), None, None]
        try:
            choices.require_here(self.catalogue, _trained(self.catalogue, name).name)
            before, after = engine.lesioned(self.cache, photo, name, removed)
        except InputError as error:
            return [fragments.said(str(error)), None, None]
        return [gr.update(visible=False), *({p.label: p.probability for p in side} for side in (before, after))]

    def _drawn(self, entry: Entry, removed: list[str]) -> str:
        study = self._study_of(entry)
        errors = study.errors if study else None
        return drawing.draw_network(describe(entry.spec), block_summaries(entry.spec), removed, errors, clickable=True)

    def _study_of(self, entry: Entry) -> lesion.LesionStudy | None:
        return lesion.find_study(entry.name, entry.card.sha256, self.catalogue.folders) if entry.card else None

    def _study(self, entry: Entry) -> str:
        """The measured removals of the network and its twin."""
        names = (entry.name, choices.twin(entry.name))
        known = [self._study_of(self.catalogue.find(name)) for name in names if choices.exists(self.catalogue, name)]
        studies = [study for study in known if study]
        if not studies:
            return fragments.no_study(entry)
        worst = (f"{s.model}: {s.test_error:.2f} percent, at worst {max(s.errors.values()):.1f}" for s in studies)
        label = f"Test error without each block. {'; '.join(worst)}"
        return fragments.plot(plots.to_svg(plots.lesion_figure(studies, plots.PAGE_INK), label))


def _trained(catalogue: Catalogue, name: str) -> Entry:
    entry = choices.pickable(catalogue, name)
    if not entry.trained:
        raise InputError(f"{entry.name} has learned nothing that a missing block could take away.")
    return entry

"""The Explore tab: a photo in; top classes, Grad-CAM and every layer's gradient norm out. Wiring only."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.networks.precision import precisions
from resnet_demo.ui import choices, engine, fragments
from resnet_demo.ui.components import Choice, Options, told
from resnet_demo.ui.photo import example, photo_input
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.queues import FETCH, LATEST, PRIVATE, QUEUE, QUICK
from resnet_demo.ui.tabs.closer import Closer
from resnet_demo.zoo import ModelCache, progress_text

DOWNLOADS = {"overlay.png": "Overlay", "plot.png": "Plot PNG", "plot.svg": "Plot SVG", "json": "JSON", "csv": "CSV"}
SAVE = """(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.name;
  link.click();
}"""
BLEND = """(opacity) => {
  document.querySelector("#heatmap .stack")?.style.setProperty("--opacity", opacity);
}"""
# What a window leaves beside everything else that should be seen without scrolling.
ROOM = "clamp(262px, 100vh - 640px, 720px)"
PROGRESS = gr.Progress()


class Explore:
    """Builds the tab inside the current `gr.Blocks`; `on_load` sets it up as the address bar asks."""

    def __init__(self, cache: ModelCache, default_model: str) -> None:
        self.cache, self.catalogue = cache, cache.catalogue
        self.default = choices.pickable(self.catalogue, default_model)
        with gr.Row(elem_id="explore"):
            with gr.Column(scale=3, min_width=320, elem_id="controls"):
                self._build_controls()
            with gr.Column(scale=8, min_width=340):
                self._build_results()
        self._wire()

    def on_load(self, page: gr.Blocks) -> Any:
        """Query parameters: model, target, layer, photo (the name of an example)."""
        return page.load(
            self._chosen, None, [self.photo, *self.pickers, self.message], show_progress="hidden", **PRIVATE
        )

    def _chosen(self, request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if query.get("tab", "explore") != "explore":
            return [gr.skip()] * (2 + len(self.pickers))
        try:
            entry = choices.pickable(self.catalogue, query.get("model") or self.default.name)
            target = choices.class_value(entry, query.get("target", ""))
            layer = choices.layer_value(entry, query.get("layer", ""))
        except InputError as error:
            return [gr.skip(), *self._pickers(self.default), fragments.said(str(error))]
        return [example(query.get("photo", "")), *self._pickers(entry, target, layer), gr.skip()]

    def _build_controls(self) -> None:
        self.photo = photo_input("photo")
        tag, connection = self.default.tag, choices.connection_of(self.default)
        with gr.Group():
            depths = choices.depth_choices(self.catalogue, tag, connection, self.default)
            self.tag = Choice(choices.dataset_choices(self.catalogue), value=tag, label="Data set", filterable=False)
            self.connection = Options(
                choices.connection_choices(self.catalogue, tag), value=connection, label="Connection"
            )
            self.name = Choice(depths, value=self.default.name, label="Depth", filterable=False)
            with gr.Row():
                self.target = Choice(choices.class_choices(self.default), label="Class to explain", min_width=140)
                self.layer = Choice(choices.layer_choices(self.default), label="Layer to explain", min_width=140)

        self.pickers = [self.tag, self.connection, self.name, self.target, self.layer]

    def _build_results(self) -> None:
        # The model whose weights are here: the picked one, once it has been fetched.
        self.ready = gr.State(self.default.name)
        self.shown = gr.State(None, time_to_live=3600)
        self.message = gr.HTML("", visible=False)
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                self.top = gr.Label(label="Top 5: click one to explain it", num_top_classes=5, elem_id="top5")
                self.seen = gr.HTML("")
            with gr.Column(scale=6, min_width=320):
                self.heatmap = Picture(room=ROOM, divider="Divider of photo and heatmap", elem_id="heatmap")
                with gr.Row():
                    self.explanation = gr.HTML("", min_height=48, elem_id="explanation")
                    self.opacity = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity", elem_id="opacity", min_width=120)
        open_ = gr.State("")
        with gr.Tabs():
            with gr.Tab("Gradient norms", id="gradients") as gradients:
                self.plot = gr.HTML("", elem_id="gradients")
            Closer(self.cache, self.shown, open_).close_on(gradients)
        self.facts = gr.HTML("")
        with gr.Accordion("Numbers, downloads, precision", open=False):
            self.precision = Options(list(precisions(self.cache.device)), value="float32", label="Precision")
            with gr.Row():
                self.buttons = {kind: gr.Button(title, size="sm") for kind, title in DOWNLOADS.items()}
            self.file = gr.JSON(visible=False)
            self.numbers = gr.Dataframe(
                headers=engine.NUMBER_COLUMNS, interactive=False, label="One row a layer, in forward order"
            )

    def _wire(self) -> None:
        picked = [self.name, self.target, self.layer]
        self.tag.input(self._pick_dataset, [self.tag, self.name], self.pickers, **QUICK)
        self.connection.input(self._pick_connection, [self.tag, self.connection, *picked], self.pickers, **QUICK)
        self.name.input(self._pick_depth, picked, self.pickers, **QUICK)
        self.top.select(_explain, self.shown, self.target, **QUICK)
        fetched = [self.ready, self.message, self.facts]
        self.name.change(self._fetch, self.name, fetched, trigger_mode="always_last", **PRIVATE, **FETCH)

        results = [self.shown, self.message, self.top, self.seen, self.heatmap, self.explanation]
        results += [self.plot, self.facts, self.numbers]
        # One event for whatever changes, so that an older question can never answer over a newer one.
        gr.on(
            [self.photo.change, self.ready.change, self.target.change, self.layer.change, self.precision.change],
            self._show,
            [self.photo, self.ready, self.target, self.layer, self.opacity, self.precision],
            results,
            **LATEST,
        )
        self.opacity.change(None, self.opacity, None, js=BLEND)
        for kind, button in self.buttons.items():
            asked = [self.shown, self.opacity]
            exported = button.click(partial(_export, kind), asked, self.file, **PRIVATE, **QUEUE)
            exported.success(None, self.file, None, js=SAVE)

    def _pickers(self, entry: Any, target: str = "", layer: str = "") -> list[Any]:
        """Updates of all five pickers for `entry`; a class or layer that it does not have falls back to the default."""
        connection = choices.connection_of(entry)
        updates = [
            gr.update(value=entry.tag),
            gr.update(choices=choices.connection_choices(self.catalogue, entry.tag), value=connection),
            gr.update(choices=choices.depth_choices(self.catalogue, entry.tag, connection, entry), value=entry.name),
        ]
        for offered, value in ((choices.class_choices(entry), target), (choices.layer_choices(entry), layer)):
            values = [choice for _, choice in offered]
            updates.append(gr.update(choices=offered, value=value if value in values else values[0]))
        return updates

    def _pick_dataset(self, tag: str, name: str) -> list[Any]:
        connections = [connection for _, connection in choices.connection_choices(self.catalogue, tag)]
        wanted = choices.connection_of(self.catalogue.find(name))
        connection = wanted if wanted in connections else next(iter(connections), wanted)
        return self._pickers(self.catalogue.find(choices.nearest_depth(self.catalogue, tag, connection, name)))

    def _pick_connection(self, tag: str, connection: str, name: str, target: str, layer: str) -> list[Any]:
        return self._pickers(
            self.catalogue.find(choices.nearest_depth(self.catalogue, tag, connection, name)), target, layer
        )

    def _pick_depth(self, name: str, target: str, layer: str) -> list[Any]:
        return self._pickers(self.catalogue.find(name), target, layer)

    def _fetch(self, name: str, progress: Any = PROGRESS) -> list[Any]:
        """Get the weights of the picked model; the results follow when it is ready."""

        def fetching(done: int, total: int) -> None:
            progress(done / max(total, 1), desc=progress_text(name, done, total))

        try:
            model = self.cache.get(name, fetching)
        except InputError as error:
            return [gr.skip(), fragments.said(str(error)), gr.skip()]
        return [model.name, gr.update(visible=False), gr.skip()]

    def _show(self, photo: str | None, name: str, target: str, layer: str, opacity: float, precision: str) -> list[Any]:
        if not photo:
            return _nothing()
        try:
            shown, decoded = engine.look(self.cache, photo, name, target, layer, precision)
            heatmap = engine.overlaid(shown.entry, shown.analysis, decoded, opacity)
        except InputError as error:
            return _nothing(str(error))
        analysis, entry = shown.analysis, shown.entry
        return [
            shown,
            gr.update(visible=False),
            {p.label: p.probability for p in analysis.predictions} or None,
            fragments.seen(entry, analysis),
            heatmap,
            fragments.explanation(entry, analysis),
            fragments.plot(engine.gradient_svg(shown)),
            fragments.facts(entry, analysis, shown.error),
            engine.numbers(analysis),
        ]


def _explain(shown: engine.Shown | None, event: gr.EventData) -> Any:
    """The class of the clicked bar."""
    if shown is None:
        return gr.skip()
    return next((str(p.index) for p in shown.analysis.predictions if p.label == told(event, "value")), gr.skip())


def _export(kind: str, shown: engine.Shown | None, opacity: float) -> Any:
    return _spoken(lambda: engine.data_url(*engine.export(shown, kind, opacity)), None) if shown else None


def _spoken(work: Callable[[], Any], otherwise: Any) -> Any:
    """What `work` gives; what a visitor can mend (their photo is deleted after an hour) as a passing note."""
    try:
        return work()
    except InputError as error:
        gr.Warning(str(error))
        return otherwise


def _nothing(message: str = "") -> list[Any]:
    """An empty page, with the one sentence that says why."""
    return [None, fragments.said(message), None, "", None, "", "", "", None]

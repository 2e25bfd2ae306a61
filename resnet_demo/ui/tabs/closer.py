"""A closer look, in tabs below Explore's heatmap: other classes, pixel attributions, feature maps, branch ratios."""

import logging
from collections.abc import Iterator
from contextlib import closing
from html import escape

import gradio as gr

from resnet_demo import plots
from resnet_demo.analysis.attributions import METHODS, Method, attribute_in_background
from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.records import Analysis, Attribution, ClassMap
from resnet_demo.ui import choices, html
from resnet_demo.ui.answers import Shown
from resnet_demo.ui.budgets import return_memory
from resnet_demo.ui.chart import Chart
from resnet_demo.ui.components import Choice, Options
from resnet_demo.ui.language import later, t
from resnet_demo.ui.layer_plots import branch_ratio_plot
from resnet_demo.ui.picture import Overlaid, Picture
from resnet_demo.ui.queues import LATEST, STATE
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.zoo import ModelCache

MOST_CLASSES = 3
# Single pixels stand out less than cells do.
PIXEL_OPACITY = 0.8
PIXELS_INTRO = later(
    "<p>Methods from Captum that explain the same class pixel by pixel, where Grad-CAM works cell by cell. Choose one: "
    "the slow ones show their progress, and stop when the photo or the network changes, or another of these tabs is "
    "opened.</p>"
)
RATIOS_INTRO = later(
    "<p>A residual network computes its input plus what each block adds to it (He et al. 2016b, eq. 4). The branch "
    "ratio tells, for this photo, how large that addition F(x) is compared with what the shortcut S(x) passes on.</p>"
)


class Closer:
    """Builds its tabs inside the current `gr.Tabs`; only the one that is open computes anything.

    shown   the State that holds what Explore shows
    open_   a State for the name of the open tab; made outside, as only tabs may be inside of `gr.Tabs`
    """

    def __init__(self, cache: ModelCache, shown: gr.State, open_: gr.State) -> None:
        self.cache, self.shown, self.open = cache, shown, open_
        with gr.Tab(t("Other classes"), id="classes") as classes:
            with gr.Row():
                self.classes = Choice(
                    [], value=[], multiselect=True, max_choices=MOST_CLASSES, elem_id="classes",
                    label=t("Classes (the three most probable if none is chosen), each on its own scale"),
                )  # fmt: skip
            self.captions: list[gr.HTML] = []
            self.maps: list[Picture] = []
            with gr.Row():
                for i in range(MOST_CLASSES):
                    self._add_map(i + 1)
        with gr.Tab(t("Pixel attributions"), id="pixels") as pixels:
            gr.HTML(t(PIXELS_INTRO))
            self.method = Options([], value=None, label=t("Method and its cost"), elem_id="method")
            self.state = gr.HTML("", elem_id="pixels-state")
            self.heat = Picture(room="295px", elem_id="pixels")
        with gr.Tab(t("Feature maps"), id="features") as features:
            self.caption = gr.HTML("", elem_id="features-caption")
            self.grid = Picture(room="230px", elem_id="features")
        with gr.Tab(t("Branch ratios"), id="branch-ratios") as branch_ratios:
            self.branch_note = gr.HTML(t(RATIOS_INTRO))
            self.branch_ratios = Chart(elem_id="branch-ratios")
        self.tabs = {"classes": classes, "pixels": pixels, "features": features, "branch-ratios": branch_ratios}
        self._wire()

    def _add_map(self, number: int) -> None:
        with gr.Column(min_width=220):
            self.captions.append(gr.HTML("", elem_id=f"class-caption-{number}"))
            self.maps.append(Picture(room="230px", elem_id=f"class-map-{number}"))

    def close_on(self, tab: gr.Tab) -> None:
        """None of these tabs is open while `tab` is."""
        tab.select(lambda: "", None, self.open, **STATE)

    def _wire(self) -> None:
        for name, tab in self.tabs.items():
            tab.select(lambda name=name: name, None, self.open, **STATE)
        asked = [self.open.change, self.shown.change]
        inputs = [self.open, self.shown]
        maps = [component for pair in zip(self.captions, self.maps, strict=True) for component in pair]
        gr.on([*asked, self.classes.input], self._classes, [*inputs, self.classes], [self.classes, *maps], **LATEST)
        gr.on(asked, self._features, inputs, [self.caption, self.grid], **LATEST)
        gr.on(asked, self._branch_ratios, inputs, [self.branch_note, self.branch_ratios], **LATEST)
        attributed = [self.state, self.heat]
        running = self.method.input(self._pixels, [self.shown, self.method], attributed, **LATEST)
        gr.on(asked, self._methods, inputs, [self.method, *attributed], cancels=running, **STATE)

    def _classes(self, name: str, shown: Shown | None, wanted: list[str]) -> Updates:
        if name != "classes":
            return gr.skip()
        empty: Updates = {**dict.fromkeys(self.captions, ""), **dict.fromkeys(self.maps)}
        if shown is None:
            return empty
        if not shown.entry.trained:
            return empty | {self.captions[0]: html.note(t("An untrained network does not look for any class."))}
        # The data set is part of the value: class 3 of another one is something else.
        tag = shown.entry.tag
        offered = [(label, f"{tag}/{value}") for label, value in choices.class_choices(shown.entry) if value]
        known = [value for value in wanted or [] if value in dict(offered).values()][:MOST_CLASSES]
        try:
            model, photo = self.cache.get(shown.entry.name), load_image(shown.photo)
            targets = [int(value.rpartition("/")[2]) for value in known]
            found = explain_classes(photo, model, targets, shown.analysis.layer)
        except InputError as error:
            return empty | {self.captions[0]: html.alert(error.message)}
        # What is chosen is set only where it must be: something else may have been chosen since.
        chosen = gr.update(choices=offered) if known == wanted else gr.update(choices=offered, value=known)
        updates = empty | {self.classes: chosen}
        for caption, picture, one in zip(self.captions, self.maps, found, strict=False):
            alt = t("Grad-CAM of {label}", label=one.prediction.label)
            updates[caption] = class_caption(one)
            updates[picture] = Overlaid(photo, plots.veil(shown.analysis, one.cam), alt=alt)
        return updates

    def _features(self, name: str, shown: Shown | None) -> Updates:
        if name != "features":
            return gr.skip()
        if shown is None:
            return {self.caption: "", self.grid: None}
        analysis = shown.analysis
        grid = Overlaid(plots.feature_grid(analysis.features), alt=t("Feature maps of {layer}", layer=analysis.layer))
        return {self.caption: features_caption(analysis), self.grid: grid}

    def _branch_ratios(self, name: str, shown: Shown | None) -> Updates:
        if name != "branch-ratios":
            return gr.skip()
        if shown is None:
            return {self.branch_note: t(RATIOS_INTRO), self.branch_ratios: None}
        ratios = shown.analysis.branch_ratios
        if not ratios:
            note = html.note(t("This network adds nothing to a shortcut: it is plain or gated."))
            return {self.branch_note: note, self.branch_ratios: None}
        plot = branch_ratio_plot(shown.entry.architecture, ratios)
        return {self.branch_note: t(RATIOS_INTRO), self.branch_ratios: plot}

    def _pixels(self, shown: Shown | None, method: str) -> Iterator[Updates]:
        """The progress of a method, then its picture; the work stops when nobody waits for it any more."""
        if shown is None or method not in METHODS or not shown.entry.trained:
            return
        analysis, title = shown.analysis, METHODS[method].title
        try:
            model, photo = self.cache.get(shown.entry.name), load_image(shown.photo)
            with closing(attribute_in_background(photo, model, method, analysis.target.index)) as running:
                for now in running:
                    if isinstance(now, Attribution):
                        veil, alt = plots.veil(analysis, now.heat), f"{title}: {analysis.target.label}"
                        caption = f"<p>{escape(title)}: <b>{escape(analysis.target.label)}</b></p>"
                        yield {self.state: caption, self.heat: Overlaid(photo, veil, PIXEL_OPACITY, alt)}
                    else:
                        yield {self.state: html.note(f"{title}: {100 * now:.0f} %")}
        except InputError as error:
            yield {self.state: html.alert(error.message), self.heat: None}
        except Exception:  # Out of memory, or a failure in Captum: the visitor gets a sentence, the log the rest.
            logging.getLogger(__name__).exception("%s of %s", method, shown.entry.name)
            text = t("That could not be computed here: try another method or network.")
            yield {self.state: html.alert(text), self.heat: None}
        finally:
            return_memory(analysis)

    def _methods(self, name: str, shown: Shown | None) -> Updates:
        """The methods with what each would cost here; nothing is computed before one is chosen."""
        if name != "pixels":
            return gr.skip()
        if shown is None:
            return {self.method: gr.update(choices=[], value=None), self.state: "", self.heat: None}
        offered, text = [(f"{m.title}: {cost(m, shown.analysis)}", key) for key, m in METHODS.items()], ""
        if not shown.entry.trained:
            offered, text = [], html.note(t("An untrained network has no prediction to explain."))
        return {self.method: gr.update(choices=offered, value=None), self.state: text, self.heat: None}


def class_caption(found: ClassMap) -> str:
    """The class of one map, and how strong its evidence is."""
    prediction = found.prediction
    some = found.cam_max > 0
    evidence = t("strongest evidence {most:.2g}", most=found.cam_max) if some else t("no positive evidence")
    probability = escape(html.percent(prediction.probability, 1))
    return f"<p><b>{escape(prediction.label)}</b> {probability}, {evidence}</p>"


def cost(method: Method, analysis: Analysis) -> str:
    """What a method will take."""
    passes, seconds = method.forwards + method.backwards, max(method.seconds(analysis), 0.1)
    return t("{count} passes, about {seconds:.1f} s", count=passes, seconds=seconds)


def features_caption(analysis: Analysis) -> str:
    """Which channels these are."""
    text = t(
        "The {count} channels of <b>{layer}</b> with the largest mean output for this photo, the largest first: "
        "{numbers}. Each is shown from its own minimum (dark) to its own maximum (bright). Choose another layer on the "
        "left.",
        count=len(analysis.channels),
        layer=escape(analysis.layer),
        numbers=", ".join(map(str, analysis.channels)),
    )
    return f"<p>{text}</p>"

"""A closer look, in tabs below Explore's heatmap: other classes, single pixels, feature maps, what each block adds."""

import logging
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from resnet_demo import plots
from resnet_demo.analysis.attributions import METHODS, StoppedError
from resnet_demo.errors import InputError
from resnet_demo.ui import choices, engine, fragments
from resnet_demo.ui.components import Choice, Options
from resnet_demo.ui.picture import Overlaid, Picture
from resnet_demo.ui.queues import LATEST, STATE
from resnet_demo.zoo import ModelCache

MOST_CLASSES = 3
# How often a slow attribution tells how far it is, and looks whether anybody still waits for it.
POLL_SECONDS = 0.25


class Closer:
    """Builds its tabs inside the current `gr.Tabs`; only the one that is open computes anything.

    shown   the State that holds what Explore shows
    open_   a State for the name of the open tab; made outside, as only tabs may be inside of `gr.Tabs`
    """

    def __init__(self, cache: ModelCache, shown: gr.State, open_: gr.State) -> None:
        self.cache, self.shown, self.open = cache, shown, open_
        with gr.Tab("Other classes", id="classes") as classes:
            with gr.Row():
                self.classes = Choice(
                    [], value=[], multiselect=True, max_choices=MOST_CLASSES, label="Classes; the top three if none",
                    elem_id="classes",
                )  # fmt: skip
            with gr.Row():
                self.maps = [self._map(i) for i in range(MOST_CLASSES)]
        with gr.Tab("Single pixels", id="pixels") as pixels:
            gr.HTML(fragments.pixels_intro())
            self.method = Options([], value=None, label="Method, and what it costs", elem_id="method")
            self.state = gr.HTML("", elem_id="pixels-state")
            self.heat = Picture(room="295px", elem_id="pixels")
        with gr.Tab("Feature maps", id="features") as features:
            self.caption = gr.HTML("", elem_id="features-caption")
            self.grid = Picture(room="230px", elem_id="features")
        with gr.Tab("What each block adds", id="branch-ratios") as branch_ratios:
            self.branch_ratios = gr.HTML("", elem_id="branch-ratios")
        self.tabs = {"classes": classes, "pixels": pixels, "features": features, "branch-ratios": branch_ratios}
        self._wire()

    def _map(self, i: int) -> list[Any]:
        with gr.Column(min_width=220):
            caption = gr.HTML("", elem_id=f"class-caption-{i + 1}")
            picture = Picture(room="230px", elem_id=f"class-map-{i + 1}")
        return [caption, picture]

    def close_on(self, tab: gr.Tab) -> None:
        """Nothing of this is open while `tab` is."""
        tab.select(lambda: "", None, self.open, **STATE)

    def _wire(self) -> None:
        for name, tab in self.tabs.items():
            tab.select(lambda name=name: name, None, self.open, **STATE)
        asked = [self.open.change, self.shown.change]
        inputs = [self.open, self.shown]
        maps = [component for pair in self.maps for component in pair]
        gr.on([*asked, self.classes.input], self._classes, [*inputs, self.classes], [self.classes, *maps], **LATEST)
        gr.on(asked, self._features, inputs, [self.caption, self.grid], **LATEST)
        gr.on(asked, self._branch_ratios, inputs, self.branch_ratios, **LATEST)
        results = [self.state, self.heat]
        running = self.method.input(self._pixels, [self.shown, self.method], results, **LATEST)
        gr.on(asked, _methods, inputs, [self.method, *results], cancels=running, **STATE)

    def _classes(self, name: str, shown: engine.Shown | None, wanted: list[str]) -> list[Any]:
        if name != "classes" or shown is None:
            return [gr.skip()] * (1 + 2 * MOST_CLASSES)
        # The data set is part of the value: class 3 of another one is something else.
        tag = shown.entry.tag
        offered = [(label, f"{tag}/{value}") for label, value in choices.class_choices(shown.entry) if value]
        known = [value for value in wanted or [] if value in dict(offered).values()][:MOST_CLASSES]
        if not shown.entry.trained:
            return [
                gr.skip(),
                fragments.note("Random weights look for nothing."),
                None,
                *[None] * 2 * (MOST_CLASSES - 1),
            ]
        try:
            found = engine.class_overlays(self.cache, shown, [value.rpartition("/")[2] for value in known])
        except InputError as error:
            return [gr.skip(), fragments.message(str(error)), None, *["", None] * (MOST_CLASSES - 1)]
        cells: list[Any] = [cell for map_, picture in found for cell in (fragments.class_caption(map_), picture)]
        cells += ["", None] * (MOST_CLASSES - len(found))
        return [gr.update(choices=offered, value=known), *cells]

    def _features(self, name: str, shown: engine.Shown | None) -> list[Any]:
        if name != "features" or shown is None:
            return [gr.skip()] * 2
        grid = Overlaid(plots.feature_grid(shown.analysis.features), alt=f"Feature maps of {shown.analysis.layer}")
        return [fragments.features_caption(shown.analysis), grid]

    def _branch_ratios(self, name: str, shown: engine.Shown | None) -> Any:
        if name != "branch-ratios" or shown is None:
            return gr.skip()
        ratios = shown.analysis.branch_ratios
        if not ratios:
            return fragments.note("This network adds nothing to a shortcut: it is plain or gated.")
        label = "; ".join(f"{block.layer} {block.ratio:.2f}" for block in ratios)
        svg = plots.to_svg(plots.branch_ratio_figure(ratios, plots.PAGE_INK), f"||F(x)|| / ||S(x)|| by block: {label}")
        return fragments.branch_ratios_intro() + fragments.plot(svg)

    def _pixels(self, shown: engine.Shown | None, method: str) -> Iterator[list[Any]]:
        """Computed in a thread, so that this can tell how far it is; and stops it when nobody waits any more."""
        if shown is None or method not in METHODS or not shown.entry.trained:
            return
        stop, share, result = threading.Event(), [0.0], []

        def proceed(done: float) -> bool:
            share[0] = done
            return not stop.is_set()

        worker = threading.Thread(target=partial(_attribute, self.cache, shown, method, proceed, result), daemon=True)
        worker.start()
        try:
            while worker.is_alive():
                worker.join(POLL_SECONDS)
                yield [fragments.note(f"{METHODS[method].title}: {100 * share[0]:.0f} %"), gr.skip()]
        finally:
            stop.set()
        yield result[0] if result else ["", gr.skip()]


def _attribute(cache: ModelCache, shown: engine.Shown, method: str, proceed: Any, result: list[Any]) -> None:
    try:
        picture = engine.attribution_overlay(cache, shown, method, proceed)
        result.append([fragments.pixels_caption(shown, METHODS[method].title), picture])
    except StoppedError:
        pass
    except InputError as error:
        result.append([fragments.message(str(error)), None])
    except Exception:  # Out of memory, or something of Captum's: the visitor gets a sentence, the log the rest.
        logging.getLogger(__name__).exception("%s of %s", method, shown.entry.name)
        result.append([fragments.message("That could not be computed here: try another method or network."), None])


def _methods(name: str, shown: engine.Shown | None) -> list[Any]:
    """The methods with what each would cost for this photo and network; nothing is computed before one is chosen."""
    if name != "pixels" or shown is None:
        return [gr.skip()] * 3
    if not shown.entry.trained:
        return [gr.update(choices=[], value=None), fragments.note("Random weights explain nothing."), None]
    offered = [(f"{m.title}: {engine.cost(shown, m)}", key) for key, m in METHODS.items()]
    return [gr.update(choices=offered, value=None), "", None]

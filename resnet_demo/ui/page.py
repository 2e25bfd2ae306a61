"""The page: its tabs, its look, and how it is served."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before Gradio is imported, for it reads them then: this page tells nobody that it was opened.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from resnet_demo.images import MAX_BYTES
from resnet_demo.ui import choices
from resnet_demo.ui.api import add_endpoints
from resnet_demo.ui.guarded import GuardedBlocks
from resnet_demo.ui.queues import QUICK
from resnet_demo.ui.tabs.architecture import Architecture
from resnet_demo.ui.tabs.compare import Compare
from resnet_demo.ui.tabs.degradation import Degradation
from resnet_demo.ui.tabs.explore import Explore
from resnet_demo.ui.tabs.gradient_flow import GradientFlow
from resnet_demo.ui.tabs.lesion import Lesion
from resnet_demo.zoo import ModelCache, is_offline

TITLE = "Deep residual learning, on your own photo"
FOLLOW = "(there, here) => there || here"
TABS = ("explore", "compare", "lesion", "flow", "degradation", "architecture")
STYLE = Path(__file__).parent / "page.css"
# System fonts: a page for a talk must not wait for a font server.
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]


def build_page(cache: ModelCache, default_model: str | None = None, data: Path | None = None) -> gr.Blocks:
    """The whole page as `gr.Blocks`, not yet served, with the models of the cache's catalogue. Raises `InputError`
    when `default_model` does not exist.

    data   the images of CIFAR-10 for live training, if they are not where torchvision keeps them
    """
    default_model = choices.opening(cache.catalogue, default_model)
    with GuardedBlocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            f"<h1>{TITLE}</h1><p>What a residual network and its <i>plain</i> twin see, where they look, and the "
            "gradient at every layer.</p>",
            elem_id="title",
        )
        with gr.Tabs() as tabs:
            with gr.Tab("Explore", id="explore"):
                explore = Explore(cache, default_model)
            with gr.Tab("Compare", id="compare") as compare_tab:
                compare = Compare(cache)
            with gr.Tab("Lesion", id="lesion") as lesion_tab:
                lesion = Lesion(cache)
            with gr.Tab("Gradient flow", id="flow"):
                flow = GradientFlow(cache.device)
            with gr.Tab("Degradation", id="degradation") as degradation_tab:
                degradation = Degradation(cache.catalogue, data, cache.device, is_offline(cache.offline))
            with gr.Tab("Architecture", id="architecture") as architecture_tab:
                architecture = Architecture(cache.catalogue)
        add_endpoints(cache, default_model)
        views = (explore, compare, lesion, flow, degradation, architecture)
        for name, view in zip(TABS, views, strict=True):
            # Opened only when it is set up: what it draws when it opens depends on that.
            view.on_load(page).then(_opener(name), None, tabs, **QUICK)
        drawn = {lesion: lesion_tab, degradation: degradation_tab, architecture: architecture_tab}
        for view, tab in drawn.items():
            view.on_open(tab)
        # A visitor's photo follows them to the next tab, where there is none yet.
        for selected, there in ((compare_tab, compare.photo), (lesion_tab, lesion.photo)):
            selected.select(None, [there, explore.photo], there, js=FOLLOW)
    # Not even a program goes around the queue, but for what takes no time at all.
    return page.queue(max_size=64, api_open=False)


def _opener(name: str) -> Callable[[gr.Request], Any]:
    """Opens the tab of that name if the address asks for it, as in ?tab=degradation."""

    def open_(request: gr.Request) -> Any:
        return gr.Tabs(selected=name) if request.query_params.get("tab") == name else gr.skip()

    return open_


def launch_options() -> dict[str, Any]:
    """How the page is served wherever it is: its look, and nothing open that need not be."""
    return {
        "theme": gr.themes.Default(primary_hue="blue", font=FONTS, font_mono=["monospace"]),
        "css_paths": STYLE,
        "max_file_size": MAX_BYTES,
        "run_history": False,
        "footer_links": ["api", "settings"],
        # Gradio keeps what it knows of a visitor, half a megabyte, until so many others have come.
        "state_session_capacity": 300,
    }

"""The page: its tabs, its look, and how it is served."""

import os
from pathlib import Path
from typing import Any

# Before Gradio is imported, for it reads them then: this page tells nobody that it was opened.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from resnet_demo.images import MAX_BYTES
from resnet_demo.ui.api import add_endpoints
from resnet_demo.ui.explore import Explore
from resnet_demo.zoo import ModelCache

TITLE = "Deep residual learning, on your own photo"
STYLE = Path(__file__).parent / "page.css"
# System fonts: a page for a talk must not wait for a font server.
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]


def build_page(cache: ModelCache, default_model: str = "resnet20.cifar10") -> gr.Blocks:
    """The whole page as `gr.Blocks`, not yet served. Raises `InputError` when `default_model` does not exist."""
    # What visitors sent is deleted after an hour.
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)) as page:
        gr.HTML(
            f"<h1>{TITLE}</h1><p>What a residual network and its <i>plain</i> twin see, where they look, and the "
            "gradient at every layer.</p>",
            elem_id="title",
        )
        with gr.Tab("Explore", id="explore"):
            explore = Explore(cache, default_model)
        add_endpoints(cache, default_model)
        explore.on_load(page)
    return page.queue(max_size=64)


def launch_options() -> dict[str, Any]:
    """How the page is served wherever it is: its look, and nothing open that need not be."""
    return {
        "theme": gr.themes.Default(primary_hue="blue", font=FONTS, font_mono=["monospace"]),
        "css_paths": STYLE,
        "max_file_size": MAX_BYTES,
        "run_history": False,
        "footer_links": ["api", "settings"],
        "state_session_capacity": 1000,
    }

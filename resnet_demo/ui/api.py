"""The HTTP endpoints: the same answers as the command line's JSON."""

from pathlib import Path
from typing import Any

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.ui import engine
from resnet_demo.ui.components import Photo
from resnet_demo.zoo import ModelCache

# A queue of its own: a program that asks for a model that has to be fetched must not hold up the page.
QUEUE: dict[str, Any] = {"concurrency_id": "api", "concurrency_limit": 2}


def add_endpoints(cache: ModelCache, default_model: str) -> None:
    """`/analyze` inside the current `gr.Blocks`. Its components are never shown: they give it its types."""

    def analyze(image: str, model: str = default_model, target: str = "", layer: str = "") -> dict[str, Any]:
        """Predictions, Grad-CAM and the gradient norm of every layer of a network for one photo.

        image: the photo; model: a name such as resnet20.cifar10; target: the class to explain, by label or index, the
        most probable one if empty; layer: the layer to explain, the last block if empty.
        """
        if not image:
            raise gr.Error("Send an image.", print_exception=False)
        try:
            shown = engine.look(cache, image, model or default_model, target, layer)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return shown.analysis.to_dict(Path(image).name)

    with gr.Row(visible=False):
        inputs = [
            Photo(type="filepath", image_mode=None, label="image"),
            gr.Textbox(default_model, label="model"),
            gr.Textbox("", label="target"),
            gr.Textbox("", label="layer"),
        ]
        gr.Button().click(analyze, inputs, gr.JSON(label="analysis"), api_name="analyze", **QUEUE)

"""The HTTP endpoints: the same answers as the command line's JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from resnet_demo.errors import InputError
from resnet_demo.records import Question
from resnet_demo.ui import answers
from resnet_demo.ui.budgets import LAYERS_AT_ONCE
from resnet_demo.ui.choices import deepest_pair
from resnet_demo.ui.components import Photo, Text
from resnet_demo.ui.language import later
from resnet_demo.ui.queues import API
from resnet_demo.zoo import ModelCache


def add_endpoints(cache: ModelCache, default_model: str) -> None:
    """`/analyze`, `/compare` and `/gradient_flow` inside the current `gr.Blocks`.

    Their components are never shown: they give the endpoints their types.
    """

    def analyze(
        image: str, model: str = default_model, target: str = "", layer: str = "", precision: str = "float32"
    ) -> dict[str, Any]:
        """Predictions, Grad-CAM and the gradient norm of every layer of a network for one photo.

        image: the photo; model: a name such as resnet20.cifar10; target: the class to explain, by label or index, the
        most probable one if empty; layer: the layer to explain, the last block if empty; precision: float32, or the
        faster bfloat16 or tf32 (CUDA), whose error is then measured too.
        """
        _require(image)
        question = Question(target or None, layer or None, precision or "float32")
        shown, _ = answers.look(cache, image, model or default_model, question)
        error = {"precision_error": asdict(shown.error)} if shown.error else {}
        return shown.analysis.to_dict(Path(image).name) | error

    def compare(image: str, first: str, second: str, target: str = "") -> dict[str, Any]:
        """Two networks on one photo: the analysis of each, for the same class.

        image: the photo; first, second: names such as resnet20.cifar10 and plain20.cifar10; target: the class that both
        explain, by label or index, the first one's most probable class if empty.
        """
        _require(image)
        comparison, _ = answers.look_at_both(cache, image, first, second, target or None)
        return comparison.to_dict(Path(image).name)

    def gradient_flow(networks: str) -> list[dict[str, Any]]:
        """Every layer of networks: gradient norm, response, share of dead or saturated units.

        networks: up to six names separated by commas: of networks at initialization, such as plain56,resnet56 or
        plain20-nonorm-sigmoid-xavier, of at most 120 layers in total; or of trained ones, such as plain56.cifar10.
        """
        names = [name.strip() for name in networks.split(",")]
        return [flow.to_dict() for flow in answers.flows(names, cache.catalogue, cache.device, LAYERS_AT_ONCE)]

    with gr.Row(visible=False):
        photo = Photo(type="filepath", image_mode=None, label="image")
        first, second = (
            Text(name, label=side)
            for name, side in zip(deepest_pair(cache.catalogue), ("first", "second"), strict=True)
        )
        model = Text(default_model, label="model")
        target, layer = Text("", label="target"), Text("", label="layer")
        precision = Text("float32", label="precision")
        networks = Text("plain56,resnet56", label="networks")
        for function, inputs in (
            (analyze, [photo, model, target, layer, precision]),
            (compare, [photo, first, second, target]),
            (gradient_flow, [networks]),
        ):
            answer = gr.JSON(label=function.__name__)
            gr.Button().click(function, inputs, answer, api_name=function.__name__, **API)


def _require(image: str) -> None:
    if not image:
        raise InputError(later("Send an image."))

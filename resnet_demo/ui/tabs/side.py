"""One of two networks side by side: its name, its classes, and its heatmap."""

from collections.abc import Sequence
from html import escape

import gradio as gr
from gradio.components import Component
from PIL import Image

from resnet_demo.records import Analysis
from resnet_demo.ui import choices, html
from resnet_demo.ui.answers import overlaid
from resnet_demo.ui.bars import Bars
from resnet_demo.ui.explained import class_bars
from resnet_demo.ui.language import later, t
from resnet_demo.ui.picture import Picture
from resnet_demo.ui.tabs.tab import Updates
from resnet_demo.zoo import Entry

BACK = later("Back to the most probable class")


class Side:
    """What one of two networks predicts, and where it looks.

    tab      the id of the tab that it is on
    number   1 or 2
    room     the height that there is for the picture, as a CSS length
    """

    def __init__(self, tab: str, number: int, room: str) -> None:
        with gr.Column(min_width=320):
            self.title = gr.HTML("", elem_id=f"{tab}-title-{number}")
            with gr.Row():
                with gr.Column(scale=4, min_width=170):
                    self.top = Bars(elem_id=f"{tab}-top-{number}")
                with gr.Column(scale=5, min_width=200):
                    self.picture = Picture(room=room, elem_id=f"{tab}-heat-{number}")
            self.origin = gr.HTML("")
        self.all: list[Component] = [self.title, self.top, self.picture, self.origin]

    def updates(self, entry: Entry, analysis: Analysis, photo: Image.Image, hint: str = "") -> Updates:
        """`hint` is what a click on a class does; nothing if empty."""
        return {
            self.title: side_title(entry, analysis),
            self.top: class_bars(entry, analysis, "", t(BACK) if hint else "", hint),
            self.picture: overlaid(entry, analysis, photo),
            self.origin: html.origin(entry),
        }


def side_title(entry: Entry, analysis: Analysis) -> str:
    """Which network this is, and what its heatmap explains."""
    label, layer = escape(analysis.target.label), escape(analysis.layer)
    probability = escape(html.percent(analysis.target.probability, 1))
    if not entry.trained:
        evidence = t("Heatmap: none; with random weights only the gradients mean something.")
    elif analysis.positive_evidence:
        text = later("Heatmap: evidence for <b>{label}</b>, {probability}, in {layer}.")
        evidence = t(text, label=label, probability=probability, layer=layer)
    else:
        text = later("Heatmap: no positive evidence for <b>{label}</b>, {probability}, in {layer}.")
        evidence = t(text, label=label, probability=probability, layer=layer)
    title = escape(choices.model_title(entry))
    return f"<p><b>{title}</b> · {html.measured_error(entry)}<br>{evidence}</p>"


def emptied(sides: Sequence[Side]) -> Updates:
    """Nothing at any of them."""
    return {component: None for side in sides for component in side.all}

"""The photo of a tab, with the examples beside it."""

from typing import Any

import gradio as gr

from resnet_demo.images import EXAMPLES
from resnet_demo.ui.components import Photo


def photo_input(elem_id: str) -> Photo:
    """Upload, webcam, clipboard, or an example."""
    photo = Photo(
        label="Your photo",
        show_label=False,  # It would hide a corner of the photo.
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        height=225,
        buttons=[],
        elem_id=elem_id,
        alt_text="Your photo",
    )
    files = sorted(map(str, EXAMPLES.glob("*.jpg")))
    gr.Examples(files, photo, label="or an example", elem_id=f"{elem_id}-examples")
    return photo


def example(name: str) -> Any:
    """The example photo that the address asks for; no change if there is none of that name."""
    path = EXAMPLES / f"{name}.jpg"
    return str(path) if path in EXAMPLES.glob("*.jpg") else gr.skip()

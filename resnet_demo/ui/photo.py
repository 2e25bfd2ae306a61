"""The photo of a tab, with the examples below it."""

import base64
import io
from functools import cache
from html import escape
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from PIL import Image

from resnet_demo.images import EXAMPLES
from resnet_demo.ui.components import Photo, event_text
from resnet_demo.ui.queues import QUICK
from resnet_demo.zoo import Entry

# What the examples show, in the words of the data sets, in the order in which they are offered.
SHOWN = {
    "raccoon": ("raccoon",),
    "goldfish": ("aquarium fish", "goldfish"),
    "cat": ("cat", "tabby"),
    "moose": ("deer",),
    "coffee": ("cup",),
    "rocket": ("rocket", "missile"),
    "astronaut": ("woman",),
}
UNKNOWN = "none of its classes"
# The most examples of what a network does not know: two are enough to see that it answers all the same.
MOST_UNKNOWN = 2
# Pixels of the longer side of a thumbnail, twice those on the page.
THUMBNAIL = 160
# A click on an example is an event that names it.
ON_CLICK = """
element.addEventListener("click", (event) => {
  const example = event.target.closest("[data-example]");
  if (example) trigger("click", {example: example.dataset.example});
});
"""


def photo_input(elem_id: str, entry: Entry) -> tuple[Photo, gr.HTML]:
    """Upload, webcam, clipboard, or one of the examples for the network of `entry`. Gives the photo and the examples,
    which are `examples_for` another network once that is chosen."""
    photo = Photo(
        label="Your photo",
        show_label=False,  # It would hide a corner of the photo.
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        height=200,
        buttons=[],
        elem_id=elem_id,
        alt_text="Your photo",
    )
    # The copies that Gradio hands out are not deleted like uploads.
    photo.keep_in_cache |= {save_file_to_cache(EXAMPLES / f"{name}.jpg", photo.GRADIO_CACHE) for name in SHOWN}
    examples = gr.HTML(examples_for(entry), js_on_load=ON_CLICK, padding=False, elem_id=f"{elem_id}-examples")
    examples.click(_picked, None, photo, **QUICK)
    return photo, examples


def examples_for(entry: Entry) -> str:
    """The examples for a network, each with its right name below it: first those that it can name."""
    if not entry.trained:
        return _buttons({name: name for name in SHOWN})
    known, unknown = {}, {}
    for name, words in SHOWN.items():
        word = next((word for word in words if word in entry.labels), None)
        (known if word else unknown)[name] = word or UNKNOWN
    return _buttons(known | dict(list(unknown.items())[:MOST_UNKNOWN]))


def example(name: str) -> Any:
    """The example photo that the address or a click asks for; no change if there is none of that name."""
    return str(EXAMPLES / f"{name}.jpg") if name in SHOWN else gr.skip()


def _picked(event: gr.EventData) -> Any:
    return example(event_text(event, "example"))


def _buttons(captions: dict[str, str]) -> str:
    buttons = "".join(
        f'<button type="button" data-example="{name}"><img src="{_thumbnail(name)}" alt="">{escape(caption)}</button>'
        for name, caption in captions.items()
    )
    return f'<p>or an example</p><div class="examples">{buttons}</div>'


@cache
def _thumbnail(name: str) -> str:
    with Image.open(EXAMPLES / f"{name}.jpg") as photo:
        photo.thumbnail((THUMBNAIL, THUMBNAIL))
        buffer = io.BytesIO()
        photo.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"

"""The photo of a tab, with the examples below it."""

import base64
import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from PIL import Image

from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES
from resnet_demo.ui import html
from resnet_demo.ui.components import Photo, Remembered, event_text
from resnet_demo.ui.examples import Examples
from resnet_demo.ui.language import later, t
from resnet_demo.ui.queues import QUICK
from resnet_demo.ui.tabs.tab import Current
from resnet_demo.ui.uploads import uploaded
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
# How the address calls a photo that is none of them, with a part of the name of its folder.
OWN = "own-"
UNKNOWN = later("none of its classes")
# The most examples of what a network does not know: two are enough to see that it answers all the same.
MOST_UNKNOWN = 2
# Pixels of the longer side of a thumbnail, twice those on the page.
THUMBNAIL = 160


def photo_input(elem_id: str, entry: Entry) -> tuple[Photo, Examples]:
    """Upload, webcam, clipboard, or one of the examples for the network of `entry`. Gives the photo and the examples,
    which are `examples_for` another network once that is chosen."""
    photo = Photo(
        label=t("Your photo"),
        show_label=False,  # It would hide a corner of the photo.
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        height=200,
        buttons=[],
        elem_id=elem_id,
        alt_text=t("Your photo"),
    )
    # The copies that Gradio hands out are not deleted like uploads.
    photo.keep_in_cache |= set(_examples(photo.GRADIO_CACHE))
    examples = Examples(examples_for(entry), elem_id=f"{elem_id}-examples")
    examples.click(_picked, None, photo, **QUICK)
    return photo, examples


def examples_for(entry: Entry) -> list[tuple[str, str, str]]:
    """The examples for a network, each with its right name: first those that it can name."""
    if not entry.trained:
        return _pictured({name: name for name in SHOWN})
    known, unknown = {}, {}
    for name, words in SHOWN.items():
        word = next((word for word in words if word in entry.labels), None)
        (known if word else unknown)[name] = word or UNKNOWN
    return _pictured(known | dict(list(unknown.items())[:MOST_UNKNOWN]))


def first_example(entry: Entry) -> str:
    """The path of the photo that the page opens with: the first one that the network can name."""
    return str(EXAMPLES / f"{examples_for(entry)[0][0]}.jpg")


def example(query: Mapping[str, str], entry: Entry) -> str:
    """The path of the photo that the address asks for, an example or the own one that `recalled` has found, or else of
    the first example for a network. Raises `InputError` when there is no example of that name."""
    name = query.get("photo", "")
    if name.startswith(OWN):
        return query.get("own") or first_example(entry)
    if name and name not in SHOWN:
        raise InputError(t("There is no such example photo: use one of {names}.", names=", ".join(SHOWN)))
    return str(EXAMPLES / f"{name}.jpg") if name in SHOWN else first_example(entry)


def missed(query: Mapping[str, str]) -> Any:
    """The sentence for an address that was of somebody's own photo, if that is not `recalled`."""
    text = t("Your own photo is never part of an address: send it again. This is an example in its place.")
    lost = query.get("photo", "").startswith(OWN) and not query.get("own")
    return html.alert_update(text if lost else "")


def _picked(event: gr.EventData) -> Any:
    name = event_text(event, "key")
    return str(EXAMPLES / f"{name}.jpg") if name in SHOWN else gr.skip()


def example_name(path: str, folder: str) -> str:
    """What the address calls the photo at that path: the name of an example, or of its copy in Gradio's `folder`; or
    something by which its own visitor's browser, and nobody else, finds it again."""
    return _examples(folder).get(path) or f"{OWN}{Path(path).parent.name[:6]}"


def remembered(paths: Sequence[str], current: Current | None, folder: str) -> Any:
    """The visitor's own photos, newest first, once they look at another one."""
    if not current or not current.photo or not example_name(current.photo, folder).startswith(OWN):
        return gr.skip()
    return list(dict.fromkeys([current.photo, *paths]))[: Remembered.MOST]


def recalled(query: Mapping[str, str], paths: Sequence[str], folder: str) -> str:
    """The path of the own photo that the address is of, if it is one of `paths` and was not deleted; else empty."""
    there = [path for path in (uploaded(path, folder) for path in paths) if path]
    # An upload lies in a folder of its own.
    photos = [str(path) for path in there if path.parent.parent == Path(folder).resolve()]
    return next((path for path in photos if example_name(path, folder) == query.get("photo")), "")


@cache
def _examples(folder: str) -> dict[str, str]:
    originals = {name: EXAMPLES / f"{name}.jpg" for name in SHOWN}
    copies = {save_file_to_cache(path, folder): name for name, path in originals.items()}
    return copies | {str(path): name for name, path in originals.items()}


def _pictured(captions: dict[str, str]) -> list[tuple[str, str, str]]:
    return [(name, _thumbnail(name), t(caption)) for name, caption in captions.items()]


@cache
def _thumbnail(name: str) -> str:
    with Image.open(EXAMPLES / f"{name}.jpg") as photo:
        photo.thumbnail((THUMBNAIL, THUMBNAIL))
        buffer = io.BytesIO()
        photo.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"

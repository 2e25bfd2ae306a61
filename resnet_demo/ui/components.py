"""Gradio's components where the page needs them to behave otherwise.

Subclasses, because Gradio makes a component anew from its class whenever an event updates it. (Gradio also writes a
stub, components.pyi, beside this file when it is imported; it is git-ignored.)
"""

import hashlib
import io
import os
import tempfile
from pathlib import Path

import gradio as gr
from gradio.components.imageslider import SliderData
from gradio.data_classes import ImageData
from PIL import Image


class Photo(gr.Image):
    """An image whose handlers get the path of what was sent.

    Gradio would open the file first, with any of Pillow's 40 formats; only our own loader may look into it.
    """

    is_template = True  # To the browser it is an Image.

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The path of the upload, which Gradio has checked to be one."""
        return payload.path if payload else None


class Options(gr.Radio):
    """Radio buttons, with the same freedom as `Choice`."""

    is_template = True

    def preprocess(self, payload: str | None) -> str | None:
        """The chosen value as it is."""
        return payload


class Choice(gr.Dropdown):
    """A dropdown whose handlers get what was chosen, without Gradio's check against its list.

    The next click may have changed the list by the time the check is made; the engine checks every name it is given.
    """

    is_template = True

    def preprocess(self, payload: str | None) -> str | None:
        """The chosen value as it is."""
        return payload


class Heatmap(gr.ImageSlider):
    """Two pictures under one slider, stored so that visitors with the same photo do not disturb each other.

    Gradio writes a picture into the same file each time it is shown, also while that file is on its way to somebody.
    """

    is_template = True

    def postprocess(self, value: tuple[Image.Image, Image.Image] | None) -> SliderData | None:
        """Both as JPEG files of the cache."""
        if value is None:
            return None
        left, right = (ImageData(path=_stored(picture, Path(self.GRADIO_CACHE))) for picture in value)
        return SliderData(root=(left, right))


class Picture(gr.Image):
    """One picture, stored as those of `Heatmap` are."""

    is_template = True

    def postprocess(self, value: Image.Image | None) -> ImageData | None:
        """As a file of the cache: JPEG, or PNG if it is see-through."""
        return None if value is None else ImageData(path=_stored(value, Path(self.GRADIO_CACHE)))


def _stored(picture: Image.Image, cache: Path) -> str:
    """The path of the picture's file, named by its content; it appears there whole, and once."""
    buffer = io.BytesIO()
    form = "PNG" if picture.mode == "RGBA" else "JPEG"
    picture.save(buffer, form, quality=90)
    path = cache / hashlib.sha256(buffer.getvalue()).hexdigest() / ("image.png" if form == "PNG" else "image.jpg")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
            partial.write(buffer.getvalue())
        os.replace(partial.name, path)
    return str(path)

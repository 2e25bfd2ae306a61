"""Gradio's components where the page needs them to behave otherwise.

Subclasses, because Gradio makes a component anew from its class whenever an event updates it. (Gradio also writes a
stub, components.pyi, beside this file when it is imported; it is git-ignored.)
"""

import gradio as gr
from gradio.data_classes import ImageData


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

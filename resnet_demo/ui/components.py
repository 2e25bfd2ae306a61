"""Gradio components that behave differently where the page needs it.

Subclasses, because Gradio recreates a component from its class whenever an event updates it.
"""

import base64
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from resnet_demo.ui import no_stubs  # noqa: F401
from resnet_demo.ui.language import told
from resnet_demo.ui.sentences import GONE, MISFIT, Sentence
from resnet_demo.ui.uploads import uploaded
from resnet_demo.zoo import progress_text

# Longer than any name, class or layer on offer, and than the names of six networks.
LONGEST = 300
# As a browser sends a frame of a camera.
FRAME = "data:image/jpeg;base64"


class Photo(gr.Image):
    """An image whose handlers get the path of what was sent.

    Gradio would open the file first, with any of Pillow's 40 formats; only our own loader may look into it.
    """

    is_template = True  # To the browser it is an Image.

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The real path of the upload. A client can name any path, so only those of uploads are accepted."""
        if payload is None:
            return None
        path = uploaded(payload.path, self.GRADIO_CACHE)
        if path is None:
            raise Sentence(GONE)
        return str(path)


class Camera(gr.Image):
    """A camera whose `stream` handlers get the bytes of one JPEG after the other.

    Gradio would decode each frame, with any of Pillow's formats, and write it to a file.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> Any:
        """The frame; None between frames. Raises `Sentence` for what is no frame of a camera."""
        if payload is None:
            return None
        head, _, data = (payload.url or "").partition(",")
        if head != FRAME:
            raise Sentence(MISFIT)
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            raise Sentence(MISFIT) from error


class Options(gr.Radio):
    """Radio buttons, with the same freedom as `Choice`."""

    is_template = True

    def preprocess(self, payload: Any) -> str:
        """The chosen value, empty if none is."""
        return short_text(payload)


class Choice(gr.Dropdown):
    """A dropdown whose handlers get what was chosen, without Gradio's check against its list.

    The next click may have changed the list by the time the check is made; and every name is looked up anyway.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """The chosen value: one text, or a list of them where several may be chosen."""
        if not self.multiselect:
            return short_text(payload)
        if payload is not None and (not isinstance(payload, list) or len(payload) > (self.max_choices or LONGEST)):
            raise Sentence(MISFIT)
        return [short_text(item) for item in payload or []]


class Remembered(gr.BrowserState):
    """A few short texts that stay in the visitor's browser, until this server ends."""

    is_template = True
    MOST = 8

    def preprocess(self, payload: Any) -> list[str]:
        """The texts; none in place of anything else, which a browser may have kept from another server."""
        texts = payload if isinstance(payload, list) else []
        return [text for text in texts[: self.MOST] if isinstance(text, str) and len(text) <= LONGEST]


class Text(gr.Textbox):
    """A text field of an endpoint; Gradio would accept anything and turn it into text."""

    is_template = True

    def preprocess(self, payload: Any) -> str:
        """The text as it is."""
        return short_text(payload)


def short_text(payload: Any) -> str:
    """What should be a short text, or nothing. Raises `Sentence` for anything else: a client can send anything."""
    if payload is None:
        return ""
    if isinstance(payload, str) and len(payload) <= LONGEST:
        return payload
    raise Sentence(MISFIT)


def download_progress(name: str, progress: gr.Progress) -> Callable[[int, int], None]:
    """What a download calls with the bytes done and in all, to show them to the visitor who waits for it."""

    def report(done: int, total: int) -> None:
        progress(done / max(total, 1), desc=told(progress_text(name, done, total)))

    return report


def event_text(event: gr.EventData, key: str) -> str:
    """What an event of the browser carries by that name; empty if that is not a text."""
    try:
        value = getattr(event, key)
    except (AttributeError, TypeError):
        return ""
    return value if isinstance(value, str) else ""

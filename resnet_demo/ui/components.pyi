"""Gradio's components where the page needs them to behave otherwise.

Subclasses, because Gradio makes a component anew from its class whenever an event updates it. (Gradio also writes a
stub, components.pyi, beside this file when it is imported; it is git-ignored.)
"""

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from resnet_demo.ui.sentences import GONE, MISFIT, Sentence
from resnet_demo.ui.uploads import uploaded

# Longer than any name, class or layer on offer, and than six networks.
LONGEST = 300

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
    from typing import Literal, Any, TYPE_CHECKING
    from collections.abc import Callable, Sequence
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class Options(gr.Radio):
    """Radio buttons, with the same freedom as `Choice`."""

    is_template = True

    def preprocess(self, payload: Any) -> str:
        """The chosen value, empty if none is."""
        return short_text(payload)
    from typing import Literal, Any, TYPE_CHECKING
    from collections.abc import Callable, Sequence
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

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
    from typing import Literal, Any, TYPE_CHECKING
    from collections.abc import Callable, Sequence
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class Text(gr.Textbox):
    """A text field of an endpoint; Gradio would accept anything and turn it into text."""

    is_template = True

    def preprocess(self, payload: Any) -> str:
        """The text as it is."""
        return short_text(payload)
    from typing import Literal, Any, TYPE_CHECKING
    from collections.abc import Callable, Sequence
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

def text(payload: Any) -> str:
    """What should be a short text, or nothing. Raises `Sentence` for anything else: clients send what they like."""
    if payload is None:
        return ""
    if isinstance(payload, str) and len(payload) <= LONGEST:
        return payload
    raise Sentence(MISFIT)

def told(event: gr.EventData, key: str) -> str:
    """What an event of the browser says about itself, if it says it as it should."""
    try:
        value = getattr(event, key)
    except (AttributeError, TypeError):
        return ""
    return value if isinstance(value, str) else ""

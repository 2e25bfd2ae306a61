"""Example photos to click, each with its right name below it."""

from html import escape
from typing import Any

from resnet_demo.ui.drawn import Drawn


class Examples(Drawn):
    """Shows (name, address of its picture, caption) of each example; its event `click` carries the name as "key"."""

    folder = "examples"

    def postprocess(self, value: Any) -> Any:
        """Plain values for the template, with every text escaped."""
        return [
            {"key": escape(key), "source": source, "caption": escape(caption)} for key, source, caption in value or ()
        ]

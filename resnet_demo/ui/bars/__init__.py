"""Bars with a number each, such as the five most probable classes; one may be marked, and a click is an event."""

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from resnet_demo.ui.drawn import Drawn


@dataclass(frozen=True)
class Bar:
    """share   its length, 0 to 1
    text    the number as it is written
    kind    "residual", "plain" or "gated": its colour
    key     what a click on it raises as the event's "key"; no button if empty
    marked  it is the one that is explained
    hollow  it was made and not trained
    """

    label: str
    share: float
    text: str
    kind: str
    key: str = ""
    marked: bool = False
    hollow: bool = False


@dataclass(frozen=True)
class BarList:
    """What `Bars` shows.

    back   what the button beside the marked bar does; its "key" is empty. No button if this is empty
    hint   what a click on a bar does
    """

    title: str
    bars: tuple[Bar, ...]
    back: str = ""
    hint: str = ""


class Bars(Drawn):
    """Shows a `BarList`; its event `click` carries the "key" of the clicked bar."""

    folder = "bars"

    def postprocess(self, value: Any) -> Any:
        """Plain values for the template, with every text escaped."""
        if value is None:
            return None
        texts = ("label", "text", "key")
        bars = [asdict(bar) | {name: escape(getattr(bar, name)) for name in texts} for bar in value.bars]
        return {"title": escape(value.title), "bars": bars, "back": escape(value.back), "hint": escape(value.hint)}

"""A tour: its stops in their order, of which one may be the current one, and a step back and forth."""

from dataclasses import dataclass
from html import escape
from typing import Any

from resnet_demo.ui.drawn import Drawn


@dataclass(frozen=True)
class TourView:
    """What `Tour` shows.

    stops     (key, title) of each, in order
    current   the key of the stop where the visitor is; empty if at none, from where the next one is the first
    """

    stops: tuple[tuple[str, str], ...]
    current: str = ""


class Tour(Drawn):
    """Shows a `TourView`; its event `click` carries the "key" of the stop to go to."""

    folder = "tour"

    def postprocess(self, value: Any) -> Any:
        """Plain values for the template, with every text escaped."""
        if value is None:
            return None
        keys = [key for key, _ in value.stops]
        at = keys.index(value.current) if value.current in keys else -1
        stops = [
            {"key": escape(key), "title": escape(title), "current": key == value.current} for key, title in value.stops
        ]
        back, on = (escape(keys[i]) if 0 <= i < len(keys) else None for i in (at - 1, at + 1))
        return {"stops": stops, "back": back, "on": on}

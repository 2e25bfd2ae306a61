"""The head of the page: its title, its languages, and the switch to large type for the back of a room.

`?talk` in the address opens the page so. All is as large as if the window were 1240 pixels wide, the columns of
controls are folded, and arrow keys or a clicker go through the stops of the tour and through the tabs.
"""

from typing import Any

from resnet_demo.ui.drawn import Drawn
from resnet_demo.ui.language import LANGUAGES


class Talk(Drawn):
    """Takes (title, what the page is about as HTML, language)."""

    folder = "talk"

    def postprocess(self, value: Any) -> Any:
        """Plain values for the template."""
        if value is None:
            return None
        title, about, language = value
        return {"title": title, "about": about, "language": language, "languages": list(LANGUAGES.items())}

"""The head of the page: its title, and the switch to large type for the back of a room.

`?talk` in the address opens the page so. All is as large as if the window were 1240 pixels wide, the columns of
controls are folded, and arrow keys or a clicker go through the stops of the tour and through the tabs.
"""

from typing import Any

from resnet_demo.ui.drawn import Drawn


class Talk(Drawn):
    """Takes (title, what the page is about), the latter as HTML."""

    folder = "talk"

    def postprocess(self, value: Any) -> Any:
        """Plain values for the template."""
        return value and {"title": value[0], "about": value[1]}

"""What the page expects of a tab. A new tab is a file in this folder, and an entry in the list in ui/page.py."""

from typing import Any, Protocol

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from resnet_demo.ui.components import Photo

# What an event handler changes: new values or `gr.update`s by component. The other outputs stay as they are; where
# nothing at all changes, a handler returns `gr.skip()`, because Gradio rejects an empty dictionary.
Updates = dict[Component, Any]


class Tab(Protocol):
    """One tab of the page.

    id      in the address, as in ?tab=compare
    title   shown on the tab
    photo   where visitors put their photo, once the tab is built; None in a tab without one. The photo of the first
            such tab follows a visitor to the others, where there is none yet
    """

    id: str
    title: str

    @property
    def photo(self) -> Photo | None:
        """Read only, so that a tab may promise more than this: always a photo, or never one."""

    def build(self) -> None:
        """Make the components and wire them up, inside the current `gr.Tab`."""

    def load(self, page: gr.Blocks) -> Dependency | None:
        """Set the tab up as the address asks when the page opens; None if nothing in the address concerns it."""

    def open(self, tab: gr.Tab) -> None:
        """Compute when `tab` is selected what nobody needs before."""

"""What the page asks of a tab. A new one is a file in this folder, and its place in the list of ui/page.py."""

from typing import Any, Protocol

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from resnet_demo.ui.components import Photo

# What an event handler changes: new values or `gr.update`s by component. The other outputs stay as they are; where
# nothing at all changes, a handler returns `gr.skip()`, for Gradio does not take an empty dictionary.
Updates = dict[Component, Any]


class Tab(Protocol):
    """One tab of the page.

    id      in the address, as in ?tab=compare
    title   shown on the tab
    photo   where its visitors put their photo, once it is built; None in a tab without one. What they have put into
            the first such tab follows them to the others
    """

    id: str
    title: str

    @property
    def photo(self) -> Photo | None: ...

    def build(self) -> None:
        """Make the components and wire them up, inside the current `gr.Tab`."""

    def load(self, page: gr.Blocks) -> Dependency | None:
        """Listen for the opening of the page, to set the tab up as the address asks; None if it asks nothing of it."""

    def open(self, tab: gr.Tab) -> None:
        """Listen for the opening of `tab`, to compute what nobody needs before."""

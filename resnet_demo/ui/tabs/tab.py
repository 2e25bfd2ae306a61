"""What the page expects of a tab. A new tab is a file in this folder, and an entry in the list in ui/page.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import gradio as gr
from gradio.components import Component

from resnet_demo.ui.address import Address

# What an event handler changes: new values or `gr.update`s by component. The other outputs stay as they are; where
# nothing at all changes, a handler returns `gr.skip()`, because Gradio rejects an empty dictionary.
Updates = dict[Component, Any]


@dataclass(frozen=True)
class Current:
    """What a visitor looks at, which follows them from tab to tab.

    photo   its path; empty once it has been removed
    model   name of the network
    seen    false for what the page would have opened with if the address had not asked for another tab
    """

    photo: str
    model: str
    seen: bool = True


def with_photo(current: Current | None, photo: str, model: str) -> Any:
    """What a visitor looks at once a tab has shown `photo`. They go on with the network of the tab before, even where
    this one cannot show it or shows it second; `model` is the one of a visitor who comes from nowhere. The same photo
    as before changes nothing: they may have picked another network meanwhile."""
    if current and current.seen and current.photo == photo:
        return gr.skip()
    return replace(current, photo=photo, seen=True) if current else Current(photo, model)


def without_photo(current: Current | None) -> Current | None:
    """What a visitor looks at once they have removed the photo: none in any tab, until they choose another one."""
    return current and replace(current, photo="", seen=True)


def with_model(current: Current | None, model: str) -> Current | None:
    """What a visitor looks at once they have picked another network, in whatever photo they had."""
    return current and replace(current, model=model)


class Tab(Protocol):
    """One tab of the page.

    id      in the address, as in ?tab=compare
    title   shown on the tab
    """

    id: str
    title: str

    @property
    def asked(self) -> Sequence[Component]:
        """What `ask` can change, in the order in which the browser is told."""
        ...

    def build(self, current: gr.State, address: Address) -> None:
        """Make the components and wire them up, inside the current `gr.Tab`. `current` holds the `Current`, or None
        before anything is shown; a tab in which a photo or network is chosen sets it along with its results, and
        `address` to the query that shows them again."""

    def ask(self, query: Mapping[str, str]) -> Updates:
        """Set the tab up as the query of the address asks, before it opens. Empty if that asks for nothing."""
        ...

    def open(self, tab: gr.Tab) -> None:
        """When `tab` is selected: follow the `Current`, and compute what nobody needs before."""

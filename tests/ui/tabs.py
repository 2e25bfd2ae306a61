"""The tabs' event handlers, called as Gradio calls them."""

import gradio as gr
from gradio.components import Component

from resnet_demo.images import EXAMPLES
from resnet_demo.ui.address import Address
from resnet_demo.ui.tabs.explore import Explore

CAT = str(EXAMPLES / "cat.jpg")
MODEL, TWIN = "resnet20.cifar10", "plain20.cifar10"


def built(tab):
    with gr.Blocks():
        tab.build(gr.State(None), Address())
    return tab


def explored(cache, *question, before=None, own=False):
    """The updates of Explore's one event, by the name of the attribute that holds the component."""
    explore = built(Explore(cache, MODEL))
    updates = explore._show(None, before, question[1], *question, own)
    names = {**{value: name for name, value in vars(explore).items() if isinstance(value, Component)}}
    names |= {value: name for name, value in vars(explore.pickers).items() if isinstance(value, Component)}
    return updates if updates == gr.skip() else {names[component]: value for component, value in updates.items()}

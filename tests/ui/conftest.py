"""What the tests of the tabs share."""

import gradio as gr
import pytest

from resnet_demo.ui.answers import look
from resnet_demo.ui.tabs.closer import Closer
from resnet_demo.zoo import ModelCache
from tests.ui.tabs import CAT, MODEL


@pytest.fixture(scope="module")
def cache():
    return ModelCache("cpu", offline=True)


@pytest.fixture(scope="module")
def shown(cache):
    return look(cache, CAT, MODEL)[0]


@pytest.fixture(scope="module")
def closer(cache):
    with gr.Blocks():
        shown, open_ = gr.State(None), gr.State("")
        with gr.Tabs():
            return Closer(cache, shown, open_)

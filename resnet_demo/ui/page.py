"""The page: its tabs, its look, and how it is served."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.themes.default import Default

from resnet_demo.images import MAX_BYTES
from resnet_demo.ui import choices, html
from resnet_demo.ui.address import Address
from resnet_demo.ui.api import add_endpoints
from resnet_demo.ui.components import Remembered
from resnet_demo.ui.guarded import GuardedBlocks
from resnet_demo.ui.language import LANGUAGES, later, speak, speaking, t
from resnet_demo.ui.photo import recalled, remembered
from resnet_demo.ui.queues import QUICK, STATE
from resnet_demo.ui.tabs.architecture import Architecture
from resnet_demo.ui.tabs.compare import Compare
from resnet_demo.ui.tabs.degradation import Degradation
from resnet_demo.ui.tabs.explore import Explore
from resnet_demo.ui.tabs.gradient_flow import GradientFlow
from resnet_demo.ui.tabs.lesion import Lesion
from resnet_demo.ui.tabs.live import Live
from resnet_demo.ui.tabs.tab import Tab
from resnet_demo.ui.talk import Talk
from resnet_demo.zoo import ModelCache, is_offline

TITLE = later("Deep residual learning, on your own photo")
ABOUT = later("What a residual network and its <i>plain</i> twin see, and where they look.")
# Seconds after which the server looks again whether somebody waits, and how far a download has come.
LOOK_EVERY, TELL_EVERY = 0.005, 0.1
# Of what this page leaves in a browser: another server cannot read it, and need not.
SECRET = secrets.token_hex(8)
STYLE = Path(__file__).parent / "page.css"
# System fonts: a page for a talk must not wait for a font server.
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]


def build_page(cache: ModelCache, default_model: str | None = None, data: Path | None = None) -> gr.Blocks:
    """The whole page as `gr.Blocks`, not yet served, with the models of the cache's catalogue, in every language.
    Raises `InputError` when `default_model` does not exist.

    data   the images of CIFAR-10 for live training, if they are not where torchvision keeps them
    """
    default_model = choices.opening(cache.catalogue, default_model)
    pages, first = {}, Context.id
    for language in LANGUAGES:
        # Each component gets the next number: the same one in every language.
        Context.id = first
        with speak(language):
            pages[language] = _page(cache, default_model, data)
    page = pages.pop("en")
    page.translated = pages
    # Not even a program goes around the queue, except for what takes no time at all.
    page.queue(max_size=64, api_open=False)
    # By itself, Gradio looks a thousand and a hundred times a second: 5 % of a core as long as nobody does anything.
    page._queue.sleep_when_free, page._queue.progress_update_sleep_when_free = LOOK_EVERY, TELL_EVERY
    # After each event it would sum up the last 10,000 in a table, for its monitoring: 20 to 40 ms of a core.
    page._queue.compute_analytics_summary, page._queue.ANALYTICS_MAX_EVENTS = _unmonitored, 1
    return page


def _unmonitored(records: object) -> dict[str, Any]:
    return {}


def _page(cache: ModelCache, default_model: str, data: Path | None) -> GuardedBlocks:
    explore, compare, lesion, live = Explore(cache, default_model), Compare(cache), Lesion(cache), Live(cache)
    # In their order on the page.
    tabs: list[Tab] = [
        explore,
        compare,
        lesion,
        GradientFlow(cache.catalogue, cache.device),
        Degradation(cache.catalogue, data, cache.device, is_offline(cache.offline)),
        Architecture(cache.catalogue),
        live,
    ]
    with GuardedBlocks(title=t(TITLE), analytics_enabled=False, fill_width=True) as page:
        Talk((t(TITLE), t(ABOUT), speaking()), elem_id="title")
        # Below the tabs, whose row it watches.
        current, address = gr.State(None), Address(elem_id="address", render=False)
        page.opened = gr.State(False)
        # The paths of own photos: Back and another language load the page anew, and the server keeps them for a while.
        own = Remembered([], storage_key="resnet_demo", secret=SECRET)
        current.change(partial(remembered, folder=page.GRADIO_CACHE), [own, current], own, **STATE)
        with gr.Tabs() as row:
            panels = [_build(tab, current, address) for tab in tabs]
        address.render()
        for tab in (explore, compare, lesion):
            tab.photo.clear(list, None, own, **QUICK)
        add_endpoints(cache, default_model)
        asked = list(dict.fromkeys(component for tab in tabs for component in tab.asked))
        set_up = page.load(_asker(tabs, page.opened, current, explore), own, [page.opened, *asked], **QUICK)
        # A tab opens only after it is set up, because what it draws then depends on that.
        set_up.then(_opener(tabs), None, row, **QUICK)
        for tab, panel in zip(tabs, panels, strict=True):
            tab.open(panel)
            if tab is not live:
                live.stop_on(panel)
    return page


def _build(tab: Tab, current: gr.State, address: Address) -> gr.Tab:
    with gr.Tab(t(tab.title), id=tab.id) as panel:
        tab.build(current, address)
    return panel


def _wanted(tabs: Sequence[Tab], query: Mapping[str, str]) -> Tab | None:
    """The tab that the address asks for, as in ?tab=degradation, or else the first; None if there is no such tab."""
    asked = query.get("tab", tabs[0].id).lower()
    return next((tab for tab in tabs if tab.id == asked), None)


def _asker(
    tabs: Sequence[Tab], opened: gr.State, current: gr.State, explore: Explore
) -> Callable[[list[str], gr.Request], dict[Any, Any]]:
    """What is wrong with the name of a tab is told on the first one, `explore`."""

    def ask(own: list[str], request: gr.Request) -> dict[Any, Any]:
        query = dict(request.query_params)
        query["own"] = recalled(query, own, explore.photo.GRADIO_CACHE)
        wanted = _wanted(tabs, query)
        if wanted is None:
            told = t("There is no such tab: use {names}.", names=", ".join(tab.id for tab in tabs))
            return {opened: True, **explore.ask(query), explore.notice: html.alert_update(told)}
        # The first tab opens with a result of its own; if another one has none, it is still followed to something.
        first = {} if wanted is explore else {current: explore.first}
        return {opened: True, **first, **wanted.ask(query)}

    return ask


def _opener(tabs: Sequence[Tab]) -> Callable[[gr.Request], Any]:
    def open_(request: gr.Request) -> Any:
        wanted = _wanted(tabs, request.query_params)
        return gr.skip() if wanted is None or wanted is tabs[0] else gr.Tabs(selected=wanted.id)

    return open_


def launch_options() -> dict[str, Any]:
    """Options of `launch` wherever the page is served: its look, and nothing exposed that is not needed."""
    return {
        "theme": Default(primary_hue="blue", font=FONTS, font_mono=["monospace"]),
        "css_paths": STYLE,
        "max_file_size": MAX_BYTES,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": ["api", "settings"],
        # With a result, what is kept of a visitor takes a quarter of a megabyte, until this many others have come.
        "state_session_capacity": 1000,
    }

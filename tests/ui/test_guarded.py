"""`GuardedBlocks` as Gradio calls it; what a client gets from it over HTTP is in tests/hostile."""

import asyncio

import gradio as gr
import pytest
from gradio.state_holder import SessionState, StateHolder

from resnet_demo.ui.guarded import MOST_UNREAD, GuardedBlocks
from resnet_demo.ui.sentences import LOST, MISFIT, Sentence


@pytest.fixture(scope="module")
def page():
    with GuardedBlocks() as page:
        page.opened, chosen, shown = gr.State(False), gr.State("first"), gr.Textbox()
        tab = gr.Tab("A tab")
        page.load(lambda: {page.opened: True, chosen: "second"}, None, [page.opened, chosen])
        shown.change(lambda text, chosen: f"{text}, {chosen}", [shown, chosen], shown)
        shown.change(lambda text: text, shown, shown)
        tab.select(lambda chosen: chosen, chosen, shown)
        shown.change(lambda chosen: chosen, chosen, shown, queue=False)
        picker = gr.Dropdown(["one"])
        shown.change(lambda: gr.update(choices=["two"], value="two"), None, picker)
        picker.change(lambda name: f"picked {name}", picker, shown)
    return page


def asked(page, state, number, *inputs):
    event = list(page.fns.values())[number]
    return asyncio.run(page.process_api(block_fn=event, inputs=list(inputs), state=state, iterator=None))["data"]


def test_states_are_read_only_where_the_page_is_remembered(page):
    state = SessionState(page)
    with pytest.raises(Sentence, match=LOST):
        asked(page, state, 1, "what", None)
    # Answered all the same: what reads no State; a tab, which can be selected before the page is loaded; and what does
    # not go through the queue, as the browser would not show the sentence.
    assert asked(page, state, 2, "what") == ["what"]
    assert asked(page, state, 3, None) == asked(page, state, 4, None) == ["first"]
    asked(page, state, 0)
    assert asked(page, state, 1, "what", None) == ["what, second"]


def test_a_connection_that_broke_for_a_while_closes_nothing(page):
    state = SessionState(page)
    asked(page, state, 0)
    state.is_closed = True
    assert asked(page, state, 1, "what", None) == ["what, second"]
    assert not state.is_closed


def test_a_session_has_its_own_choices_and_no_description_of_the_page(page):
    holder = StateHolder()
    holder.set_blocks(page)
    here, there = holder["here"], holder["there"]
    asked(page, here, 5)
    assert asked(page, here, 6, "two") == ["picked two"]
    assert asked(page, there, 6, "one") == ["picked one"]
    for state, other in ((here, "one"), (there, "two")):
        with pytest.raises(Sentence, match=MISFIT):
            asked(page, state, 6, other)
    # Nor has what is asked without a session.
    for state in (here, there, SessionState(page)):
        assert not any(state.config_values.values())
    # The page's own is complete.
    (picker,) = (part["props"] for part in page.get_config_file()["components"] if part["type"] == "dropdown")
    assert picker["choices"] == [("one", "one")]


def test_answers_that_nobody_fetches_do_not_pile_up(page):
    async def fill():
        waiting = {"reads": 3, "reads too": 5, "never reads": MOST_UNREAD}
        unread = page._queue.pending_messages_per_session
        for visitor, count in waiting.items():
            unread[visitor] = asyncio.Queue()
            page._queue.pending_event_ids_session[visitor] = {"a question"}
            for _ in range(count):
                unread[visitor].put_nowait("an answer")
        page._queue.pending_event_ids_session["gone"] = {"a question"}
        page._forget_unread()
        return {visitor: unread[visitor].qsize() for visitor in waiting}

    assert asyncio.run(fill()) == {"reads": 3, "reads too": 5, "never reads": 0}
    assert set(page._queue.pending_event_ids_session) == {"reads", "reads too", "never reads"}

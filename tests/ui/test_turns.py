"""Of questions that come in quick succession, only the newest is answered."""

import asyncio
import copy
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import gradio as gr
from gradio.helpers import special_args
from gradio.state_holder import SessionState

from resnet_demo.ui import build_page
from resnet_demo.ui.guarded import GuardedBlocks
from resnet_demo.ui.turns import Turn, ask_in_turn, in_turn, overtaken
from resnet_demo.zoo import ModelCache


def test_an_older_question_that_takes_longer_is_not_answered():
    begun, wait = Event(), Event()

    def show(question):
        if question == "old":
            begun.set()
            assert wait.wait(30)
        return {"shown": question}

    answer, turn = in_turn(show), Turn()
    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(answer, 1, turn, "old")
        assert begun.wait(30)
        # Another visitor's turn is another one: Gradio copies the value for each.
        assert answer(1, copy.deepcopy(turn), "other") == {"shown": "other"}
        assert answer(2, turn, "new") == {"shown": "new"}
        wait.set()
        assert old.result(30) == gr.skip()
    assert answer(3, turn, "next") == {"shown": "next"}
    assert answer.__name__ == "show"


def test_an_older_question_that_comes_later_is_not_even_asked():
    asked = []

    def show(question):
        asked.append(question)
        return {"shown": question}

    answer, turn = in_turn(show), Turn()
    assert answer(2, turn, "new") == {"shown": "new"}
    assert answer(1, turn, "old") == answer(None, turn, "no number") == gr.skip()
    assert asked == ["new"]


def test_what_is_answered_step_by_step_ends_when_a_newer_question_comes():
    def show(question):
        yield {"half": question}
        yield {"shown": question}

    answer, turn = in_turn(show), Turn()
    old = answer(1, turn, "old")
    assert next(old) == {"half": "old"}
    assert list(answer(3, turn, "new")) == [{"half": "new"}, {"shown": "new"}]
    assert list(old) == []
    # Gradio would empty everything if there were no step at all.
    assert list(answer(2, turn, "between")) == [gr.skip()]


def test_a_question_that_is_being_answered_already_is_not_asked_again():
    begun, wait, asked = Event(), Event(), []

    def show(*question):
        asked.append(question)
        begun.set()
        assert wait.wait(30)
        return {"shown": question}

    answer, turn, shown = in_turn(show), Turn(), object()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(answer, 1, turn, shown, "cat", None, True)
        assert begun.wait(30)
        assert answer(3, turn, shown, "cat", None, True) == gr.skip()
        # Asked between the two, this one was overtaken: it is the older one.
        assert answer(2, turn, shown, "dog", None, True) == gr.skip()
        wait.set()
        assert first.result(30) == {"shown": asked[0]}
        # True is not 1, and what looks alike need not be the same.
        for other in ((shown, "cat", None, 1), (object(), "cat", None, True), (shown, "cat", None, True)):
            assert answer(4, turn, *other) == {"shown": other}
    assert len(asked) == 4


def asking(show):
    """A page that asks `show` for one text by another, and its event."""
    with GuardedBlocks() as page:
        asked, shown = gr.Textbox(), gr.Textbox()
        ask_in_turn([asked.change], show, [asked], [shown])
    return page, next(event for event in page.fns.values() if event.fn)


def test_an_answer_that_was_overtaken_on_its_way_changes_nothing():
    """Gradio sends the last step of a generator again when that ends, which may be after a newer answer."""

    def show(question):
        yield f"half {question}"
        yield question

    page, event = asking(show)
    states = SessionState(page)

    async def step(number, question, iterator=None):
        answer = await page.process_api(
            block_fn=event, inputs=[number, None, question], state=states, iterator=iterator,
            session_hash="visitor", event_id=question,
        )  # fmt: skip
        return answer["data"], answer["iterator"]

    async def both():
        old, old_steps = await step(1, "old")
        new, new_steps = await step(2, "new")
        old_end, _ = await step(1, "old", old_steps)
        new_whole, _ = await step(2, "new", new_steps)
        new_end, _ = await step(2, "new", new_steps)
        return old, new, old_end, new_whole, new_end

    difference = [["replace", [], "new"]]
    assert asyncio.run(both()) == (["half old"], ["half new"], [gr.skip()], [difference], ["new"])


def test_an_answer_counts_if_the_next_one_changes_nothing():
    """As when the browser tells of one change again, once that has been answered."""

    def show(question):
        return gr.skip() if question == "again" else question

    answer, turn = in_turn(show), Turn()
    _, event = asking(show)
    states = {event.inputs[1]._id: turn}
    assert answer(1, turn, "first") == "first"
    assert answer(2, turn, "again") == gr.skip()
    assert not overtaken(event, [1], states)
    assert answer(3, turn, "second") == "second"
    assert [overtaken(event, [number], states) for number in (1, 3, None, "x")] == [True, False, False, False]


def test_gradio_finds_the_progress_of_a_handler():
    def fetch(name, progress=gr.Progress()):  # noqa: B008
        return name

    _, at, _, _ = special_args(in_turn(fetch))
    assert at == 3


def test_no_click_is_dropped_while_the_last_one_is_answered():
    """Gradio's "once" does that, by default. It is right for one download of images and one file at a time.
    A program's events are another matter."""
    page = build_page(ModelCache("cpu", offline=True))
    events = [event for event in page.fns.values() if event.fn and event.api_visibility == "private"]
    once = {getattr(event.fn, "func", event.fn).__qualname__ for event in events if event.trigger_mode == "once"}
    assert len(events) > 40
    assert once == {"Race._fetch", "_export"}

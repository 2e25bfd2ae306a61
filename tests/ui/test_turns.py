"""Of questions that come in quick succession, only the newest is answered."""

import copy
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import gradio as gr

from resnet_demo.ui.turns import Turn, in_turn


def test_an_older_question_that_takes_longer_is_not_answered():
    begun, wait = Event(), Event()

    def show(question):
        if question == "old":
            begun.set()
            assert wait.wait(30)
        return {"shown": question}

    answer, turn = in_turn(show), Turn()
    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(answer, turn, "old")
        assert begun.wait(30)
        assert answer(turn, "new") == {"shown": "new"}
        # Another visitor's turn is another one: Gradio copies the value for each.
        assert answer(copy.deepcopy(turn), "other") == {"shown": "other"}
        wait.set()
        assert old.result(30) == gr.skip()
    assert answer(turn, "next") == {"shown": "next"}
    assert answer.__name__ == "show"


def test_what_is_answered_step_by_step_ends_when_a_newer_question_comes():
    def show(question):
        yield {"half": question}
        yield {"shown": question}

    answer, turn = in_turn(show), Turn()
    old = answer(turn, "old")
    assert next(old) == {"half": "old"}
    assert list(answer(turn, "new")) == [{"half": "new"}, {"shown": "new"}]
    assert list(old) == []

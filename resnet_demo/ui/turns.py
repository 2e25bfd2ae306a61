"""Of a visitor's questions, only the newest is answered.

The browser sends an event for every component that changed, and two of them at once if they changed at once: the first
with old values in places. On their way they can overtake each other, and so can their answers.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

# The first input is the number of the question: in the browser, because only there their order is known.
NUMBERED = "(_, ...inputs) => [window.questions = (window.questions ?? 0) + 1, ...inputs]"


class Turn:
    """The number of a visitor's newest question: the value of a `gr.State`, shared by all answers on their way."""

    newest = 0


def ask_in_turn(
    changes: Sequence[Any], handler: Callable[..., Any], inputs: list[Component], outputs: list[Component], **event: Any
) -> None:
    """After each of `changes`, `handler` gets `inputs` and answers for `outputs`, as `gr.on` has it; but its answer
    counts only until a newer question has come."""
    number = gr.Number(visible=False, precision=0)
    gr.on(changes, in_turn(handler), [number, gr.State(Turn()), *inputs], outputs, js=NUMBERED, **event)


def in_turn(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`handler`, a function or generator function, with the question's number and the visitor's `Turn` before its
    inputs."""

    def answer(number: int | None, turn: Turn, *inputs: Any) -> Any:
        if not _begins(number, turn):
            return gr.skip()
        updates = handler(*inputs)
        return updates if turn.newest == number else gr.skip()

    def answers(number: int | None, turn: Turn, *inputs: Any) -> Iterator[Any]:
        if not _begins(number, turn):
            return
        for updates in handler(*inputs):
            if turn.newest != number:
                return
            yield updates

    made = answers if inspect.isgeneratorfunction(handler) else answer
    made.__name__ = handler.__name__
    return made


def _begins(number: int | None, turn: Turn) -> bool:
    """Whether that question is the newest one."""
    if number is None or number < turn.newest:
        return False
    turn.newest = number
    return True

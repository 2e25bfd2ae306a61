"""Of a visitor's questions, only the newest is answered.

The browser sends an event for every component that changed, and two of them at once if they changed at once: the first
with old values in places. The answers could come in any order.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr


class Turn:
    """Which of a visitor's questions is the newest: the value of a `gr.State`, shared by all answers on their way."""

    newest: object = None


def in_turn(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`handler`, a function or generator function, with a `Turn` as one more input, the first: its answer counts unless
    a newer question has come."""

    def answer(turn: Turn, *inputs: Any) -> Any:
        mine = turn.newest = object()
        updates = handler(*inputs)
        return updates if turn.newest is mine else gr.skip()

    def answers(turn: Turn, *inputs: Any) -> Iterator[Any]:
        mine = turn.newest = object()
        for updates in handler(*inputs):
            if turn.newest is not mine:
                return
            yield updates

    made = answers if inspect.isgeneratorfunction(handler) else answer
    made.__name__ = handler.__name__
    return made

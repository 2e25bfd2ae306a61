"""Of a visitor's questions, only the newest is answered.

The browser sends an event for every component that changed, and two of them at once if they changed at once: the first
with old values in places. On their way they can overtake each other, and so can their answers: until it is sent, none
counts for good.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr
from gradio.components import Component

# The first input is replaced by the question's number, counted in the browser: only there is their order known.
NUMBERED = "(_, ...inputs) => [window.questions = (window.questions ?? 0) + 1, ...inputs]"
# As this, but it waits for what else changes at the same moment: a question that is old by then is sent without a
# number, and not answered. Of two answers, the browser could show the newer one first: it may get it before it knows
# which question it is for.
SETTLED = Path(__file__).with_name("turns.js").read_text(encoding="utf-8")

# For all visitors, as it is held for a few lines only: Gradio copies each `Turn`, which no lock in it allows.
_BOOKKEEPING = Lock()


class Turn:
    """The value of a `gr.State`, shared by all answers on their way to a visitor.

    newest    the number of the newest question
    counts    that of the question whose answer counts: the newest, or the first of several that ask the same
    running   its inputs, until it is answered
    answered  the number of the newest question whose answer, or a step of it, is there and changes something
    """

    newest = counts = answered = 0
    running: tuple[Any, ...] = ()


def ask_in_turn(
    changes: Sequence[Any],
    handler: Callable[..., Any],
    inputs: list[Component],
    outputs: list[Component],
    turn: gr.State | None = None,
    **event: Any,
) -> None:
    """After each of `changes`, `handler` gets `inputs` and answers for `outputs`, as `gr.on` has it; but its answer
    counts only until a newer question has come.

    turn   holds a `Turn` that it has in common with other handlers; one of its own if None
    """
    number = gr.Number(visible=False, precision=0)
    # States come first: they are set as soon as there is an answer, before another one can come in between.
    outputs = sorted(outputs, key=lambda output: not isinstance(output, gr.State))
    turn = turn or gr.State(Turn())
    js = NUMBERED if len(changes) == 1 else SETTLED.replace("TURN", f"turn{turn._id}")
    gr.on(changes, in_turn(handler), [number, turn, *inputs], outputs, js=js, **event)


def overtaken(event: Any, sent: Sequence[Any], states: Mapping[int, Any] | None) -> bool:
    """Whether a newer question has been answered while this answer was on its way.

    event    Gradio's, of any handler
    sent     its inputs as the browser sent them
    states   the visitor's states by their ids
    """
    if states is None or not hasattr(event.fn, "in_turn"):
        return False
    number, turn = sent[0], states[event.inputs[1]._id]
    return isinstance(number, int) and number < turn.answered


def in_turn(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`handler`, a function or generator function, with the question's number and the visitor's `Turn` before its
    inputs."""

    def answer(number: int | None, turn: Turn, *inputs: Any) -> Any:
        with _turn(number, turn, inputs):
            updates = handler(*inputs) if number == turn.counts else gr.skip()
            return updates if _accept(number, turn, updates) else gr.skip()

    def answers(number: int | None, turn: Turn, *inputs: Any) -> Iterator[Any]:
        with _turn(number, turn, inputs):
            begun = False
            for updates in handler(*inputs) if number == turn.counts else ():
                if not _accept(number, turn, updates):
                    break
                begun = True
                yield updates
            if not begun:  # Without a single step, Gradio would empty everything.
                yield gr.skip()

    made = answers if inspect.isgeneratorfunction(handler) else answer
    made.__name__ = handler.__name__
    made.in_turn = True  # type: ignore[attr-defined]
    # By its signature and annotations, Gradio finds a handler's `progress` and the data of the event.
    made.__annotations__ = inspect.get_annotations(handler)
    own = list(inspect.signature(answer).parameters.values())[:2]
    handled = inspect.signature(handler)
    made.__signature__ = handled.replace(parameters=[*own, *handled.parameters.values()])  # type: ignore[attr-defined]
    return made


@contextmanager
def _turn(number: int | None, turn: Turn, inputs: tuple[Any, ...]) -> Iterator[None]:
    """Make it the turn of that question: the newest counts, unless it is what is being answered already, as when the
    browser tells twice of one change."""
    with _BOOKKEEPING:
        again = len(inputs) == len(turn.running) and all(map(_same, inputs, turn.running))
        if number is not None and number >= turn.newest:
            # Counted even if it is asked again: an older one, overtaken on its way, must not take its place.
            turn.newest = number
            if not again:
                turn.running, turn.counts = inputs, number
    try:
        yield
    finally:
        with _BOOKKEEPING:
            if turn.counts == number:
                turn.running = ()


def _accept(number: int | None, turn: Turn, updates: Any) -> bool:
    """Answer the question with these updates, if it still counts; tells whether it does."""
    with _BOOKKEEPING:
        counts = number == turn.counts
        if counts and updates != gr.skip():
            turn.answered = turn.counts
        return counts


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, str | int | float | list) and type(one) is type(other) and one == other)

"""The small pieces of HTML that several tabs show between their components. Everything that is not ours is escaped."""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from resnet_demo.records import kind_of
from resnet_demo.ui.choices import model_title
from resnet_demo.ui.language import t, told
from resnet_demo.zoo import Entry


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], networks: Sequence[str] = ()) -> str:
    """A table that scrolls sideways where there is no room for it.

    networks   the name of each row's network, for a mark in the colour of its kind
    """
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    marks = [f'<i class="kind {kind_of(network)}"></i>' for network in networks] or [""] * len(rows)
    lines = (mark + "</td><td>".join(map(escape, row)) for mark, row in zip(marks, rows, strict=True))
    body = "".join(f"<tr><td>{line}</td></tr>" for line in lines)
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def note(text: str) -> str:
    """A remark in passing."""
    return f'<p class="note">{escape(text)}</p>'


def alert(text: str) -> str:
    """The one sentence that a visitor gets instead of a result."""
    return f'<p class="message" role="alert">{escape(told(text))}</p>'


def alert_update(text: str = "") -> Any:
    """An update of the place for that sentence, which is hidden when there is none."""
    return gr.update(value=alert(text), visible=True) if text else gr.update(visible=False)


def measured_error(entry: Entry) -> str:
    """The measured top-1 error of an entry, and on what."""
    if entry.test_error is None:
        return t("untrained: no test error")
    return t("{error:.2f} % {dataset} top-1 error", error=entry.test_error, dataset=escape(entry.dataset_title))


def origin(entry: Entry) -> str:
    """What a network is that was not trained but rewritten from another one; empty for all others."""
    if entry.origin is entry:
        return ""
    source = escape(model_title(entry.origin))
    if entry.spec.folded:
        text = t(
            "<b>Not trained as a plain network:</b> {source} with its shortcuts folded into the convolutions, which "
            "computes the same. What shortcuts change is not what a network can compute but what training finds.",
            source=source,
        )
    else:
        added = entry.spec.depth - entry.origin.spec.depth
        text = t(
            "<b>Not trained at this depth:</b> {source} and {added} layers more that hand their input on, so it "
            "computes the same. Training {depth} layers could find this network, or a better one.",
            source=source,
            added=added,
            depth=entry.spec.depth,
        )
    return f'<p class="note">{text}</p>'


def percent(share: float, digits: int = 0) -> str:
    """A share in percent: "<1 %" for what would look like nothing, and ">99 %" for what would look like certainty."""
    least = 10.0**-digits
    if 0 < share * 100 < least:
        return f"<{least:.{digits}f} %"
    if 100 - least < share * 100 < 100:
        return f">{100 - least:.{digits}f} %"
    return f"{100 * share:.{digits}f} %"


def with_prefix(number: float) -> str:
    """1.82 G, or 41 M below a billion."""
    return f"{number / 1e9:.2f} G" if number >= 1e9 else f"{number / 1e6:.0f} M"

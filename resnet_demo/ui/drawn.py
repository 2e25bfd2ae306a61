"""What Gradio has no component for: drawn in the browser from JSON, by a template, a style and a script of its own.

A component is a folder beside this file with NAME.html, NAME.css, NAME.js and a few lines of Python. The script runs
once for a component, so its listeners serve all values; `watch("value", draw)` calls it after each new one, and
`trigger("click", {...})` raises an event with data. Where keys.js says all there is to say, a folder has no script. A
text that is read stands in double square brackets, in English, and is translated when the page is built.
"""

import re
from pathlib import Path
from typing import Any

import gradio as gr

from resnet_demo.ui import no_stubs  # noqa: F401
from resnet_demo.ui.language import t

HERE = Path(__file__).parent
TEXT = re.compile(r"\[\[(.+?)\]\]")


class Drawn(gr.HTML):
    """Base of the components whose `folder` holds their files. A subclass turns what it shows into plain values, or
    into JSON as text, in `postprocess`, and leaves the rest to the browser. Text in a template is not escaped: escape
    it, or let the script set it."""

    folder = ""

    def __init__(self, value: Any = None, *, elem_id: str | None = None, **options: Any) -> None:
        html, css, js = (HERE / self.folder / f"{self.folder}.{kind}" for kind in ("html", "css", "js"))
        script = js if js.exists() else HERE / "keys.js"
        options |= {"html_template": _said(html), "css_template": _read(css), "js_on_load": _said(script)}
        options |= {"apply_default_css": False}
        super().__init__(value, elem_id=elem_id, **options)

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}


def _said(path: Path) -> str:
    """The file, with every [[text]] in the language that the page is built in."""
    return TEXT.sub(lambda found: t(found[1]), _read(path))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")

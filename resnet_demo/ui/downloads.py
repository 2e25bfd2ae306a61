"""What a visitor has in front of them, as a file."""

import base64
import io
import json
from functools import partial
from pathlib import Path

import gradio as gr

from resnet_demo import plots
from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.records import gradient_csv
from resnet_demo.ui.answers import Shown
from resnet_demo.ui.language import later, t, told
from resnet_demo.ui.queues import PRIVATE, QUEUE
from resnet_demo.ui.sentences import EXPIRED

TITLES = {
    "overlay.png": later("Overlay"),
    "plot.png": later("Plot PNG"),
    "plot.svg": later("Plot SVG"),
    "json": "JSON",
    "csv": "CSV",
}
SAVE = '(file) => file && Object.assign(document.createElement("a"), {href: file.url, download: file.name}).click()'


def add_downloads(shown: gr.State, opacity: gr.Slider) -> None:
    """A button for each kind of file, of what is shown at the moment."""
    file = gr.JSON(visible=False)
    with gr.Row():
        for kind, title in TITLES.items():
            exported = gr.Button(t(title), size="sm").click(
                partial(_export, kind), [shown, opacity], file, **PRIVATE, **QUEUE
            )
            exported.success(None, file, None, js=SAVE)


def _export(kind: str, shown: Shown | None, opacity: float) -> dict[str, str] | None:
    if shown is None:
        raise InputError(EXPIRED)
    try:
        return data_url(*export(shown, kind, opacity))
    except InputError as error:  # A photo is deleted after an hour.
        gr.Warning(told(error.message), title=t("Warning"))
        return None


def export(shown: Shown, kind: str, opacity: float) -> tuple[str, bytes]:
    """File name and content; kind is "overlay.png", "plot.png", "plot.svg", "json" or "csv". Raises `InputError` when
    the photo of an overlay is gone."""
    content = {
        "overlay.png": lambda: _png(shown, opacity),
        "plot.png": lambda: plots.to_png(plots.gradient_figure(shown.analysis)),
        "plot.svg": lambda: plots.to_svg(plots.gradient_figure(shown.analysis), "Gradient norms").encode(),
        "json": lambda: json.dumps(shown.analysis.to_dict(Path(shown.photo).name), indent=1).encode(),
        "csv": lambda: gradient_csv(shown.analysis).encode(),
    }[kind]()
    return f"{Path(shown.photo).stem}.{shown.entry.name}.{kind}", content


def data_url(name: str, content: bytes) -> dict[str, str]:
    """A download that needs no file on the server."""
    return {"name": name, "url": f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"}


def _png(shown: Shown, opacity: float) -> bytes:
    buffer = io.BytesIO()
    plots.overlay(load_image(shown.photo), shown.analysis, opacity, shown.heat).save(buffer, "PNG")
    return buffer.getvalue()

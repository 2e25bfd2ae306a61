"""What a visitor has in front of them, as a file."""

import base64
import io
import json
from pathlib import Path

from resnet_demo import plots
from resnet_demo.images import load_image
from resnet_demo.records import gradient_csv
from resnet_demo.ui.answers import Shown


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

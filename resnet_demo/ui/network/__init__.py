"""One network or two, drawn stage by stage: a box for each block, an arc for each shortcut, as in the paper's figure 3.

Python tells what there is, in plain values; the browser draws it for the width that it has. Which blocks are removed is
part of the value, which the browser changes at every click. So whatever event comes next gets the newest list: the data
of an event would not do, because of quick clicks Gradio sends the last one with the data of the first.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from resnet_demo.networks import NetworkSpec
from resnet_demo.networks.architecture import block_summaries, describe
from resnet_demo.records import BlockSummary, LesionStudy, Table
from resnet_demo.ui import html
from resnet_demo.ui.components import LONGEST, short_text
from resnet_demo.ui.drawn import Drawn
from resnet_demo.ui.language import later, t
from resnet_demo.ui.network.inside import insides
from resnet_demo.ui.sentences import MISFIT, Sentence

# The language of colours: a variable of page.css for each connection.
COLOURS = {"residual": "residual", "preactivation": "residual", "plain": "plain", "highway": "gated"}
SHORTCUTS = {
    "identity": later("identity shortcut"),
    "padding": later("zero-padded identity shortcut (option A)"),
    "projection": later("projection shortcut, 1x1"),
    "none": later("no shortcut"),
}


@dataclass(frozen=True)
class NetworkView:
    """What a `Network` draws.

    specs       one network, or two to compare
    name        whose blocks are removed: a view of the same name leaves those as they are in the browser
    removed     names of the blocks that are removed at first
    study       test error without each block of the only network, which tints the blocks; None if not measured
    clickable   a click removes a block, or puts it back; otherwise it shows what is inside of the block
    """

    specs: tuple[NetworkSpec, ...]
    name: str = ""
    removed: tuple[str, ...] = ()
    study: LesionStudy | None = None
    clickable: bool = False


class Network(Drawn):
    """Its value is a `NetworkView` or None; handlers get the names of the removed blocks, None before there is any."""

    folder = "network"

    def preprocess(self, payload: Any) -> Any:
        """The list of names that the browser sent, known or not; None if nothing is drawn. Raises `Sentence` for
        anything but a short list of short texts."""
        if not payload:
            return None
        removed = payload.get("removed") if isinstance(payload, dict) else None
        if not isinstance(removed, list) or len(removed) > LONGEST:
            raise Sentence(MISFIT)
        return [short_text(name) for name in removed]

    def postprocess(self, value: Any) -> Any:
        """What the script draws: texts, and numbers from 0 to 1."""
        if value is None:
            return None
        study = value.study
        return {
            "name": value.name,
            "clickable": value.clickable,
            "removed": list(value.removed),
            "scale": [f"{error:.2f} %" for error in (study.test_error, max(study.errors.values()))] if study else [],
            "networks": [_network(spec, study, not value.clickable) for spec in value.specs],
        }


def _network(spec: NetworkSpec, study: LesionStudy | None, opened: bool) -> dict[str, Any]:
    table, blocks = describe(spec), block_summaries(spec)
    inside = {name: asdict(one) for name, one in insides(spec).items()} if opened else {}
    grouped = {stage: list(members) for stage, members in groupby(blocks, lambda block: block.stage)}
    counted = ", ".join(f"{stage}: {_count(members)}" for stage, members in grouped.items())
    parameters = t("{count:,} parameters", count=table.parameters)
    operations = t("{count} multiply-adds", count=html.with_prefix(table.multiply_adds))
    return {
        "title": spec.name if opened else "",
        "facts": f"{parameters}, {operations}",
        "label": f"{spec.name}: {counted}",
        "colour": COLOURS[spec.connection],
        "rows": _rows(table, grouped, study, inside),
    }


def _rows(
    table: Table, grouped: dict[str, list[BlockSummary]], study: LesionStudy | None, inside: dict[str, Any]
) -> list[dict[str, Any]]:
    """The stem, the stages, and the output: a label and the boxes of each."""
    stages = {row.stage: row for row in table.rows}
    size = _size(stages["stem"].size)
    text = t("stem: {size} from a {side} x {side} image", size=size, side=table.input_size)
    stem = {"label": text, "layers": _short(stages["stem"].layers)}
    rows: list[dict[str, Any]] = [stem]
    for stage, members in grouped.items():
        blocks = [_block(block, study, inside.get(block.name)) for block in members]
        rows.append({"label": f"{stage}: {_count(members)}, {_size(stages[stage].size)}", "blocks": blocks})
    output = t("output: {count} classes", count=stages["fc"].size[0])
    return [*rows, {"label": output, "layers": _short(stages["fc"].layers)}]


def _count(members: Sequence[BlockSummary]) -> str:
    return t("1 block") if len(members) == 1 else t("{count} blocks", count=len(members))


def _block(block: BlockSummary, study: LesionStudy | None, inside: Any) -> dict[str, Any]:
    error = t("{error:.2f} % test error without it", error=study.errors[block.name]) if study else ""
    parts = (error, t("gated") if block.gated else "", t(SHORTCUTS[block.shortcut]))
    says = f"{block.name}: {', '.join(filter(None, parts))}"
    return {
        "name": block.name,
        "number": block.name.partition(".")[2],
        "shortcut": block.shortcut,
        "gated": block.gated,
        "heat": heat(study, block.name) if study else None,
        "says": says,
        "inside": inside,
    }


def heat(study: LesionStudy, block: str) -> float:
    """Where the error without the block lies between that of the whole network, 0, and the largest one, 1."""
    room = max(study.errors.values()) - study.test_error
    return min(1.0, max(0.0, (study.errors[block] - study.test_error) / room)) if room > 0 else 0.0


def _size(size: tuple[int, int, int]) -> str:
    return " x ".join(map(str, size))


def _short(layers: Sequence[str]) -> list[str]:
    """As the figure of the paper spells strides, "7x7, 64, /2"."""
    return [layer.replace("stride ", "/") for layer in layers]

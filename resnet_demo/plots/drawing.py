"""Drawing of a network as an inline SVG: a row for each stage, a box for each block, an arc for each shortcut."""

from collections.abc import Collection, Mapping, Sequence
from html import escape
from itertools import groupby

from resnet_demo.records import BlockSummary, Table

WIDTH, LABEL, BOX = 1100, 150, 26
# A row of blocks has room for the arcs above them; a row of text needs none.
BLOCKS, TEXT = 62, 40
# As in the paper's figure 3, solid, and dotted where the shape changes: short dots for padding, longer for projections.
DASHES = {"identity": "", "padding": "2 3", "projection": "6 3"}
SHORTCUTS = {
    "identity": "identity",
    "padding": "zero-padded identity (option A)",
    "projection": "1x1 projection",
    "none": "none",
}


def draw_network(
    table: Table,
    blocks: Sequence[BlockSummary],
    removed: Collection[str] = (),
    errors: Mapping[str, float] | None = None,
    clickable: bool = False,
) -> str:
    """Draw the network described by `table` and `blocks`, from top to bottom.

    removed     blocks drawn as removed
    errors      test error in percent without each block, by name: the higher, the stronger the block's colour
    clickable   makes blocks buttons, each with its name in `data-block`
    """
    stages = {row.stage: row for row in table.rows}
    stem, end = stages["stem"], stages["fc"]
    image = f"{table.input_size} x {table.input_size} image"
    parts = [_row_of_text(8, "stem", _size(stem.size), f"{image}; {'; '.join(stem.layers)}")]
    grouped = [(stage, list(members)) for stage, members in groupby(blocks, lambda block: block.stage)]
    for i, (stage, members) in enumerate(grouped):
        y = TEXT + i * BLOCKS + 30
        parts.append(_row_of_text(y, stage, _size(stages[stage].size)))
        step = min(96.0, (WIDTH - LABEL - 20) / len(members))
        for k, block in enumerate(members):
            parts.append(_block(block, LABEL + k * step, y, step, block.name in removed, errors, clickable))
    height = 2 * TEXT + len(grouped) * BLOCKS + 20
    parts.append(_row_of_text(height - TEXT, "output", f"{end.size[0]} classes", "; ".join(end.layers)))
    label = f"{table.network}: " + ", ".join(f"{len(members)} blocks in {stage}" for stage, members in grouped)
    return (
        f'<div class="drawing"><svg viewBox="0 0 {WIDTH} {height}" role="group" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg></div>"
    )


def _size(size: tuple[int, int, int]) -> str:
    return " x ".join(map(str, size))


def _row_of_text(y: int, title: str, size: str, layers: str = "") -> str:
    text = f'<text x="0" y="{y + 12}" class="name">{escape(title)}</text>'
    text += f'<text x="0" y="{y + 28}" class="size">{escape(size)}</text>'
    return text + (f'<text x="{LABEL}" y="{y + 18}" class="size">{escape(layers)}</text>' if layers else "")


def _block(
    block: BlockSummary, x: float, y: float, step: float, out: bool, errors: Mapping[str, float] | None, clickable: bool
) -> str:
    width = step * 0.72
    error = (errors or {}).get(block.name)
    says = f"{block.name}, shortcut: {SHORTCUTS[block.shortcut]}{', gated' if block.gated else ''}"
    says += f", {error:.2f} % test error without it" if error is not None else ""
    says += ", removed" if out else ""
    shade = f"fill-opacity:{0.08 + 0.92 * error / 100:.2f}" if error is not None else ""
    kind = "block out" if out else "block"
    role = f'role="button" tabindex="0" aria-pressed="{str(out).lower()}"' if clickable else 'role="img"'
    arc = ""
    if block.shortcut != "none":
        left, right, peak = x - step * 0.12, x + width + step * 0.12, y - 18
        arc = (
            f'<path class="shortcut" stroke-dasharray="{DASHES[block.shortcut]}" d="M{left:.1f} {y + BOX / 2} '
            f'C{left:.1f} {peak} {right:.1f} {peak} {right:.1f} {y + BOX / 2}"/>'
        )
        arc += f'<circle class="gate" cx="{x + width / 2:.1f}" cy="{y - 10}" r="3"/>' if block.gated else ""
    name = block.name.partition(".")[2]
    text = f'<text x="{x + width / 2:.1f}" y="{y + 17}" class="number">{name}</text>' if step > 22 else ""
    return (
        f'<g class="{kind}" {role} data-block="{escape(block.name)}" aria-label="{escape(says)}">'
        f"<title>{escape(says)}</title>{arc}"
        f'<line class="wire" x1="{x - step * 0.28:.1f}" y1="{y + BOX / 2}" x2="{x + step:.1f}" y2="{y + BOX / 2}"/>'
        f'<rect class="paper" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BOX}" rx="4"/>'
        f'<rect class="box" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BOX}" rx="4" style="{shade}"/>{text}</g>'
    )

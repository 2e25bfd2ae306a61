"""A network in numbers and words: its table, its blocks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One stage. `blocks` is how many; `layers` the convolutions of one of them, as "3x3, 64" or "3x3, 128, groups 32";
    `size` of its output, (C, H, W)."""

    stage: str
    blocks: int
    layers: tuple[str, ...]
    size: tuple[int, int, int]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Table:
    """One network for images of `input_size` pixels."""

    network: str
    input_size: int
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Of one image: the paper's "FLOPs"."""
        return sum(row.multiply_adds for row in self.rows)


@dataclass(frozen=True)
class BlockSummary:
    """One block. `shortcut` is "identity", "padding" (option A), "projection" or "none"; `gated` is a highway's."""

    name: str
    stage: str
    shortcut: str
    gated: bool
    stride: int

"""Descriptions of a network: its table and its blocks."""

from dataclasses import dataclass


def kind_of(network: str) -> str:
    """What a network is to the eye: "plain", "gated" or "residual", by its name; plain56-folded.cifar10 is plain."""
    if network.startswith("plain"):
        return "plain"
    return "gated" if network.startswith("highway") else "residual"


@dataclass(frozen=True)
class Row:
    """One stage. `blocks` is their number; `layers` the convolutions of one block, as "3x3, 64" or "3x3, 128,
    groups 32"; `size` the shape of the output, (C, H, W)."""

    stage: str
    blocks: int
    layers: tuple[str, ...]
    size: tuple[int, int, int]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Table:
    """The table of one network for images of `input_size` pixels a side."""

    network: str
    input_size: int
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image: the paper's "FLOPs"."""
        return sum(row.multiply_adds for row in self.rows)


@dataclass(frozen=True)
class BlockSummary:
    """A block. `shortcut` is "identity", "padding" (option A), "projection" or "none"; `gated` in a highway network."""

    name: str
    stage: str
    shortcut: str
    gated: bool
    stride: int

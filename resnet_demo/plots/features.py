"""Feature maps as a grid in one picture."""

import math

import numpy as np
from matplotlib import colormaps
from PIL import Image

FEATURE_COLORS = "viridis"
TILE, GAP = 96, 4


def feature_grid(features: np.ndarray, columns: int = 8) -> Image.Image:
    """float32 (k, h, w) as a grid of tiles, each scaled from its own smallest to its own largest value."""
    rows = math.ceil(len(features) / columns)
    columns = min(columns, len(features))
    size = (columns * (TILE + GAP) - GAP, rows * (TILE + GAP) - GAP)
    grid = Image.new("RGBA", size, (0, 0, 0, 0))
    for i, values in enumerate(features):
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
        tile = Image.fromarray((colormaps[FEATURE_COLORS](scaled)[..., :3] * 255).astype(np.uint8))
        row, column = divmod(i, columns)
        grid.paste(tile.resize((TILE, TILE), Image.Resampling.NEAREST), (column * (TILE + GAP), row * (TILE + GAP)))
    return grid

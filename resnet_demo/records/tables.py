"""Records as tables: rows for a screen, and CSV."""

import csv
import io
from dataclasses import asdict
from typing import Any

from resnet_demo.records.analysis import Analysis, LayerGradient

GRADIENT_COLUMNS = tuple(LayerGradient.__dataclass_fields__)


def gradient_rows(analysis: Analysis) -> list[list[str | int]]:
    """A row for each layer, in forward order, with the `GRADIENT_COLUMNS`; numbers are rounded to four digits."""
    return [
        [f"{value:.4g}" if isinstance(value, float) else "" if value is None else value for value in row.values()]
        for row in _gradients(analysis)
    ]


def gradient_csv(analysis: Analysis) -> str:
    """The same rows as CSV with a header and with numbers in full precision."""
    text = io.StringIO()
    writer = csv.DictWriter(text, GRADIENT_COLUMNS)
    writer.writeheader()
    writer.writerows(_gradients(analysis))
    return text.getvalue()


def _gradients(analysis: Analysis) -> list[dict[str, Any]]:
    return [asdict(gradient) | {"shape": "x".join(map(str, gradient.shape))} for gradient in analysis.gradients]

"""A small drawing of a residual block and of its plain twin, which marks the one that is looked at."""

from dataclasses import asdict, dataclass
from typing import Any

from resnet_demo.ui.drawn import Drawn


@dataclass(frozen=True)
class TwinView:
    """kind      "residual", "plain" or "gated": what is looked at
    offered   which of "residual" and "plain" a click can switch to
    """

    kind: str
    offered: tuple[str, ...]


class Twins(Drawn):
    """Shows a `TwinView`; its event `click` carries "residual" or "plain" as "key"."""

    folder = "twins"

    def postprocess(self, value: Any) -> Any:
        """Plain values for the template."""
        return value and asdict(value)

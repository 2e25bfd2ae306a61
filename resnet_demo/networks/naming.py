"""Names of layers."""


def stage_of(layer: str) -> str:
    return "stem" if layer == "conv1" else layer.split(".")[0]


def kind_of(layer: str) -> str:
    """ "projection" or "gate" beside the main path; "main" or "fc" on it."""
    if "downsample" in layer:
        return "projection"
    if layer.endswith(".gate"):
        return "gate"
    return "fc" if layer == "fc" else "main"


def on_main_path(layer: str) -> bool:
    return kind_of(layer) in ("main", "fc")

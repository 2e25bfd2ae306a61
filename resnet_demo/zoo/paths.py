"""The folders where weights are searched for and written, and where downloads are kept; never inside the package."""

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).parents[1]
_APP = "resnet_demo"
# Below a folder of weights: the studies of the laboratory, as NAME.lesion.json and so on in the folder of their kind,
# and the cards, without their weights, of further seeds and of runs that went on from a trained network.
STUDIES = {"lesion": "lesions", "landscape": "landscapes", "flow": "flows"}
SEEDS, CONTINUED = "seeds", "continued"


def shipped_folder() -> Path:
    """The weights shipped with this project: inside the package if it was installed from a wheel, else beside it, in
    the clone."""
    inside = _PACKAGE / "weights"
    return inside if inside.is_dir() else _PACKAGE.parent / "weights"


def user_folder() -> Path:
    """The networks that the user has trained: `RESNET_DEMO_WEIGHTS`, else a folder in the user's data folder."""
    chosen = os.environ.get("RESNET_DEMO_WEIGHTS")
    return Path(chosen) if chosen else platformdirs.user_data_path(_APP, appauthor=False) / "weights"


def cache_folders() -> tuple[Path, ...]:
    """The folders searched for downloads. New ones go into the first: `RESNET_DEMO_CACHE`, else the user's cache."""
    if chosen := os.environ.get("RESNET_DEMO_CACHE"):
        return (Path(chosen),)
    # Earlier clones kept their downloads beside the weights.
    return platformdirs.user_cache_path(_APP, appauthor=False), shipped_folder() / "cache"

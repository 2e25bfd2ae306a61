"""Where weights are looked for and written, and where downloads are kept. Nothing is ever written into the package."""

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).parents[1]
_APP = "resnet_demo"
# Below a folder of weights: what `lesion` measured, and the cards of further seeds without their weights.
LESIONS, SEEDS = "lesions", "seeds"


def shipped_folder() -> Path:
    """The weights that come with this project: inside the package where it was installed from a wheel, else beside
    it, in the clone."""
    inside = _PACKAGE / "weights"
    return inside if inside.is_dir() else _PACKAGE.parent / "weights"


def user_folder() -> Path:
    """The networks that this user has trained: `RESNET_DEMO_WEIGHTS`, else in the user's data folder."""
    chosen = os.environ.get("RESNET_DEMO_WEIGHTS")
    return Path(chosen) if chosen else platformdirs.user_data_path(_APP, appauthor=False) / "weights"


def cache_folders() -> tuple[Path, ...]:
    """Where downloads are looked for; they are kept in the first: `RESNET_DEMO_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("RESNET_DEMO_CACHE"):
        return (Path(chosen),)
    # Clones once kept their downloads beside the weights.
    return platformdirs.user_cache_path(_APP, appauthor=False), shipped_folder() / "cache"

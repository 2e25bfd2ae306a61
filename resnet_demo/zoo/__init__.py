"""What can be picked: the catalogue, its weights, and models ready to look at photos."""

from resnet_demo.zoo.card import Card, sha256_of
from resnet_demo.zoo.catalogue import Catalogue, find_entry, list_models, open_catalogue
from resnet_demo.zoo.entry import Entry
from resnet_demo.zoo.fetching import Progress, fetch, progress_text
from resnet_demo.zoo.models import Model, ModelCache, load_model, pick_device
from resnet_demo.zoo.preprocessing import Preprocessing
from resnet_demo.zoo.weights import WeightState, fetch_entry, is_offline, load_run, require_weights, weight_state

__all__ = [
    "Card",
    "Catalogue",
    "Entry",
    "Model",
    "ModelCache",
    "Preprocessing",
    "Progress",
    "WeightState",
    "fetch",
    "fetch_entry",
    "find_entry",
    "is_offline",
    "list_models",
    "load_model",
    "load_run",
    "open_catalogue",
    "pick_device",
    "progress_text",
    "require_weights",
    "sha256_of",
    "weight_state",
]
